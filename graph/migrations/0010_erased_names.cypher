// Keys of accounts and things that told the value of somebody erased, which have a pseudonym now.
CREATE CONSTRAINT erased_name_hash IF NOT EXISTS FOR (n:ErasedName) REQUIRE n.hash IS UNIQUE;
