// Former ids keep the key that they were an id of; an id that was lent has several, so its own is unique no longer.
DROP CONSTRAINT former_id_mint IF EXISTS;
CREATE INDEX former_id_mints IF NOT EXISTS FOR (f:FormerId) ON (f.mint);
CREATE CONSTRAINT former_id IF NOT EXISTS FOR (f:FormerId) REQUIRE f.id IS UNIQUE;
CREATE INDEX former_id_key IF NOT EXISTS FOR (f:FormerId) ON (f.key);
