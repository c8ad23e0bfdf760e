"""What is remembered of the erased: keyed hashes that keep messages out, bare mints that answer «erased».

A batch asks for tombstones only when there are any: their number comes from the store's own statistics. It is asked
again once the batch has locked its identifiers, so that an erasure which was committed in between is not missed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graph.connection import Reader, Row, Transaction
from graph.errors import ErasureKeyError
from identity.erasure import (
    Form,
    Hashing,
    Mode,
    Named,
    Tombstone,
    erased_in,
    forms_of,
    normaliser_of,
    stays_out,
    written_otherwise,
)
from identity.evidence import Heard, hear
from identity.identifiers import IdentifierKey
from identity.messages import MessageId
from identity.policy import Policy
from identity.stripping import names_in, renamed, stripped

HOW_TO = (
    "set SELFSAME_ERASURE_KEY to the key of the first erasure, or put its `erasure.key` back into the data directory"
)

# How much is remembered, from the store's own statistics: a batch that sees more than it knew of begins again.
REMEMBERED = "COUNT { (:Tombstone) } + COUNT { (:Erased) }"
PSEUDONYMS = "COUNT { (:ErasedName) }"

# tombstone_hash, erased_message_hash and erased_name_hash (unique); erasure_key_name (unique): one row
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
CALL () {
  UNWIND $names AS hash
  MATCH (n:ErasedName {hash: hash})
  USING INDEX SEEK n:ErasedName(hash)
  RETURN collect(n.hash) AS names
}
OPTIONAL MATCH (k:ErasureKey {name: 'key'})
USING INDEX SEEK k:ErasureKey(name)
RETURN tombstones, messages, names, k.check AS check
"""

# tombstone_hash (unique), in the order of hashes
COUNT_SUPPRESSED = """
UNWIND $rows AS row
MATCH (t:Tombstone {hash: row.hash})
USING INDEX SEEK t:Tombstone(hash)
SET t.suppressed = t.suppressed + row.count
"""

# erased_message_hash (unique), in the order of hashes; interaction_id (unique): those that came in before
KEEP_OUT = """
UNWIND $rows AS row
MERGE (:ErasedMessage {hash: row.hash})
WITH row
MATCH (i:Interaction {id: row.now})
USING INDEX SEEK i:Interaction(id)
RETURN row.id AS id
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
RETURN hash, t.mode AS mode, t.erased_at AS erased_at, t.suppressed AS suppressed, t.written AS written
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
    """The messages of a batch that may come in, some of them stripped of what is erased; and those that stay out.

    ids: under which others come in that told an erased value by their own.
    """

    heard: Sequence[Heard]
    out: frozenset[MessageId]
    ids: Mapping[MessageId, MessageId] = field(default_factory=dict)


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
    keys = {hashing.of_identifier(key): key for each in forms.values() for found in each.values() for key, _ in found}
    ids = {hashing.of_message(each.message.id): each.message.id for each in heard}
    names = {hashing.of_name(name): name for each in heard for name in names_in(each.message)}
    row = (await tx.rows(HITS, identifiers=sorted(keys), messages=sorted(ids), names=sorted(names)))[0]
    require_key(hashing, row["check"])
    stones = {
        (keys[hash_], how): Tombstone(hash_, Mode(mode), at)
        for hash_, mode, at, written in row["tombstones"]
        for how in written or [normaliser_of(keys[hash_], policy)]
    }
    known = {ids[hash_] for hash_ in row["messages"]}
    called = {names[hash_]: hashing.pseudonym(names[hash_]) for hash_ in row["names"]}
    if not policy.replay_stays_out:
        stones = {form: each for form, each in stones.items() if each.mode is Mode.SUPPRESS_AND_DELETE}
        known = set()
    if not stones and not known and not called:
        return Admitted(heard, frozenset())
    met = {id_: met_by(found, stones) for id_, found in forms.items()}
    return await _sorted_out(tx, heard, _Found(met, known, called, policy, hashing))


@dataclass(frozen=True, slots=True)
class _Found:
    """What is remembered of what a batch says. met: tombstones by message; known: ids that stay out.

    called: the accounts and things that have a pseudonym.
    """

    met: Mapping[MessageId, Mapping[IdentifierKey, Tombstone]]
    known: Collection[MessageId]
    called: Mapping[str, str]
    policy: Policy
    hashing: Hashing


def met_by(
    found: Mapping[IdentifierKey, Collection[Form]], stones: Mapping[Form, Tombstone]
) -> dict[IdentifierKey, Tombstone]:
    """The tombstone of each identifier; of several, where its value was written otherwise, what keeps out the most."""
    met: dict[IdentifierKey, Tombstone] = {}
    for key, said in found.items():
        hits = [stones[form] for form in said if form in stones]
        if hits:
            met[key] = max(hits, key=lambda each: (each.mode is Mode.SUPPRESS_AND_DELETE, each.erased_at, each.hash))
    return met


async def _sorted_out(tx: Transaction, heard: Sequence[Heard], found: _Found) -> Admitted:
    kept: dict[MessageId, Heard] = {}
    suppressed: Counter[str] = Counter()
    for each in heard:
        stones = found.met[each.message.id]
        erased = erased_in(each, stones)
        if each.message.id in found.known or stays_out(each, erased):
            suppressed.update({stones[key].hash for key in erased if stones[key].mode is Mode.SUPPRESS_AND_DELETE})
        else:
            kept[each.message.id] = _stripped(each, erased, found)
    if suppressed:
        rows = [{"hash": hash_, "count": count} for hash_, count in sorted(suppressed.items())]
        await tx.rows(COUNT_SUPPRESSED, rows=rows)
    ids = {id_: each.message.id for id_, each in kept.items() if each.message.id != id_}
    for id_ in await _kept_out(tx, ids, found.hashing):
        kept.pop(id_)
    return Admitted(tuple(kept.values()), frozenset(each.message.id for each in heard) - kept.keys(), ids)


async def _kept_out(tx: Transaction, ids: Mapping[MessageId, MessageId], hashing: Hashing) -> list[MessageId]:
    """Let messages that come in under other ids stay out from now on; those that came in before."""
    rows = [{"hash": hashing.of_message(id_), "id": id_, "now": now} for id_, now in ids.items()]
    found = await tx.rows(KEEP_OUT, rows=sorted(rows, key=lambda row: row["hash"])) if rows else []
    return [MessageId(row["id"]) for row in found]


def _stripped(heard: Heard, erased: frozenset[IdentifierKey], found: _Found) -> Heard:
    """What a message says without the erased, under an id that does not tell them either."""
    names = frozenset(IdentifierKey(name) for name in names_in(heard.message) if name in found.called)
    if not erased and not names:
        return heard
    message = stripped(heard.message, erased, found.policy, found.called)
    return hear(renamed(message, erased | names, found.policy, found.hashing), found.policy)


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


async def remembered(reader: Reader, asked: Iterable[Named], hashing: Hashing) -> Mapping[IdentifierKey, Remembered]:
    """What is remembered of each identifier, however it was written then; one that was never erased has no entry."""
    found: dict[IdentifierKey, Remembered] = {}
    for named, row in await _stones(reader, asked, hashing):
        here = Remembered(Mode(row["mode"]), row["erased_at"], row["suppressed"])
        found[named.key] = _joined(found[named.key], here) if named.key in found else here
    return found


def _joined(one: Remembered, other: Remembered) -> Remembered:
    mode = max(one.mode, other.mode, key=lambda each: each is Mode.SUPPRESS_AND_DELETE)
    return Remembered(mode, max(one.erased_at, other.erased_at), one.suppressed + other.suppressed)


async def unsuppress(tx: Transaction, asked: Iterable[Named], hashing: Hashing) -> list[IdentifierKey]:
    """Let these identifiers begin afresh; what is older than their erasure stays out. Those that were suppressed.

    An address begins afresh with its hash, since that keeps it out as well.
    """
    stones = await _stones(tx, asked, hashing)
    rows = await tx.rows(UNSUPPRESS, hashes=sorted({row["hash"] for _, row in stones}))
    done = {row["hash"] for row in rows}
    return sorted({named.key for named, row in stones if row["hash"] in done})


async def _stones(reader: Reader | Transaction, asked: Iterable[Named], hashing: Hashing) -> list[tuple[Named, Row]]:
    """The tombstones of what is asked for: those that were written by the normaliser which gives their key."""
    forms = [(hashing.of_identifier(key), how, named) for named in asked for key, how in sorted(named.forms)]
    rows = await reader.rows(TOMBSTONES_OF, hashes=sorted({hash_ for hash_, _, _ in forms}))
    stored = {row["hash"]: row for row in rows}
    found = {
        (named.key, hash_): (named, stored[hash_])
        for hash_, how, named in forms
        if hash_ in stored and how in (stored[hash_]["written"] or [how])
    }
    return list(found.values())
