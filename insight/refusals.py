"""Why two people are not one: what the rule refused between them, what stands in the way, and what would change it.

Groups only grow while the rule goes through the links, so whatever refused one of them is still true of the two people
in the end: their values of a unique namespace, a decision about a pair of theirs, their sizes. That is why what stands
in the way is told from the people as they are, and not from each link's own moment.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from identity.evidence import Act, Reason
from identity.identifiers import IdentifierKey, namespace_of
from identity.policy import Policy
from identity.stitching import Generic, Standing, not_undone
from insight.statements import ExplainedLink, counted, day_of, statement_of

MOST_DECISIONS = 20
PLAINLY = {
    Reason.LIMIT: "the person would have more identifiers of one namespace than the policy allows",
    Reason.UNVERIFIED: "the policy asks for more authority before such a statement joins anybody",
    None: "it waits for a recompute",
}
MORE_OF_ONE = "Let one person have more identifiers of that namespace in the policy (`active`)."
MORE_AUTHORITY = (
    "Send it with a secret key or a signature, or ask for less authority in the policy (`minimum_authority`)."
)


class RemedyKind(StrEnum):
    """What can be done about a refusal."""

    OVERRIDE = "override"
    MERGE = "merge"
    UNDO_DECISION = "undo_decision"
    RAISE_LIMIT = "raise_limit"
    VERIFY = "verify"
    REMOVE_OTHER_USES = "remove_other_uses"
    BLOCK_VALUES = "block_values"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do, and about which identifiers."""

    kind: RemedyKind
    sentence: str
    about: tuple[IdentifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedUse:
    """An identifier that several people share. people, partners: how many; limit: how many the policy allows."""

    key: IdentifierKey
    why: Generic
    people: int
    partners: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Party:
    """One of two people. anchor: what stands for her; values: her values of unique namespaces, as they are today.

    counts: how many identifiers she has of each namespace of which the policy lets a person have only so many.
    shared: what the profile is, when it is no person.
    """

    anchor: IdentifierKey
    size: int
    values: frozenset[IdentifierKey] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    shared: SharedUse | None = None


@dataclass(frozen=True, slots=True)
class TooMany:
    """Of one namespace two people together have more identifiers than the policy lets one have."""

    namespace: str
    one: int
    other: int
    limit: int


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """Links refused for one reason, for one shared identifier if for any. count: of all; links: the first ones.

    over: the shared identifier is a third thing that both use, and none of the two.
    """

    reason: Reason | None
    count: int
    links: tuple[ExplainedLink, ...]
    shared: SharedUse | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What keeps two people apart whatever links them. conflicts: two values of one unique namespace each.

    decisions: the acts that keep a pair of theirs apart, the latest first. limits: the namespaces of which they have
    too many together. sizes: of both, where they are too many.
    """

    conflicts: tuple[tuple[IdentifierKey, IdentifierKey], ...] = ()
    decisions: tuple[Act, ...] = ()
    limits: tuple[TooMany, ...] = ()
    sizes: tuple[int, int] | None = None
    limit: int = 0
    shared: tuple[SharedUse, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything does."""
        return bool(self.conflicts or self.decisions or self.limits or self.sizes or self.shared)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A group of refused links with its reason in full. remedies: any one of them lifts this refusal."""

    group: RefusedGroup
    why: InTheWay = field(default_factory=InTheWay)
    remedies: tuple[Remedy, ...] = ()


def in_the_way(one: Party, other: Party, decided: Sequence[Act], standing: Standing, policy: Policy) -> InTheWay:
    """What keeps two people apart. decided: the acts of pairs with an end in each, whether they stand or not."""
    latest = {act.pair: act for act in not_undone(decided)}
    apart = sorted(latest.keys() & standing.different, key=lambda pair: (-latest[pair].at, pair))
    too_many = one.size + other.size > policy.profile_limit
    return InTheWay(
        conflicts=_conflicts(one, other, standing),
        decisions=tuple(latest[pair] for pair in apart),
        limits=_limits(one, other, policy),
        sizes=(one.size, other.size) if too_many else None,
        limit=policy.profile_limit,
        shared=tuple(each.shared for each in (one, other) if each.shared),
    )


def party_of(keys: Sequence[IdentifierKey], policy: Policy, shared: SharedUse | None = None) -> Party:
    """A person made of these identifiers, of which the first stands for her."""
    return Party(
        anchor=keys[0],
        size=len(keys),
        values=frozenset(key for key in keys if namespace_of(key) in policy.unique),
        counts=Counter(name for key in keys if (name := namespace_of(key)) in policy.apart_above),
        shared=shared,
    )


def _limits(one: Party, other: Party, policy: Policy) -> tuple[TooMany, ...]:
    both = sorted(one.counts.keys() & other.counts.keys())
    found = (TooMany(name, one.counts[name], other.counts[name], policy.apart_above[name]) for name in both)
    return tuple(each for each in found if each.one + each.other > each.limit)


def _conflicts(one: Party, other: Party, standing: Standing) -> tuple[tuple[IdentifierKey, IdentifierKey], ...]:
    mine, theirs = _held(one, standing), _held(other, standing)
    return tuple(
        (mine[name], theirs[name])
        for name in sorted(mine.keys() & theirs.keys())
        if standing.current(mine[name]) != standing.current(theirs[name])
    )


def _held(party: Party, standing: Standing) -> dict[str, IdentifierKey]:
    """For each unique namespace the identifier that a person has: the one in force today, where she has it herself."""
    ordered = sorted(party.values, key=lambda key: (standing.current(key) != key, key), reverse=True)
    return {namespace_of(key): key for key in ordered}


def refusals_of(groups: Sequence[RefusedGroup], way: InTheWay, anchors: Sequence[IdentifierKey]) -> tuple[Refusal, ...]:
    """Each group with what explains it. anchors: of both people."""
    return tuple(_refusal(group, way, anchors) for group in groups)


def _refusal(group: RefusedGroup, way: InTheWay, anchors: Sequence[IdentifierKey]) -> Refusal:
    match group.reason:
        case Reason.UNIQUE:
            why = InTheWay(conflicts=way.conflicts)
        case Reason.DIFFERENT:
            why = InTheWay(decisions=way.decisions)
        case Reason.SIZE:
            why = InTheWay(sizes=way.sizes, limit=way.limit)
        case Reason.GENERIC:
            return Refusal(group, InTheWay(), _for_shared(group, way, anchors))
        case Reason.LIMIT:
            why = InTheWay(limits=way.limits)
            return Refusal(group, why, _against(why) or (Remedy(RemedyKind.RAISE_LIMIT, MORE_OF_ONE),))
        case Reason.UNVERIFIED:
            return Refusal(group, InTheWay(), (Remedy(RemedyKind.VERIFY, MORE_AUTHORITY),))
        case None:
            return Refusal(group, InTheWay(), (Remedy(RemedyKind.WAIT, "Wait for the recompute in the background."),))
    return Refusal(group, why, _against(why))


def _for_shared(group: RefusedGroup, way: InTheWay, anchors: Sequence[IdentifierKey]) -> tuple[Remedy, ...]:
    """Fewer uses help only two people whom nothing else keeps apart: one of the uses would be theirs."""
    if way.conflicts or way.decisions or way.limits or way.sizes:
        return _against(way)
    freed = _freed(group.shared) if group.shared else ()
    return freed if way.shared else (_merge(anchors), *freed)


def remedies_of(refusals: Sequence[Refusal], way: InTheWay, anchors: Sequence[IdentifierKey]) -> tuple[Remedy, ...]:
    """What would have to change to make two people one: all of it together. anchors: of both.

    Where a decision is undone, what was said of the two joins them. Under a larger limit a third person may come
    between them first, so that they are joined by hand as well.
    """
    if way.shared:
        return tuple(_freed(each)[0] for each in way.shared)
    needed = _against(way)
    raised = way.limits or way.sizes
    undone = way.decisions and not raised and any(each.group.reason is Reason.DIFFERENT for each in refusals)
    return needed if way.conflicts or undone else (*needed, _merge(anchors))


def _against(way: InTheWay) -> tuple[Remedy, ...]:
    return (
        *(_override(one, other) for one, other in way.conflicts),
        *(_undo(act) for act in way.decisions[:MOST_DECISIONS]),
        *(_allow(each) for each in way.limits),
        *([_raise(way.sizes)] if way.sizes else []),
    )


def _override(one: IdentifierKey, other: IdentifierKey) -> Remedy:
    sentence = f"If {one} and {other} are one person's, say which of the two replaces the other (an override)."
    return Remedy(RemedyKind.OVERRIDE, sentence, (one, other))


def _merge(anchors: Sequence[IdentifierKey]) -> Remedy:
    return Remedy(RemedyKind.MERGE, f"Join {' and '.join(anchors)} by hand.", tuple(anchors))


def _undo(act: Act) -> Remedy:
    sentence = f"Undo the decision of {day_of(act.at)} that {act.a} and {act.b} are different people."
    return Remedy(RemedyKind.UNDO_DECISION, sentence, act.pair)


def _allow(each: TooMany) -> Remedy:
    many = f"{each.one + each.other:,} identifiers of {each.namespace}"
    sentence = f"Allow one person {many} in the policy (`active`), or remove some of theirs."
    return Remedy(RemedyKind.RAISE_LIMIT, sentence)


def _raise(sizes: tuple[int, int]) -> Remedy:
    sentence = f"Allow one person {sum(sizes):,} identifiers in the policy, or remove some of theirs."
    return Remedy(RemedyKind.RAISE_LIMIT, sentence)


def _freed(use: SharedUse) -> tuple[Remedy, ...]:
    if use.why is Generic.PARTNERS:
        sentence = f"Remove the other uses of {use.key}, or let it have more partners in the policy."
        return (Remedy(RemedyKind.REMOVE_OTHER_USES, sentence, (use.key,)),)
    block = f"If some of those who use {use.key} are placeholders, block their values in the policy."
    return (
        Remedy(RemedyKind.REMOVE_OTHER_USES, f"Remove the other uses of {use.key}.", (use.key,)),
        Remedy(RemedyKind.BLOCK_VALUES, block, (use.key,)),
    )


def sentence_of_refusal(refusal: Refusal) -> str:
    """What was said of two people, and why it does not join them, once for all links of a group."""
    return f"{_said(refusal.group)}, but that does not join them: {_because(refusal)}."


def _said(group: RefusedGroup) -> str:
    if group.shared and group.over:
        return f"Both use {group.shared.key}"
    if not group.links:
        return "Something was said of both"
    more = f", and {counted(group.count - 1, 'more statement', 'more statements')} like it" if group.count > 1 else ""
    return statement_of(group.links[0]) + more


def _because(refusal: Refusal) -> str:
    why, shared = refusal.why, refusal.group.shared
    match refusal.group.reason:
        case Reason.GENERIC:
            return _shared(shared) if shared else "one of them is shared by several people"
        case Reason.UNIQUE:
            return _two_values(why)
        case Reason.DIFFERENT:
            return _decided(why)
        case Reason.SIZE:
            return _too_many(why)
        case Reason.LIMIT if why.limits:
            return ", and ".join(map(sentence_of_limit, why.limits))
        case Reason.LIMIT | Reason.UNVERIFIED | None as other:
            return PLAINLY[other]


def _shared(use: SharedUse) -> str:
    people = counted(use.people, "person", "people") if use.people > 1 else "several people"
    used = f"{use.key} is used by {people}"
    if use.limit is None:
        return f"{used}, and what several people use tells nobody apart"
    if use.why is Generic.PARTNERS:
        return f"{used} and came with {use.partners:,} others, while the policy allows {use.limit:,}"
    return f"{used}, while the policy lets it belong to {use.limit:,}"


def _two_values(why: InTheWay) -> str:
    if not why.conflicts:
        return "one person would have two values of something of which everybody has one"
    pairs = (f"two values of {namespace_of(one)}, {one} and {other}" for one, other in why.conflicts)
    return f"one person would have {', and '.join(pairs)}, while everybody has one"


def _decided(why: InTheWay) -> str:
    if not why.decisions:
        return "somebody decided by hand that they are different"
    act, more = why.decisions[0], len(why.decisions) - 1
    rest = f" (and of {counted(more, 'more pair', 'more pairs')})" if more else ""
    return f"{act.by or 'somebody'} decided on {day_of(act.at)} that {act.a} and {act.b} are different{rest}"


def sentence_of_limit(each: TooMany) -> str:
    """Which limit of a namespace two people together are above, as a part of a sentence."""
    have = f"with {each.one:,} and {counted(each.other, 'identifier', 'identifiers')} of {each.namespace}"
    return f"{have} they are together above the {each.limit:,} that the policy lets one person have"


def _too_many(why: InTheWay) -> str:
    if why.sizes is None:
        return "the person would have more identifiers than the policy allows"
    one, other = why.sizes
    return f"with {one:,} and {other:,} identifiers they are together above the {why.limit:,} that the policy allows"
