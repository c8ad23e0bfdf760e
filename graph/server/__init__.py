"""The local Neo4j: fetched by a lock, started as a child process, owned by whoever started it."""
