"""What is remembered of the erased: keyed hashes that keep messages out, bare mints that answer «erased».

A batch asks for tombstones only when there are any: their number comes from the store's own statistics. It is asked
again once the batch has locked its identifiers, so that an erasure which was committed in between is not missed.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Transaction
from graph.errors import ErasureKeyError
from identity.erasure import (
    Form,
    Hashing,
    Mode,
    Tombstone,
    erased_in,
    forms_of,
    normaliser_of,
    stays_out,
    stripped,
    written_otherwise,
)
from identity.evidence import Heard, hear
from identity.identifiers import IdentifierKey
from identity.messages import MessageId
from identity.policy import Policy

HOW_TO = (
    "set SELFSAME_ERASURE_KEY to the key of the first erasure, or put its `erasure.key` back into the data directory"
)

# tombstone_hash and erased_message_hash (unique); erasure_key_name (unique): one row
HITS = """
CALL () {
  UNWIND $identifiers AS hash
  MATCH (t:Tombstone {hash: hash})
  USING INDEX SEEK t:Tombstone(hash)
  RETURN collect([t.hash, t.mode, t.erased_at, t.written]) AS tombstones
}
CALL () {
  UNWIND $messages AS hash
  MATCH (m:ErasedMessage {hash: hash})
  USING INDEX SEEK m:ErasedMessage(hash)
  RETURN collect(m.hash) AS messages
}
OPTIONAL MATCH (k:ErasureKey {name: 'key'})
USING INDEX SEEK k:ErasureKey(name)
RETURN tombstones, messages, k.check AS check
"""

# tombstone_hash (unique), in the order of hashes
COUNT_SUPPRESSED = """
UNWIND $rows AS row
MATCH (t:Tombstone {hash: row.hash})
USING INDEX SEEK t:Tombstone(hash)
SET t.suppressed = t.suppressed + row.count
"""

# erasure_key_name (unique): one row
KEY_CHECK = """
MATCH (k:ErasureKey {name: 'key'})
USING INDEX SEEK k:ErasureKey(name)
RETURN k.check AS check
"""

# erasure_key_name (unique): one row; the first erasure decides
KEEP_KEY_CHECK = """
MERGE (k:ErasureKey {name: 'key'})
ON CREATE SET k.check = $check
RETURN k.check AS check
"""

# tombstone_hash (unique)
TOMBSTONES_OF = """
UNWIND $hashes AS hash
MATCH (t:Tombstone {hash: hash})
USING INDEX SEEK t:Tombstone(hash)
RETURN hash, t.mode AS mode, t.erased_at AS erased_at, t.suppressed AS suppressed
"""

# tombstone_hash (unique)
UNSUPPRESS = """
UNWIND $hashes AS hash
MATCH (t:Tombstone {hash: hash, mode: 'suppress_and_delete'})
USING INDEX SEEK t:Tombstone(hash)
SET t.mode = 'delete'
RETURN hash
"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The messages of a batch that may come in, some of them stripped of what is erased; and those that stay out."""

    heard: Sequence[Heard]
    out: frozenset[MessageId]


async def admitted(tx: Transaction, heard: Sequence[Heard], policy: Policy, hashing: Hashing | None) -> Admitted:
    """Keep out what is about the erased; those that suppression keeps out are counted at their tombstones.

    Where the policy lets a replay bring things back, only suppression keeps anything out.
    Raises ErasureKeyError when things are erased and the key is missing or another one.
    """
    if hashing is None:  # what a policy removed is remembered by its bare id, and no key is needed for that
        require_key(None, next((row["check"] for row in await tx.rows(KEY_CHECK)), None))
        return Admitted(heard, frozenset())
    others = written_otherwise(policy)
    forms = {each.message.id: forms_of(each, policy, others) for each in heard}
    names = {hashing.of_identifier(key): key for each in forms.values() for found in each.values() for key, _ in found}
    ids = {hashing.of_message(each.message.id): each.message.id for each in heard}
    row = (await tx.rows(HITS, identifiers=sorted(names), messages=sorted(ids)))[0]
    require_key(hashing, row["check"])
    stones = {
        (names[hash_], how): Tombstone(hash_, Mode(mode), at)
        for hash_, mode, at, written in row["tombstones"]
        for how in written or [normaliser_of(names[hash_], policy)]
    }
    known = {ids[hash_] for hash_ in row["messages"]}
    if not policy.replay_stays_out:
        stones = {form: each for form, each in stones.items() if each.mode is Mode.SUPPRESS_AND_DELETE}
        known = set()
    if not stones and not known:
        return Admitted(heard, frozenset())
    met = {id_: _met(found, stones) for id_, found in forms.items()}
    return await _sorted_out(tx, heard, met, known, policy)


def _met(
    found: Mapping[IdentifierKey, Collection[Form]], stones: Mapping[Form, Tombstone]
) -> dict[IdentifierKey, Tombstone]:
    """The tombstone of each identifier of a message; of several the one that keeps out the most."""
    met: dict[IdentifierKey, Tombstone] = {}
    for key, said in found.items():
        hits = [stones[form] for form in said if form in stones]
        if hits:
            met[key] = max(hits, key=lambda each: (each.mode is Mode.SUPPRESS_AND_DELETE, each.erased_at, each.hash))
    return met


async def _sorted_out(
    tx: Transaction,
    heard: Sequence[Heard],
    met: Mapping[MessageId, Mapping[IdentifierKey, Tombstone]],
    known: set[MessageId],
    policy: Policy,
) -> Admitted:
    kept: list[Heard] = []
    suppressed: Counter[str] = Counter()
    for each in heard:
        stones = met[each.message.id]
        erased = erased_in(each, stones)
        if each.message.id in known or stays_out(each, erased):
            suppressed.update({stones[key].hash for key in erased if stones[key].mode is Mode.SUPPRESS_AND_DELETE})
        else:
            kept.append(hear(stripped(each.message, erased, policy), policy) if erased else each)
    if suppressed:
        rows = [{"hash": hash_, "count": count} for hash_, count in sorted(suppressed.items())]
        await tx.rows(COUNT_SUPPRESSED, rows=rows)
    left = {each.message.id for each in kept}
    return Admitted(kept, frozenset(each.message.id for each in heard if each.message.id not in left))


def require_key(hashing: Hashing | None, check: str | None) -> None:
    """Raises ErasureKeyError when there is a check value of erasures and it is not of this key."""
    if check is None:
        return
    if hashing is None:
        raise ErasureKeyError(f"things were erased from this graph, and the key of the erasures is missing: {HOW_TO}")
    if hashing.check != check:
        raise ErasureKeyError(f"the key of the erasures is not the one with which things were erased: {HOW_TO}")


async def check_key(reader: Reader, hashing: Hashing | None) -> None:
    """Return when messages can be told from erased ones. Raises ErasureKeyError, DatabaseAwayError."""
    rows = await reader.rows(KEY_CHECK)
    require_key(hashing, rows[0]["check"] if rows else None)


async def keep_key_check(tx: Transaction, hashing: Hashing) -> None:
    """Remember which key erases; raises ErasureKeyError when another one did before."""
    require_key(hashing, (await tx.rows(KEEP_KEY_CHECK, check=hashing.check))[0]["check"])


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of an erased identifier. suppressed: how many messages were kept out by suppression so far."""

    mode: Mode
    erased_at: int
    suppressed: int


async def remembered(
    reader: Reader, keys: Sequence[IdentifierKey], hashing: Hashing
) -> Mapping[IdentifierKey, Remembered]:
    """The tombstone of each identifier; one that was never erased has no entry. One statement."""
    names = {hashing.of_identifier(key): key for key in keys}
    return {
        names[row["hash"]]: Remembered(Mode(row["mode"]), row["erased_at"], row["suppressed"])
        for row in await reader.rows(TOMBSTONES_OF, hashes=sorted(names))
    }


async def unsuppress(tx: Transaction, keys: Sequence[IdentifierKey], hashing: Hashing) -> list[IdentifierKey]:
    """Let these identifiers begin afresh; what is older than their erasure stays out. Those that were suppressed."""
    names = {hashing.of_identifier(key): key for key in keys}
    return [names[row["hash"]] for row in await tx.rows(UNSUPPRESS, hashes=sorted(names))]
