// Who belonged to a profile once is found by the moves from it and to it.
CREATE INDEX moved_left IF NOT EXISTS FOR ()-[m:MOVED]-() ON (m.left);
CREATE INDEX moved_joined IF NOT EXISTS FOR ()-[m:MOVED]-() ON (m.joined);
