// What is remembered of the erased: keyed hashes, and bare mints.
CREATE CONSTRAINT tombstone_hash IF NOT EXISTS FOR (t:Tombstone) REQUIRE t.hash IS UNIQUE;
CREATE CONSTRAINT erased_message_hash IF NOT EXISTS FOR (m:ErasedMessage) REQUIRE m.hash IS UNIQUE;
CREATE CONSTRAINT erased_mint IF NOT EXISTS FOR (e:Erased) REQUIRE e.mint IS UNIQUE;
CREATE CONSTRAINT erasure_id IF NOT EXISTS FOR (e:Erasure) REQUIRE e.id IS UNIQUE;
CREATE CONSTRAINT erasure_key_name IF NOT EXISTS FOR (k:ErasureKey) REQUIRE k.name IS UNIQUE;
