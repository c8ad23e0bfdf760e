"""What relationships say of their ends, for the indexes by which they are found; and saying it anew.

Every writer says it. A service of before the indexes that still runs beside a newer one does not: then a membership is
there and no list shows it, until `selfsame rebuild` says it.
"""

from collections.abc import Mapping, Sequence

from graph.connection import Reader, Transaction

Ends = tuple[str, str]

# label scan: every membership is looked at
LOST_MEMBERSHIPS = """
MATCH (i:Identifier)-[m:MEMBER_OF]->(a:Account)
WHERE m.who IS NULL OR m.who <> i.key OR m.of IS NULL OR m.of <> a.key OR m.mint IS NULL OR m.mint <> i.mint
RETURN DISTINCT i.key AS key, a.key AS other
"""

# label scan: every use of what is shared is looked at
LOST_USES = """
MATCH (i:Identifier)-[s:SHARED_BY]->(p:Profile)
WHERE s.who IS NULL OR s.who <> p.id OR s.what IS NULL OR s.what <> i.mint
RETURN DISTINCT i.key AS key, p.id AS other
"""

# identifier_key (unique), then the accounts of each
SAY_MEMBERSHIPS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.key})-[m:MEMBER_OF]->(a:Account)
USING INDEX SEEK i:Identifier(key)
WHERE a.key = row.other
SET m.who = i.key, m.of = a.key, m.mint = i.mint
"""

# The end of a statement that gives the identifier `i` another mint.
say_mint = """WITH i
CALL (i) {
  MATCH (i)-[m:MEMBER_OF]->()
  SET m.mint = i.mint
}
CALL (i) {
  MATCH (i)-[s:SHARED_BY]->()
  SET s.what = i.mint
}"""


async def lost_memberships(reader: Reader) -> list[Ends]:
    """The keys of identifiers and accounts whose membership no index leads to. One statement, over all of them."""
    return sorted((row["key"], row["other"]) for row in await reader.rows(LOST_MEMBERSHIPS))


async def lost_uses(reader: Reader) -> list[Ends]:
    """The keys of shared identifiers and the ids of their people, where no index leads from these to those."""
    return sorted((row["key"], row["other"]) for row in await reader.rows(LOST_USES))


async def say_memberships(tx: Transaction, lost: Sequence[Ends]) -> None:
    """Say of memberships what they lead to; may run twice."""
    rows: list[Mapping[str, str]] = [{"key": key, "other": other} for key, other in lost]
    await tx.rows(SAY_MEMBERSHIPS, rows=rows)
