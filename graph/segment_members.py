"""Who is in which kept segment, from when to when: followed as things happen, swept where time or a definition moves.

What is kept follows the feed from a place of its own. A step is one transaction: it judges anew whom some entries
touch, looks at one more page of a segment that has to be swept, writes who entered and who left, tells it, and moves
on. So whichever process does a step, and wherever it is killed, each person enters once and leaves once. The lock on
the place lets one process at a time do so.

Who is in a segment that is removed leaves it as any other, in pages, and the last page tells that it is no more: lists
elsewhere are kept by who enters and who leaves.

A membership hangs on the identifier whose mint is the profile's id. Whose profile goes by another id leaves under the
former one and enters under the new one. While it is open it says `of` and `who`, for an index of who is in now.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graph.connection import Connection, Reader, Row, Transaction
from graph.errors import PolicyApplyingError
from graph.feed import Entry, entries_after, keep_position, locked_position, profiles_touched
from graph.policies import PolicyHeld, begin
from graph.profiles import Profile, profile_from
from graph.segments import Asked, StoredSegment, compiled, memberships_in, segment_from
from identity.policy import Policy
from insight.segments import Definition, Some, moves_with_time, problems_of

POSITION = "segments"
AT_ONCE = 5_000
STEPS_AT_ONCE = 20
SWEPT_EVERY = 3_600_000_000  # µs; of those that look at the last days
NOBODY = Some(())

Moved = Mapping[str, tuple[Sequence[str], Sequence[str]]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A segment, what it asks now, and how far it is swept.

    swept: when the definition was given to which everybody was held last, and sweeping: to which everybody is held
    now, since `began`, after the id `after`; first who is in, and then, no longer `leaving`, everybody.
    """

    segment: StoredSegment
    definition: Definition
    swept: int | None
    swept_at: int
    sweeping: int | None
    began: int
    after: str
    leaving: bool

    def due(self, now: int) -> bool:
        """Whether there is something left to look at."""
        if self.swept != self.segment.changed_at or self.sweeping is not None:
            return True
        return moves_with_time(self.definition) and self.swept_at + SWEPT_EVERY <= now

    @property
    def key(self) -> str:
        """By which memberships name it; whoever has locked it knows it."""
        return self.segment.key or ""


# feed_position_name and feed_sequence_name (unique); label scan: at most 100 segments, and the removed
STANDING = """
OPTIONAL MATCH (position:FeedPosition {name: $name})
OPTIONAL MATCH (sequence:FeedSequence {name: 'feed'})
RETURN position.seq AS read, coalesce(sequence.last, 0) AS last,
  COLLECT { MATCH (segment:Segment) RETURN segment {.*} } AS segments,
  EXISTS { MATCH (:RemovedSegment) } AS removed
"""


async def keep_members(connection: Connection, held: PolicyHeld, now: int, steps: int = STEPS_AT_ONCE) -> int:
    """Bring up to date who is in which segment, as far as some steps reach; how many were done. now: µs.

    One reading statement where nothing waits. Processes may do it side by side, and while a policy is applied nobody
    does. A step costs what 5,000 mints at most touch, and one page of 5,000 people. Raises DatabaseAwayError.
    """
    for done in range(steps):
        if not await _waits(connection.reader, held.policy, now):
            return done
        try:
            await connection.writer.write(_step, held, now)
        except PolicyApplyingError:
            return done
    return steps


async def _waits(reader: Reader, policy: Policy, now: int) -> bool:
    row = (await reader.rows(STANDING, name=POSITION))[0]
    kept = [_kept(each, policy) for each in row["segments"]]
    if row["removed"] or not kept:
        return bool(row["removed"]) or row["read"] is not None
    return row["read"] is None or row["read"] < row["last"] or any(each.due(now) for each in kept)


# label scan: at most 100; the write is the lock, so that what is asked stays what it is until the step is over
LOCK_SEGMENTS = """
MATCH (segment:Segment)
SET segment.touched = timestamp(), segment.key = coalesce(segment.key, randomUUID())
RETURN segment {.*} AS segment
ORDER BY segment.name
"""


async def _step(tx: Transaction, held: PolicyHeld, now: int) -> None:
    policy = (await begin(tx, held)).policy
    position = await locked_position(tx, POSITION)
    tx.told.note((await tx.rows(TELL_AT, name=POSITION, now=now))[0]["at"])
    kept = [_kept(row["segment"], policy) for row in await tx.rows(LOCK_SEGMENTS)]
    for row in await tx.rows(REMOVED):
        await _emptied(tx, row["key"], now)
    if not kept:
        await tx.rows(FORGET_POSITION, name=POSITION)
        return
    if entries := _some(await entries_after(tx, position)):
        if any(each.everyone for each in entries):
            await tx.rows(SWEEP_ALL)
            kept = [replace(each, swept=None, sweeping=None) for each in kept]
        moved = await _judged(tx, entries, kept, policy, now)
        await _move(tx, moved, now)
        await keep_position(tx, POSITION, entries[-1].seq)
    if due := sorted((each for each in kept if each.due(now)), key=lambda each: each.sweeping is None):
        await _sweep(tx, due[0], policy, now)


# feed_position_name (unique). Entries are numbered in the order of their moments: a step has a later one than the last.
TELL_AT = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
SET position.told_at = CASE WHEN position.told_at >= $now THEN position.told_at + 1 ELSE $now END
RETURN position.told_at AS at
"""

# label scan: those that were removed lately, one a step
REMOVED = """
MATCH (segment:RemovedSegment)
RETURN segment.key AS key
ORDER BY key
LIMIT 1
"""

# label scan: of none, or of at most 100; feed_position_name (unique). The feed is kept for whoever has a position.
FORGET_POSITION = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
WHERE NOT EXISTS { MATCH (:Segment) }
DELETE position
"""

# was_in_open (of, who), a page, deleted in the order of keys, in which who takes in messages locks them as well
EMPTY = """
MATCH (i:Identifier)-[was:WAS_IN]->(:RemovedSegment)
USING INDEX SEEK was:WAS_IN(of, who)
WHERE was.of = $of AND was.who > ''
WITH i, was
ORDER BY was.of, was.who
LIMIT $most
WITH i, was, was.who AS who
ORDER BY i.key
DELETE was
RETURN who
"""

# label scan: those that were removed lately; a page of who was in it once
FORGET_HISTORY = """
MATCH (segment:RemovedSegment {key: $of})<-[was:WAS_IN]-(i:Identifier)
WITH i, was
LIMIT $most
WITH i, was
ORDER BY i.key
DELETE was
RETURN count(*) AS many
"""

# label scan: those that were removed lately
FORGET_SEGMENT = """
MATCH (segment:RemovedSegment {key: $of})
DELETE segment
"""


async def _emptied(tx: Transaction, of: str, now: int) -> None:
    """Let a page of those leave who are in a segment that was removed; then forget who was in it, then the segment."""
    left = sorted(row["who"] for row in await tx.rows(EMPTY, of=of, most=AT_ONCE))
    if left:
        tx.told.note_members(now, of, [], left)
    if len(left) == AT_ONCE or (await tx.rows(FORGET_HISTORY, of=of, most=AT_ONCE))[0]["many"] == AT_ONCE:
        return
    await tx.rows(FORGET_SEGMENT, of=of)
    tx.told.note_removed(now, of)


def _kept(row: Row, policy: Policy) -> _Kept:
    segment = segment_from({name: row.get(name) for name in ("name", "definition", "created_at", "changed_at", "key")})
    usable = segment.definition is not None and not problems_of(segment.definition, policy.traits)
    definition = segment.definition if usable and segment.definition is not None else NOBODY
    began, after = row.get("sweep_began") or 0, row.get("sweep_after") or ""
    sweeping = row.get("sweeping") if row.get("sweeping") == segment.changed_at else None
    return _Kept(
        segment,
        definition,
        row.get("swept"),
        row.get("swept_at") or 0,
        sweeping,
        began,
        after,
        row.get("sweep_leaving") is not False,
    )


def _some(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The first of some entries, as many as touch 5,000 identifiers; one at least."""
    touched = 0
    for number, each in enumerate(entries):
        touched += len(each.touched)
        if touched > AT_ONCE and number:
            return entries[:number]
    return entries


# label scan: at most 100
SWEEP_ALL = """
MATCH (segment:Segment)
REMOVE segment.swept, segment.sweeping
"""

# identifier_mint (unique), then one expand per mint
OPEN_OF = """
UNWIND $mints AS mint
MATCH (i:Identifier {mint: mint})-[was:WAS_IN]->(:Segment)
USING INDEX SEEK i:Identifier(mint)
WHERE was.who = mint
RETURN was.of AS of, collect(mint) AS mints
"""


async def _judged(tx: Transaction, entries: Sequence[Entry], kept: Sequence[_Kept], policy: Policy, now: int) -> Moved:
    """Who of those whom some entries touch enters and leaves each segment. Three statements, whatever their number."""
    mints = sorted(frozenset[str]().union(*(each.touched for each in entries)))
    if not mints:
        return {}
    profiles = await profiles_touched(tx, mints)
    before = {row["of"]: frozenset(row["mints"]) for row in await tx.rows(OPEN_OF, mints=sorted({*mints, *profiles}))}
    asked = {each.key: each.definition for each in kept}
    found = await memberships_in(tx, profiles, asked, frozenset(policy.traits), now) if profiles else {}
    moved: dict[str, tuple[Sequence[str], Sequence[str]]] = {}
    for key in asked:
        after, were = {id_ for id_, keys in found.items() if key in keys}, before.get(key, frozenset())
        moved[key] = (sorted(after - were), sorted(were - after))
    return moved


async def _sweep(tx: Transaction, kept: _Kept, policy: Policy, now: int) -> None:
    """Look at one page more: of who is in whether she still is, then of everybody whether she is in."""
    fresh = kept.sweeping is None
    leaving, after, began = (True, "", now) if fresh else (kept.leaving, kept.after, kept.began)
    condition, parameters = compiled(Asked(kept.definition, frozenset(policy.traits), now))
    page = (_leaving if leaving else _entering)(condition)
    row = (await tx.rows(page, of=kept.key, after=after, most=AT_ONCE, **parameters))[0]
    found = sorted(row["found"])
    await _move(tx, {kept.key: ([], found) if leaving else (found, [])}, now)
    whole = row["many"] < AT_ONCE
    facts: dict[str, object] = {
        "sweeping": kept.segment.changed_at,
        "sweep_began": began,
        "sweep_leaving": leaving and not whole,
        "sweep_after": None if whole else row["last"],
    }
    if whole and not leaving:
        facts = dict.fromkeys(facts) | {"swept": kept.segment.changed_at, "swept_at": began}
    await tx.rows(KEEP_SWEEP, key=kept.key, facts=facts)


# segment_key (unique)
KEEP_SWEEP = """
MATCH (segment:Segment {key: $key})
USING INDEX SEEK segment:Segment(key)
SET segment += $facts
"""


def _leaving(condition: str) -> str:
    """Of a page of who is in, those who are not any more, or go by another id; by the index of who is in."""
    return f"""
MATCH (i:Identifier)-[was:WAS_IN]->(:Segment)
USING INDEX SEEK was:WAS_IN(of, who)
WHERE was.of = $of AND was.who > $after
WITH i, was.who AS who
ORDER BY who
LIMIT $most
OPTIONAL MATCH (i)-[:IDENTIFIES]->(profile:Profile)
WITH who, CASE
  WHEN profile IS NULL OR profile.id <> who OR i.mint <> who OR profile.shared OR NOT {condition} THEN who
END AS gone
RETURN max(who) AS last, count(*) AS many, collect(gone) AS found
"""


def _entering(condition: str) -> str:
    """Of a page of everybody, those who are in and were not; by the index of ids."""
    return f"""
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile(id)
WHERE profile.id > $after
WITH profile
ORDER BY profile.id
LIMIT $most
WITH profile.id AS id, NOT profile.shared AND {condition} AS is_in
WITH id, CASE
  WHEN is_in AND NOT EXISTS {{
    MATCH (:Identifier)-[was:WAS_IN]->(:Segment)
    USING INDEX SEEK was:WAS_IN(of, who)
    WHERE was.of = $of AND was.who = id
  }} THEN id
END AS new
RETURN max(id) AS last, count(*) AS many, collect(new) AS found
"""


# identifier_mint and segment_key (unique); in the order of keys, in which who takes in messages locks them as well
ENTER = """
UNWIND $rows AS row
MATCH (anchor:Identifier {mint: row.mint})
USING INDEX SEEK anchor:Identifier(mint)
MATCH (segment:Segment {key: row.of})
USING INDEX SEEK segment:Segment(key)
WITH anchor, segment
ORDER BY anchor.key
CREATE (anchor)-[:WAS_IN {entered: $now, of: segment.key, who: anchor.mint}]->(segment)
"""

# was_in_open (of, who)
LEAVE = """
UNWIND $rows AS row
MATCH (:Identifier)-[was:WAS_IN]->(:Segment)
USING INDEX SEEK was:WAS_IN(of, who)
WHERE was.of = row.of AND was.who = row.mint
SET was.left = $now
REMOVE was.of, was.who
"""


async def _move(tx: Transaction, moved: Moved, now: int) -> None:
    """Write and tell who entered and who left."""
    entered = [{"of": of, "mint": mint} for of, (mints, _) in moved.items() for mint in mints]
    left = [{"of": of, "mint": mint} for of, (_, mints) in moved.items() for mint in mints]
    if left:
        await tx.rows(LEAVE, rows=left, now=now)
    if entered:
        await tx.rows(ENTER, rows=entered, now=now)
    for of, (some, others) in moved.items():
        if some or others:
            tx.told.note_members(now, of, some, others)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is in a segment. who: under which id she entered, the order; entered: µs."""

    who: str
    entered: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class Place:
    """After whom a page of a segment's people begins. segment: its key."""

    segment: str
    who: str = ""


# was_in_open (of, who), a page for each place
MEMBERS = """
UNWIND $places AS place
CALL (place) {
  MATCH (i:Identifier)-[was:WAS_IN]->(:Segment)
  USING INDEX SEEK was:WAS_IN(of, who)
  WHERE was.of = place.segment AND was.who > place.who
  WITH i, was
  ORDER BY was.of, was.who
  LIMIT $limit
  MATCH (i)-[:IDENTIFIES]->(profile:Profile)
  RETURN profile, was.who AS who, was.entered AS entered
}
RETURN place.segment AS segment, place.who AS after, who, entered,
  profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile
"""


async def members_in(reader: Reader, places: Sequence[Place], limit: int) -> dict[Place, tuple[Member, ...]]:
    """Who is in each segment now, by the ids under which they entered, at most `limit` after each place.

    A place behind which nobody is has no entry. One statement. Cost: the pages.
    """
    asked = [{"segment": each.segment, "who": each.who} for each in places]
    found: defaultdict[Place, list[Member]] = defaultdict(list)
    for row in await reader.rows(MEMBERS, places=asked, limit=limit):
        member = Member(row["who"], row["entered"], profile_from(row["profile"]))
        found[Place(row["segment"], row["after"])].append(member)
    return {place: tuple(sorted(some, key=lambda each: each.who)) for place, some in found.items()}
