"""Identifiers: contacts, devices and contact points; how a caller names one."""

from collections.abc import Awaitable
from enum import Enum
from typing import Annotated

import strawberry

from graph.identifiers import PeoplePage, StoredIdentifier, identifiers_by_key, identifiers_of, people_with
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_identifier
from identity.activity import inactive
from identity.identifiers import Blocked, IdentifierKey, namespace_of, normalise
from identity.policy import NAMESPACE_PATTERN, Policy
from resolvers.asking import Asking, Info
from resolvers.batching import then
from resolvers.errors import Code, refused
from resolvers.nodes import PROFILE, Node, maybe
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    First,
    all_counted,
    one_more,
    page_of,
    pages,
    place_in,
)
from resolvers.scalars import Moment


@strawberry.input(description="An identifier as a sender would write it; it is normalised as the policy says.")
class IdentifierLookup:
    """An identifier as a sender would write it."""

    namespace: str = strawberry.field(description="`user_id`, `email`, `phone`, `anonymous_id` or any other.")
    value: str = strawberry.field(description="The value; case, spaces and the like are normalised by namespace.")


@strawberry.enum(description="Why an identifier is generic: it is shared by several people and links nobody.")
class GenericReason(Enum):
    """Why an identifier is generic."""

    VALUES = strawberry.enum_value("values", description="Linked to several values of which a person has only one.")
    PARTNERS = strawberry.enum_value("partners", description="Linked to more identifiers than its namespace allows.")


async def _profile_of_identifier(parent: strawberry.Parent[StoredIdentifier], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_identifier, parent.key)


def shared_page(
    found: Awaitable[PeoplePage | None], first: int, after: str | None
) -> Connection[StoredProfile] | Awaitable[Connection[StoredProfile]]:
    """A page of people who share something, with their number."""

    def page(people: PeoplePage | None) -> Connection[StoredProfile]:
        shown = people or PeoplePage(0, ())
        return page_of(shown.people, first, after, lambda each: (each.id,), all_counted(shown.total))

    return then(found, page)


def _shared_with(
    parent: strawberry.Parent[StoredIdentifier], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredProfile] | Awaitable[Connection[StoredProfile]]:
    (last,) = place_in(after, tuple[str]) or ("",)
    return shared_page(info.context.batching.ask(people_with, (parent.key, last), one_more(first)), first, after)


async def _active(parent: strawberry.Parent[StoredIdentifier], info: Info) -> bool:
    """What is shown as active depends on all identifiers of the profile, which are read once for all of them."""
    profile = await info.context.batching.ask(profiles_by_identifier, parent.key)
    found = await info.context.batching.ask(identifiers_of, profile.id) if profile else None
    return parent.key not in inactive(found or (), await info.context.ruling())


@strawberry.interface(description="A namespace and a value by which a source knows a person or a thing of hers.")
class Identifier(Node):
    """A namespace and a value by which a source knows somebody."""

    namespace: str = strawberry.field(description="Whose identifier it is: `user_id`, `email`, `anonymous_id`, …")
    value: str = strawberry.field(description="The normalised value.")
    first_seen: Moment = strawberry.field(description="The moment of the first evidence of it.")
    last_seen: Moment = strawberry.field(description="The moment of the latest evidence of it.")
    generic: GenericReason | None = strawberry.field(description="Why it links nobody; null when it belongs to one.")
    active: bool = strawberry.field(
        resolver=_active,
        description="Whether it is within the limit of its namespace; one beyond still links and resolves.",
    )
    shared_by: int = strawberry.field(description="By how many people it is shared; 0 when it belongs to one.")
    shared_with = strawberry.field(
        resolver=_shared_with,
        graphql_type=maybe(pages(PROFILE)),
        description="The people who share it, in a stable order; none when it belongs to one.",
    )
    profile = strawberry.field(
        resolver=_profile_of_identifier,
        graphql_type=maybe(PROFILE),
        description="The person it identifies, or the profile of its own that a shared one has.",
    )


@strawberry.type(description="An identifier that names a person in a source: a user id, the key of a CRM record.")
class Contact(Identifier):
    """An identifier that names a person in a source."""


@strawberry.type(description="An identifier of an anonymous browser, app or thing.")
class Device(Identifier):
    """An identifier of an anonymous browser, app or thing."""


@strawberry.type(description="An address at which a person can be met: email, phone, or the hash of one.")
class ContactPoint(Identifier):
    """An address at which a person can be met."""


@strawberry.type(description="A generic identifier that a person uses together with others.")
class SharedIdentifier:
    """A generic identifier that a person uses together with others."""

    identifier: Identifier = strawberry.field(description="The identifier; its own profile says who else uses it.")
    first: Moment = strawberry.field(description="The first evidence that this person uses it.")
    last: Moment = strawberry.field(description="The latest evidence that this person uses it.")


async def _identifier_of_key(parent: strawberry.Parent[IdentifierKey], info: Info) -> StoredIdentifier | None:
    return await info.context.batching.ask(identifiers_by_key, parent)


async def _profile_of_key(parent: strawberry.Parent[IdentifierKey], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_identifier, parent)


def _namespace(parent: strawberry.Parent[IdentifierKey]) -> str:
    return namespace_of(parent)


def _value(parent: strawberry.Parent[IdentifierKey]) -> str:
    return parent.partition(":")[2]


@strawberry.type(description="The name of an identifier, which may be known or not.")
class IdentifierName:
    """The name of an identifier, which may be known or not: a key of the graph."""

    namespace: str = strawberry.field(resolver=_namespace, description="Its namespace.")
    value: str = strawberry.field(resolver=_value, description="Its normalised value.")
    identifier = strawberry.field(
        resolver=_identifier_of_key, graphql_type=Identifier | None, description="The identifier; null if unknown."
    )
    profile = strawberry.field(
        resolver=_profile_of_key, graphql_type=maybe(PROFILE), description="Its profile; null if unknown."
    )


async def key_named(asked: IdentifierLookup, context: Asking, then: Policy | None = None) -> IdentifierKey:
    """The key of the identifier that a caller names. Raises GraphQLError with the reason when it can name nobody.

    then: the policy by which it is read, if not by that of today. A statement is needed only for a namespace that the
    policy does not name: a source may have declared its rules.
    """
    policy = then or context.world.policy
    if asked.namespace not in policy.namespaces:
        policy = await _with_declared(asked.namespace, context)
    identifier = normalise(asked.namespace, asked.value, policy)
    if isinstance(identifier, Blocked):
        raise refused(Code(f"identifier_{identifier.code}"), f"{asked.namespace}: {identifier.sentence}")
    return identifier.key


async def _with_declared(namespace: str, context: Asking) -> Policy:
    if not NAMESPACE_PATTERN.match(namespace):
        raise refused(Code.NAMESPACE_INVALID)
    return await context.ruling()


AnonymousId = Annotated[str, strawberry.argument(description="The anonymous id, as the browser or app sent it.")]


async def device(info: Info, anonymous_id: AnonymousId) -> StoredIdentifier | None:
    """The device with an anonymous id; None when nothing is known of it."""
    key = await key_named(IdentifierLookup(namespace="anonymous_id", value=anonymous_id), info.context)
    return await info.context.batching.ask(identifiers_by_key, key)
