"""Which of the values that were ever observed a profile shows.

Every value is kept. Repeats of one value by one source on one identifier aggregate by their first and last sighting
and their number, which is all that the strategies look at, so the order of arrival never matters.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from identity.messages import Json
from identity.policy import Policy, Strategy, Trait

MANUAL = "manual"  # the source of what somebody set by hand
CANONICAL = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of one trait as one source gave it for one identifier.

    at, message: the latest sighting (own time in µs, unsure ones before all sure ones); first_at, first_message: the
    earliest; count: how many messages.
    """

    trait: str
    value: Json
    source: str
    at: int
    message: str
    sure: bool
    first_at: int
    first_message: str
    count: int


def canonical(value: Json) -> str:
    """A JSON text that is equal for equal values: sorted keys, no spaces."""
    return CANONICAL.encode(value).decode()


def joined(one: Observation, other: Observation) -> Observation:
    """Two aggregates of the same value of the same source as one; commutative and associative."""
    late = max(one, other, key=_recency)
    early = min(one, other, key=lambda each: (each.first_at, each.first_message))
    return replace(late, first_at=early.first_at, first_message=early.first_message, count=one.count + other.count)


def surviving(observations: Iterable[Observation], policy: Policy) -> dict[str, Observation]:
    """The observation to show for each trait; a trait whose value was deleted (null) is absent.

    Default `last`: the best-ranked source that still has a value, its latest by event time, then message id. What was
    set by hand outranks all else under every strategy, its latest alone; a null by hand deletes the trait.
    """
    by_trait: defaultdict[str, list[Observation]] = defaultdict(list)
    for each in observations:
        by_trait[each.trait].append(each)
    chosen = (
        (name, _chosen(found, policy.traits.get(name) or Trait(name=name), policy)) for name, found in by_trait.items()
    )
    return {name: found for name, found in chosen if found is not None}


def _chosen(found: Sequence[Observation], trait: Trait, policy: Policy) -> Observation | None:
    latest = _latest_by_source(found)
    standing = {source for source, each in latest.items() if each.value is not None}
    kept = [each for each in found if each.value is not None and each.source in standing]
    if MANUAL in latest or not kept:
        return latest[MANUAL] if MANUAL in standing else None
    match trait.strategy:
        case Strategy.LAST:
            return min(
                (latest[source] for source in standing),
                key=lambda each: (policy.rank(each.source), _newest_first(each)),
            )
        case Strategy.FIRST:
            return min(kept, key=lambda each: (policy.rank(each.source), *_earliest(each)))
        case Strategy.MAX:
            return max(kept, key=lambda each: (_magnitude(each.value), _recency(each)))
        case Strategy.MOST_FREQUENT:
            return _most_frequent(kept)
        case Strategy.UNION:
            return replace(max(kept, key=_recency), value=_union(kept))


def _latest_by_source(found: Sequence[Observation]) -> Mapping[str, Observation]:
    latest: dict[str, Observation] = {}
    for each in found:
        known = latest.get(each.source)
        if known is None or _recency(each) > _recency(known):
            latest[each.source] = each
    return latest


def _recency(each: Observation) -> tuple[bool, int, str, str, str]:
    return (each.sure, each.at, each.message, canonical(each.value), each.source)


def _earliest(each: Observation) -> tuple[int, str, str, bool, str]:
    """A message may state two values of one trait, under two of its spellings; then the text of the value decides."""
    return (each.first_at, each.first_message, canonical(each.value), not each.sure, each.source)


def _newest_first(each: Observation) -> tuple[bool, int, "_Reversed", "_Reversed"]:
    return (not each.sure, -each.at, _Reversed(each.message), _Reversed(canonical(each.value)))


@dataclass(frozen=True, slots=True)
class _Reversed:
    """A text that sorts the other way round."""

    text: str

    def __lt__(self, other: "_Reversed") -> bool:
        return self.text > other.text


def _magnitude(value: Json) -> tuple[bool, float, str]:
    number = isinstance(value, int | float)
    return (number, float(value) if isinstance(value, int | float) else 0.0, canonical(value))


def _most_frequent(kept: Sequence[Observation]) -> Observation:
    counts: defaultdict[str, int] = defaultdict(int)
    for each in kept:
        counts[canonical(each.value)] += each.count
    return max(kept, key=lambda each: (counts[canonical(each.value)], _recency(each)))


def _union(kept: Sequence[Observation]) -> Json:
    values: dict[str, Json] = {}
    for each in kept:
        for value in each.value if isinstance(each.value, list) else [each.value]:
            values[canonical(value)] = value
    return [values[text] for text in sorted(values)]
