"""What was said by hand of an identifier that turns out to be another one goes over to that.

So it does where a policy writes it otherwise, and where what a previousId meant turns out to be a user id.
"""

from collections.abc import Mapping, Sequence

from graph.connection import Transaction
from graph.recording import KEEP_OBSERVATIONS, OBSERVATIONS, observation_key, observed_facts
from graph.views import observation_from
from identity.identifiers import IdentifierKey
from identity.survivorship import MANUAL

# identifier_key (unique), then one expand per identifier
SAID_BY_HAND = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})<-[:OF]-(o:Observation)
USING INDEX SEEK i:Identifier(key)
WHERE o.source = $source
RETURN key, o.trait AS trait, o.value AS value, o.source AS source, o.at AS at, o.message AS message, o.sure AS sure,
  o.first_at AS first_at, o.first_message AS first_message, o.count AS count, o.recorded_at AS recorded_at
ORDER BY at, message
"""

# identifier_key (unique), then one expand per identifier; each was said once, so none meets another at the heir
HAND_ON_TAKEN_BACK = """
UNWIND $rows AS row
MATCH (old:Identifier {key: row.old})
USING INDEX SEEK old:Identifier(key)
MATCH (new:Identifier {key: row.key})
USING INDEX SEEK new:Identifier(key)
MATCH (old)<-[was:WAS_OF]-(o:Observation)
CREATE (o)-[:WAS_OF]->(new)
DELETE was
"""

# identifier_key (unique), then the accounts of each
HAND_ON_MEMBERSHIPS = """
UNWIND $rows AS row
MATCH (old:Identifier {key: row.old})
USING INDEX SEEK old:Identifier(key)
MATCH (new:Identifier {key: row.key})
USING INDEX SEEK new:Identifier(key)
CALL (old, new) {
  MATCH (old)-[m:MEMBER_OF {source: $source}]->(a:Account)
  MERGE (new)-[mine:MEMBER_OF {role: m.role, source: m.source}]->(a)
  ON CREATE SET mine = properties(m), mine.who = new.key, mine.mint = new.mint
}
CALL (old, new) {
  MATCH (old)-[m:NOT_MEMBER_OF]->(a:Account)
  MERGE (new)-[mine:NOT_MEMBER_OF]->(a)
  ON CREATE SET mine = properties(m)
}
"""

# identifier_key (unique); the log goes with the mint, not with the key
HAND_ON_LOG = """
UNWIND $rows AS row
MATCH (old:Identifier {key: row.old})
USING INDEX SEEK old:Identifier(key)
MATCH (new:Identifier {key: row.key})
USING INDEX SEEK new:Identifier(key)
SET new.moved_at = CASE
  WHEN old.moved_at IS NULL OR new.moved_at >= old.moved_at THEN new.moved_at
  ELSE old.moved_at
END
WITH old, new
CALL (old, new) {
  MATCH (old)<-[moved:MOVED]-(change:Change)
  CREATE (change)-[:MOVED {left: moved.left, joined: moved.joined}]->(new)
}
CALL (old, new) {
  MATCH (old)<-[:CONCERNS]-(change:Change)
  CREATE (change)-[:CONCERNS]->(new)
}
"""


async def hand_on(
    tx: Transaction, heirs: Mapping[IdentifierKey, IdentifierKey], renamed: Sequence[IdentifierKey] = ()
) -> None:
    """Give heirs the values and the memberships by hand of who is about to go, and the log of those who are renamed.

    renamed: those of whom nobody has to know that they had another key. A value that the heir has by hand as well stays
    as the heir has it.
    """
    rows = [{"old": old, "key": heir} for old, heir in sorted(heirs.items())]
    if not rows:
        return
    await tx.rows(HAND_ON_MEMBERSHIPS, rows=rows, source=MANUAL)
    await tx.rows(HAND_ON_TAKEN_BACK, rows=rows)
    if renamed:
        await tx.rows(HAND_ON_LOG, rows=[row for row in rows if row["old"] in {*renamed}])
    await _hand_on_values(tx, heirs)


async def _hand_on_values(tx: Transaction, heirs: Mapping[IdentifierKey, IdentifierKey]) -> None:
    facts: dict[str, tuple[IdentifierKey, dict[str, object]]] = {}
    for row in await tx.rows(SAID_BY_HAND, keys=sorted(heirs), source=MANUAL):
        heir, said = heirs[IdentifierKey(row["key"])], observation_from(row)
        key = observation_key(heir, said.trait, said.source, said.value)
        facts[key] = heir, {**observed_facts(key, said), "recorded_at": row["recorded_at"]}
    stored = {row["key"] for row in await tx.rows(OBSERVATIONS, keys=sorted(facts))} if facts else set()
    new = [{"identifier": heir, "facts": each} for key, (heir, each) in facts.items() if key not in stored]
    if new:
        await tx.rows(KEEP_OBSERVATIONS, new=new, repeated=[])
