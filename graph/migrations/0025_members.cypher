// An account's people by the mints of their identifiers, page by page.
CREATE INDEX member_mint IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.of, m.mint);
// Data of before; what comes says it by itself.
MATCH (i:Identifier)-[m:MEMBER_OF]->(:Account)
WHERE m.mint IS NULL
CALL (i, m) {
  SET m.mint = i.mint
} IN TRANSACTIONS OF 5000 ROWS;
