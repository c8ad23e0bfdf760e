"""Which profiles and accounts a list shows, and in which order, as a caller writes it."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, cast

import strawberry

from graph.account_lists import AccountFilter as WantedAccounts
from graph.account_lists import AccountOrder as AccountsBy
from graph.account_lists import accounts_found, accounts_page, count_of_accounts
from graph.accounts import Account as StoredAccount
from graph.accounts import accounts_by_key
from graph.counting import Counted
from graph.profile_lists import EVER, Listing, Span, count_of_profiles, place_of, profiles_found, profiles_page
from graph.profile_lists import Order as ProfilesBy
from graph.profile_lists import ProfileFilter as Wanted
from graph.profiles import Profile as StoredProfile
from graph.searching import MOST_HITS
from identity.messages import Json
from identity.policy import NAMESPACE_PATTERN
from insight.segments import LARGEST_INTEGER, SMALLEST_INTEGER, All, Definition
from resolvers.accounts import AccountLookup, account_key
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    First,
    Micros,
    all_counted,
    counting,
    one_more,
    page_of,
    place_in,
    stopped_at,
)
from resolvers.scalars import JsonValue, Moment
from resolvers.segments import BetweenInput, SegmentInput, segments_by_name, usable_definition

LONGEST_SEARCH = 200
LONGEST_DOMAIN = 253
MOST_TRAITS = 10


@strawberry.input(description="A trait and the value it has.")
class TraitEquals:
    """A trait and the value it has."""

    name: str = strawberry.field(description="A trait that the policy names.")
    value: JsonValue = strawberry.field(description="A text, a number or a truth value; texts with their case.")


@strawberry.input(description="Which profiles a list shows; all of what is given holds, what is not does not matter.")
class ProfileFilter:
    """Which profiles a list shows."""

    known: bool | None = strawberry.field(default=None, description="Only known people, or only unknown ones.")
    shared: bool | None = strawberry.field(
        default=None, description="Only shared identifiers' profiles, or only people."
    )
    traits: list[TraitEquals] | None = strawberry.field(default=None, description="All of these, at most 10.")
    where: SegmentInput | None = strawberry.field(
        default=None, description="Of whom this is true: `all`, `any`, `not` of conditions on traits and interactions."
    )
    segment: str | None = strawberry.field(default=None, description="Who is in the segment kept under this name.")
    account: AccountLookup | None = strawberry.field(default=None, description="Who belongs to this account itself.")
    first_seen: BetweenInput | None = strawberry.field(default=None, description="First seen in this time.")
    last_seen: BetweenInput | None = strawberry.field(default=None, description="Last seen in this time.")


@strawberry.enum(description="In which order profiles come.")
class ProfileOrder(Enum):
    """In which order profiles come; the values are those of graph/profile_lists.py."""

    ID = strawberry.enum_value("id", description="By id: nothing that happens meanwhile changes the order.")
    LAST_SEEN = strawberry.enum_value(
        "last_seen", description="Who was seen last comes first; who is seen while you page moves to the front."
    )
    FIRST_SEEN = strawberry.enum_value(
        "first_seen",
        description="Who was first seen last comes first; of whom something earlier arrives moves towards the end.",
    )


@strawberry.input(description="Which accounts a list shows; all of what is given holds.")
class AccountFilter:
    """Which accounts a list shows."""

    namespace: str | None = strawberry.field(default=None, description="Whose keys are of this namespace.")
    domain: str | None = strawberry.field(default=None, description="Whose domain is this one, as in addresses.")
    seen_since: Moment | None = strawberry.field(default=None, description="Last seen at this moment or later.")


@strawberry.enum(description="In which order accounts come.")
class AccountOrder(Enum):
    """In which order accounts come; the values are those of graph/account_lists.py."""

    KEY = strawberry.enum_value("key", description="By key: nothing that happens meanwhile changes the order.")
    LAST_SEEN = strawberry.enum_value(
        "last_seen", description="Which was seen last comes first; which is seen while you page moves to the front."
    )


Filter = Annotated[ProfileFilter | None, strawberry.argument(description="Which ones; all without it.")]
OrderBy = Annotated[ProfileOrder, strawberry.argument(description="In which order; with `search` the best hits first.")]
Search = Annotated[
    str | None,
    strawberry.argument(description="Words in name, email or company, whole or begun; the best hits come first."),
]
WhichAccounts = Annotated[AccountFilter | None, strawberry.argument(description="Which ones; all without it.")]
AccountsOrder = Annotated[
    AccountOrder, strawberry.argument(description="In which order; with `search` the best hits first.")
]
SearchAccounts = Annotated[
    str | None, strawberry.argument(description="Words in name or domain, whole or begun; the best hits come first.")
]


async def profiles(
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: Filter = None,  # noqa: A002 -- the schema's word
    search: Search = None,
    order: OrderBy = ProfileOrder.ID,
) -> Connection[StoredProfile]:
    """A page of profiles in an order, or the best hits of a text."""
    most = one_more(first)
    asked = await _listing(filter, order, info.context)
    if asked is None:
        return page_of((), first, after, lambda _: (), all_counted(0))
    if search is not None:
        return await _hits(info.context, _searched(search), asked, first, after)
    reader, by = info.context.world.reader, asked.order
    page = await profiles_page(reader, asked, place_in(after, tuple[Micros, str]), most)
    count = counting(lambda: count_of_profiles(reader, asked))
    shown = page_of(page.found, first, after, lambda each: place_of(by, each), count)
    return stopped_at(shown, page.end, after)


def _searched(search: str) -> str:
    if len(search) > LONGEST_SEARCH:
        raise refused(Code.TOO_MANY_VALUES, f"a search has at most {LONGEST_SEARCH} characters")
    return search


async def _hits(
    context: Asking, search: str, asked: Listing, first: int, after: str | None
) -> Connection[StoredProfile]:
    reader = context.world.reader
    hits = await profiles_found(reader, search, asked, place_in(after, tuple[float, str]), first + 1)
    scores = {hit.profile.id: hit.score for hit in hits}
    people: Sequence[StoredProfile] = [hit.profile for hit in hits]

    async def count() -> Counted:
        return _of_hits(await profiles_found(reader, search, asked, None, MOST_HITS))

    return page_of(people, first, after, lambda each: (scores[each.id], each.id), count)


def _of_hits(found: Sequence[object]) -> Counted:
    """The best 1,000 hits are looked at."""
    return Counted(len(found), len(found) == MOST_HITS)


async def _listing(asked: ProfileFilter | None, order: ProfileOrder, context: Asking) -> Listing | None:
    """The list that is asked for; None when nobody can be in it."""
    policy, by = context.world.policy, ProfilesBy(order.value)
    if asked is None:
        return Listing(order=by)
    if len(asked.traits or ()) > MOST_TRAITS:
        raise refused(Code.TOO_MANY_VALUES, f"a filter has at most {MOST_TRAITS} traits")
    parts: list[Definition] = [usable_definition(asked.where, context)] if asked.where else []
    if asked.segment is not None:
        kept = await context.batching.ask(segments_by_name, asked.segment)
        if kept is None or kept.definition is None:
            return None
        parts.append(kept.definition)
    key = account_key(asked.account) if asked.account else None
    account = await context.batching.ask(accounts_by_key, key) if key else None
    if key and account is None:
        return None
    wanted = Wanted(
        known=asked.known,
        shared=asked.shared,
        traits=tuple(_trait(each, context) for each in asked.traits or ()),
        where=All(tuple(parts)) if parts else None,
        account=account.key if account else None,
        first_seen=_span(asked.first_seen),
        last_seen=_span(asked.last_seen),
    )
    return Listing(wanted, by, policy.traits, context.micros)


def _span(asked: BetweenInput | None) -> Span:
    if asked is None:
        return EVER
    start = SMALLEST_INTEGER if asked.start is None else asked.start
    return start, LARGEST_INTEGER if asked.end is None else asked.end


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


async def accounts(
    info: Info,
    first: First = USUAL,
    after: After = None,
    filter: WhichAccounts = None,  # noqa: A002 -- the schema's word
    search: SearchAccounts = None,
    order: AccountsOrder = AccountOrder.KEY,
) -> Connection[StoredAccount]:
    """A page of accounts in an order, or the best hits of a text."""
    most, wanted, reader = one_more(first), _wanted_accounts(filter), info.context.world.reader
    if search is None:
        page = await accounts_page(reader, wanted, AccountsBy(order.value), place_in(after, tuple[Micros, str]), most)
        places = {each.key: place for each, place in page.found}
        count = counting(lambda: count_of_accounts(reader, wanted))
        shown = page_of([each for each, _ in page.found], first, after, lambda each: places[each.key], count)
        return stopped_at(shown, page.end, after)
    text = _searched(search)
    found = await accounts_found(reader, text, wanted, place_in(after, tuple[float, str]), most)
    scores = {each.key: score for each, score in found}

    async def hits() -> Counted:
        return _of_hits(await accounts_found(reader, text, wanted, None, MOST_HITS))

    return page_of([each for each, _ in found], first, after, lambda each: (scores[each.key], each.key), hits)


def _wanted_accounts(asked: AccountFilter | None) -> WantedAccounts:
    if asked is None:
        return WantedAccounts()
    if asked.namespace is not None and not NAMESPACE_PATTERN.match(asked.namespace):
        raise refused(Code.NAMESPACE_INVALID)
    if len(asked.domain or "") > LONGEST_DOMAIN:
        raise refused(Code.TOO_MANY_VALUES, f"a domain has at most {LONGEST_DOMAIN} characters")
    domain = asked.domain.lower() if asked.domain else None
    return WantedAccounts(asked.namespace, domain, asked.seen_since)
