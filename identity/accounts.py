"""Organisations: which are one, which statements «child is part of parent» hold, which facts and roles are shown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

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


@dataclass(frozen=True, slots=True)
class AccountAct:
    """What somebody with the right to decided about two accounts; for a pair the latest (time, then id) stands.

    same: `account` is the organisation that goes by the name of `into`; else the two are different ones. at: µs.
    """

    id: str
    same: bool
    account: str
    into: str
    at: int
    by: str = ""
    note: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """Both keys, the smaller first."""
        return (self.account, self.into) if self.account <= self.into else (self.into, self.account)


@dataclass(frozen=True, slots=True)
class Belonging:
    """One statement of how a person belongs to an account.

    start: since when, µs; None when nobody said. recorded_at: µs; None before it was kept.
    account: its key as it was said, whatever that was merged into since. identifier: of whom it was said.
    """

    role: str | None
    source: str
    start: int | None
    last_seen: int
    recorded_at: int | None
    account: str
    identifier: str


def standing_acts(acts: Iterable[AccountAct]) -> tuple[AccountAct, ...]:
    """The latest act of each pair, in the order of their times, then ids."""
    latest_of: dict[tuple[str, str], AccountAct] = {}
    for act in sorted(acts, key=lambda each: (each.at, each.id)):
        latest_of[act.pair] = act
    return tuple(sorted(latest_of.values(), key=lambda each: (each.at, each.id)))


def heads_of(acts: Iterable[AccountAct]) -> dict[str, str]:
    """The account under whose name each merged one goes; one that goes by its own has no entry.

    The acts that stand unite accounts in the order of their times; one that would bring together two that stand as
    different does not. Whoever is merged into a merged account goes by the name that one goes by.
    """
    standing = standing_acts(acts)
    apart = {act.pair for act in standing if not act.same}
    head: dict[str, str] = {}
    merged: defaultdict[str, set[str]] = defaultdict(set)
    for act in standing:
        if not act.same:
            continue
        gone, kept = head.get(act.account, act.account), head.get(act.into, act.into)
        ours, theirs = merged[gone] | {gone}, merged[kept] | {kept}
        if gone != kept and not any((min(pair), max(pair)) in apart for pair in product(ours, theirs)):
            merged[kept] |= ours
            head |= dict.fromkeys(ours, kept)
            del merged[gone]
    return head


def heads_at(acts: Iterable[AccountAct], moment: int) -> dict[str, str]:
    """As `heads_of`, of the acts that stand those decided by a moment (µs)."""
    return heads_of(each for each in standing_acts(acts) if each.at <= moment)


def cycles(statements: Iterable[PartOf], heads: Mapping[str, str] | None = None) -> frozenset[tuple[str, str]]:
    """The (child, parent) pairs that are refused, because with the stronger ones they would close a cycle.

    heads: what merged accounts go by; an account is no part of one that is the same organisation.
    Statements hold in the order of authority, strongest first, then first_seen, then keys; so the answer is the same
    for the same set, whatever came first.
    """
    names = heads or {}
    parents: defaultdict[str, set[str]] = defaultdict(set)
    refused: set[tuple[str, str]] = set()
    for each in sorted(statements, key=lambda one: (-one.authority, one.first_seen, one.child, one.parent)):
        child, parent = names.get(each.child, each.child), names.get(each.parent, each.parent)
        if _above(parent, child, parents):
            refused.add((each.child, each.parent))
        else:
            parents[child].add(parent)
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


def ranked(statements: Iterable[Belonging], roles: Sequence[str]) -> tuple[Belonging, ...]:
    """What was said of one person and one account, the role that is shown first: the highest, then the latest said.

    roles: the highest first; those that are not named come after them.
    """
    rank: dict[str | None, int] = {role: place for place, role in enumerate(roles)}
    return tuple(
        sorted(
            statements,
            key=lambda each: (
                rank.get(each.role, len(rank)),
                -each.last_seen,
                each.role or "",
                each.source,
                each.account,
                each.identifier,
            ),
        )
    )
