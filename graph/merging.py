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
from graph.connection import Transaction, Writer
from graph.decisions import Outcome, decided_within, in_one_transaction
from graph.errors import DecisionError, UnknownDecisionError, UnknownIdentifierError
from graph.links import links_between
from graph.people import Person
from graph.policies import PolicyHeld
from graph.regions import members_of
from identity.evidence import Act, ActId, ActKind, Kind, LinkId, Reason
from identity.identifiers import IdentifierKey, namespace_of
from identity.policy import Policy
from identity.stitching import Pair, standing_of, taken_back

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
class Conflict:
    """A merge that a rule forbids; nothing was written.

    values: of `unique`, the two values of each namespace of which one person has one.
    apart: of `different`, the pairs that stand as different.
    """

    reason: Reason
    values: tuple[Pair, ...] = ()
    apart: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing had to be written, for a reason that a person can read."""

    code: str
    sentence: str


Answer = Outcome | Conflict | Unchanged


async def merge_people(
    writer: Writer,
    leaving: IdentifierKey,
    staying: IdentifierKey,
    asked: Asked,
    policy: Policy | PolicyHeld,
    *,
    override: bool = False,
) -> Answer:
    """Make the people of two identifiers one by hand.

    override: where both have a value of a unique namespace, that of `staying` replaces the other, which keeps
    resolving. Without it such a merge is a Conflict. Raises UnknownIdentifierError, DecisionError, PolicyApplyingError.
    """
    act = _act(ActKind.SAME, leaving, staying, asked)

    async def work(tx: Transaction, ruling: Policy) -> Answer:
        return await _merged(tx, [act], asked, ruling)

    found = await in_one_transaction(writer, work, policy, keep=lambda answer: _written(answer, asked))
    if not override or not isinstance(found, Conflict) or found.reason is not Reason.UNIQUE:
        return found
    replaced = [_act(ActKind.OVERRIDE, *pair, asked, act.decision) for pair in found.values]
    acts = [*([act] if act.pair not in {each.pair for each in replaced} else []), *replaced]

    async def with_override(tx: Transaction, ruling: Policy) -> Answer:
        return await _merged(tx, acts, asked, ruling)

    return await in_one_transaction(writer, with_override, policy, keep=lambda answer: _written(answer, asked))


def _written(answer: Answer, asked: Asked) -> bool:
    return isinstance(answer, Outcome) and not asked.dry


def _act(kind: ActKind, a: IdentifierKey, b: IdentifierKey, asked: Asked, decision: str | None = None) -> Act:
    id_ = ActId(asked.mint())
    return Act(id_, kind, a, b, asked.now, asked.by, decision=decision or id_, note=asked.note)


async def _merged(tx: Transaction, acts: Sequence[Act], asked: Asked, policy: Policy) -> Answer:
    a, b = acts[0].a, acts[0].b
    if a != b and b in await members_of(tx, a):
        return Unchanged("already_one", f"{a} and {b} are one person already; nothing had to be decided")
    outcome = await decided_within(tx, await _later(tx, acts), policy, asked.now)
    one, other = (next(each for each in outcome.after if end in each.identifiers) for end in (a, b))
    if one is other:
        return outcome
    return await _conflict(tx, LinkId(*acts[0].pair, Kind.MANUAL), one, other, policy)


async def _later(tx: Transaction, acts: Sequence[Act]) -> list[Act]:
    """The acts, each later than all that was decided of its pair before, whatever the clock says."""
    latest: defaultdict[Pair, int] = defaultdict(int)
    for old in await acts_about(tx, {act.a for act in acts}):
        latest[old.pair] = max(latest[old.pair], old.at)
    return [replace(act, at=max(act.at, latest[act.pair] + 1)) for act in acts]


async def _conflict(tx: Transaction, link: LinkId, one: Person, other: Person, policy: Policy) -> Conflict:
    """Why a manual link was refused, told of the people that its ends belong to."""
    stored = (await links_between(tx, [(link.a, link.b)])).get(link)
    reason = (stored.verdict if stored else None) or Reason.DIFFERENT
    acts = await acts_about(tx, {*one.identifiers, *other.identifiers})
    standing = standing_of(acts)
    mine, theirs = (_unique_values(each, standing.heads, policy) for each in (one, other))
    values = tuple((mine[name], theirs[name]) for name in sorted(mine.keys() & theirs.keys()))
    ends = set(one.identifiers), set(other.identifiers)
    apart = tuple(sorted(pair for pair in standing.different if _across(pair, *ends)))
    return Conflict(reason, tuple(pair for pair in values if pair[0] != pair[1]), apart)


def _unique_values(
    person: Person, heads: Mapping[IdentifierKey, IdentifierKey], policy: Policy
) -> dict[str, IdentifierKey]:
    found = (key for key in person.identifiers if namespace_of(key) in policy.unique)
    return {namespace_of(key): heads.get(key, key) for key in found}


def _across(pair: Pair, one: set[IdentifierKey], other: set[IdentifierKey]) -> bool:
    return (pair[0] in one and pair[1] in other) or (pair[1] in one and pair[0] in other)


async def unmerge_people(
    writer: Writer, a: IdentifierKey, b: IdentifierKey, asked: Asked, policy: Policy | PolicyHeld
) -> Answer:
    """Make two identifiers of one person belong to two people, for good; what else goes with which, the links say.

    Unchanged when they are not one person. Raises UnknownIdentifierError, DecisionError, PolicyApplyingError.
    """

    async def work(tx: Transaction, ruling: Policy) -> Answer:
        together = await members_of(tx, a)
        if together and a != b and b not in together:
            return await _not_one(tx, a, b)
        acts = await _later(tx, [_act(ActKind.DIFFERENT, a, b, asked)])
        return await decided_within(tx, acts, ruling, asked.now)

    return await in_one_transaction(writer, work, policy, keep=lambda answer: _written(answer, asked))


async def _not_one(tx: Transaction, a: IdentifierKey, b: IdentifierKey) -> Unchanged:
    if not await members_of(tx, b):
        raise UnknownIdentifierError(f"nothing is known of {b}")
    return Unchanged("not_one", f"{a} and {b} are not one person; there is nothing to take apart")


async def take_out(writer: Writer, keys: Sequence[IdentifierKey], asked: Asked, policy: Policy | PolicyHeld) -> Answer:
    """Take identifiers out of the person they belong to, away from every other identifier of hers, for good.

    Unchanged when they belong to several people, or are all that the person has.
    Raises UnknownIdentifierError, DecisionError (more than 20,000 pairs), PolicyApplyingError.
    """
    out = sorted(set(keys))

    async def work(tx: Transaction, ruling: Policy) -> Answer:
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
            raise DecisionError(f"{len(out)} of {len(together)} identifiers are too many at once; take out fewer")
        first = _act(ActKind.DIFFERENT, out[0], staying[0], asked)
        acts = [_act(ActKind.DIFFERENT, one, other, asked, first.decision) for one, other in product(out, staying)]
        return await decided_within(tx, await _later(tx, acts), ruling, asked.now)

    return await in_one_transaction(writer, work, policy, keep=lambda answer: _written(answer, asked))


async def undo_decision(writer: Writer, decision: str, asked: Asked, policy: Policy | PolicyHeld) -> Answer:
    """Take a decision back: what stood before it stands again. A decision that was an undo can be taken back as well.

    Unchanged when it does not stand any more. Raises UnknownDecisionError, PolicyApplyingError.
    """

    async def work(tx: Transaction, ruling: Policy) -> Answer:
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
        return await decided_within(tx, await _later(tx, acts), ruling, asked.now)

    return await in_one_transaction(writer, work, policy, keep=lambda answer: _written(answer, asked))
