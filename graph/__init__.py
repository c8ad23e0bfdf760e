"""Everything that knows Neo4j, and nothing that knows HTTP or GraphQL."""
