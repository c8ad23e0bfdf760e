"""Who is who: pure rules over stored evidence, without clock, chance, files or a database."""
