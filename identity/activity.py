"""Which identifiers of a profile are shown as active.

Computed last, and of display and export alone: an inactive identifier still links and resolves. Of a namespace with a
limit the oldest stay active, since they were proved longest; of one that also has a window in time (anonymous ids) the
newest within it, since browsers make new ones. Source: design.md §5, cases T44 to T46.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from identity.identifiers import IdentifierKey, namespace_of
from identity.policy import Namespace, Policy

MICROSECOND = timedelta(microseconds=1)


class Seen(Protocol):
    """An identifier with its first and last sighting, in µs."""

    @property
    def key(self) -> IdentifierKey:
        """namespace:value."""
        ...

    @property
    def first_seen(self) -> int:
        """The first sighting."""
        ...

    @property
    def last_seen(self) -> int:
        """The last sighting."""
        ...


def inactive(identifiers: Iterable[Seen], policy: Policy) -> frozenset[IdentifierKey]:
    """The identifiers of one profile that are not shown as active. identifiers: all of the profile, in any order."""
    found = list(identifiers)
    newest = max((each.last_seen for each in found), default=0)
    by_namespace: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in found:
        by_namespace[namespace_of(each.key)].append(each)
    return frozenset(
        each.key for name, some in by_namespace.items() for each in _beyond(some, policy.namespace(name), newest)
    )


def _beyond(some: list[Seen], rules: Namespace, newest: int) -> list[Seen]:
    if rules.active is None:
        return []
    if rules.active_days is None:
        return sorted(some, key=lambda each: (each.first_seen, each.key))[rules.active :]
    since = newest - timedelta(days=rules.active_days) // MICROSECOND
    recent = sorted((each for each in some if each.last_seen >= since), key=lambda each: (-each.last_seen, each.key))
    kept = {each.key for each in recent[: rules.active]}
    return [each for each in some if each.key not in kept]
