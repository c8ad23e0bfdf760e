"""Ids whose identifier a policy did away with: what they stand for now, or that they stand for nothing.

When two values become one under another policy, the id of the second one stands for that one from then on; the id of a
value that is blocked now says that it is gone, as an erased one does. So every id ever handed out resolves or says why
not. What an id stands for is again an id, of an identifier that is there; no chain is ever kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Transaction
from identity.identifiers import IdentifierKey

# identifier_key and former_id_mint (unique), former_id_now (range), erased_mint (unique)
KEEP_FORMER = """
UNWIND $rows AS row
MATCH (old:Identifier {key: row.key})
USING INDEX SEEK old:Identifier(key)
CALL (old, row) {
  MATCH (heir:Identifier {key: row.heir})
  USING INDEX SEEK heir:Identifier(key)
  MERGE (former:FormerId {mint: old.mint})
  SET former.now = heir.mint
  WITH old, heir
  MATCH (before:FormerId {now: old.mint})
  USING INDEX SEEK before:FormerId(now)
  SET before.now = heir.mint
}
"""

# identifier_key and former_id_mint (unique), former_id_now (range)
KEEP_GONE = """
UNWIND $keys AS key
MATCH (old:Identifier {key: key})
USING INDEX SEEK old:Identifier(key)
MERGE (:FormerId {mint: old.mint})
WITH old
CALL (old) {
  MATCH (before:FormerId {now: old.mint})
  USING INDEX SEEK before:FormerId(now)
  REMOVE before.now
}
"""

# former_id_mint and erased_mint (unique)
STANDING = """
UNWIND $ids AS id
CALL (id) {
  MATCH (former:FormerId {mint: id})
  USING INDEX SEEK former:FormerId(mint)
  RETURN former.now AS now
  UNION
  MATCH (erased:Erased {mint: id})
  USING INDEX SEEK erased:Erased(mint)
  RETURN null AS now
}
RETURN id, now
"""


@dataclass(frozen=True, slots=True)
class Former:
    """An id that is no identifier's any more. now: the id that it stands for; None where it stands for nothing."""

    now: str | None


async def former_ids(reader: Reader, ids: Sequence[str]) -> Mapping[str, Former]:
    """What became of these ids; one that an identifier has, and one that was never handed out, has no entry."""
    return {row["id"]: Former(row["now"]) for row in await reader.rows(STANDING, ids=list(ids))}


async def keep_former_ids(
    tx: Transaction, gone: Sequence[IdentifierKey], heirs: Mapping[IdentifierKey, IdentifierKey]
) -> None:
    """Remember what the ids of identifiers that are about to be removed stand for. heirs: what a value is now."""
    rows = [{"key": key, "heir": heirs[key]} for key in gone if key in heirs]
    if rows:
        await tx.rows(KEEP_FORMER, rows=rows)
    lost = [key for key in gone if key not in heirs]
    if lost:
        await tx.rows(KEEP_GONE, keys=lost)
