"""Explanations: how a profile came to be, and why two identifiers are one person, or why not.

The rule takes links from the strongest to the weakest, and each either brings two groups of identifiers together or
finds its ends together already. Those that brought something together form a tree, and the way through it from one
identifier to another is the strongest there is: each of its links is at least as strong as the weakest link of any
other way. It is one and the same for the same set of links. Source: the maximum spanning tree holds a widest path
between every two nodes (Hu 1961, "The maximum capacity route problem").
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from identity.evidence import Link
from identity.identifiers import IdentifierKey
from identity.policy import Policy
from identity.stitching import DisjointSets, strength
from insight.refusals import Refusal, Remedy, sentence_of_refusal
from insight.statements import ExplainedLink, counted, explained_link, statement_of

# What `strength` answers: the place of a link among all.
Place = tuple[int, int, int, int, bool, int, str, str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One accepted link in the place where the rule takes it. number: from 1.

    joined: it brought two groups together; otherwise its ends were together already, and it only confirms that.
    before: the identifiers in the groups of its ends. size: those in their one group after it. groups: how many groups
    the profile's identifiers are in after it.
    """

    number: int
    place: Place
    link: Link
    joined: bool
    before: tuple[int, int]
    size: int
    groups: int


@dataclass(frozen=True, slots=True)
class Making:
    """How a profile came to be. size: its identifiers; steps: all its accepted links in the order of the rule."""

    size: int
    steps: tuple[Step, ...]

    @property
    def joins(self) -> tuple[Step, ...]:
        """The steps without which the identifiers would not be together."""
        return tuple(step for step in self.steps if step.joined)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether two identifiers are one person. path: the strongest accepted links from one to the other.

    refused: the links between two people that were not accepted, directly or over something that they share, at most
    20 of refused_count; refusals: all of them by their reasons. remedies: what would have to change to join the two,
    all of it together. missing: those of the two of which nothing is known.
    """

    a: IdentifierKey
    b: IdentifierKey
    same: bool
    path: tuple[ExplainedLink, ...] = ()
    refused: tuple[ExplainedLink, ...] = ()
    missing: tuple[IdentifierKey, ...] = ()
    refused_count: int = 0
    refusals: tuple[Refusal, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def making_of(size: int, links: Iterable[Link], policy: Policy) -> Making:
    """How the accepted links of a profile made it. size: its identifiers. Cost: O(n log n) in the links."""
    groups = _Groups(size)
    ordered = sorted(((strength(link, policy), link) for link in links), key=lambda each: each[0])
    steps = tuple(groups.take(number, place, link) for number, (place, link) in enumerate(ordered, start=1))
    return Making(size, steps)


class _Groups:
    """Which identifiers are together so far, and in how many groups."""

    def __init__(self, size: int) -> None:
        self._sets = DisjointSets[IdentifierKey]()
        self._sizes: dict[IdentifierKey, int] = {}
        self._left = size

    def take(self, number: int, place: Place, link: Link) -> Step:
        """The next link, and what it changes."""
        one, other = self._sets.find(link.a), self._sets.find(link.b)
        before = self._sizes.get(one, 1), self._sizes.get(other, 1)
        joined = one != other
        if joined:
            self._sets.unite(*((one, other) if before[0] >= before[1] else (other, one)))
            self._sizes[self._sets.find(one)] = sum(before)
            self._left -= 1
        return Step(number, place, link, joined, before, sum(before) if joined else before[0], self._left)


def strongest_path(a: IdentifierKey, b: IdentifierKey, links: Iterable[Link], policy: Policy) -> tuple[Link, ...]:
    """The links from a to b in their order on the way, each as strong as can be; empty when nothing joins the two.

    Cost: O(n log n) in the links.
    """
    sets = DisjointSets[IdentifierKey]()
    tree: defaultdict[IdentifierKey, list[Link]] = defaultdict(list)
    for link in sorted(links, key=lambda each: strength(each, policy)):
        if sets.find(link.a) != sets.find(link.b):
            sets.unite(link.a, link.b)
            tree[link.a].append(link)
            tree[link.b].append(link)
        if sets.find(a) == sets.find(b):
            return _way(a, b, tree)
    return ()


def _way(a: IdentifierKey, b: IdentifierKey, tree: defaultdict[IdentifierKey, list[Link]]) -> tuple[Link, ...]:
    """The only way through a tree from a to b."""
    came_by: dict[IdentifierKey, Link | None] = {b: None}
    waiting = deque([b])
    while a not in came_by:
        key = waiting.popleft()
        for link in tree[key]:
            if link.other(key) not in came_by:
                came_by[link.other(key)] = link
                waiting.append(link.other(key))
    path: list[Link] = []
    here, taken = a, came_by[a]
    while taken is not None:
        path.append(taken)
        here = taken.other(here)
        taken = came_by[here]
    return tuple(path)


def sentence_of(explanation: Explanation) -> str:
    """An explanation in plain English, for somebody who knows nothing of graphs."""
    ends = f"{explanation.a} and {explanation.b}"
    if explanation.missing:
        return f"Nothing is known of {' and '.join(dict.fromkeys(explanation.missing))}."
    if explanation.same:
        return f"{ends} are the same person{_because(explanation.path)}."
    todo = " ".join(each.sentence for each in explanation.remedies)
    if explanation.refusals:
        told = " ".join(sentence_of_refusal(each) for each in explanation.refusals)
        return f"{ends} are not the same person. {told} What would join them: {todo}".strip()
    return f"{ends} are not the same person: no evidence joins them. What would join them: {todo}".strip()


def _because(path: Sequence[ExplainedLink]) -> str:
    """Why, in words; nothing where the two identifiers are one."""
    return f": {'; '.join(statement_of(each) for each in path)}" if path else ""


def sentence_of_step(step: Step) -> str:
    """What one link did, in plain English."""
    said = statement_of(explained_link(step.link))
    if not step.joined:
        return f"{said}, which confirms what was known already."
    if step.before == (1, 1):
        return f"{said}, so these two are one person."
    one, other = sorted(step.before, reverse=True)
    return f"{said}, so the {one:,} and the {other:,} that each belonged together are one person with {step.size:,}."


def sentence_of_making(making: Making) -> str:
    """How a profile came to be, in plain English."""
    size, joins = counted(making.size, "identifier", "identifiers"), making.joins
    if not joins:
        return f"This profile has {size}, and nothing joins it to another."
    confirming = len(making.steps) - len(joins)
    needed = counted(len(joins), "statement brings them together", "statements bring them together")
    rest = f" and {counted(confirming, 'more confirms it', 'more confirm it')}" if confirming else ""
    first, last = (statement_of(explained_link(joins[end].link)) for end in (0, -1))
    weakest = f" The weakest that is needed: {last}." if len(joins) > 1 else ""
    return f"This profile has {size}: {needed}{rest}. The strongest: {first}.{weakest}"
