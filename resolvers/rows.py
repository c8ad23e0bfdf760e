"""Rows: what who is restricted to accounts sees of people, and that all else is as if it were unknown.

Seen are these accounts with those that are part of them, the people who belong to any of them, and what hangs on those
people: their identifiers, interactions, orders, traits. What a field leads to is one of three things: something that
hangs on what is seen already, something that is looked at and left out, or, where nobody said which, refused. So a new
field is refused to such a viewer until it stands here.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import cast

from graphql import GraphQLError, GraphQLOutputType, GraphQLResolveInfo, get_named_type, is_leaf_type

from graph.accounts import Account, After, Member, accounts_by_key, accounts_under, members_of
from graph.belonging import Membership, belonging_to, memberships_in
from graph.identifiers import StoredIdentifier
from graph.interactions import Interaction
from graph.profiles import Profile, profiles_by_identifier
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.paging import Connection, all_counted, one_more, page_of, place_in

Info = GraphQLResolveInfo[Asking]
Given = Mapping[str, object]
Resolve = Callable[..., object]
DEEPEST = 10

# What can be asked at the root; all else cannot be cut and is refused before anything is read.
ROOTS = frozenset(
    {"profile", "profiles", "account", "device", "identifier", "node", "nodes", "__typename", "__schema", "__type"}
)


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
    OrderEvent="order products total lines",
    TrackEvent="order products",
    Payment="amount refunded order",
    FormSubmission="answers",
) | {(kind, name) for kind in KINDS for name in ("actor", "identifiers", "warnings")}
# What is looked at, and left out where it is not seen.
LOOKED_AT = _fields(
    Query="profile account device identifier node nodes",
    IdentifierName="identifier profile",
    Account="parent",
    Deal="account profile",
    Order="account profile",
    GroupEvent="account",
) | {(kind, "profile") for kind in IDENTIFIERS}
# How many others share it: as if there were none.
COUNTS = {(kind, "sharedBy") for kind in IDENTIFIERS}
PLUMBING = {"edges", "pageInfo", "node"}


def check_roots(name: str) -> None:
    """Raises GraphQLError `key_scope` for what who is restricted to accounts may not ask at the root."""
    if name not in ROOTS:
        raise _refusal(f"`{name}` cannot be cut to accounts")


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
    return lambda *_: _refuse(f"`{kind}.{name}` tells also of others, and cannot be cut to accounts")


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
    return False


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
        raise _refusal("only the order of ids can be cut to accounts")
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


async def _colleagues(_resolve: Resolve, source: object, info: Info, given: Given) -> Connection[Profile]:
    person = cast("Profile", source)
    own = await _own_accounts(person, info.context)
    return await _page(own, info.context, given, without=person.id)


async def _page(
    accounts: Sequence[str], context: Asking, given: Given, *, depth: int = 1, without: str = ""
) -> Connection[Profile]:
    """The people of several accounts by their ids; of each a page is read, and one more who may be left out."""
    first, after = cast("int", given["first"]), cast("str | None", given.get("after"))
    most, (last,) = one_more(first) + 1, place_in(after, tuple[str]) or ("",)
    roles = context.world.policy.account_roles
    asks = (context.batching.ask(members_of, After(key, last), most, depth, roles) for key in accounts)
    members: list[Member] = [member for page in await gather(*asks) for member in page or ()]
    people = {member.profile.id: member.profile for member in members if member.profile.id != without}
    found = [people[each] for each in sorted(people)]
    return page_of(found[: first + 1], first, after, lambda each: (each.id,))


OWN: Mapping[tuple[str, str], Callable[[Resolve, object, Info, Given], object]] = {
    ("Query", "profiles"): _profiles,
    ("Profile", "accounts"): _memberships,
    ("Profile", "colleagues"): _colleagues,
}
