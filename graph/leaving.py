"""Identifiers that a policy does away with: what the log has of them is kept at their former ids, and brought home."""

from collections.abc import Mapping, Sequence

from graph.audit import Cause, Move, log_left
from graph.connection import Transaction
from graph.former_ids import keep_claims
from identity.identifiers import IdentifierKey, ProfileId

# identifier_key (unique), then an expand per identifier
LEFT = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN key, coalesce(i.gives, i.mint) AS mint, p.id AS profile
ORDER BY key
"""

# identifier_key (unique), former_id_key (range), then the log of each; all that it ever had goes where its value goes
KEEP_AT_FORMER = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (heir:Identifier {key: row.heir})
USING INDEX SEEK heir:Identifier(key)
MATCH (f:FormerId {key: row.key})
USING INDEX SEEK f:FormerId(key)
SET f.heir = heir.mint
WITH i, f
WHERE f.mint = coalesce(i.gives, i.mint)
SET f.first_seen = i.first_seen, f.moved_at = i.moved_at,
  f.role = CASE WHEN i:Device THEN 'Device' WHEN i:Contact THEN 'Contact' ELSE 'ContactPoint' END
WITH i, f
CALL (i, f) {
  MATCH (i)<-[moved:MOVED]-(change:Change)
  CREATE (change)-[:MOVED {left: moved.left, joined: moved.joined}]->(f)
}
CALL (i, f) {
  MATCH (i)<-[:CONCERNS]-(change:Change)
  CREATE (change)-[:CONCERNS]->(f)
}
"""

# former_id_key (range), identifier_key (unique), then the log of each
BRING_HOME = """
UNWIND $keys AS key
MATCH (f:FormerId {key: key})
USING INDEX SEEK f:FormerId(key)
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
SET i.moved_at = CASE
  WHEN f.moved_at IS NULL OR i.moved_at >= f.moved_at THEN i.moved_at
  ELSE f.moved_at
END
REMOVE f.first_seen, f.moved_at, f.role
WITH f, i
CALL (f, i) {
  MATCH (f)<-[moved:MOVED]-(change:Change)
  CREATE (change)-[:MOVED {left: moved.left, joined: moved.joined}]->(i)
  DELETE moved
}
CALL (f, i) {
  MATCH (f)<-[concerned:CONCERNS]-(change:Change)
  CREATE (change)-[:CONCERNS]->(i)
  DELETE concerned
}
"""


async def leave(
    tx: Transaction,
    keys: Sequence[IdentifierKey],
    heirs: Mapping[IdentifierKey, IdentifierKey],
    cause: Cause,
    now: int,
) -> None:
    """Log that identifiers are none any more, and keep their ids with all that the log has of them. now: µs.

    heirs: what their values are now.
    """
    rows = await tx.rows(LEFT, keys=list(keys))
    moves = [Move(IdentifierKey(row["key"]), row["mint"], _profile(row["profile"]), None) for row in rows]
    await log_left(tx, moves, heirs, cause, now)
    await keep_claims(tx, keys)
    await tx.rows(KEEP_AT_FORMER, rows=[{"key": key, "heir": heirs.get(key)} for key in keys])


def _profile(id_: str | None) -> ProfileId | None:
    return ProfileId(id_) if id_ else None


async def bring_home(tx: Transaction, keys: Sequence[IdentifierKey]) -> None:
    """Give identifiers that are there again what the log has of them."""
    await tx.rows(BRING_HOME, keys=list(keys))
