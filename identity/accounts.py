"""Organisations: which statements «child is part of parent» hold, and which facts an account shows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from identity.messages import Authority, Json


@dataclass(frozen=True, slots=True)
class PartOf:
    """One statement that an account belongs to another. first_seen: µs."""

    child: str
    parent: str
    authority: Authority
    first_seen: int


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact of an account as it was stated last. at: µs."""

    value: Json
    at: int
    message: str


def cycles(statements: Iterable[PartOf]) -> frozenset[tuple[str, str]]:
    """The (child, parent) pairs that are refused, because with the stronger ones they would close a cycle.

    Statements hold in the order of authority, strongest first, then first_seen, then keys; so the answer is the same
    for the same set, whatever came first.
    """
    parents: defaultdict[str, set[str]] = defaultdict(set)
    refused: set[tuple[str, str]] = set()
    for each in sorted(statements, key=lambda one: (-one.authority, one.first_seen, one.child, one.parent)):
        if _above(each.parent, each.child, parents):
            refused.add((each.child, each.parent))
        else:
            parents[each.child].add(each.parent)
    return frozenset(refused)


def _above(start: str, wanted: str, parents: Mapping[str, set[str]]) -> bool:
    """Whether `wanted` is `start` itself or stands anywhere above it."""
    seen, waiting = {start}, [start]
    while waiting:
        account = waiting.pop()
        if account == wanted:
            return True
        above = parents.get(account, set()) - seen
        seen |= above
        waiting += above
    return False


def latest(known: Mapping[str, Stated], said: Mapping[str, Stated]) -> dict[str, Stated]:
    """Each fact as it was stated last, by time, then message id."""
    both = {**known}
    for name, each in said.items():
        old = both.get(name)
        if old is None or (each.at, each.message) > (old.at, old.message):
            both[name] = each
    return both
