"""The log of every change to who is who: what changed, when, on which evidence, by whom.

A row is written in the transaction that makes the change. It names identifiers and people by their mints alone, so that
an erasure leaves nothing of a value in it. Where an identifier belonged at a past moment follows from its moves
(graph/past.py): identifiers that never moved belong where they do now.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """An identifier that belongs to another profile than before; `left` is None when it is new."""

    key: IdentifierKey
    mint: str
    left: ProfileId | None
    joined: ProfileId


@dataclass(frozen=True, slots=True)
class Moves:
    """What one transaction moved. existed, exist: the profiles it looked at, before and after."""

    moves: Sequence[Move]
    existed: Collection[ProfileId] = ()
    exist: Collection[ProfileId] = ()
    verdicts: Mapping[LinkId, Reason | None] = field(default_factory=dict)


# identifier_key and identifier_mint (unique)
LOG = """
UNWIND $rows AS row
CREATE (change:Change)
SET change = row.facts
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
"""


async def log_moves(tx: Transaction, moves: Moves, cause: Cause, now: int) -> None:
    """Log who moved where: one row for each group of people that exchanged identifiers, one for all that are new."""
    groups = _groups(moves.moves)
    said = _messages_by_key(cause.heard) if groups else {}
    rows = [_moved(group, moves, cause, now, said) for group in groups]
    new = [each for each in moves.moves if each.left is None]
    if new:  # as two lists side by side: most batches bring many
        joined = [each.joined for each in new]
        rows.append(entry(ChangeKind.ARRIVED, cause, now, {"arrived": [each.mint for each in new], "joined": joined}))
    await log(tx, rows)


async def log_turns(tx: Transaction, turns: Mapping[IdentifierKey, Generic | None], cause: Cause, now: int) -> None:
    """Log which identifiers turned generic or back."""
    said = _messages_by_key(cause.heard) if turns else {}
    await log(
        tx,
        [
            entry(
                ChangeKind.GENERIC if why else ChangeKind.NOT_GENERIC,
                cause,
                now,
                {"reason": why.value if why else None, "messages": list(said.get(key, ()))[:MOST_MESSAGES]},
                ends=[key],
            )
            for key, why in sorted(turns.items())
        ],
    )


async def log_decision(tx: Transaction, acts: Sequence[Act], cause: Cause, now: int) -> None:
    """Log that somebody decided something by hand."""
    ends = list(dict.fromkeys(end for act in acts for end in (act.a, act.b)))
    kinds = sorted({act.kind.value for act in acts})
    await log(tx, [entry(ChangeKind.DECIDED, cause, now, {"acts": kinds, "count": len(acts)}, ends=ends[:MOST_ENDS])])


async def log(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the log. ends: keys of the identifiers a row is about; profiles: the ids of people."""
    if rows:
        await tx.rows(LOG, rows=rows)


def entry(
    kind: ChangeKind,
    cause: Cause,
    now: int,
    facts: Mapping[str, object],
    *,
    moved: Sequence[Move] = (),
    profiles: Sequence[ProfileId] = (),
    ends: Sequence[IdentifierKey] = (),
) -> Mapping[str, object]:
    """A row of the log. now: µs. facts: its own properties. profiles, ends: the people and identifiers it concerns."""
    own = {
        "id": f"{now:016d}-{secrets.token_hex(6)}",
        "at": now,
        "kind": kind.value,
        "cause": cause.kind.value,
        "by": cause.by,
        "decision": cause.decision,
        "note": cause.note,
    }
    gone = [{"key": each.key, "left": each.left, "joined": each.joined} for each in moved]
    return {"facts": {**own, **facts}, "moved": gone, "profiles": list(profiles), "ends": list(ends)}


Said = Mapping[IdentifierKey, Sequence[MessageId]]


def _moved(group: Sequence[Move], moves: Moves, cause: Cause, now: int, said: Said) -> Mapping[str, object]:
    before = sorted({each.left for each in group if each.left is not None})
    after = sorted({each.joined for each in group})
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
    return entry(_kind(gone, born), cause, now, facts, moved=group, profiles=sorted({*before, *after}))


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
    old = [each for each in moves if each.left is not None]
    for each in old:
        sets.unite(each.left or each.joined, each.joined)
    groups: defaultdict[ProfileId, list[Move]] = defaultdict(list)
    for each in sorted(old, key=lambda one: one.key):
        groups[sets.find(each.joined)].append(each)
    return list(groups.values())
