"""Finding profiles: by a lookup, page by page, or by a text. What a profile's page needs at once is read at once."""

from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from graph.identifiers import identifiers_of
from graph.past import View
from graph.portraits import Portrait, portraits_by_id, portraits_by_identifier
from graph.profiles import Profile as StoredProfile
from graph.profiles import ProfileFilter as Wanted
from graph.profiles import profiles_by_id, profiles_by_identifier, profiles_found, profiles_page
from identity.identifiers import ProfileId
from identity.messages import Json
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.identifiers import key_named
from resolvers.interactions import know_newest
from resolvers.lookups import ByProfile, ProfileLookup, profile_id_named, standing_for
from resolvers.paging import USUAL, After, Connection, First, one_more, page_of, place_in
from resolvers.past import past_profile
from resolvers.profiles import RedirectedProfile
from resolvers.scalars import JsonValue, Moment
from resolvers.selections import Wish, wish_of

LONGEST_SEARCH = 200
MOST_TRAITS = 10


@strawberry.input(description="A trait and the value it has.")
class TraitEquals:
    """A trait and the value it has."""

    name: str = strawberry.field(description="A trait that the policy names.")
    value: JsonValue = strawberry.field(description="A text, a number or a truth value; texts with their case.")


@strawberry.input(description="Which profiles a list shows; what is not given does not matter.")
class ProfileFilter:
    """Which profiles a list shows."""

    known: bool | None = strawberry.field(default=None, description="Only known people, or only unknown ones.")
    shared: bool | None = strawberry.field(
        default=None, description="Only shared identifiers' profiles, or only people."
    )
    traits: list[TraitEquals] | None = strawberry.field(default=None, description="All of these, at most 10.")


Filter = Annotated[ProfileFilter | None, strawberry.argument(description="Which ones; all without it.")]
Search = Annotated[
    str | None,
    strawberry.argument(description="Words in name, email or company, whole or begun; the best hits come first."),
]


AsOf = Annotated[
    Moment | None,
    strawberry.argument(description="What was known at this moment, whatever was learnt since (recorded time)."),
]
EffectiveAt = Annotated[
    Moment | None,
    strawberry.argument(description="What was true at this moment, whenever it was learnt (event time)."),
]


async def profile(
    info: Info, by: ByProfile, as_of: AsOf = None, effective_at: EffectiveAt = None
) -> StoredProfile | None:
    """The profile that a lookup names; None when nothing is known of it.

    With its identifiers, and its newest interactions where they are asked for: one statement.
    """
    if as_of is not None or effective_at is not None:
        return await past_profile(info.context, by, View(as_of, effective_at))
    wish = wish_of(info)
    if by.identifier:
        return await _by_identifier(by, info.context, wish)
    return await profile_by_id(by.id or "", info.context, wish)


async def _by_identifier(by: ProfileLookup, context: Asking, wish: Wish | None) -> StoredProfile | None:
    assert by.identifier  # noqa: S101 -- one of the two is there
    key = await key_named(by.identifier, context)
    if wish is None:
        return await context.batching.ask(profiles_by_identifier, key)
    portrait = await context.batching.ask(portraits_by_identifier, key, wish.most)
    return None if portrait is None else _seen(portrait, context, wish)


async def profile_by_id(text: str, context: Asking, wish: Wish | None = None) -> StoredProfile | None:
    """The profile that an id stands for today; None when it was never given out. Raises GraphQLError `erased`."""
    asked = profile_id_named(text)
    found = await _of_id(asked, context, wish)
    if found is None and (now := await standing_for(asked, context)):
        found = await _of_id(now, context, wish)
    return _redirected(found, asked) if found and found.id != asked else found


async def _of_id(asked: ProfileId, context: Asking, wish: Wish | None) -> StoredProfile | None:
    if wish is None:
        return await context.batching.ask(profiles_by_id, asked)
    portrait = await context.batching.ask(portraits_by_id, asked, wish.most)
    return None if portrait is None else _seen(portrait, context, wish)


def _redirected(found: StoredProfile, asked: str) -> RedirectedProfile:
    return RedirectedProfile(
        found.id, found.known, found.shared, found.first_seen, found.last_seen, found.pending, asked
    )


def _seen(portrait: Portrait, context: Asking, wish: Wish) -> StoredProfile:
    """The profile, with the answers to what will be asked of it."""
    context.batching.know(portrait.identifiers, identifiers_of, portrait.profile.id)
    know_newest(context, portrait.profile.id, portrait.newest, wish.firsts)
    return portrait.profile


async def profiles(
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: Filter = None,  # noqa: A002 -- the schema's word
    search: Search = None,
) -> Connection[StoredProfile]:
    """A page of profiles: by id, or the best hits of a text."""
    most, wanted = one_more(first), _wanted(filter, info.context)
    reader = info.context.world.reader
    if search is None:
        (last,) = place_in(after, tuple[str]) or ("",)
        found = await profiles_page(reader, wanted, last, most)
        return page_of(found, first, after, lambda each: (each.id,))
    if len(search) > LONGEST_SEARCH:
        raise refused(Code.TOO_MANY_VALUES, f"a search has at most {LONGEST_SEARCH} characters")
    hits = await profiles_found(reader, search, wanted, place_in(after, tuple[float, str]), most)
    scores = {hit.profile.id: hit.score for hit in hits}
    people: Sequence[StoredProfile] = [hit.profile for hit in hits]
    return page_of(people, first, after, lambda each: (scores[each.id], each.id))


def _wanted(asked: ProfileFilter | None, context: Asking) -> Wanted:
    if asked is None:
        return Wanted()
    if len(asked.traits or ()) > MOST_TRAITS:
        raise refused(Code.TOO_MANY_VALUES, f"a filter has at most {MOST_TRAITS} traits")
    return Wanted(asked.known, asked.shared, tuple(_trait(each, context) for each in asked.traits or ()))


def _trait(asked: TraitEquals, context: Asking) -> tuple[str, Json]:
    policy = context.world.policy
    name = policy.trait_name(asked.name)
    if name not in policy.traits:
        names = ", ".join(sorted(policy.traits))
        raise refused(Code.UNKNOWN_TRAIT, f"the policy names no trait `{asked.name[:80]}`; it names {names}")
    if not _is_comparable(asked.value):
        raise refused(Code.VALUE_INVALID)
    return name, cast("Json", asked.value)


def _is_comparable(value: object) -> bool:
    """Neo4j's integers have 64 bits."""
    return isinstance(value, str | float) or (isinstance(value, int) and -(2**63) <= value < 2**63)
