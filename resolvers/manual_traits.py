"""Traits that a steward sets by hand, and takes back."""

from typing import Annotated, cast

import strawberry

from graph.manual_traits import clear_trait as take_back
from graph.manual_traits import set_by_hand
from graph.manual_traits import set_trait as keep
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id
from identity.identifiers import ProfileId
from identity.messages import Json
from identity.survivorship import canonical
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.lookups import ByProfile, anchor_key
from resolvers.scalars import JsonValue

LONGEST_NAME_BYTES = 512
LONGEST_VALUE_BYTES = 32 * 1024

TraitName = Annotated[str, strawberry.argument(description="The trait's name, in any of the policy's spellings.")]
Value = Annotated[
    JsonValue | None, strawberry.argument(description="The value, 32 KB of JSON at most; null deletes the trait.")
]


async def set_trait(info: Info, profile: ByProfile, key: TraitName, value: Value = strawberry.UNSET) -> StoredProfile:
    """Set a trait by hand. An empty text is a value; null deletes the trait, whatever sources say."""
    context = info.context
    if value is strawberry.UNSET:
        raise refused(Code.VARIABLES_INVALID, "give a `value`; null deletes the trait, `clearTrait` takes back")
    name, said = _name(key, context), _value(value)
    anchor, now, policy = await anchor_key(profile, context), context.micros, context.world.policy
    observation = set_by_hand(name, said, context.world.mint(), now)
    return await _written(
        await keep(context.world.writer, anchor, observation, policy, now, context.viewer.name), context
    )


async def clear_trait(info: Info, profile: ByProfile, key: TraitName) -> StoredProfile:
    """Take back what was set by hand; what sources say is shown again."""
    context = info.context
    name = _name(key, context)
    anchor, policy, by = await anchor_key(profile, context), context.world.policy, context.viewer.name
    return await _written(await take_back(context.world.writer, anchor, name, policy, context.micros, by), context)


def _name(key: str, context: Asking) -> str:
    if not key.isprintable() or not key.strip() or len(key.encode()) > LONGEST_NAME_BYTES:
        raise refused(Code.TRAIT_NAME)
    return context.world.policy.trait_name(key)


def _value(value: object) -> Json:
    said = cast("Json", value)
    try:
        size = len(canonical(said).encode())
    except UnicodeEncodeError as error:
        raise refused(Code.VALUE_INVALID, "the value holds half of a character, which nothing can store") from error
    if size > LONGEST_VALUE_BYTES:
        raise refused(Code.TOO_MANY_VALUES, f"a value has {LONGEST_VALUE_BYTES:,} bytes of JSON at most")
    return said


async def _written(profile: ProfileId | None, context: Asking) -> StoredProfile:
    """The profile as it is after the change: what was read before is asked anew."""
    context.forget()
    found = await context.batching.ask(profiles_by_id, profile) if profile else None
    if found is None:
        raise refused(Code.UNKNOWN_PROFILE, "nothing is known of this identifier; a trait needs somebody to have it")
    return found
