"""What happened, in an order of its own: entries are numbered after they are committed, and read by their numbers.

Writers leave an entry each and know of no number (graph/telling.py). Behind them whoever holds the one lock here
numbers what is committed, so an entry that is committed late has a later number, and who goes on after a number
misses nothing. The numbers have no gap: who sees one waits until what is before it can be seen as well.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.connection import Connection, Reader, Row, Transaction
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId, micros

NUMBERED_AT_ONCE = 500
READ_AT_ONCE = 50
DROPPED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What one transaction changed. at: µs. The rest as in graph.telling.Told; messages and changes keep their order.

    segment: the key of the one whose people some entered and some left, each by the mint of an anchor; removed: whether
    it is no more from then on.
    """

    seq: int
    at: int
    touched: frozenset[str] = frozenset()
    messages: tuple[MessageId, ...] = ()
    changes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    everyone: bool = False
    segment: str | None = None
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers of the first entry that is kept and of the last one; `last` is `first - 1` where there is none."""

    first: int = 1
    last: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The number of the last entry, and whether there are entries that wait for one."""

    last: int
    waits: bool


# feed_sequence_name (unique); label scan: what was committed in the last moments
STANDING = """
OPTIONAL MATCH (sequence:FeedSequence {name: 'feed'})
RETURN coalesce(sequence.last, 0) AS last, EXISTS { MATCH (:Unsequenced) } AS waits
"""


async def feed_standing(reader: Reader) -> Standing:
    """Whether there is anything to number or to read, in one statement. Raises DatabaseAwayError."""
    row = (await reader.rows(STANDING))[0]
    return Standing(row["last"], row["waits"])


# feed_sequence_name (unique), whose write is the lock; then a label scan of what was committed in the last moments
NUMBER = """
MERGE (sequence:FeedSequence {name: 'feed'})
ON CREATE SET sequence.first = 1, sequence.last = 0
SET sequence.touched = timestamp()
WITH sequence
CALL (sequence) {
  MATCH (entry:Unsequenced)
  WITH entry
  ORDER BY entry.at, entry.id
  LIMIT $most
  RETURN collect(entry) AS entries
}
WITH sequence, entries, sequence.last AS last
SET sequence.last = last + size(entries)
WITH entries, last
UNWIND range(0, size(entries) - 1) AS place
WITH entries[place] AS entry, last + place + 1 AS seq
SET entry.seq = seq
REMOVE entry:Unsequenced
RETURN count(entry) AS many
"""


async def number_entries(connection: Connection) -> int:
    """Number what was committed since; how many entries. Twice is once, and processes may do it side by side.

    It takes the lock; `feed_standing` says whether there is a reason to. Raises DatabaseAwayError.
    """
    numbered = done = await connection.writer.write(_numbered)
    while done == NUMBERED_AT_ONCE:
        numbered += (done := await connection.writer.write(_numbered))
    return numbered


async def _numbered(tx: Transaction) -> int:
    return int((await tx.rows(NUMBER, most=NUMBERED_AT_ONCE))[0]["many"])


# feed_sequence_name (unique)
BOUNDS = """
MATCH (sequence:FeedSequence {name: 'feed'})
USING INDEX SEEK sequence:FeedSequence(name)
RETURN sequence.first AS first, sequence.last AS last
"""


async def feed_bounds(reader: Reader | Transaction) -> Bounds:
    """Which numbers are kept. Raises DatabaseAwayError."""
    rows = await reader.rows(BOUNDS)
    return Bounds(rows[0]["first"], rows[0]["last"]) if rows else Bounds()


# feed_entry_seq (unique), in its order
ENTRIES_AFTER = """
MATCH (entry:FeedEntry)
USING INDEX SEEK entry:FeedEntry(seq)
WHERE entry.seq > $after
WITH entry
ORDER BY entry.seq
LIMIT $limit
RETURN entry {.*} AS entry
"""


async def entries_after(reader: Reader | Transaction, after: int, limit: int = READ_AT_ONCE) -> tuple[Entry, ...]:
    """The entries that follow a number without a gap, in their order, at most `limit`; none where the next is missing.

    While a transaction commits, some of what it numbered can be seen before the rest. Raises DatabaseAwayError.
    """
    rows = await reader.rows(ENTRIES_AFTER, after=after, limit=limit)
    found = [_entry(row["entry"]) for row in rows]
    return tuple(each for place, each in enumerate(found) if each.seq == after + 1 + place)


def _entry(row: Row) -> Entry:
    return Entry(
        seq=row["seq"],
        at=row["at"],
        touched=frozenset(row.get("touched") or ()),
        messages=tuple(map(MessageId, row.get("messages") or ())),
        changes=tuple(row.get("changes") or ()),
        runs=tuple(row.get("runs") or ()),
        everyone=bool(row.get("everyone")),
        segment=row.get("segment"),
        entered=tuple(row.get("entered") or ()),
        left=tuple(row.get("left") or ()),
        removed=bool(row.get("removed")),
    )


# feed_entry_seq (unique), in its order
OLDEST = """
MATCH (entry:FeedEntry)
USING INDEX SEEK entry:FeedEntry(seq)
WHERE entry.seq > 0
WITH entry
ORDER BY entry.seq
LIMIT $limit
RETURN entry.seq AS seq, entry.at AS at
"""

# feed_sequence_name and feed_entry_seq (unique); label scan: as many positions as there are readers of their own
DROP = """
MATCH (sequence:FeedSequence {name: 'feed'})
USING INDEX SEEK sequence:FeedSequence(name)
SET sequence.touched = timestamp()
WITH sequence, COLLECT { MATCH (position:FeedPosition) RETURN position.seq } AS positions
WITH sequence, reduce(least = $upto, seq IN positions | CASE WHEN seq < least THEN seq ELSE least END) AS upto
SET sequence.first = CASE WHEN upto >= sequence.first THEN upto + 1 ELSE sequence.first END
WITH upto
MATCH (entry:FeedEntry)
USING INDEX SEEK entry:FeedEntry(seq)
WHERE entry.seq <= upto
DELETE entry
RETURN count(entry) AS many
"""


async def drop_entries(connection: Connection, before: datetime) -> int:
    """Drop what is older than a moment and what every reader with a position of its own has read; how many entries.

    Twice is once. Raises DatabaseAwayError.
    """
    rows = await connection.reader.rows(OLDEST, limit=DROPPED_AT_ONCE)
    old = _leading(rows, micros(before))
    return await connection.writer.write(_dropped, old[-1]) if old else 0


def _leading(rows: Iterable[Row], before: int) -> list[int]:
    """The numbers at the beginning that are old: what is between them and a young one stays with that."""
    old: list[int] = []
    for row in rows:
        if row["at"] >= before:
            break
        old.append(row["seq"])
    return old


async def _dropped(tx: Transaction, upto: int) -> int:
    return int((await tx.rows(DROP, upto=upto))[0]["many"])


# feed_position_name (unique); the write is the lock
POSITION = """
MERGE (position:FeedPosition {name: $name})
ON CREATE SET position.seq = $start
SET position.touched = timestamp()
RETURN position.seq AS seq
"""

# feed_position_name (unique)
KEEP_POSITION = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
SET position.seq = $seq
"""


async def locked_position(tx: Transaction, name: str) -> int:
    """Up to where a reader with a position has read; it is the only one until the transaction ends.

    A new one begins at the end of what is numbered.
    """
    return int((await tx.rows(POSITION, name=name, start=(await feed_bounds(tx)).last))[0]["seq"])


async def keep_position(tx: Transaction, name: str, seq: int) -> None:
    """Remember, with what the transaction made of it, up to where a reader has read."""
    await tx.rows(KEEP_POSITION, name=name, seq=seq)


@dataclass(frozen=True, slots=True)
class Members:
    """Of whom somebody is told. mints: of the identifiers of a profile, and of those that she shares."""

    profile: ProfileId
    mints: frozenset[str]


# identifier_key (unique), then two expands per profile
MEMBERS_OF = """
UNWIND $keys AS key
MATCH (asked:Identifier {key: key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK asked:Identifier(key)
RETURN key, profile.id AS id,
  COLLECT { MATCH (profile)<-[:IDENTIFIES|SHARED_BY]-(i:Identifier) RETURN i.mint } AS mints
"""


async def members_of(reader: Reader, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, Members]:
    """Whom each identifier belongs to, and by which mints she is touched; an unknown one has no entry. One statement.

    Cost: the identifiers of the profiles.
    """
    rows = await reader.rows(MEMBERS_OF, keys=list(keys))
    return {
        IdentifierKey(row["key"]): Members(ProfileId(row["id"]), frozenset((*row["mints"], row["id"]))) for row in rows
    }


# interaction_id and identifier_key (unique), one row each; then the shares of its actor
OWN_AMONG = """
UNWIND $ids AS id
MATCH (interaction:Interaction {id: id})
USING INDEX SEEK interaction:Interaction(id)
WHERE interaction.actor IS NOT NULL
MATCH (actor:Identifier {key: interaction.actor})
USING INDEX SEEK actor:Identifier(key)
WITH id, actor, [(actor)-[use:SHARED_BY]->(sharer:Profile)
  WHERE any(n IN range(0, size(use.spans) / 2 - 1)
    WHERE use.spans[2 * n] <= interaction.at <= use.spans[2 * n + 1]) | sharer.id] AS sharers
WHERE $profile IN sharers
  OR (size(sharers) = 0 AND EXISTS { MATCH (actor)-[:IDENTIFIES]->(:Profile {id: $profile}) })
RETURN id
"""


async def own_among(reader: Reader, profile: ProfileId, ids: Sequence[MessageId]) -> frozenset[MessageId]:
    """Which of these interactions are a profile's now, also on devices that she shares. One statement."""
    return frozenset(MessageId(row["id"]) for row in await reader.rows(OWN_AMONG, profile=profile, ids=list(ids)))


# identifier_mint (unique), then one expand per mint
PROFILES_TOUCHED = """
UNWIND $mints AS mint
MATCH (i:Identifier {mint: mint})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK i:Identifier(mint)
RETURN DISTINCT profile.id AS id
"""


async def profiles_touched(tx: Transaction, mints: Collection[str]) -> list[ProfileId]:
    """The ids of the profiles to which identifiers belong that entries touch. One statement."""
    return [ProfileId(row["id"]) for row in await tx.rows(PROFILES_TOUCHED, mints=sorted(mints))]
