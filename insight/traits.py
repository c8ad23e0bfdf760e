"""What a profile shows of one trait, why, and what else was ever said of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from identity.messages import Json
from identity.policy import Policy, Strategy
from identity.survivorship import MANUAL, Observation, canonical, surviving
from insight.statements import counted, day_of


@dataclass(frozen=True, slots=True)
class ExplainedTrait:
    """One trait of a profile. value: None when it was deleted.

    source, message and at (µs; None when no time can be believed): of the observation that decided so. others:
    everything else that was observed, the latest first; of a union all that is in it. rank: the source's place in the
    policy, from 1; None when the policy does not rank it.
    """

    name: str
    value: Json
    source: str
    at: int | None
    message: str
    strategy: Strategy
    rank: int | None
    others: tuple[Observation, ...]
    sentence: str


def explained_traits(observations: Iterable[Observation], policy: Policy) -> dict[str, ExplainedTrait]:
    """Everything observed of a profile, by trait: what is shown and why, and the rest."""
    by_name: dict[str, list[Observation]] = {}
    for each in observations:
        by_name.setdefault(each.trait, []).append(each)
    shown = surviving((each for said in by_name.values() for each in said), policy)
    return {name: _explained(name, said, shown.get(name), policy) for name, said in by_name.items()}


def _explained(name: str, said: Sequence[Observation], shown: Observation | None, policy: Policy) -> ExplainedTrait:
    latest_first = sorted(said, key=_recency, reverse=True)
    decided = shown or _deleting(latest_first)
    named = policy.traits.get(name)
    strategy = named.strategy if named else Strategy.LAST
    rank = policy.rank(decided.source)
    return ExplainedTrait(
        name=name,
        value=decided.value if shown else None,
        source=decided.source,
        at=decided.at if decided.sure else None,
        message=decided.message,
        strategy=strategy,
        rank=rank + 1 if rank < len(policy.source_rank) else None,
        others=tuple(each for each in latest_first if each != decided),
        sentence=_sentence(said, decided, strategy, policy) if shown else _deleted(decided),
    )


def _recency(each: Observation) -> tuple[bool, int, str, str, str]:
    return (each.sure, each.at, each.message, canonical(each.value), each.source)


def _deleting(latest_first: Sequence[Observation]) -> Observation:
    """The null that stands: the one by hand, else the latest."""
    nulls = [each for each in latest_first if each.value is None]
    return next((each for each in nulls if each.source == MANUAL), nulls[0])


def _deleted(decided: Observation) -> str:
    return f"{_by(decided)} deleted it{_on(decided)}, and nothing else stands."


def _sentence(said: Sequence[Observation], shown: Observation, strategy: Strategy, policy: Policy) -> str:
    """Why this value is shown, in plain English."""
    if shown.source == MANUAL:
        return f"It was set by hand{_on(shown)}, and what is set by hand comes before all sources."
    values = counted(len({canonical(each.value) for each in said if each.value is not None}), "value", "values")
    match strategy:
        case Strategy.LAST:
            return f"{shown.source} said so{_on(shown)}{_ranked(said, shown, policy)}."
        case Strategy.FIRST:
            first = f"{shown.source} said so first, on {day_of(shown.first_at)}"
            return f"{first}{_ranked(said, shown, policy, 'first')}."
        case Strategy.MAX:
            return f"It is the largest of {values}; {shown.source} said so{_on(shown)}."
        case Strategy.MOST_FREQUENT:
            times = sum(each.count for each in said if canonical(each.value) == canonical(shown.value))
            return f"It was said most often of {values}, in {counted(times, 'message', 'messages')}."
        case Strategy.UNION:
            return f"It is all that was said, {values} together; {shown.source} said the latest{_on(shown)}."


def _ranked(said: Sequence[Observation], shown: Observation, policy: Policy, end: str = "latest") -> str:
    """What the source's place in the policy had to do with it."""
    others = sorted({each.source for each in said} - {shown.source, MANUAL})
    lower = [each for each in others if policy.rank(each) > policy.rank(shown.source)]
    if lower:
        return f", and the policy believes {shown.source} before {' and '.join(lower)}"
    return f", the {end} of all that was said" if len(said) > 1 else ", and nobody said anything else"


def _by(each: Observation) -> str:
    return "Somebody" if each.source == MANUAL else each.source


def _on(each: Observation) -> str:
    return f" on {day_of(each.at)}" if each.sure else " at a time that cannot be believed"
