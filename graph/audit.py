"""The log of every change to who is who: what changed, when, on which evidence, by whom.

A row is written in the transaction that makes the change. It names identifiers and people by their mints alone, so that
an erasure leaves nothing of a value in it. Where an identifier belonged at a past moment follows from its moves
(graph/past.py): identifiers that never moved belong where they do now.

Two machines have two clocks, and a transaction may wait for locks long after it looked at its own. So a row is never
recorded earlier than what was recorded before of those it is about: identifiers and anchors remember in `moved_at` when
they were last moved or turned, and the rows of one transaction get one moment after all of these.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from graph.connection import Transaction
from identity.evidence import Act, Heard, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId
from identity.stitching import DisjointSets, Generic
from insight.changes import CauseKind as CauseKind  # noqa: PLC0414 -- who writes the log speaks of it by this room
from insight.changes import ChangeKind as ChangeKind  # noqa: PLC0414 -- likewise

MOST_MESSAGES = 10
MOST_ENDS = 100


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a transaction changes something. by: the sources or the person. heard: the messages of a batch."""

    kind: CauseKind
    by: str = ""
    heard: Sequence[Heard] = ()
    decision: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """An identifier that belongs to another profile than before.

    left: None when it is new, or there again; joined: None when it is none any more.
    """

    key: IdentifierKey
    mint: str
    left: ProfileId | None
    joined: ProfileId | None


@dataclass(frozen=True, slots=True)
class Moves:
    """What one transaction moved. existed, exist: the profiles it looked at, before and after."""

    moves: Sequence[Move]
    existed: Collection[ProfileId] = ()
    exist: Collection[ProfileId] = ()
    verdicts: Mapping[LinkId, Reason | None] = field(default_factory=dict)


# identifier_key and identifier_mint (unique); who is moved was there before, who is concerned can be new: then it was
# minted microseconds after the moment of this very transaction
LOG = """
CALL () {
  UNWIND $moved AS key
  MATCH (i:Identifier {key: key})
  USING INDEX SEEK i:Identifier(key)
  RETURN i, coalesce(i.moved_at, i.minted_at) AS last
  UNION ALL
  UNWIND $concerned AS key
  MATCH (i:Identifier {key: key})
  USING INDEX SEEK i:Identifier(key)
  RETURN i, i.moved_at AS last
  UNION ALL
  UNWIND $anchors AS mint
  MATCH (i:Identifier {mint: mint})
  USING INDEX SEEK i:Identifier(mint)
  RETURN i, i.moved_at AS last
}
WITH collect(i) AS all, coalesce(max(last), -1) AS last
WITH all, CASE WHEN last < $now THEN $now ELSE last + 1 END AS at
FOREACH (i IN CASE WHEN $moving THEN all ELSE [] END | SET i.moved_at = at)
WITH at, [i IN all | i.mint] AS mints
CALL (at) {
  UNWIND $rows AS row
  CREATE (change:Change)
  SET change = row.facts, change.at = at, change.id = right('000000000000000' + toString(at), 16) + row.id
  WITH change, row
  CALL (change, row) {
    UNWIND row.moved AS moved
    MATCH (i:Identifier {key: moved.key})
    USING INDEX SEEK i:Identifier(key)
    CREATE (change)-[:MOVED {left: moved.left, joined: moved.joined}]->(i)
  }
  CALL (change, row) {
    UNWIND row.profiles AS id
    MATCH (anchor:Identifier {mint: id})
    USING INDEX SEEK anchor:Identifier(mint)
    CREATE (change)-[:CONCERNS]->(anchor)
  }
  CALL (change, row) {
    UNWIND row.ends AS key
    MATCH (end:Identifier {key: key})
    USING INDEX SEEK end:Identifier(key)
    CREATE (change)-[:CONCERNS]->(end)
  }
}
RETURN at, mints
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log. facts: its own properties. profiles, ends: the people and the identifiers it concerns."""

    kind: ChangeKind
    cause: Cause
    facts: Mapping[str, object]
    moved: Sequence[Move] = ()
    profiles: Sequence[ProfileId] = ()
    ends: Sequence[IdentifierKey] = ()

    @property
    def arrived(self) -> Sequence[str]:
        """The mints of those that messages brought, which are told in two lists side by side."""
        return cast("Sequence[str]", self.facts.get("arrived") or ())

    @property
    def joined(self) -> Sequence[str]:
        """The profiles that those joined."""
        return cast("Sequence[str]", self.facts.get("joined") or ())


Turned = Mapping[IdentifierKey, Generic | None]


async def log_stitched(tx: Transaction, turns: Turned, moves: Moves, cause: Cause, now: int) -> int:
    """Log which identifiers turned generic or back, and who moved where; the moment at which that is recorded.

    Of moves one row for each group of people that exchanged identifiers, one for all that are new. now: µs.
    """
    groups = _groups(moves.moves)
    said = _messages_by_key(cause.heard) if groups or turns else {}
    rows = [_turned(key, why, cause, said) for key, why in sorted(turns.items())]
    rows += [_moved(group, moves, cause, said) for group in groups]
    rows += _arrived([each for each in moves.moves if each.left is None], cause)
    return await _log(tx, rows, now, moving=True)


def _arrived(new: Sequence[Move], cause: Cause) -> list[Entry]:
    """Of messages two lists side by side, since most batches bring many that were never there before.

    What a policy brings may have been there, and gone: so each has its move.
    """
    if cause.kind is CauseKind.MESSAGES:
        facts = {"arrived": [each.mint for each in new], "joined": [each.joined for each in new]}
        return [Entry(ChangeKind.ARRIVED, cause, facts)] if new else []
    return [Entry(ChangeKind.ARRIVED, cause, {}, moved=some) for some in _hundreds(new)]


def _hundreds(moves: Sequence[Move]) -> list[Sequence[Move]]:
    """As many in a row as an answer shows of one."""
    return [moves[start : start + MOST_ENDS] for start in range(0, len(moves), MOST_ENDS)]


async def log_left(
    tx: Transaction,
    moves: Sequence[Move],
    heirs: Mapping[IdentifierKey, IdentifierKey],
    cause: Cause,
    now: int,
) -> int:
    """Log which identifiers are none any more, before they go: a row for a hundred.

    heirs: what their values are now. Returns the moment at which it is recorded; now: at the earliest, both in µs.
    """
    rows = [
        Entry(
            ChangeKind.WITHDRAWN,
            cause,
            {"before": sorted({each.left for each in some if each.left is not None})},
            moved=some,
            profiles=sorted({each.left for each in some if each.left is not None}),
            ends=sorted({heirs[each.key] for each in some if each.key in heirs}),
        )
        for some in _hundreds(moves)
    ]
    return await _log(tx, rows, now, moving=True)


async def log_decision(tx: Transaction, acts: Sequence[Act], cause: Cause, now: int) -> int:
    """Log that somebody decided something by hand, before what follows from it; the moment of what follows, in µs."""
    ends = list(dict.fromkeys(end for act in acts for end in (act.a, act.b)))
    kinds = sorted({act.kind.value for act in acts})
    return await log(
        tx, Entry(ChangeKind.DECIDED, cause, {"acts": kinds, "count": len(acts)}, ends=ends[:MOST_ENDS]), now
    )


async def log(tx: Transaction, row: Entry, now: int) -> int:
    """Write a row of what somebody did; the moment at which it is recorded, in µs. now: at the earliest."""
    return await _log(tx, [row], now, moving=False)


async def _log(tx: Transaction, rows: Sequence[Entry], now: int, *, moving: bool) -> int:
    if not rows:
        return now
    facts = [change_row(number, row) for number, row in enumerate(rows)]
    found = await tx.rows(
        LOG,
        moved=sorted({each.key for row in rows for each in row.moved}),
        concerned=sorted({key for row in rows for key in row.ends}),
        anchors=sorted({id_ for row in rows for id_ in row.profiles}),
        rows=facts,
        moving=moving,
        now=now,
    )
    at = int(found[0]["at"])
    _tell(tx, rows, [f"{at:016d}{row['id']}" for row in facts], found[0]["mints"], at)
    return at


def _tell(tx: Transaction, rows: Sequence[Entry], ids: Sequence[str], mints: Sequence[str], at: int) -> None:
    """Let those hear of it who listen: the ids of profiles count as touched also where they are nobody's any more."""
    moves = [each for row in rows for each in row.moved]
    touched: list[str | None] = [*mints, *(id_ for row in rows for id_ in row.profiles)]
    touched += [mint for each in moves for mint in (each.mint, each.left, each.joined)]
    for row in rows:
        touched += [*row.arrived, *row.joined]
    tx.told.note(at, touched=touched, changes=ids, everyone=any(row.kind is ChangeKind.POLICY for row in rows))


# The order of what one transaction does; what comes first in it has the smaller id.
TURNING = frozenset({ChangeKind.GENERIC, ChangeKind.NOT_GENERIC})
FOLLOWING = frozenset(
    {
        ChangeKind.MERGED,
        ChangeKind.SPLIT,
        ChangeKind.MOVED,
        ChangeKind.RENAMED,
        ChangeKind.REGROUPED,
        ChangeKind.ARRIVED,
        ChangeKind.WITHDRAWN,
    }
)


def change_row(number: int, row: Entry) -> Mapping[str, object]:
    """A row of the log as it is written; its id follows the moment. number: its place in what is recorded at once."""
    rank = 2 if row.kind in FOLLOWING else int(row.kind in TURNING)
    cause = row.cause
    own = {
        "kind": row.kind.value,
        "cause": cause.kind.value,
        "by": cause.by,
        "decision": cause.decision,
        "note": cause.note,
    }
    return {
        "id": f"-{rank}{number:06d}-{secrets.token_hex(6)}",
        "facts": {**own, **row.facts},
        "moved": [{"key": each.key, "left": each.left, "joined": each.joined} for each in row.moved],
        "profiles": list(row.profiles),
        "ends": list(row.ends),
    }


Said = Mapping[IdentifierKey, Sequence[MessageId]]


def _turned(key: IdentifierKey, why: Generic | None, cause: Cause, said: Said) -> Entry:
    facts = {"reason": why.value if why else None, "messages": list(said.get(key, ()))[:MOST_MESSAGES]}
    return Entry(ChangeKind.GENERIC if why else ChangeKind.NOT_GENERIC, cause, facts, ends=[key])


def _moved(group: Sequence[Move], moves: Moves, cause: Cause, said: Said) -> Entry:
    before = sorted({each.left for each in group if each.left is not None})
    after = sorted({each.joined for each in group if each.joined is not None})
    gone = [each for each in before if each not in moves.exist]
    born = [each for each in after if each not in moves.existed]
    keys = {each.key for each in group}
    facts = {
        "before": before,
        "after": after,
        "retired": gone,
        "reason": _reason(keys, moves.verdicts),
        "messages": _messages(keys, moves, said),
    }
    return Entry(_kind(gone, born), cause, facts, moved=group, profiles=sorted({*before, *after}))


def _kind(gone: Sequence[ProfileId], born: Sequence[ProfileId]) -> ChangeKind:
    """What it is called when these profiles are no more and those are new; identifiers moved in any case."""
    if not gone and not born:
        return ChangeKind.MOVED
    if len(gone) == len(born):
        return ChangeKind.RENAMED if len(gone) == 1 else ChangeKind.REGROUPED
    return ChangeKind.MERGED if len(gone) > len(born) else ChangeKind.SPLIT


def _reason(keys: set[IdentifierKey], verdicts: Mapping[LinkId, Reason | None]) -> str | None:
    """The rule that most of the newly refused links of the moved identifiers met."""
    found = Counter(why.value for id_, why in verdicts.items() if why is not None and {id_.a, id_.b} & keys)
    return min(found, key=lambda why: (-found[why], why)) if found else None


def _messages(keys: set[IdentifierKey], moves: Moves, said: Said) -> list[MessageId]:
    """The messages that carry a moved identifier, or the end of a link of one that was judged anew."""
    near = keys | {end for id_ in moves.verdicts if {id_.a, id_.b} & keys for end in (id_.a, id_.b)}
    found = dict.fromkeys(message for key in sorted(near) for message in said.get(key, ()))
    return list(found)[:MOST_MESSAGES]


def _messages_by_key(heard: Iterable[Heard]) -> Said:
    said: defaultdict[IdentifierKey, list[MessageId]] = defaultdict(list)
    for each in heard:
        for identifier in each.identifiers:
            said[identifier.key].append(each.message.id)
    return said


def _groups(moves: Sequence[Move]) -> list[list[Move]]:
    """The moves of stored identifiers, told apart where no profile connects them; in the order of keys."""
    sets: DisjointSets[ProfileId] = DisjointSets()
    old = [(each, each.left, each.joined) for each in moves if each.left is not None and each.joined is not None]
    for _, left, joined in old:
        sets.unite(left, joined)
    groups: defaultdict[ProfileId, list[Move]] = defaultdict(list)
    for each, _, joined in sorted(old, key=lambda one: one[0].key):
        groups[sets.find(joined)].append(each)
    return list(groups.values())
