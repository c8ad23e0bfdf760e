// What happened, for those who listen: the numbers by which it is heard in order, each given once.
CREATE CONSTRAINT feed_entry_id IF NOT EXISTS FOR (e:FeedEntry) REQUIRE e.id IS UNIQUE;
CREATE CONSTRAINT feed_entry_seq IF NOT EXISTS FOR (e:FeedEntry) REQUIRE e.seq IS UNIQUE;
CREATE CONSTRAINT feed_sequence_name IF NOT EXISTS FOR (s:FeedSequence) REQUIRE s.name IS UNIQUE;
CREATE CONSTRAINT feed_position_name IF NOT EXISTS FOR (p:FeedPosition) REQUIRE p.name IS UNIQUE;
