"""Things that interactions are about, as nodes: orders, products, deals, tickets and campaigns."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import msgspec
import strawberry

from graph.accounts import Account as StoredAccount
from graph.accounts import accounts_by_key
from graph.interactions import EARLIEST, LATEST
from graph.interactions import TimeOrder as By
from graph.profiles import Profile as StoredProfile
from graph.things import (
    Beginning,
    OrderPlace,
    Placed,
    Thing,
    WantedOrders,
    beginnings_of,
    orders_of,
    products_of,
    things_by_key,
)
from graph.things import Campaign as StoredCampaign
from graph.things import Deal as StoredDeal
from graph.things import Order as StoredOrder
from graph.things import Product as StoredProduct
from graph.things import Ticket as StoredTicket
from identity.identifiers import ProfileId
from identity.messages import Json
from insight.things import Money as StoredMoney
from insight.things import flag_in, moment_in, money_in, text_in
from resolvers.asking import Asking, Info
from resolvers.batching import then
from resolvers.errors import Code, refused
from resolvers.ids import NAMED_BY, node_in
from resolvers.interactions import TimeOrder
from resolvers.nodes import PROFILE, Node, later, maybe, resolved
from resolvers.paging import MOST, Connection, Edge, Micros, cursor_of, one_more, page_of, place_in
from resolvers.scalars import JsonValue, Moment, stored_json

LONGEST_KEY_BYTES = 1_024  # of a source and of an id in it, together
T = TypeVar("T", bound=Thing)


@strawberry.input(description="The key of a thing: the source that tells of it, and its id there.")
class ThingKey:
    """The key of a thing."""

    source: str = strawberry.field(description="The source, or the scope that its mapping names, such as `web`.")
    id: str = strawberry.field(description="The id in that source, as it sends it.")


@strawberry.input(one_of=True, description="How to find a thing: by one of these.")
class ThingLookup:
    """How to find a thing."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Its global id.")
    key: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="Its key in a source.")


ByThing = Annotated[ThingLookup, strawberry.argument(description="Its id, or its key in a source.")]


@strawberry.type(description="An amount of money.")
class Money:
    """An amount of money."""

    amount: str = strawberry.field(description="A decimal number as a text, exactly as it was told: `19.90`.")
    currency: str | None = strawberry.field(description="Its currency, such as `EUR`; null where nobody said it.")


def _told(thing: Thing) -> dict[str, Json]:
    return msgspec.json.decode(thing.facts or "{}", type=dict[str, Any])


def _text(description: str, *names: str) -> str | None:
    def resolver(parent: strawberry.Parent[Thing]) -> str | None:
        return text_in(_told(parent), *names)

    return resolved(resolver, description)  # type: ignore[no-any-return]  # a field, as in `resolved`


def _money(description: str, *names: str) -> Money | None:
    def resolver(parent: strawberry.Parent[Thing]) -> StoredMoney | None:
        return money_in(_told(parent), *names)

    return resolved(resolver, description)  # type: ignore[no-any-return]  # as above


def _moment(description: str, *names: str) -> Moment | None:
    def resolver(parent: strawberry.Parent[Thing]) -> int | None:
        return moment_in(_told(parent), *names)

    return resolved(resolver, description)  # type: ignore[no-any-return]  # as above


def _flag(description: str, name: str) -> bool | None:
    def resolver(parent: strawberry.Parent[Thing]) -> bool | None:
        return flag_in(_told(parent), name)

    return resolved(resolver, description)  # type: ignore[no-any-return]  # as above


def _facts(parent: strawberry.Parent[Thing]) -> JsonValue | None:
    return stored_json(parent.facts)


def beginning_of(thing: Thing, context: Asking) -> Awaitable[Beginning | None]:
    """By whom and when an order, a deal or a ticket was told of first: read once for it, whatever fields ask."""
    names = context.world.held.names.of_orders if isinstance(thing, StoredOrder) else ()
    return context.batching.ask(beginnings_of, thing.key, type(thing), names)


def _began(parent: Thing, info: Info, shape: Callable[[Beginning | None], object]) -> object:
    return then(beginning_of(parent, info.context), shape)


def _whose(parent: strawberry.Parent[Thing], info: Info) -> StoredProfile | Awaitable[StoredProfile | None] | None:
    return _began(parent, info, lambda found: found and found.profile)  # type: ignore[return-value]  # as shape gives it


def _since(parent: strawberry.Parent[Thing], info: Info) -> object:
    return _began(parent, info, lambda found: found and found.at)


async def _account(parent: strawberry.Parent[Thing], info: Info) -> StoredAccount | None:
    return await info.context.batching.ask(accounts_by_key, parent.account) if parent.account else None


async def _products(parent: strawberry.Parent[Thing], info: Info) -> Sequence[StoredProduct]:
    return await info.context.batching.ask(products_of, parent.key, MOST) or ()


@strawberry.interface(name="Thing", description="Something that interactions are about.")
class Subject(Node):
    """Something that interactions are about."""

    key: str = strawberry.field(description="Its key, `source:id`.")
    at: Moment = strawberry.field(description="The moment of the newest facts.")
    facts: JsonValue | None = strawberry.field(resolver=_facts, description="What was said of it last, by name.")


def _profile_field(description: str) -> object:
    return strawberry.field(resolver=_whose, graphql_type=maybe(PROFILE), description=description)


def _account_field(description: str) -> object:
    return strawberry.field(
        resolver=_account, graphql_type=maybe(later("Account", "accounts")), description=description
    )


@strawberry.type(description="A product: something that is sold.")
class Product(Subject):
    """Something that is sold."""

    name: str | None = _text("What it is called.", "name", "title")
    sku: str | None = _text("Its number in the shop, where it is not the key itself.", "sku")
    brand: str | None = _text("Its brand.", "brand")
    category: str | None = _text("Its category.", "category")
    variant: str | None = _text("Which variant of it.", "variant")
    price: Money | None = _money("What one costs.", "price")
    url: str | None = _text("The address of its page.", "url")
    image_url: str | None = _text("The address of its picture.", "image_url")


@strawberry.type(description="An order: something that was bought, on the web, by phone or in a shop.")
class Order(Subject):
    """Something that was bought."""

    total: Money | None = _money("What it came to, with everything.", "total", "revenue")
    subtotal: Money | None = _money("What the goods came to.", "subtotal")
    tax: Money | None = _money("The tax in it.", "tax")
    shipping: Money | None = _money("What sending it cost.", "shipping")
    discount: Money | None = _money("What was taken off.", "discount")
    coupon: str | None = _text("The coupon that was used.", "coupon")
    status: str | None = _text("Where it stands, in the words of its source.", "status")
    store: str | None = _text("The shop or the partner where it was made.", "store", "affiliation")
    placed_at: Moment | None = resolved(
        _since, "When it was first told of by what somebody did; null where nothing is known but its key."
    )
    profile = _profile_field("Who made it: whose the first event of it is; null where nobody is named.")
    account = _account_field("The account it was said to be for; null without one.")
    products: list[Product] = resolved(_products, "The products in it, by their keys, at most 100.")


@strawberry.type(description="A deal: something that is or was to be sold to an account.")
class Deal(Subject):
    """Something that is or was to be sold to an account."""

    name: str | None = _text("What it is called.", "name")
    stage: str | None = _text("How far it is, in the words of its source.", "stage")
    pipeline: str | None = _text("In which pipeline.", "pipeline")
    amount: Money | None = _money("What it is worth.", "amount")
    closes_at: Moment | None = _moment("When it was or is to be closed.", "close_date", "closed_at")
    won: bool | None = _flag("Whether it was won; null where nobody said.", "won")
    closed: bool | None = _flag("Whether it is closed; null where nobody said.", "closed")
    account = _account_field("The account it is with, as last said; null without one.")
    profile = _profile_field("Who acted first in it on the buyer's side; null where nobody is named.")


@strawberry.type(description="A ticket: something that somebody needs help with.")
class Ticket(Subject):
    """Something that somebody needs help with."""

    subject: str | None = _text("What it is about.", "subject", "name")
    number: str | None = _text("Its number in the help desk.", "number")
    status: str | None = _text("Where it stands, in the words of its source.", "status", "stage")
    pipeline: str | None = _text("In which pipeline.", "pipeline")
    priority: str | None = _text("How urgent it is, in the words of its source.", "priority")
    origin: str | None = _text("How it came in, such as `Email` or `Phone`.", "origin")
    closed_at: Moment | None = _moment("When it was closed; null while it is open.", "closed_at")
    account = _account_field("The account it concerns, as last said; null without one.")
    profile = _profile_field("Who needs help; null where nobody is named.")


@strawberry.type(description="A campaign, or an advertisement in one, by which people were addressed.")
class Campaign(Subject):
    """A campaign by which people were addressed."""

    name: str | None = _text("What it is called, where its source says so.", "name")


@strawberry.input(description="Which orders are shown; what is not given does not matter.")
class OrderFilter:
    """Which orders are shown."""

    since: Moment | None = strawberry.field(default=None, description="Placed at this moment or later.")
    until: Moment | None = strawberry.field(default=None, description="Placed at this moment or earlier.")


FilteredOrders = Annotated[OrderFilter | None, strawberry.argument(description="Which ones; all without it.")]


def orders(
    context: Asking, profile: ProfileId, first: int, after: str | None, wanted: WantedOrders
) -> Connection[StoredOrder] | Awaitable[Connection[StoredOrder]]:
    """A page of a profile's orders, in the order in which they were made."""
    place = OrderPlace(profile, place_in(after, tuple[Micros, str, str]))
    chosen = replace(wanted, names=context.world.held.names.of_orders)
    found = context.batching.ask(orders_of, place, one_more(first), chosen)

    def page(placed: Sequence[Placed] | None) -> Connection[StoredOrder]:
        shown = page_of(placed or (), first, after, lambda each: each.place)
        edges = [Edge(node=each.node.order, cursor=cursor_of(each.node.place)) for each in shown.edges]
        return Connection(edges=edges, page_info=shown.page_info)

    return then(found, page)


def wanted_orders(asked: OrderFilter | None, order: TimeOrder) -> WantedOrders:
    """Which orders a filter shows, of whatever names."""
    since, until = (asked.since, asked.until) if asked else (None, None)
    return WantedOrders((), EARLIEST if since is None else since, LATEST if until is None else until, By(order.value))


async def order(info: Info, by: ByThing) -> StoredOrder | None:
    """The order that a lookup names; None when nothing is known of it."""
    return await _found(info, by, StoredOrder)


async def product(info: Info, by: ByThing) -> StoredProduct | None:
    """The product that a lookup names; None when nothing is known of it."""
    return await _found(info, by, StoredProduct)


async def deal(info: Info, by: ByThing) -> StoredDeal | None:
    """The deal that a lookup names; None when nothing is known of it."""
    return await _found(info, by, StoredDeal)


async def ticket(info: Info, by: ByThing) -> StoredTicket | None:
    """The ticket that a lookup names; None when nothing is known of it."""
    return await _found(info, by, StoredTicket)


async def campaign(info: Info, by: ByThing) -> StoredCampaign | None:
    """The campaign that a lookup names; None when nothing is known of it."""
    return await _found(info, by, StoredCampaign)


async def _found(info: Info, by: ThingLookup, kind: type[T]) -> T | None:
    return await info.context.batching.ask(things_by_key, thing_key(by, kind), kind)


def thing_key(by: ThingLookup, kind: type[Thing]) -> str:
    """The key that a lookup names. Raises GraphQLError where no thing of the kind can have it."""
    if by.key:
        key = f"{by.key.source}:{by.key.id.strip()}"
        if len(key.encode()) > LONGEST_KEY_BYTES:
            raise refused(Code.TOO_MANY_VALUES, f"the key of a thing has {LONGEST_KEY_BYTES} bytes at most")
        return key
    noun, name = node_in(by.id or "")
    if noun is not NAMED_BY[kind][0]:
        raise refused(Code.BAD_ID, f"`{str(by.id)[:80]}` is the id of no {kind.__name__.lower()}")
    return name
