"""Finding a profile or an identifier by a lookup. What a profile's page needs at once is read at once."""

from typing import Annotated

import strawberry

from graph.identifiers import StoredIdentifier, identifiers_by_key, identifiers_by_mint, identifiers_of
from graph.past import View
from graph.portraits import Portrait, portraits_by_id, portraits_by_identifier
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id, profiles_by_identifier
from identity.identifiers import ProfileId
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.identifiers import key_named
from resolvers.ids import Noun, node_in
from resolvers.interactions import know_newest
from resolvers.lookups import ByIdentifier, ByProfile, ProfileLookup, profile_id_named, standing_for
from resolvers.past import past_profile
from resolvers.profiles import RedirectedProfile
from resolvers.scalars import Moment
from resolvers.selections import Wish, wish_of

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


async def identifier(info: Info, by: ByIdentifier) -> StoredIdentifier | None:
    """The identifier that a lookup names; None when nothing is known of it. Raises GraphQLError `erased`, `bad_id`."""
    if by.identifier:
        return await info.context.batching.ask(identifiers_by_key, await key_named(by.identifier, info.context))
    noun, name = node_in(by.id or "")
    if noun is not Noun.IDENTIFIER:
        raise refused(Code.BAD_ID, f"`{str(by.id)[:80]}` is the id of no identifier")
    return await identifier_by_mint(name, info.context)


async def identifier_by_mint(mint: str, context: Asking) -> StoredIdentifier | None:
    """The identifier that a mint stands for today; None when it was never given out. Raises GraphQLError `erased`."""
    found = await context.batching.ask(identifiers_by_mint, mint)
    if found is None and (now := await standing_for(mint, context)):
        return await context.batching.ask(identifiers_by_mint, now)
    return found
