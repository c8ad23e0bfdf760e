// Who is in which segment now, in the order of ids: `of` and `who` stand on a membership only while it is open.
CREATE CONSTRAINT segment_key IF NOT EXISTS FOR (s:Segment) REQUIRE s.key IS UNIQUE;
CREATE INDEX was_in_open IF NOT EXISTS FOR ()-[w:WAS_IN]-() ON (w.of, w.who);
