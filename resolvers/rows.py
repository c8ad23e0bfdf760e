"""Rows: what who is restricted to accounts sees of people, and that all else is as if it were unknown.

Seen are these accounts with those that are part of them, the people who belong to any of them, and what hangs on those
people: their identifiers, interactions, orders, traits. An order, a deal or a ticket is seen where its account is, or
the person to whom it belongs. What a field leads to is one of three things: something that hangs on what is seen
already, something that is looked at and left out, or refused, with the reason. A new field is refused to such a viewer
until it stands here; a test fails for one that can be reached and stands nowhere.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import cast

from graphql import GraphQLError, GraphQLOutputType, GraphQLResolveInfo, get_named_type, is_leaf_type

from graph.accounts import Account, accounts_by_key, accounts_under
from graph.belonging import Membership, belonging_to, memberships_in
from graph.households import HouseholdPage, households_of
from graph.identifiers import StoredIdentifier
from graph.interactions import Interaction
from graph.members import Among, people_among
from graph.profiles import Profile, profiles_by_identifier
from graph.things import Deal, Order, Thing, Ticket
from resolvers.asking import Asking
from resolvers.colleagues import colleagues_page
from resolvers.errors import Code, refused
from resolvers.households import HouseholdShown, household_page
from resolvers.paging import Connection, all_counted, one_more, page_of, place_in
from resolvers.things import beginning_of

Info = GraphQLResolveInfo[Asking]
Given = Mapping[str, object]
Resolve = Callable[..., object]
DEEPEST = 10
MOST_HOUSEMATES = 1_000

# What can be asked at the root; all else cannot be cut and is refused before anything is read.
ROOTS = frozenset(
    {
        *("profile", "profiles", "account", "device", "identifier", "node", "nodes", "order", "deal", "ticket"),
        *("profileChanged", "interactionAdded"),
        *("__typename", "__schema", "__type"),
    }
)
# Why each other one cannot be cut. Whatever changes something is decided for everybody, and is refused as a whole.
REFUSED_ROOTS: Mapping[str, str] = {
    "product": "it belongs to nobody: whether somebody who is seen has bought it would be sought among all who have",
    "campaign": "it belongs to nobody: whether it reached somebody who is seen would be sought among all it reached",
    "accounts": "it lists and counts whom the service knows; an account that is seen is found by `account` and `node`",
    "changes": "each change names who was taken for whom",
    "identityChanges": "each change names who was taken for whom",
    "segments": "what a segment asks is the house's own, and who is in it is everybody",
    "segmentPreview": "it counts everybody",
    "segmentChanged": "a segment is of everybody, and tells of who is in it",
    "audience": "it counts everybody",
    "webhookEndpoints": "an endpoint is told of everybody",
    "webhookEndpoint": "an endpoint is told of everybody",
    "sources": "a source tells of everybody",
    "source": "a source tells of everybody",
    "loadProgress": "a load is of everybody's records",
    "suggestions": "each names somebody else who may be the same person",
    "how": "its links lead to whomever somebody was nearly taken for",
    "whySame": "its links lead to whomever somebody was nearly taken for",
    "whyNot": "its links lead to whomever somebody was nearly taken for",
    "unmergePreview": "its links lead to whomever somebody was nearly taken for",
    "connection": "a way that passes somebody who is not seen would be missing or would tell of them",
    "neighbourhood": "what is near somebody is others, and what is left out would show as a hole",
}


def _fields(**types: str) -> frozenset[tuple[str, str]]:
    return frozenset((kind, name) for kind, names in types.items() for name in names.split())


IDENTIFIERS = ("Contact", "Device", "ContactPoint")
KINDS = (
    *("IdentifyEvent", "AliasEvent", "GroupEvent", "TrackEvent", "PageView", "ScreenView", "OrderEvent", "Payment"),
    *("TicketEvent", "Message", "Meeting", "FormSubmission", "SensorReading"),
)
# What hangs on what is seen already.
INSIDE = _fields(
    Profile="traits trait identifiers devices contacts contactPoints interactions sessions journey orders consents",
    Trait="others othersPage",
    Consent="others",
    Journey="edges pageInfo touchpoints",
    Session="interactions touchpoints",
    Touchpoint="interaction",
    Account="traits deals children members mergedFrom",
    Member="profile history",
    Membership="account history",
    MembershipStatement="account",
    Deal="amount",
    Order="total subtotal tax shipping discount products",
    Product="price",
    OrderLine="price",
    OrderEvent="products total lines",
    TrackEvent="products campaign",
    Payment="amount refunded",
    FormSubmission="answers campaign",
    Household="edges pageInfo",
    Housemate="profile shared",
    Subscription="profileChanged interactionAdded",
    InteractionAdded="interaction",
) | {(kind, name) for kind in KINDS for name in ("actor", "identifiers", "warnings")}
# What is looked at, and left out where it is not seen.
LOOKED_AT = _fields(
    Query="profile account device identifier node nodes order deal ticket",
    IdentifierName="identifier profile",
    Account="parent",
    Deal="account profile",
    Order="account profile",
    Ticket="account profile",
    OrderEvent="order",
    Payment="order",
    TrackEvent="order deal ticket",
    TicketEvent="ticket",
    GroupEvent="account",
    Evidence="interaction",
    ProfileChange="profile changes",
    InteractionAdded="profile",
) | {(kind, "profile") for kind in IDENTIFIERS}
# How many others share it: as if there were none.
COUNTS = {(kind, "sharedBy") for kind in IDENTIFIERS}
# What hangs on somebody who is seen and is refused all the same.
REFUSED: Mapping[tuple[str, str], str] = {
    ("Account", "tree"): "it leads to what stands above; `parent` and `children` lead to what is seen",
    ("Profile", "history"): "each change names who was taken for whom, in its sentence as well",
    ("Profile", "segments"): "what a segment asks is the house's own",
    ("Profile", "sharedBy"): "it tells how many others share something",
    ("Profile", "sharedIdentifiers"): "it tells how many others share something; `household` leads to who is seen",
    ("Profile", "suggestions"): "each names somebody else who may be the same person",
    **{(kind, "sharedWith"): "it tells how many others share something" for kind in IDENTIFIERS},
}
PLUMBING = {"edges", "pageInfo", "node"}


def check_roots(name: str) -> None:
    """Raises GraphQLError `key_scope` for what who is restricted to accounts may not ask at the root."""
    if name not in ROOTS:
        why = REFUSED_ROOTS.get(name, "it is for everybody")
        raise _refusal(f"`{name}` cannot be cut to accounts: {why}")


def cut(kind: str, name: str, leads_to: GraphQLOutputType) -> Callable[[Resolve, object, Info, Given], object]:
    """How a field is answered to who is restricted to accounts, whatever resolves it."""
    if (kind, name) in OWN:
        return OWN[kind, name]
    if (kind, name) in LOOKED_AT:
        return _looked_at
    if (kind, name) in COUNTS:
        return lambda *_: 0
    plumbing = name in PLUMBING and kind.endswith(("Connection", "Edge"))
    leaf = is_leaf_type(get_named_type(leads_to))
    if leaf or plumbing or (kind, name) in INSIDE:
        return lambda resolve, source, info, given: resolve(source, info, **given)
    why = REFUSED.get((kind, name), "it tells also of others")
    return lambda *_: _refuse(f"`{kind}.{name}` cannot be cut to accounts: {why}")


def _refuse(why: str) -> object:
    raise _refusal(why)


def _refusal(why: str) -> GraphQLError:
    return refused(Code.KEY_SCOPE, f"{why}; that needs a key that is not restricted to accounts")


async def _looked_at(resolve: Resolve, source: object, info: Info, given: Given) -> object:
    if given.get("asOf") is not None or given.get("effectiveAt") is not None:
        raise _refusal("the past cannot be cut to accounts")
    try:
        found = await _settled(resolve(source, info, **given))
    except GraphQLError as error:
        if (error.extensions or {}).get("code") == Code.ERASED.value:
            return None  # who had it is not known here
        raise
    if not isinstance(found, list | tuple):
        return found if await is_seen(found, info.context) else None
    seen = await gather(*(is_seen(each, info.context) for each in found))
    if "ids" in given:
        return [each if is_ else None for each, is_ in zip(found, seen, strict=True)]
    return [each for each, is_ in zip(found, seen, strict=True) if is_]


async def _settled(found: object) -> object:
    return await cast("Awaitable[object]", found) if isawaitable(found) else found


async def is_seen(value: object, context: Asking) -> bool:
    """Whether a restricted viewer sees a stored value. What is asked side by side is read together."""
    match value:
        case Account():
            return value.key in await _accounts(context)
        case Profile():
            return not value.shared and bool(await _own_accounts(value, context))
        case StoredIdentifier():
            return await is_seen(await context.batching.ask(profiles_by_identifier, value.key), context)
        case Interaction():
            return await is_seen(await context.batching.ask(profiles_by_identifier, value.actor), context)
    return isinstance(value, Order | Deal | Ticket) and any(
        await gather(_is_for_seen(value, context), _is_of_seen(value, context))
    )


async def _is_for_seen(thing: Thing, context: Asking) -> bool:
    """Whether the account that a thing is for is seen, by whatever it goes today."""
    told = thing.account
    return told is not None and await is_seen(await context.batching.ask(accounts_by_key, told), context)


async def _is_of_seen(thing: Thing, context: Asking) -> bool:
    """Whether somebody who is seen is whom a thing belongs to."""
    began = await beginning_of(thing, context)
    return began is not None and await is_seen(began.profile, context)


async def _accounts(context: Asking) -> frozenset[str]:
    """The keys of the accounts that are seen; read once in a request."""
    return await context.batching.ask(accounts_under, context.viewer.accounts) or frozenset()


async def _own_accounts(profile: Profile, context: Asking) -> list[str]:
    """The accounts that are seen to which somebody belongs, by their keys."""
    return sorted(await context.batching.ask(belonging_to, profile.id, await _accounts(context)) or ())


async def _profiles(_resolve: Resolve, _source: object, info: Info, given: Given) -> Connection[Profile]:
    if given.get("filter") is not None or given.get("search") is not None:
        raise _refusal("`filter` and `search` look at everybody, and cannot be cut to accounts")
    if getattr(given.get("order"), "name", "ID") != "ID":
        raise _refusal("only the usual order can be cut to accounts")
    context = info.context
    named = await gather(*(context.batching.ask(accounts_by_key, key) for key in context.viewer.accounts))
    return await _page(sorted({each.key for each in named if each}), context, given, depth=DEEPEST)


async def _memberships(_resolve: Resolve, source: object, info: Info, given: Given) -> Connection[Membership]:
    """What was said of a person and the accounts that are seen: of a page of these alone."""
    first, after = cast("int", given["first"]), cast("str | None", given.get("after"))
    most, (last,) = one_more(first), place_in(after, tuple[str]) or ("",)
    person, context = cast("Profile", source), info.context
    own = await _own_accounts(person, context)
    page = tuple([key for key in own if key > last][:most])
    found = await context.batching.ask(memberships_in, (person.id, page), context.world.policy.account_roles)
    return page_of(found or (), first, after, lambda each: (each.place,), all_counted(len(own)))


async def _household(_resolve: Resolve, source: object, info: Info, given: Given) -> HouseholdShown:
    """Of the first 1,000 housemates by their ids those who are seen: as if the others shared nothing."""
    context, first, after = info.context, cast("int", given["first"]), cast("str | None", given.get("after"))
    most, (last,) = one_more(first), place_in(after, tuple[str]) or ("",)
    found = await context.batching.ask(households_of, (cast("Profile", source).id, ""), MOST_HOUSEMATES)
    people = found.people if found else ()
    seen = await gather(*(is_seen(each.profile, context) for each in people))
    shown = [each for each, is_ in zip(people, seen, strict=True) if is_]
    rest = [each for each in shown if each.profile.id > last]
    return household_page(HouseholdPage(tuple(rest[:most]), ()), first, after, all_counted(len(shown)))


async def _colleagues(_resolve: Resolve, source: object, info: Info, given: Given) -> Connection[Profile]:
    person = cast("Profile", source)
    own = await _own_accounts(person, info.context)
    return await _page(own, info.context, given, without=person.id)


async def _page(
    accounts: Sequence[str], context: Asking, given: Given, *, depth: int = 1, without: str = ""
) -> Connection[Profile]:
    """The people of several accounts, none of them merged into another one."""
    first, after = cast("int", given["first"]), cast("str | None", given.get("after"))
    (last,) = place_in(after, tuple[str]) or ("",)
    asked = Among(tuple(accounts), last, without)
    return colleagues_page(await context.batching.ask(people_among, asked, one_more(first), depth), first, after)


OWN: Mapping[tuple[str, str], Callable[[Resolve, object, Info, Given], object]] = {
    ("Query", "profiles"): _profiles,
    ("Profile", "accounts"): _memberships,
    ("Profile", "colleagues"): _colleagues,
    ("Profile", "household"): _household,
    ("Household", "leftOut"): lambda *_: (),  # what more than 100 people share, which would tell of them
}
