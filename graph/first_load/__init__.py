"""The first load of a big history: everything that a graph holds, computed beside it and imported as one store."""
