"""How a caller names a profile, and which identifier stands for it."""

from typing import Annotated

import strawberry
from graphql import GraphQLError

from graph.former_ids import former_ids
from graph.identifiers import identifiers_by_mint
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


@strawberry.input(one_of=True, description="How to find an identifier: by one of these.")
class IdentifierBy:
    """How to find an identifier."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id, or one of another that it stands for today."
    )
    identifier: IdentifierLookup | None = strawberry.field(
        default=strawberry.UNSET, description="Its namespace and value."
    )


ByIdentifier = Annotated[IdentifierBy, strawberry.argument(description="Its id, or its namespace and value.")]
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


async def standing_for(mint: str, context: Asking) -> ProfileId | None:
    """The id that one which no identifier has stands for now; None when it was never handed out.

    Raises GraphQLError `erased` when what had it was erased, or is none any more by the policy. One statement, and one
    more where it stands for another id.
    """
    former = await context.batching.ask(former_ids, mint)
    if former is None:
        return None
    after = await context.batching.ask(former_ids, former.now) if former.now else former
    if former.now is None or after is not None:
        raise refused(Code.ERASED)
    return ProfileId(former.now)


async def anchor_key(by: ProfileLookup, context: Asking) -> IdentifierKey:
    """The identifier that is asked for: of an id the one that it was minted for, whoever that belongs to today.

    So two ids that became one profile still name two identifiers, which can be taken apart.
    Raises GraphQLError when it is unknown or erased.
    """
    if by.identifier:
        return await key_named(by.identifier, context)
    asked = profile_id_named(by.id or "")
    found = await context.batching.ask(identifiers_by_mint, asked)
    if found is None and (now := await standing_for(asked, context)):
        found = await context.batching.ask(identifiers_by_mint, now)
    if found is None:
        raise unknown(by)
    return found.key


def unknown(by: ProfileLookup) -> GraphQLError:
    """The error for an id that nobody has."""
    return refused(Code.UNKNOWN_PROFILE, f"no profile has the id `{by.id}`")
