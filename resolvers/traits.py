"""Traits: which of the values ever observed a profile shows."""

from collections.abc import Sequence

import strawberry

from graph.profiles import observations_of
from identity.identifiers import ProfileId
from identity.survivorship import Observation, surviving
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.scalars import JsonValue, Moment

MOST_KEYS = 100


@strawberry.type(description="One fact about a person: the value that the policy chose among all observed ones.")
class Trait:
    """One fact about a person."""

    name: str = strawberry.field(description="Its name; the policy's where it names the trait.")
    value: JsonValue = strawberry.field(description="The value.")
    source: str = strawberry.field(description="The source that gave it.")
    at: Moment | None = strawberry.field(description="When it was last given; null when no time can be believed.")


async def traits_of(context: Asking, profile: ProfileId, keys: Sequence[str] | None) -> list[Trait]:
    """What a profile shows, by name; of some names alone when keys are given, in their order."""
    if keys is not None and len(keys) > MOST_KEYS:
        raise refused(Code.TOO_MANY_VALUES, f"at most {MOST_KEYS} traits by name, or all without `keys`")
    policy = context.world.policy
    observed = await context.batching.ask(observations_of, profile)
    found = surviving(observed or (), policy)
    names = sorted(found) if keys is None else dict.fromkeys(map(policy.trait_name, keys))
    return [_trait(found[name]) for name in names if name in found]


def _trait(each: Observation) -> Trait:
    at = Moment(each.at) if each.sure else None
    return Trait(name=each.trait, value=JsonValue(each.value), source=each.source, at=at)
