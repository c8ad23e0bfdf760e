"""Whose a shared contact point was when.

A phone number that moved from one person to another links nobody, and what comes with it alone is its own. Where the
policy says `shared = "by_time"`, it is from somebody's first sighting with it until the next person's hers. What came
before the first sighting is nobody's, and so is what came while two people were first seen with it at one moment: the
evidence cannot tell them. Source: design.md §5, case T30.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from identity.device_use import FOREVER
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy, Shared
from identity.stitching import Generic


def told_by_time(key: IdentifierKey, generic: Generic | None, policy: Policy) -> bool:
    """Whether a contact point's messages are told by time: only where it is several people's, not half a town's."""
    return generic is Generic.VALUES and policy.namespace(namespace_of(key)).shared is Shared.BY_TIME


def spans_by_time(first: Mapping[ProfileId, int]) -> dict[ProfileId, list[int]]:
    """From when to when, both included, a contact point was whose. first: each person's first sighting with it, µs."""
    at_once = Counter(first.values())
    edges = [*sorted(at_once), FOREVER + 1]
    until = {start: end - 1 for start, end in pairwise(edges)}
    return {person: [at, until[at]] for person, at in first.items() if at_once[at] == 1}
