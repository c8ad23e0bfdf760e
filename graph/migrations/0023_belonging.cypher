// A person's accounts by their keys, and the shared identifiers that she uses by their mints, page by page.
CREATE INDEX member_of IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.who, m.of);
CREATE INDEX shared_by IF NOT EXISTS FOR ()-[s:SHARED_BY]-() ON (s.who, s.what);
// Data of before; what comes says it by itself.
MATCH (i:Identifier)-[m:MEMBER_OF]->(a:Account)
WHERE m.who IS NULL
CALL (i, m, a) {
  SET m.who = i.key, m.of = a.key
} IN TRANSACTIONS OF 5000 ROWS;
MATCH (i:Identifier)-[s:SHARED_BY]->(p:Profile)
WHERE s.who IS NULL
CALL (i, s, p) {
  SET s.who = p.id, s.what = i.mint
} IN TRANSACTIONS OF 5000 ROWS;
