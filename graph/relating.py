"""Searches over relations, level by level: the ways between two people, and what lies around one thing.

Both read no more than some hundred things of a level and so many levels as were asked for, so that their number of
statements does not depend on the graph, and never follow a hub. What was not followed is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graph.connection import Reader
from graph.relations import Around, Reach, around
from insight.relations import Thing, Tie, Ties, Way, best_ways

MOST_PER_LEVEL = 200
MOST_OF_START = 10_000  # of a hub that is itself asked for


@dataclass(frozen=True, slots=True)
class Connected:
    """The ways between two people, the best first, each with its ties.

    left_out: hubs that were met and not followed. complete: whether there is no other way that was not looked at.
    """

    ways: tuple[tuple[Way, tuple[Tie, ...]], ...]
    left_out: tuple[Thing, ...]
    complete: bool


@dataclass(slots=True)
class _Search:
    """What was read so far. cut: something had more than is read of it."""

    ties: Ties = field(default_factory=Ties)
    left_out: set[Thing] = field(default_factory=set)
    cut: bool = False

    def take(self, read: Mapping[Thing, Around]) -> None:
        for thing, found in read.items():
            self.ties.add(found.ties)
            self.cut = self.cut or found.cut
            if found.hub:
                self.left_out.add(thing)

    def next_level(self, level: list[Thing], seen: set[Thing], most: int = MOST_PER_LEVEL) -> list[Thing]:
        fresh = {near for thing in level for near in self.ties.near(thing)} - seen
        kept = sorted(fresh, key=lambda thing: thing.rank)[:most]
        self.cut = self.cut or len(kept) < len(fresh)
        seen.update(kept)
        return kept


async def connected(reader: Reader, start: Thing, end: Thing, most_ties: int, first: int) -> Connected:
    """The best ways between two things over at most `most_ties` ties, at most `first`.

    From both ends at once, so that a way of six ties takes three levels of each; no further than to the last way that
    is answered. Cost: four statements for every two ties, whatever the graph.
    """
    search = _Search()
    levels: tuple[list[Thing], list[Thing]] = ([start], [end])
    seen: tuple[set[Thing], set[Thing]] = ({start}, {end})
    read: set[Thing] = set()
    reached = 0
    ways = best_ways(search.ties, start, end, 0, first)
    while reached < most_ties and len(ways.found) < first and any(levels) and start != end:
        asked = {thing for side, level in enumerate(levels) if reached + side < most_ties for thing in level} - read
        search.take(await around(reader, sorted(asked, key=lambda thing: thing.rank), Reach()))
        read |= asked
        reached = min(reached + 2, most_ties)
        ways = best_ways(search.ties, start, end, reached, first)
        levels = (search.next_level(levels[0], seen[0]), search.next_level(levels[1], seen[1]))
    shown = tuple((way, search.ties.along(way)) for way in ways.found)
    left_out = tuple(sorted(search.left_out, key=lambda thing: thing.rank))
    # A hub in the middle of two ties needs not be followed; of longer ways one may lead over it.
    near = len(ways.found) == first and len(ways.found[-1]) <= len((start, end)) + 1
    return Connected(shown, left_out, ways.complete and (near or not (search.cut or left_out)))


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Things around one, the nearest first, and the ties among them. hops: how far each is.

    left_out: hubs that were met and not followed. complete: whether nothing within the hops is missing.
    """

    hops: Mapping[Thing, int]
    ties: tuple[Tie, ...]
    left_out: tuple[Thing, ...]
    complete: bool


async def neighbourhood_of(reader: Reader, start: Thing, hops: int, limit: int) -> Neighbourhood:
    """What lies within so many ties of a thing, at most `limit` things with it: the nearest, then by kind and name.

    A hub that is itself asked for is followed as far as 10,000 ties; others are not. Of an order, deal, ticket, product
    or campaign that more interactions are about so many of them are looked at. Ties are those of the things that
    are nearer than `hops`, among what is shown. Four statements a hop at most.
    """
    search = _Search()
    found = {start: 0}
    level, seen = [start], {start}
    reach = Reach(drawn=True)
    for hop in range(1, hops + 1):
        search.take(await around(reader, level, replace(reach, most=MOST_OF_START, partly=True) if hop == 1 else reach))
        level = search.next_level(level, seen, limit - len(found))
        found.update(dict.fromkeys(level, hop))
    ties = tuple(tie for tie in search.ties.all() if tie.a in found and tie.b in found)
    left_out = tuple(sorted(search.left_out, key=lambda thing: thing.rank))
    return Neighbourhood(found, ties, left_out, complete=not (search.cut or left_out))
