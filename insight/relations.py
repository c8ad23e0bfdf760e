"""How two people are related: the ways from one to the other over accounts, what is shared, and what was bought.

The nodes are people, accounts, shared identifiers, and orders, deals and tickets; a tie is one reason why two of them
belong together. Drawings show products and campaigns, too, which relate nobody: half a town buys the same milk.

A way is better the fewer ties it has; of equally long ones the one whose ties say more, the sum of their weakness; of
those the first by the names of its nodes. So the same graph gives the same ways, in one order.

The best ways of a length are found by looking first where the least weakness can still be reached (A*; the estimate is
the weakness of the best walk of so many ties, which no way can beat). Source: Hart, Nilsson and Raphael, 1968.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from itertools import pairwise

from insight.statements import counted

MOST_LOOKED_AT = 20_000


class Kind(Enum):
    """What a node is."""

    PROFILE = "profile"
    IDENTIFIER = "identifier"
    ACCOUNT = "account"
    ORDER = "order"
    DEAL = "deal"
    TICKET = "ticket"
    PRODUCT = "product"
    CAMPAIGN = "campaign"


class TieKind(Enum):
    """Why two nodes belong together."""

    IDENTIFIES = "identifies"
    MEMBER_OF = "member_of"
    PART_OF = "part_of"
    DEAL_OF = "deal_of"
    FOR_ACCOUNT = "for_account"
    CONTAINS = "contains"
    ABOUT = "about"
    TOLD_WITH = "told_with"
    SHARES_CONTACT_POINT = "shares_contact_point"
    REFUSED_LINK = "refused_link"
    SHARES_DEVICE = "shares_device"
    SHARES_IDENTIFIER = "shares_identifier"


# How little a tie says: what a source states of an organisation says most, a tablet in a shop the least.
WEAKNESS: Mapping[TieKind, int] = {
    TieKind.IDENTIFIES: 0,
    TieKind.MEMBER_OF: 1,
    TieKind.PART_OF: 1,
    TieKind.DEAL_OF: 1,
    TieKind.FOR_ACCOUNT: 1,
    TieKind.CONTAINS: 1,
    TieKind.ABOUT: 2,
    TieKind.TOLD_WITH: 2,
    TieKind.SHARES_CONTACT_POINT: 2,
    TieKind.REFUSED_LINK: 3,
    TieKind.SHARES_DEVICE: 4,
    TieKind.SHARES_IDENTIFIER: 4,
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A node by its kind and name: a profile's id, else a key."""

    kind: Kind
    name: str

    @property
    def rank(self) -> tuple[str, str]:
        """What things are sorted by."""
        return self.kind.value, self.name


@dataclass(frozen=True, slots=True)
class Tie:
    """One reason why two things belong together, read from `a` to `b`. said: what its sentence needs besides them."""

    a: Thing
    b: Thing
    kind: TieKind
    said: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[object, ...]:
        """The strongest of several between two things is the least."""
        return WEAKNESS[self.kind], self.kind.value, self.said, self.a.rank, self.b.rank


Way = tuple[Thing, ...]


@dataclass(slots=True)
class Ties:
    """Ties as a graph: of several between two things the strongest counts, in either direction."""

    _near: dict[Thing, dict[Thing, Tie]] = field(default_factory=dict)

    def add(self, ties: Iterable[Tie]) -> None:
        """Take ties in; twice is once."""
        for tie in ties:
            for one, other in ((tie.a, tie.b), (tie.b, tie.a)):
                near = self._near.setdefault(one, {})
                if other not in near or tie.rank < near[other].rank:
                    near[other] = tie

    def near(self, thing: Thing) -> Mapping[Thing, Tie]:
        """What is one tie away from a thing, with the tie."""
        return self._near.get(thing, {})

    def all(self) -> tuple[Tie, ...]:
        """Every tie once, sorted by its ends."""
        ties = {tie for near in self._near.values() for tie in near.values()}
        return tuple(sorted(ties, key=lambda tie: (tie.a.rank, tie.b.rank, tie.rank)))

    def along(self, way: Way) -> tuple[Tie, ...]:
        """The ties of a way, in its order."""
        return tuple(self._near[a][b] for a, b in pairwise(way))


@dataclass(frozen=True, slots=True)
class Ways:
    """The best ways, in their order. complete: whether there can be no better one that was not looked at."""

    found: tuple[Way, ...]
    complete: bool


def best_ways(ties: Ties, start: Thing, end: Thing, most_ties: int, first: int) -> Ways:
    """The best ways from one thing to another that meet nothing twice, at most `first`, of at most `most_ties`.

    Cost: for each way its length times the ties of what it passes, in all at most 20,000 steps; then it says so.
    Equals networkx's simple paths, sorted (tests/insight/test_relations.py, property).
    """
    if start == end:
        return Ways(((start,),), complete=True)
    estimates = _estimates(ties, end, most_ties)
    found: list[Way] = []
    looked_at = 0
    for length in range(1, most_ties + 1):
        for way in _ways_of(ties, start, end, estimates[: length + 1]):
            looked_at += 1
            if way is not None:
                found.append(way)
            if len(found) == first:
                return Ways(tuple(found), complete=True)
            if looked_at == MOST_LOOKED_AT:
                return Ways(tuple(found), complete=False)
    return Ways(tuple(found), complete=True)


def _estimates(ties: Ties, end: Thing, most: int) -> list[dict[Thing, int]]:
    """By a number of ties: of each thing the least weakness of a walk of so many to the end; no entry: none is."""
    levels: list[dict[Thing, int]] = [{end: 0}]
    for _ in range(most):
        level: dict[Thing, int] = {}
        for thing, weakness in levels[-1].items():
            for other, tie in ties.near(thing).items():
                more = weakness + WEAKNESS[tie.kind]
                level[other] = min(more, level.get(other, more))
        levels.append(level)
    return levels


def _ways_of(ties: Ties, start: Thing, end: Thing, estimates: Sequence[Mapping[Thing, int]]) -> Iterator[Way | None]:
    """The ways of one length, the best first; None for each step in between."""
    length = len(estimates) - 1
    if start not in estimates[length]:
        return
    waiting: list[tuple[int, tuple[tuple[str, str], ...], int, Way]] = [
        (estimates[length][start], (start.rank,), 0, (start,))
    ]
    while waiting:
        _, ranks, weakness, way = heappop(waiting)
        left = length - len(way) + 1
        if left == 0:
            yield way
            continue
        yield None
        for other, tie in ties.near(way[-1]).items():
            if other in way or other not in estimates[left - 1] or (other == end and left > 1):
                continue
            so_far = weakness + WEAKNESS[tie.kind]
            heappush(waiting, (so_far + estimates[left - 1][other], (*ranks, other.rank), so_far, (*way, other)))


def sentence_of_tie(tie: Tie, names: Mapping[Thing, str]) -> str:
    """A tie in plain English. names: what its ends are called."""
    a, b = names[tie.a], names[tie.b]
    plain = PLAIN.get(tie.kind)
    return plain.format(a=a, b=b) if plain else f"{_said(tie, a, b)}."


# Ties of which nothing is said besides their ends.
PLAIN: Mapping[TieKind, str] = {
    TieKind.IDENTIFIES: "{b} is an identifier of {a}.",
    TieKind.PART_OF: "{a} is part of {b}.",
    TieKind.DEAL_OF: "{a} is a deal of {b}.",
    TieKind.FOR_ACCOUNT: "{a} is for {b}.",
    TieKind.CONTAINS: "{a} has {b} in it.",
}


def _said(tie: Tie, a: str, b: str) -> str:
    said = tie.said
    match tie.kind:
        case TieKind.MEMBER_OF:
            return f"{a} belongs to {b}{f' as {said[0]}' if said[0] else ''} (from {said[1]})"
        case TieKind.ABOUT:
            return f"{a} had to do with {b}{f': {said[0]}' if said[0] else ''}"
        case TieKind.TOLD_WITH:
            return f"{a} and {b} were told of together{f': {said[0]}' if said[0] else ''}"
        case TieKind.REFUSED_LINK:
            met = f"{said[0]} of {a} and {said[1]} of {b} were met together"
            return f"{met}, which does not make them one ({said[2]})"
    return f"{a} uses {b}, which {counted(int(said[0]), 'person uses', 'people share')}"


def sentence_of_way(way: Way, ties: Sequence[Tie], names: Mapping[Thing, str]) -> str:
    """A whole way in plain English."""
    if not ties:
        return f"They are one person, {names[way[0]]}."
    return " ".join(sentence_of_tie(tie, names) for tie in ties)
