"""Who somebody was: where an identifier belonged at a past moment, and what of a person was true at one.

Two times. *Recorded* time is when this service learnt something; from the log of moves follows where an identifier
belonged then. *Event* time is when it happened, as the messages say; from the first sightings of the links follows
which identifiers were one person then, by all that is known of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from identity.evidence import Kind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Authority
from identity.policy import Role
from identity.stitching import DisjointSets


@dataclass(frozen=True, slots=True)
class Moving:
    """One move of an identifier as the log has it. at: when it was recorded, µs; change: orders what is of one time.

    left, joined: None where a policy made it an identifier, or none any more.
    """

    at: int
    change: str
    left: ProfileId | None
    joined: ProfileId | None


@dataclass(frozen=True, slots=True)
class Turning:
    """An identifier turned generic, for a reason, or back (None). at, change: as of a move."""

    at: int
    change: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A link as it stood from one recorded moment on, until its next step. first_seen: event time, µs."""

    recorded_at: int
    first_seen: int
    authority: Authority


@dataclass(frozen=True, slots=True)
class PastLink:
    """A link between two identifiers, with what was known of it when; the earliest step first."""

    a: IdentifierKey
    b: IdentifierKey
    kind: Kind
    steps: tuple[Step, ...]


def place_at(present: ProfileId | None, moves: Iterable[Moving], moment: int) -> ProfileId | None:
    """Where an identifier belonged at a recorded moment at which it was known; the same with every move it ever made.

    What it joined last by then; else what its first later move took it from; else it never moved, and belongs there
    still. None while by the policy it was no identifier.
    """
    ordered = sorted(moves, key=lambda each: (each.at, each.change))
    earlier = [each for each in ordered if each.at <= moment]
    if earlier:
        return earlier[-1].joined
    return ordered[0].left if ordered else present


def generic_at(present: str | None, turns: Iterable[Turning], moment: int) -> str | None:
    """Why an identifier was generic at a recorded moment; None when it was not.

    What it turned to last by then; before its first turn it was not. One that the log knows no turn of is what it is.
    """
    ordered = sorted(turns, key=lambda each: (each.at, each.change))
    earlier = [each for each in ordered if each.at <= moment]
    if earlier:
        return earlier[-1].reason
    return None if ordered else present


def step_at(link: PastLink, moment: int) -> Step | None:
    """The step of a link that stood at a recorded moment; None while nothing was known of it."""
    known = [each for each in link.steps if each.recorded_at <= moment]
    return known[-1] if known else None


def held_at(link: PastLink, recorded: int, happened: int, least: Mapping[Kind, Authority]) -> bool:
    """Whether a link between two identifiers of one person tied them at an event time, as known at a recorded moment.

    Of such a link no rule that looks at people can have refused it: what such a rule refuses keeps its ends apart. What
    remains is who may say so. least: the authority that the policy asks of each kind, where it is more than a claim.
    """
    step = step_at(link, recorded)
    if step is None or step.first_seen > happened:
        return False
    return step.authority >= least.get(link.kind, Authority.CLAIMED)


def connected(
    start: IdentifierKey, members: Collection[IdentifierKey], links: Iterable[tuple[IdentifierKey, IdentifierKey]]
) -> frozenset[IdentifierKey]:
    """The members that links between members tie to one of them, over any number of steps, and that one itself."""
    sets: DisjointSets[IdentifierKey] = DisjointSets()
    for a, b in links:
        if a in members and b in members:
            sets.unite(a, b)
    root = sets.find(start)
    return frozenset(each for each in members if sets.find(each) == root)


@dataclass(frozen=True, slots=True)
class Anchoring:
    """What decides whose id a person has."""

    key: IdentifierKey
    mint: str
    minted_at: int
    role: Role


def anchor_of(members: Sequence[Anchoring]) -> ProfileId:
    """The id of the person that identifiers make: the mint of a contact before others, then of the first minted."""
    anchor = min(members, key=lambda each: (each.role is not Role.CONTACT, each.minted_at, each.key))
    return ProfileId(anchor.mint)


def first_seen_at(
    key: IdentifierKey, links: Mapping[IdentifierKey, Sequence[PastLink]], acted: Iterable[int], moment: int
) -> int | None:
    """The first evidence of an identifier that was known at a recorded moment: event time in µs, None for none.

    acted: when it acted by itself, as known then. Links that are true by arithmetic or by hand are no sighting.
    """
    steps = (step_at(each, moment) for each in links.get(key, ()) if each.kind not in (Kind.DERIVED, Kind.MANUAL))
    return min((*acted, *(each.first_seen for each in steps if each is not None)), default=None)
