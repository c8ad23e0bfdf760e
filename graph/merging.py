"""Merging people by hand, unmerging them, and taking such a decision back: what is asked for becomes manual acts.

A merge is one act SAME of two identifiers; where both people have a value of a unique namespace, an override for each.
An unmerge is an act DIFFERENT: of the two identifiers named, or of each one that is taken out with each that stays, so
that no evidence that comes later can join them over another way. An undo takes each act of a decision back.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from graph.acts import acts_about, acts_of
from graph.conflicts import Conflict, conflict_after, conflict_between, side_of
from graph.connection import Reader, Transaction, Writer
from graph.decisions import Outcome, Work, check, decided_within, in_one_transaction
from graph.errors import DecisionError, TooManyPairsError, UnknownDecisionError, UnknownIdentifierError
from graph.policies import PolicyHeld
from graph.regions import members_of
from identity.evidence import Act, ActId, ActKind, Reason
from identity.identifiers import IdentifierKey
from identity.policy import Policy
from identity.stitching import Pair, taken_back

MOST_PAIRS = 20_000  # half of a profile of 1,000 out of the other half would be 250,000 acts


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and how. mint: gives a new id at each call; now: µs; dry: write nothing, answer what would be."""

    by: str
    mint: Callable[[], str]
    now: int
    note: str | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing had to be written, for a reason that a person can read."""

    code: str
    sentence: str


Answer = Outcome | Conflict | Unchanged
Deciding = Work[Answer]


class _TakesApart(Exception):  # noqa: N818 -- no error: it carries an answer out of a transaction that is rolled back
    def __init__(self, conflict: Conflict) -> None:
        self.conflict = conflict


async def decide_one(writer: Writer, deciding: Deciding, asked: Asked, policy: Policy | PolicyHeld) -> Answer:
    """Decide what `merging`, `unmerging`, `taking_out` or `undoing` describes, or try it. Raises as they say."""
    try:
        return await in_one_transaction(writer, deciding, policy, keep=lambda answer: _written(answer, asked))
    except _TakesApart as found:
        return found.conflict


def _written(answer: Answer, asked: Asked) -> bool:
    return isinstance(answer, Outcome) and not asked.dry


Tried = Answer | UnknownIdentifierError | DecisionError


async def try_all(writer: Writer, rows: Sequence[Deciding], policy: Policy | PolicyHeld) -> list[Tried]:
    """What deciding one row after the other would give, or why a row cannot be decided; nothing is written.

    All are tried in one transaction, which is rolled back, so that each row sees what those before it decided.
    Cost: the transaction locks all people of the rows until the last one is tried.
    """
    taking_apart: dict[int, Conflict] = {}

    async def work(tx: Transaction, ruling: Policy) -> list[Tried]:
        return [taking_apart.get(number) or await _row(tx, ruling, number) for number in range(len(rows))]

    async def _row(tx: Transaction, ruling: Policy, number: int) -> Tried:
        try:
            return await rows[number](tx, ruling)
        except (UnknownIdentifierError, DecisionError) as error:
            return error
        except _TakesApart as found:
            taking_apart[number] = found.conflict
            raise

    while True:
        try:
            return await in_one_transaction(writer, work, policy, keep=lambda _: False)
        except _TakesApart:
            continue  # its traces are gone with the transaction; the next one knows the answer of this row


async def merge_people(
    writer: Writer,
    leaving: IdentifierKey,
    staying: IdentifierKey,
    asked: Asked,
    policy: Policy | PolicyHeld,
    *,
    override: bool = False,
) -> Answer:
    """Make the people of two identifiers one by hand, as `merging` says."""
    return await decide_one(writer, merging(leaving, staying, asked, override=override), asked, policy)


def merging(leaving: IdentifierKey, staying: IdentifierKey, asked: Asked, *, override: bool = False) -> Deciding:
    """Make the people of two identifiers one. Nobody who was one person is several after it; else it is a Conflict.

    override: where both have a value of a unique namespace, that of `staying` replaces the other, which keeps
    resolving. Without it such a merge is a Conflict. Raises UnknownIdentifierError, DecisionError, PolicyApplyingError.
    """

    async def work(tx: Transaction, policy: Policy) -> Answer:
        act = _act(ActKind.SAME, leaving, staying, asked)
        check([act], policy)
        one, other = await side_of(tx, leaving), await side_of(tx, staying)
        if one and staying in one.keys:
            return Unchanged(
                "already_one", f"{leaving} and {staying} are one person already; nothing had to be decided"
            )
        acts = await _later(tx, [act])
        if one and other:
            found = await conflict_between(tx, one, other, policy, acts)
            if override and found and found.reason is Reason.UNIQUE:
                acts = await _later(tx, _overriding(act, found.values, asked))
                found = await conflict_between(tx, one, other, policy, acts)
            if found:
                return found
        outcome = await decided_within(tx, acts, policy, asked.now)
        if broken := await conflict_after(tx, outcome, act.pair, policy):
            raise _TakesApart(broken)
        return outcome

    return work


def _overriding(act: Act, values: Sequence[Pair], asked: Asked) -> list[Act]:
    """The acts of a merge in which values replace others; an override of its own pair says the same as the merge."""
    replaced = [_act(ActKind.OVERRIDE, *pair, asked, act.decision) for pair in values]
    return [*([act] if act.pair not in {each.pair for each in replaced} else []), *replaced]


def _act(kind: ActKind, a: IdentifierKey, b: IdentifierKey, asked: Asked, decision: str | None = None) -> Act:
    id_ = ActId(asked.mint())
    return Act(id_, kind, a, b, asked.now, asked.by, decision=decision or id_, note=asked.note)


async def _later(tx: Transaction, acts: Sequence[Act]) -> list[Act]:
    """The acts, each later than all that was decided of its pair before, whatever the clock says."""
    latest: defaultdict[Pair, int] = defaultdict(int)
    for old in await acts_about(tx, {act.a for act in acts}):
        latest[old.pair] = max(latest[old.pair], old.at)
    return [replace(act, at=max(act.at, latest[act.pair] + 1)) for act in acts]


async def unmerge_people(
    writer: Writer, a: IdentifierKey, b: IdentifierKey, asked: Asked, policy: Policy | PolicyHeld
) -> Answer:
    """Make two identifiers of one person belong to two people, as `unmerging` says."""
    return await decide_one(writer, unmerging(a, b, asked), asked, policy)


def unmerging(a: IdentifierKey, b: IdentifierKey, asked: Asked) -> Deciding:
    """Make two identifiers of one person belong to two people, for good; what else goes with which, the links say.

    Unchanged when they are not one person. Raises UnknownIdentifierError, DecisionError, PolicyApplyingError.
    """

    async def work(tx: Transaction, policy: Policy) -> Answer:
        together = await members_of(tx, a)
        if together and a != b and b not in together:
            return await _not_one(tx, a, b)
        acts = await _later(tx, [_act(ActKind.DIFFERENT, a, b, asked)])
        return await decided_within(tx, acts, policy, asked.now)

    return work


async def _not_one(tx: Transaction, a: IdentifierKey, b: IdentifierKey) -> Unchanged:
    if not await members_of(tx, b):
        raise UnknownIdentifierError(f"nothing is known of {b}")
    return Unchanged("not_one", f"{a} and {b} are not one person; there is nothing to take apart")


async def take_out(writer: Writer, keys: Sequence[IdentifierKey], asked: Asked, policy: Policy | PolicyHeld) -> Answer:
    """Take identifiers out of the person they belong to, as `taking_out` says."""
    return await decide_one(writer, taking_out(keys, asked), asked, policy)


def taking_out(keys: Sequence[IdentifierKey], asked: Asked) -> Deciding:
    """Take identifiers out of the person they belong to, away from every other identifier of hers, for good.

    Unchanged when they belong to several people, or are all that the person has.
    Raises UnknownIdentifierError, DecisionError (more than 20,000 pairs), PolicyApplyingError.
    """
    out = sorted(set(keys))

    async def work(tx: Transaction, policy: Policy) -> Answer:
        together = await members_of(tx, out[0])
        unknown = [key for key in out if key not in together and not await members_of(tx, key)]
        if unknown or not together:
            raise UnknownIdentifierError(f"nothing is known of {', '.join(unknown or out[:1])}")
        if not set(out) <= together:
            return Unchanged("not_one", f"{', '.join(sorted(set(out) - together))} and {out[0]} are not one person")
        staying = sorted(together - set(out))
        if not staying:
            return Unchanged("nothing_left", "these are all identifiers of the person; name those that shall leave")
        if len(out) * len(staying) > MOST_PAIRS:
            raise TooManyPairsError(_too_many(len(out), len(staying)))
        first = _act(ActKind.DIFFERENT, out[0], staying[0], asked)
        acts = [_act(ActKind.DIFFERENT, one, other, asked, first.decision) for one, other in product(out, staying)]
        return await decided_within(tx, await _later(tx, acts), policy, asked.now)

    return work


async def holds_override(reader: Reader, decision: str) -> bool:
    """Whether a decision let one unique value replace another, or took that back: undoing it, too, needs the right to.

    What was decided never changes, so the answer stands until the decision is undone.
    """
    decided = await acts_of(reader, decision)
    known = {act.id: act for act in await acts_about(reader, {act.a for act in decided})}
    return any(_first(act, known).kind is ActKind.OVERRIDE for act in decided)


def _first(act: Act, known: Mapping[ActId, Act]) -> Act:
    """What an undo, of an undo perhaps, is about in the end."""
    while act.undoes is not None and act.undoes in known:
        act = known[act.undoes]
    return act


async def undo_decision(writer: Writer, decision: str, asked: Asked, policy: Policy | PolicyHeld) -> Answer:
    """Take a decision back, as `undoing` says."""
    return await decide_one(writer, undoing(decision, asked), asked, policy)


def _too_many(out: int, staying: int) -> str:
    return (
        f"taking {out:,} identifiers out of {staying:,} that stay is {out * staying:,} pairs, and at most "
        f"{MOST_PAIRS:,} are decided at once; take out fewer, or name one pair that is not one person: "
        "what else goes with which, the links say"
    )


def undoing(decision: str, asked: Asked) -> Deciding:
    """Take a decision back: what stood before it stands again. A decision that was an undo can be taken back as well.

    Unchanged when it does not stand any more. Raises UnknownDecisionError, PolicyApplyingError.
    """

    async def work(tx: Transaction, policy: Policy) -> Answer:
        decided = await acts_of(tx, decision)
        if not decided:
            raise UnknownDecisionError(f"nothing was decided under the id {decision}")
        back = taken_back(await acts_about(tx, {act.a for act in decided}))
        effective = [act for act in decided if act.id not in back]
        if not effective:
            return Unchanged("taken_back", "this decision was taken back before")
        first = ActId(asked.mint())
        acts = [
            replace(_act(ActKind.UNDO, each.a, each.b, asked, first), at=max(asked.now, each.at + 1), undoes=each.id)
            for each in effective
        ]
        return await decided_within(tx, await _later(tx, acts), policy, asked.now)

    return work
