// Of equal loads one is unfinished at most: whoever begins one meets it.
CREATE CONSTRAINT run_open IF NOT EXISTS FOR (r:Run) REQUIRE r.open IS UNIQUE;
