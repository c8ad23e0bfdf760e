"""Accounts: organisations, their people, their deals, what they are part of."""

from collections.abc import Awaitable, Sequence
from typing import Annotated

import msgspec
import strawberry

from graph.account_trees import Branch, trees_of
from graph.account_trees import Tree as StoredTree
from graph.accounts import Account as StoredAccount
from graph.accounts import After as Place
from graph.accounts import accounts_by_key, children_of, parents_of
from graph.belonging import Membership as StoredMembership
from graph.counting import count_of_children, count_of_deals, count_of_members, count_of_members_by_role
from graph.members import Member as StoredMember
from graph.members import MemberPage, members_of
from graph.members_by_role import members_by_role
from graph.profiles import Profile as StoredProfile
from graph.things import Deal as StoredDeal
from graph.things import deals_of
from identity.accounts import Belonging
from identity.policy import NAMESPACE_PATTERN
from resolvers.asking import Info
from resolvers.batching import then
from resolvers.errors import Code, refused
from resolvers.ids import Noun, global_id, node_in
from resolvers.nodes import PROFILE, Node, later, maybe, resolved
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    Counting,
    First,
    counting,
    one_more,
    page_of,
    pages,
    place_in,
    stopped_at,
)
from resolvers.scalars import JsonValue, Moment
from resolvers.things import Deal
from resolvers.traits import TraitShown

DEEPEST = 10
MOST_ROLES = 20
LONGEST_KEY_BYTES = 512  # as senders may write it
Depth = Annotated[
    int,
    strawberry.argument(description="1: its own people; 2: also of the accounts that are part of it; and so on to 10."),
]


@strawberry.input(description="An account's namespace and value, as its source writes them.")
class AccountKey:
    """An account's namespace and value."""

    namespace: str = strawberry.field(description="Whose key it is: `account` for Segment's groups, else a source's.")
    value: str = strawberry.field(description="The key in that source.")


@strawberry.input(one_of=True, description="How to find an account: by one of these.")
class AccountLookup:
    """How to find an account."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Its global id.")
    key: AccountKey | None = strawberry.field(default=strawberry.UNSET, description="Its namespace and value.")


ByAccount = Annotated[AccountLookup, strawberry.argument(description="Its id, or its key in a source.")]
ACCOUNT = later("Account", "accounts")


def _traits(parent: strawberry.Parent[StoredAccount]) -> list[TraitShown]:
    said = msgspec.json.decode(parent.traits or "{}", type=dict[str, object])
    return [TraitShown(name=name, value=JsonValue(value)) for name, value in said.items()]


async def _parent(parent: strawberry.Parent[StoredAccount], info: Info) -> StoredAccount | None:
    return await info.context.batching.ask(parents_of, parent.key)


def _children(
    parent: strawberry.Parent[StoredAccount], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredAccount] | Awaitable[Connection[StoredAccount]]:
    found = info.context.batching.ask(children_of, _place(parent, after), one_more(first))
    count = counting(lambda: info.context.batching.ask(count_of_children, parent.key))
    return then(found, lambda children: page_of(children or (), first, after, lambda child: (child.key,), count))


@strawberry.input(description="Which members are shown; what is not given does not matter.")
class MemberFilter:
    """Which members are shown."""

    roles: list[str] | None = strawberry.field(
        default=None,
        description="Of whom any of these roles was said, as it was said; at most 20. `Member.role` is the highest.",
    )


FilteredMembers = Annotated[MemberFilter | None, strawberry.argument(description="Which ones; all without it.")]


def _members(
    parent: strawberry.Parent[StoredAccount],
    info: Info,
    first: First = USUAL,
    after: After = None,
    depth: Depth = 1,
    filter: FilteredMembers = None,  # noqa: A002 -- the schema's word
) -> Connection[StoredMember] | Awaitable[Connection[StoredMember]]:
    if not 1 <= depth <= DEEPEST:
        raise refused(Code.TOO_MANY_VALUES, f"`depth` is a number from 1 to {DEEPEST}, not {depth}")
    place, most, ruling = _place(parent, after), one_more(first), info.context.world.policy.account_roles
    ask = info.context.batching.ask
    if filter is not None and filter.roles is not None:
        wanted = _wanted_roles(filter.roles)
        by_role = ask(members_by_role, place, most, depth, wanted, ruling)
        some = counting(lambda: ask(count_of_members_by_role, parent.key, depth, wanted))
        return then(by_role, lambda page: _some(page or MemberPage(()), first, after, some))
    count = counting(lambda: ask(count_of_members, parent.key, depth))
    found = ask(members_of, place, most, depth, ruling)
    return then(found, lambda page: _some(page or MemberPage(()), first, after, count))


def _wanted_roles(roles: Sequence[str]) -> tuple[str, ...]:
    if len(roles) > MOST_ROLES:
        raise refused(Code.TOO_MANY_VALUES, f"a filter has at most {MOST_ROLES} roles")
    return tuple(sorted(set(roles)))


def _some(page: MemberPage, first: int, after: str | None, count: Counting) -> Connection[StoredMember]:
    return stopped_at(page_of(page.found, first, after, _by_place, count), (page.end,) if page.end else None, after)


def _by_place(member: StoredMember) -> tuple[str]:
    return (member.place,)


def _deals(
    parent: strawberry.Parent[StoredAccount], info: Info, first: First = USUAL, after: After = None
) -> Connection[StoredDeal] | Awaitable[Connection[StoredDeal]]:
    found = info.context.batching.ask(deals_of, _place(parent, after), one_more(first))
    count = counting(lambda: info.context.batching.ask(count_of_deals, parent.key))
    return then(found, lambda deals: page_of(deals or (), first, after, lambda deal: (deal.key,), count))


def _tree(parent: strawberry.Parent[StoredAccount], info: Info) -> Awaitable[StoredTree | None]:
    return info.context.batching.ask(trees_of, parent.key)


def _above(parent: strawberry.Parent[Branch]) -> strawberry.ID | None:
    return None if parent.parent is None else strawberry.ID(global_id(Noun.ACCOUNT, parent.parent))


def _profile(parent: strawberry.Parent[StoredMember]) -> StoredProfile:
    return parent.profile


def _place(account: StoredAccount, after: str | None) -> Place:
    last = place_in(after, tuple[str])
    return Place(account.key, *(last or ()))


def _key_namespace(parent: strawberry.Parent[str]) -> str:
    return parent.partition(":")[0]


def _key_value(parent: strawberry.Parent[str]) -> str:
    return parent.partition(":")[2]


@strawberry.type(description="The key of an account.")
class AccountName:
    """The key of an account."""

    namespace: str = strawberry.field(resolver=_key_namespace, description="Whose key it is.")
    value: str = strawberry.field(resolver=_key_value, description="The key in that source.")


@strawberry.type(description="An organisation; accounts that were merged are one, and any of their keys finds it.")
class Account(Node):
    """An organisation."""

    namespace: str = strawberry.field(description="Whose key it has: `account` for Segment's groups, else a source's.")
    value: str = strawberry.field(description="The key in that source.")
    name: str | None = strawberry.field(description="Its name, as last said.")
    domain: str | None = strawberry.field(description="Its internet domain, as last said.")
    first_seen: Moment = strawberry.field(description="The first evidence of it.")
    last_seen: Moment = strawberry.field(description="The latest evidence of it.")
    traits: list[TraitShown] = strawberry.field(resolver=_traits, description="All that was said of it, by name.")
    parent = strawberry.field(
        resolver=_parent,
        graphql_type=maybe(ACCOUNT),
        description="The account it is part of; the first known of several.",
    )
    children = strawberry.field(
        resolver=_children, graphql_type=pages(ACCOUNT), description="The accounts that are part of it, by their keys."
    )
    members = strawberry.field(
        resolver=_members,
        graphql_type=pages(later("Member", "accounts")),
        description="Its people, in the order in which they were first met.",
    )
    tree: "AccountTree | None" = resolved(
        _tree, "The whole hierarchy that it stands in, from the account of which all others are part."
    )
    deals: Connection[Deal] = resolved(_deals, "Its deals, by their keys.")
    merged_from: list[AccountName] = strawberry.field(description="The accounts that were merged into it by hand.")


@strawberry.type(description="An account in a hierarchy.")
class AccountBranch:
    """An account in a hierarchy."""

    account: Account = strawberry.field(description="The account.")
    level: int = strawberry.field(description="How far it is below the first: 0 is the account that is part of none.")
    parent_id: strawberry.ID | None = strawberry.field(
        resolver=_above, description="The id of the account above it; null of the first."
    )


@strawberry.type(description="A hierarchy of accounts, flat: each names the one above it.")
class AccountTree:
    """A hierarchy of accounts."""

    branches: list[AccountBranch] = strawberry.field(
        description="Level by level, the first one first; at most 500, at most ten levels down."
    )
    complete: bool = strawberry.field(description="Whether that is all of it.")


def _since(parent: strawberry.Parent[Belonging]) -> Moment | None:
    return None if parent.start is None else Moment(parent.start)


@strawberry.type(description="One statement of how a person belongs to an account.")
class MembershipStatement:
    """One statement of how a person belongs to an account."""

    role: str | None = strawberry.field(description="As what the person belongs to it, if said.")
    source: str = strawberry.field(description="The source that said so; `manual` for somebody with the right to.")
    since: Moment | None = strawberry.field(resolver=_since, description="Since when, if said.")
    last_seen: Moment = strawberry.field(description="When it was last said.")
    account: AccountName = strawberry.field(description="The account as it was said, before any merge.")


SaidOf = strawberry.Parent[StoredMember | StoredMembership]


def _role(parent: SaidOf) -> str | None:
    return parent.belonging.role


def _source(parent: SaidOf) -> str:
    return parent.belonging.source


def _shown_since(parent: SaidOf) -> Moment | None:
    return _since(parent.belonging)


def _last_seen(parent: SaidOf) -> Moment:
    return Moment(parent.belonging.last_seen)


def _history(parent: SaidOf) -> Sequence[Belonging]:
    return parent.history


@strawberry.type
class _Belonging:
    role: str | None = strawberry.field(
        resolver=_role, description="As what the person belongs to it, if said: the highest role, then the latest said."
    )
    source: str = strawberry.field(resolver=_source, description="The source that said so.")
    since: Moment | None = strawberry.field(resolver=_shown_since, description="Since when, if said.")
    last_seen: Moment = strawberry.field(resolver=_last_seen, description="When it was last said.")
    history: list[MembershipStatement] = resolved(
        _history, "What was said of it, the one that is shown first, at most 100."
    )


@strawberry.type(description="An account's side of a membership.")
class Member(_Belonging):
    """An account's side of a membership."""

    profile = strawberry.field(resolver=_profile, graphql_type=PROFILE, description="The person.")


@strawberry.type(description="A person's side of a membership.")
class Membership(_Belonging):
    """A person's side of a membership."""

    account: Account = strawberry.field(description="The account.")


async def account(info: Info, by: ByAccount) -> StoredAccount | None:
    """The account that a lookup names; None when nothing is known of it."""
    return await info.context.batching.ask(accounts_by_key, account_key(by))


def account_key(by: AccountLookup) -> str:
    """The key of the account that a lookup names, known or not. Raises GraphQLError where no account can have it."""
    if by.key:
        return _key_of(by.key)
    noun, name = node_in(by.id or "")
    if noun is not Noun.ACCOUNT:
        raise refused(Code.BAD_ID, f"`{str(by.id)[:80]}` is the id of no account")
    return name


def _key_of(named: AccountKey) -> str:
    if not NAMESPACE_PATTERN.match(named.namespace):
        raise refused(Code.NAMESPACE_INVALID)
    if len(named.value.encode()) > LONGEST_KEY_BYTES:
        raise refused(Code.IDENTIFIER_TOO_LONG, f"the key of an account has {LONGEST_KEY_BYTES} bytes at most")
    return f"{named.namespace}:{named.value}"
