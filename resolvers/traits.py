"""Traits: which of the values ever observed a profile shows, why, and all the others."""

from collections.abc import Mapping, Sequence
from enum import Enum

import strawberry

from graph.profiles import observations_of
from identity.identifiers import ProfileId
from identity.policy import Policy
from identity.survivorship import Observation, canonical
from insight.traits import ExplainedTrait, explained_traits
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.nodes import resolved
from resolvers.paging import USUAL, After, Connection, First, Micros, all_counted, one_more, page_of, place_in
from resolvers.scalars import JsonValue, Moment

MOST_KEYS = 100


@strawberry.enum(description="Which of several observed values a profile shows, as the policy says for each trait.")
class TraitStrategy(Enum):
    """Which of several observed values a profile shows; the values are those of identity/policy.py."""

    LAST = strawberry.enum_value("last", description="The latest one of the best-ranked source.")
    FIRST = strawberry.enum_value("first", description="The first one of the best-ranked source.")
    MAX = strawberry.enum_value("max", description="The largest one; numbers before texts.")
    MOST_FREQUENT = strawberry.enum_value("most_frequent", description="The one that most messages said.")
    UNION = strawberry.enum_value("union", description="All of them, as a list.")


@strawberry.type(description="A trait and its value, without where it came from.")
class TraitShown:
    """A trait and its value."""

    name: str = strawberry.field(description="Its name.")
    value: JsonValue = strawberry.field(description="Its value.")


def _observed_at(parent: strawberry.Parent[Observation]) -> Moment | None:
    return Moment(parent.at) if parent.sure else None


def _first_at(parent: strawberry.Parent[Observation]) -> Moment | None:
    return Moment(parent.first_at) if parent.sure else None


@strawberry.type(description="One value of a trait, as one source gave it of one identifier.")
class ObservedValue:
    """One value of a trait, as one source gave it of one identifier."""

    value: JsonValue | None = strawberry.field(description="The value; null where the source deleted the trait.")
    source: str = strawberry.field(description="The source that gave it; `manual` where it was set by hand.")
    at: Moment | None = resolved(_observed_at, "When it was last given; null when no time can be believed.")
    message: str = strawberry.field(description="The id of the latest message that gave it.")
    first_at: Moment | None = resolved(_first_at, "When it was first given; null when no time can be believed.")
    count: int = strawberry.field(description="How many messages gave it.")


def _strategy(parent: strawberry.Parent[ExplainedTrait]) -> TraitStrategy:
    return TraitStrategy(parent.strategy.value)


def _others(parent: strawberry.Parent[ExplainedTrait], first: First = USUAL) -> Sequence[Observation]:
    return parent.others[: one_more(first) - 1]


def _others_page(
    parent: strawberry.Parent[ExplainedTrait], first: First = USUAL, after: After = None
) -> Connection[Observation]:
    return _page(parent, first, after)


def _page(parent: ExplainedTrait, first: int, after: str | None) -> Connection[Observation]:
    most = one_more(first)
    place = place_in(after, tuple[bool, Micros, str, str, str])
    rest = [each for each in parent.others if place is None or _place(each) < place]
    return page_of(rest[:most], first, after, _place, all_counted(len(parent.others)))


def _place(each: Observation) -> tuple[bool, int, str, str, str]:
    return (each.sure, each.at, each.message, canonical(each.value), each.source)


def _others_count(parent: strawberry.Parent[ExplainedTrait]) -> int:
    return len(parent.others)


@strawberry.type(description="One fact about a person: the value that the policy chose among all observed ones.")
class Trait:
    """One fact about a person."""

    name: str = strawberry.field(description="Its name; the policy's where it names the trait.")
    value: JsonValue | None = strawberry.field(description="The value; null where the trait was deleted.")
    source: str = strawberry.field(description="The source that gave it; `manual` where it was set by hand.")
    at: Moment | None = strawberry.field(description="When it was last given; null when no time can be believed.")
    message: str = strawberry.field(description="The id of the message that gave it last.")
    strategy: TraitStrategy = resolved(_strategy, "How the policy chooses.")
    rank: int | None = strawberry.field(
        description="The source's place in the policy's ranking, from 1; null when it is not ranked."
    )
    sentence: str = strawberry.field(description="Why this value is shown, in plain English.")
    others: list[ObservedValue] = resolved(
        _others, "Everything else that was observed, the latest first; of a union all that is in it."
    )
    others_page: Connection[ObservedValue] | None = resolved(_others_page, "The same, page by page to its end.")
    others_count: int = resolved(_others_count, "How many others there are.")


async def traits_of(context: Asking, profile: ProfileId, keys: Sequence[str] | None) -> list[ExplainedTrait]:
    """What a profile shows, by name; of some names alone when keys are given, in their order."""
    return traits_among(await _explained(context, profile), context.world.policy, keys)


def traits_among(
    found: Mapping[str, ExplainedTrait], policy: Policy, keys: Sequence[str] | None
) -> list[ExplainedTrait]:
    """What is shown, by name; of some names alone when keys are given, in their order. found: by trait."""
    if keys is not None and len(keys) > MOST_KEYS:
        raise refused(Code.TOO_MANY_VALUES, f"at most {MOST_KEYS} traits by name, or all without `keys`")
    names = sorted(found) if keys is None else dict.fromkeys(map(policy.trait_name, keys))
    return [found[name] for name in names if name in found and found[name].value is not None]


async def trait_of(context: Asking, profile: ProfileId, key: str) -> ExplainedTrait | None:
    """One trait of a profile, also when it was deleted; None when nothing was ever said of it."""
    return (await _explained(context, profile)).get(context.world.policy.trait_name(key))


async def _explained(context: Asking, profile: ProfileId) -> Mapping[str, ExplainedTrait]:
    observed = await context.batching.ask(observations_of, profile)
    return explained_traits(observed or (), context.world.policy)
