// Who shares an identifier, by the ids of the people, page by page.
CREATE INDEX shared_with IF NOT EXISTS FOR ()-[s:SHARED_BY]-() ON (s.what, s.who);
