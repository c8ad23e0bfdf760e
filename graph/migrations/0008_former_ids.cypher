// Ids whose identifier another policy did away with.
CREATE CONSTRAINT former_id_mint IF NOT EXISTS FOR (f:FormerId) REQUIRE f.mint IS UNIQUE;
CREATE INDEX former_id_now IF NOT EXISTS FOR (f:FormerId) ON (f.now);
