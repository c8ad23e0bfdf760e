"""Profiles: people as the evidence shows them, found by a lookup, page by page, or by a text."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated

import strawberry

from graph.accounts import After as Place
from graph.belonging import Membership as StoredMembership
from graph.belonging import memberships_of
from graph.counting import (
    count_of_colleagues,
    count_of_household,
    count_of_memberships,
    count_of_shared_identifiers,
)
from graph.households import MOST_SHARERS, households_of
from graph.identifiers import SharedIdentifier as StoredShare
from graph.identifiers import StoredIdentifier, identifiers_of, people_of, shared_identifiers_of
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import TimeOrder as By
from graph.members import colleagues_of
from graph.profiles import Profile as StoredProfile
from graph.segments import StoredSegment
from graph.things import Order as StoredOrder
from identity.policy import Role
from insight.changes import Change as StoredChange
from insight.consent import Consent as StoredConsent
from insight.consent import consents_among
from insight.journeys import Session as StoredSession
from insight.traits import ExplainedTrait
from resolvers.accounts import Membership
from resolvers.asking import Info
from resolvers.batching import then
from resolvers.changes import Change, FilteredChanges, changes_wanted, history
from resolvers.colleagues import colleagues_page
from resolvers.consents import Consent, consents_of
from resolvers.households import Household, HouseholdShown, household_page
from resolvers.identifiers import Contact, ContactPoint, Device, Identifier, SharedIdentifier, shared_page
from resolvers.ids import Noun, global_id
from resolvers.interactions import Interaction, Ordered, TimeOrder, TypedFilter, timeline, wanted_of
from resolvers.journeys import Journey, JourneyShown, Session, journey, sessions
from resolvers.nodes import PROFILE, Node, resolved
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    First,
    all_counted,
    counting,
    one_more,
    page_of,
    pages,
    place_in,
)
from resolvers.past import (
    PastProfile,
    Which,
    past_history,
    past_identifiers,
    past_memberships,
    past_timeline,
    past_traits,
)
from resolvers.scalars import Moment
from resolvers.segments import Segment, segments_of
from resolvers.suggestions import Suggestions, of_profile
from resolvers.things import FilteredOrders, Order, orders, wanted_orders
from resolvers.traits import Trait, trait_of, traits_among, traits_of


@dataclass(frozen=True, slots=True)
class RedirectedProfile(StoredProfile):
    """A profile that was asked for by an id it no longer has."""

    asked: str


def _identifiers(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredIdentifier] | Awaitable[Connection[StoredIdentifier]]:
    """All are read, 1,000 at most, so that devices, contacts and pages cost one statement together.

    They come in the order of their mints: these never change, where an earlier sighting that arrives late moves the
    moment of the first one, and neither the order nor a cursor tells of values to who is not shown them.
    """
    most, place = one_more(first), place_in(after, tuple[str])

    def page(found: Sequence[StoredIdentifier] | None) -> Connection[StoredIdentifier]:
        known = sorted(found or (), key=_minted)
        rest = [each for each in known if place is None or _place(each) > place]
        return page_of(rest[:most], first, after, _place, all_counted(len(known)))

    if isinstance(parent, PastProfile):
        return page(past_identifiers(parent))
    return then(info.context.batching.ask(identifiers_of, parent.id), page)


_minted = attrgetter("mint")


def _place(identifier: StoredIdentifier) -> tuple[str]:
    return (identifier.mint,)


Of = Sequence[StoredIdentifier] | Awaitable[Sequence[StoredIdentifier]]


def _of_role(role: Role, parent: StoredProfile, info: Info) -> Of:
    if isinstance(parent, PastProfile):
        return tuple(each for each in past_identifiers(parent) if each.role is role)
    found = info.context.batching.ask(identifiers_of, parent.id)
    return then(found, lambda all_: tuple(each for each in all_ or () if each.role is role))


def _devices(parent: strawberry.Parent[StoredProfile], info: Info) -> Of:
    return _of_role(Role.DEVICE, parent, info)


def _contacts(parent: strawberry.Parent[StoredProfile], info: Info) -> Of:
    return _of_role(Role.CONTACT, parent, info)


def _contact_points(parent: strawberry.Parent[StoredProfile], info: Info) -> Of:
    return _of_role(Role.CONTACT_POINT, parent, info)


def _shared_identifiers(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredShare] | Awaitable[Connection[StoredShare]]:
    (last,) = place_in(after, tuple[str]) or ("",)
    found = info.context.batching.ask(shared_identifiers_of, (parent.id, last), one_more(first))
    count = counting(lambda: info.context.batching.ask(count_of_shared_identifiers, parent.id))
    return then(found, lambda used: page_of(used or (), first, after, lambda each: (each.place,), count))


def _shared_by(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Awaitable[Connection[StoredProfile]] | Connection[StoredProfile]:
    (last,) = place_in(after, tuple[str]) or ("",)
    return shared_page(info.context.batching.ask(people_of, (parent.id, last), one_more(first)), first, after)


def _household(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Awaitable[HouseholdShown] | HouseholdShown:
    (last,) = place_in(after, tuple[str]) or ("",)
    found = info.context.batching.ask(households_of, (parent.id, last), one_more(first))
    count = counting(lambda: info.context.batching.ask(count_of_household, parent.id, MOST_SHARERS))
    return then(found, lambda household: household_page(household, first, after, count))


def _colleagues(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredProfile] | Awaitable[Connection[StoredProfile]]:
    place = Place(parent.id, *(place_in(after, tuple[str]) or ()))
    found = info.context.batching.ask(colleagues_of, place, one_more(first))
    count = counting(lambda: info.context.batching.ask(count_of_colleagues, parent.id))
    return then(found, lambda page: colleagues_page(page, first, after, count))


def _accounts(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredMembership] | Awaitable[Connection[StoredMembership]]:
    if isinstance(parent, PastProfile):
        return past_memberships(info.context, parent, first, after)
    place = Place(parent.id, *(place_in(after, tuple[str]) or ()))
    roles = info.context.world.policy.account_roles
    found = info.context.batching.ask(memberships_of, place, one_more(first), roles)
    count = counting(lambda: info.context.batching.ask(count_of_memberships, parent.id))
    return then(found, lambda all_: page_of(all_ or (), first, after, lambda each: (each.place,), count))


def _interactions(
    parent: strawberry.Parent[StoredProfile],
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: TypedFilter = None,  # noqa: A002 -- the schema's word
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredInteraction] | Awaitable[Connection[StoredInteraction]]:
    if isinstance(parent, PastProfile):
        which = Which(wanted_of(filter, info.context.world.held.names), By(order.value))
        return past_timeline(info.context, parent, first, after, which)
    return timeline(info.context, parent.id, first, after, filter, order)


def _sessions(
    parent: strawberry.Parent[StoredProfile],
    info: Info,
    first: First = USUAL,
    after: After = None,
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredSession] | Awaitable[Connection[StoredSession]]:
    return sessions(info.context, parent.id, first, after, order)


def _journey(
    parent: strawberry.Parent[StoredProfile],
    info: Info,
    first: First = USUAL,
    after: After = None,
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> JourneyShown | Awaitable[JourneyShown]:
    return journey(info.context, parent.id, first, after, order)


def _orders(
    parent: strawberry.Parent[StoredProfile],
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: FilteredOrders = None,  # noqa: A002 -- the schema's word
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredOrder] | Awaitable[Connection[StoredOrder]]:
    return orders(info.context, parent.id, first, after, wanted_orders(filter, order))


async def _segments(parent: strawberry.Parent[StoredProfile], info: Info) -> Sequence[StoredSegment]:
    named = frozenset(info.context.world.policy.traits)
    return await info.context.batching.ask(segments_of, parent.id, named, info.context.micros) or ()


async def _history(
    parent: strawberry.Parent[StoredProfile],
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: FilteredChanges = None,  # noqa: A002 -- the schema's word
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredChange]:
    which = changes_wanted(filter, order)
    if isinstance(parent, PastProfile):
        return await past_history(info.context, parent, first, after, which)
    return await history(info.context, parent.id, first, after, which)


def _redirected_from(parent: strawberry.Parent[StoredProfile]) -> str | None:
    asked = parent.asked if isinstance(parent, RedirectedProfile | PastProfile) else None
    return global_id(Noun.PROFILE, asked) if asked else None


Keys = Annotated[list[str] | None, strawberry.argument(description="Which traits; all without it, 100 at most.")]
Key = Annotated[str, strawberry.argument(description="The trait's name, in any of the policy's spellings.")]


async def _traits(parent: strawberry.Parent[StoredProfile], info: Info, keys: Keys = None) -> Sequence[ExplainedTrait]:
    if isinstance(parent, PastProfile):
        return traits_among(await past_traits(info.context, parent), info.context.world.policy, keys)
    return await traits_of(info.context, parent.id, keys)


async def _trait(parent: strawberry.Parent[StoredProfile], info: Info, key: Key) -> ExplainedTrait | None:
    if isinstance(parent, PastProfile):
        return (await past_traits(info.context, parent)).get(info.context.world.policy.trait_name(key))
    return await trait_of(info.context, parent.id, key)


async def _consents(parent: strawberry.Parent[StoredProfile], info: Info) -> Sequence[StoredConsent]:
    if isinstance(parent, PastProfile):
        return consents_among(await past_traits(info.context, parent))
    return await consents_of(info.context, parent.id)


@strawberry.type(description="A person as the evidence shows them, or what is known of a shared identifier.")
class Profile(Node):
    """A person as the evidence shows them."""

    known: bool = strawberry.field(description="Whether a contact names the person; false for an anonymous visitor.")
    shared: bool = strawberry.field(
        description="Whether this is no person but an identifier that several people share."
    )
    pending: bool = strawberry.field(description="Whether a recompute in the background may still change it.")
    first_seen: Moment = strawberry.field(description="The first evidence of it.")
    last_seen: Moment = strawberry.field(description="The latest evidence of it.")
    traits: list[Trait] = resolved(_traits, "What is shown of the person, by name.")
    trait: Trait | None = resolved(
        _trait, "One trait, also when it was deleted; null when nothing was ever said of it."
    )
    consents: list[Consent] = resolved(_consents, "What the person agreed to or not, by purpose.")
    identifiers: Connection[Identifier] = resolved(
        _identifiers, "All identifiers, in the order in which they were recorded first."
    )
    devices: list[Device] = resolved(_devices, "Browsers, apps and things; first seen first.")
    contacts: list[Contact] = resolved(_contacts, "User ids and records in sources; first seen first.")
    contact_points: list[ContactPoint] = resolved(_contact_points, "Email addresses and phones; first seen first.")
    accounts: Connection[Membership] = resolved(_accounts, "The organisations the person belongs to, by their keys.")
    colleagues = strawberry.field(
        resolver=_colleagues,
        graphql_type=pages(PROFILE),
        description="Other people in any of these accounts, in the order in which they were first met.",
    )
    interactions: Connection[Interaction] = resolved(
        _interactions, "What the person did; on shared devices, only hers."
    )
    sessions: Connection[Session] = resolved(_sessions, "Interactions as runs without a long pause.")
    journey: Journey = resolved(_journey, "Sessions with the touchpoints in them.")
    orders: Connection[Order] = resolved(
        _orders, "What the person ordered: orders told of by events that go by the name of one."
    )
    segments: list[Segment] | None = resolved(_segments, "The kept segments the person is in now.")
    history: Connection[Change] | None = resolved(
        _history, "The changes to who the person is: arrivals, merges, splits, decisions."
    )
    shared_by: "Connection[Profile] | None" = resolved(
        _shared_by, "The people who share it, when it is a shared identifier's profile."
    )
    shared_identifiers: Connection[SharedIdentifier] | None = resolved(
        _shared_identifiers, "The shared identifiers the person uses, recorded first first; they link her to nobody."
    )
    household: Household | None = resolved(
        _household, "Who shares an email address or a phone with the person, by what they share; two hops in the graph."
    )
    suggestions: Suggestions | None = resolved(
        of_profile, "Who may be this person as well, and where she may belong, the strongest first."
    )
    redirected_from: strawberry.ID | None = resolved(
        _redirected_from, "The id that was asked for, when it is no longer the profile's own."
    )
