"""How a caller names a profile, and which identifier stands for it."""

from typing import Annotated

import strawberry

from graph.identifiers import identifiers_by_mint
from graph.profiles import profiles_by_id
from graph.tombstones import erased_mints
from identity.identifiers import IdentifierKey, ProfileId
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.identifiers import IdentifierLookup, key_named
from resolvers.ids import Noun, named_in


@strawberry.input(one_of=True, description="How to find a profile: by one of these.")
class ProfileLookup:
    """How to find a profile."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="An id it has or once had: the global one, or the plain one that exports write.",
    )
    identifier: IdentifierLookup | None = strawberry.field(
        default=strawberry.UNSET, description="Any of its identifiers."
    )


ByProfile = Annotated[ProfileLookup, strawberry.argument(description="An id or an identifier.")]


def profile_id_named(text: str) -> ProfileId:
    """The plain id in a global one; another text is a plain id itself. Raises GraphQLError `bad_id`."""
    named = named_in(text)
    if named is None:
        return ProfileId(text)
    noun, name = named
    if noun is not Noun.PROFILE:
        raise refused(Code.BAD_ID, f"`{text[:80]}` is the id of no profile")
    return ProfileId(name)


async def refuse_erased(mint: str, context: Asking) -> None:
    """Raises GraphQLError `erased` when what had this id was erased. One statement."""
    if await context.batching.ask(erased_mints, mint) is not None:
        raise refused(Code.ERASED)


async def anchor_key(by: ProfileLookup, context: Asking) -> IdentifierKey:
    """The identifier asked for, or the one whose mint is the profile's id today. Raises GraphQLError when unknown."""
    if by.identifier:
        return await key_named(by.identifier, context)
    asked = profile_id_named(by.id or "")
    profile = await context.batching.ask(profiles_by_id, asked)
    anchor = await context.batching.ask(identifiers_by_mint, profile.id) if profile else None
    if anchor is None:
        await refuse_erased(asked, context)
        raise refused(Code.UNKNOWN_PROFILE, f"no profile has the id `{by.id}`")
    return anchor.key
