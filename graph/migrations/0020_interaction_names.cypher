// Of which kind interactions are whose names are a source's own.
CREATE CONSTRAINT interaction_name_name IF NOT EXISTS FOR (n:InteractionName) REQUIRE n.name IS UNIQUE;
