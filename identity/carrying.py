"""Decisions by hand under another policy: what was decided of a value holds for what that value is now.

An act names keys, and another policy may write the same value as another key. So an act goes over to the heirs of its
ends, and keeps the keys that were named when it was decided: they say where it belongs when a later policy takes a key
apart again. An end without an heir keeps its key and waits; where both ends are one key the act means nothing, and is
kept as well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from identity.evidence import Act, ActId, ActKind
from identity.identifiers import Identifier, IdentifierKey, namespace_of, normalise
from identity.policy import Policy


@dataclass(frozen=True, slots=True)
class Decided:
    """An act by hand. said_a, said_b: its ends as they were named when it was decided."""

    act: Act
    said_a: IdentifierKey
    said_b: IdentifierKey


@dataclass(frozen=True, slots=True)
class Heirs:
    """What identifiers are under another policy.

    of: the keys of which some message says now what it said as this one before. there: the identifiers that there are
    under that policy, among those that can be an end of an act.
    """

    of: Mapping[IdentifierKey, Collection[IdentifierKey]]
    there: Collection[IdentifierKey]
    policy: Policy

    def of_end(self, key: IdentifierKey, said: IdentifierKey) -> IdentifierKey:
        """Where an end goes: to what was decided, where that is an heir, else to its own key, else to the first."""
        heirs = {*self.of.get(key, ()), *([key] if key in self.there else [])}
        named = (said, normal(said, self.policy))
        for wanted in (*named, key):
            if wanted in heirs:
                return wanted
        if heirs:
            return min(heirs)
        return next((wanted for wanted in named if wanted in self.there), key)


def normal(key: IdentifierKey, policy: Policy) -> IdentifierKey:
    """A key as the policy writes the value in it; the same key where that is no identifier."""
    namespace = namespace_of(key)
    read = normalise(namespace, key.removeprefix(f"{namespace}:"), policy)
    return read.key if isinstance(read, Identifier) else key


def ends_of(decided: Iterable[Decided], policy: Policy) -> set[IdentifierKey]:
    """The keys of which `Heirs.there` must know whether they are there, beside those of messages heard otherwise."""
    said = {key for each in decided for key in (each.said_a, each.said_b)}
    return {end for each in decided for end in each.act.pair} | said | {normal(key, policy) for key in said}


def carried(decided: Sequence[Decided], heirs: Heirs) -> tuple[Decided, ...]:
    """The acts as they are under the other policy; an undo goes where the act goes that it takes back."""
    by_id: dict[ActId | None, Decided] = {each.act.id: each for each in decided}
    found: list[Decided] = []
    for each in decided:
        a, b = _said(each, by_id)
        act = replace(each.act, a=heirs.of_end(each.act.a, a), b=heirs.of_end(each.act.b, b))
        found.append(Decided(act, a, b))
    return tuple(found)


def _said(each: Decided, by_id: Mapping[ActId | None, Decided]) -> tuple[IdentifierKey, IdentifierKey]:
    first = each
    while (
        first.act.kind is ActKind.UNDO and first.act.undoes in by_id and first.act.at > by_id[first.act.undoes].act.at
    ):
        first = by_id[first.act.undoes]
    if (first.act.a, first.act.b) == (each.act.a, each.act.b):
        return first.said_a, first.said_b
    swapped = (first.act.a, first.act.b) == (each.act.b, each.act.a)
    return (first.said_b, first.said_a) if swapped else (each.said_a, each.said_b)
