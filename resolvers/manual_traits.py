"""Traits that a steward sets by hand, and takes back."""

from typing import Annotated, cast

import strawberry

from graph.connection import Transaction
from graph.manual_traits import clear_trait as take_back
from graph.manual_traits import set_by_hand
from graph.manual_traits import set_trait as keep
from graph.people import Person, people_in
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id, profiles_by_identifier
from identity.messages import Json
from identity.survivorship import canonical
from resolvers.asking import Asking, Info
from resolvers.decisions import DecidedPerson
from resolvers.errors import Code, refused
from resolvers.lookups import ByProfile, ProfileLookup, anchor_key
from resolvers.nodes import PROFILE, maybe, resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.problems import IdempotencyConflict, Invalid, NotFound, TooLarge, Trouble
from resolvers.scalars import JsonValue
from resolvers.world import World

LONGEST_NAME_BYTES = 512
LONGEST_VALUE_BYTES = 32 * 1024

TraitName = Annotated[str, strawberry.argument(description="The trait's name, in any of the policy's spellings.")]
Value = Annotated[
    JsonValue | None, strawberry.argument(description="The value, 32 KB of JSON at most; null deletes the trait.")
]


async def _profile(parent: strawberry.Parent[Person], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_id, parent.id)


def _after(parent: strawberry.Parent[Person]) -> Person:
    return parent


@strawberry.type(description="A person of whom a trait was set by hand, or taken back.")
class TraitDecided:
    """A person of whom a trait was set by hand, or taken back."""

    after: DecidedPerson = resolved(_after, "The person as the change leaves her, or would.")
    profile = strawberry.field(
        resolver=_profile, graphql_type=maybe(PROFILE), description="Her profile now; with `dryRun` it is as before."
    )

    is_type_of = stands_for(Person)


TraitAnswer = Annotated[
    TraitDecided | NotFound | Invalid | TooLarge | IdempotencyConflict,
    strawberry.union(name="TraitAnswer", description="What became of a trait that is set by hand."),
]


async def set_trait(
    info: Info,
    profile: ByProfile,
    key: TraitName,
    value: Value = strawberry.UNSET,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Person | Trouble:
    """Set a trait by hand. An empty text is a value; null deletes the trait, whatever sources say."""
    context = info.context
    if value is strawberry.UNSET:
        raise refused(Code.VARIABLES_INVALID, "give a `value`; null deletes the trait, `clearTrait` takes back")

    async def work(world: World) -> Person:
        name, said = _name(key, context), _value(value)
        observation = set_by_hand(name, said, world.mint(), context.micros)
        anchor, by = await anchor_key(profile, context), context.viewer.name
        return _known(await keep(world.writer, anchor, observation, world.policy, context.micros, by))

    wanted = Wanted("setTrait", (profile, key, value), idempotency_key, dry_run)
    return await done(context, wanted, work, MEMORY)


async def clear_trait(
    info: Info,
    profile: ByProfile,
    key: TraitName,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Person | Trouble:
    """Take back what was set by hand; what sources say is shown again."""
    context = info.context

    async def work(world: World) -> Person:
        name = _name(key, context)
        anchor, by = await anchor_key(profile, context), context.viewer.name
        return _known(await take_back(world.writer, anchor, name, world.policy, context.micros, by))

    return await done(context, Wanted("clearTrait", (profile, key), idempotency_key, dry_run), work, MEMORY)


async def _remembered(_: Transaction, person: Person | None) -> str | None:
    return person.id if person else None


async def _recalled(context: Asking, outcome: str) -> Person:
    """The person as she is now, whatever her id is by now."""
    key = await anchor_key(ProfileLookup(id=strawberry.ID(outcome)), context)
    profile = await context.batching.ask(profiles_by_identifier, key)
    found = await people_in(context.world.reader, [profile.id] if profile else [])
    return _known(found[0] if found else None)


MEMORY = Memory(_remembered, _recalled)


def _known(person: Person | None) -> Person:
    if person is None:
        raise refused(Code.UNKNOWN_PROFILE, "nothing is known of this identifier; a trait needs somebody to have it")
    return person


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
