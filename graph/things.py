"""Things that interactions are about: orders, products, deals, tickets and campaigns.

Whose a thing is follows from the interactions about it: it belongs to whom the first of them that has an actor belongs
to today. Nothing of it is stored with the thing, so it follows people through merges and splits. Of an order the first
counts that goes by the name of an order or a payment, where there is one: by these names a person's orders are found
in an index (insight/interactions.py has them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graph.accounts import PROFILE_ROW, After
from graph.connection import Reader, Row
from graph.interactions import EARLIEST, LATEST, TimeOrder, ranges_of_profile
from graph.profiles import Profile, profile_from
from identity.identifiers import ProfileId
from identity.messages import MessageId, Subject


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as the newest facts describe it. facts: JSON text. at: their moment, µs. account: a key, if named."""

    key: str
    at: int
    facts: str | None
    account: str | None


class Order(Thing):
    """Something bought."""

    __slots__ = ()


class Product(Thing):
    """Something that is sold."""

    __slots__ = ()


class Deal(Thing):
    """Something that is or was to be sold to an account."""

    __slots__ = ()


class Ticket(Thing):
    """Something that somebody needs help with."""

    __slots__ = ()


class Campaign(Thing):
    """Something by which people were addressed."""

    __slots__ = ()


T = TypeVar("T", bound=Thing)
KINDS: Mapping[str, type[Thing]] = {
    Subject.ORDER.value: Order,
    Subject.PRODUCT.value: Product,
    Subject.DEAL.value: Deal,
    Subject.TICKET.value: Ticket,
    Subject.CAMPAIGN.value: Campaign,
}

# The order of the fields of Thing.
THING_ROW = "[thing.key, thing.at, thing.facts, thing.account]"


def _by_key(label: str) -> str:
    return f"""
UNWIND $keys AS key
MATCH (thing:{label} {{key: key}})
USING INDEX SEEK thing:{label}(key)
RETURN key, {THING_ROW} AS thing
"""


# order_key (unique), one row each
ORDERS_BY_KEY = _by_key("Order")
# product_key (unique), one row each
PRODUCTS_BY_KEY = _by_key("Product")
# deal_key (unique), one row each
DEALS_BY_KEY = _by_key("Deal")
# ticket_key (unique), one row each
TICKETS_BY_KEY = _by_key("Ticket")
# campaign_key (unique), one row each
CAMPAIGNS_BY_KEY = _by_key("Campaign")

BY_KEY: Mapping[type[Thing], str] = {
    Order: ORDERS_BY_KEY,
    Product: PRODUCTS_BY_KEY,
    Deal: DEALS_BY_KEY,
    Ticket: TICKETS_BY_KEY,
    Campaign: CAMPAIGNS_BY_KEY,
}


async def things_by_key(reader: Reader, keys: Sequence[str], kind: type[T]) -> dict[str, T]:
    """The thing of a kind that each key, `source:id`, names; an unknown one has no entry. One statement."""
    rows = await reader.rows(BY_KEY[kind], keys=list(keys))
    return {row["key"]: kind(*row["thing"]) for row in rows}


# interaction_id (unique), then one expand per interaction
ABOUT_OF = f"""
UNWIND $ids AS id
MATCH (interaction:Interaction {{id: id}})-[:ABOUT]->(thing:Order|Product|Deal|Ticket|Campaign)
USING INDEX SEEK interaction:Interaction(id)
WITH id, thing
ORDER BY thing.key
RETURN id, collect([labels(thing)[0], {THING_ROW}]) AS things
"""


async def things_about(reader: Reader, ids: Sequence[MessageId]) -> dict[MessageId, tuple[Thing, ...]]:
    """What each interaction is about, by key; one about nothing has no entry. One statement."""
    rows = await reader.rows(ABOUT_OF, ids=list(ids))
    return {MessageId(row["id"]): tuple(KINDS[label](*thing) for label, thing in row["things"]) for row in rows}


# order_key (unique), then the interactions about each order
PRODUCTS_OF = f"""
UNWIND $keys AS key
MATCH (anchor:Order {{key: key}})<-[:ABOUT]-(:Interaction)-[:ABOUT]->(thing:Product)
USING INDEX SEEK anchor:Order(key)
WITH DISTINCT key, thing
ORDER BY thing.key
RETURN key, [thing IN collect(thing)[..$first] | {THING_ROW}] AS products
"""


async def products_of(reader: Reader, orders: Sequence[str], first: int) -> dict[str, tuple[Product, ...]]:
    """The products of each order, by their keys, at most `first`; of one without any no entry. One statement.

    Cost: what the interactions about the order are about, at most some fifty products each.
    """
    rows = await reader.rows(PRODUCTS_OF, keys=list(orders), first=first)
    return {row["key"]: tuple(Product(*each) for each in row["products"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first interaction about a thing: at, in µs, and whose it is, None where nobody did it."""

    at: int
    profile: Profile | None


def _beginnings(label: str) -> str:
    """On a shared device it is the person's in whose spans it lies, like everything she does there."""
    return f"""
UNWIND $keys AS key
MATCH (thing:{label} {{key: key}})
USING INDEX SEEK thing:{label}(key)
CALL (thing) {{
  MATCH (thing)<-[:ABOUT]-(interaction:Interaction)
  OPTIONAL MATCH (interaction)-[:BY]->(actor:Identifier)
  RETURN interaction.at AS at, actor
  ORDER BY actor IS NULL, NOT coalesce(interaction.name IN $names, false), interaction.at, interaction.id
  LIMIT 1
}}
OPTIONAL MATCH (actor)-[:IDENTIFIES]->(own:Profile)
OPTIONAL MATCH (actor)-[use:SHARED_BY]->(person:Profile)
WHERE any(number IN range(0, size(coalesce(use.spans, [])) / 2 - 1)
  WHERE use.spans[2 * number] <= at <= use.spans[2 * number + 1])
WITH key, at, own, person
ORDER BY person.id
WITH key, at, own, head(collect(person)) AS person
WITH key, at, coalesce(person, own) AS profile
RETURN key, at, {PROFILE_ROW} AS profile
"""


# order_key (unique), then the interactions about each order
ORDERS_BEGAN = _beginnings("Order")
# deal_key (unique), then the interactions about each deal
DEALS_BEGAN = _beginnings("Deal")
# ticket_key (unique), then the interactions about each ticket
TICKETS_BEGAN = _beginnings("Ticket")

BEGAN: Mapping[type[Thing], str] = {Order: ORDERS_BEGAN, Deal: DEALS_BEGAN, Ticket: TICKETS_BEGAN}


async def beginnings_of(
    reader: Reader, keys: Sequence[str], kind: type[Thing], names: Sequence[str] = ()
) -> dict[str, Beginning]:
    """When each thing was first told of by what somebody did, and by whom; unknown ones have no entry. One statement.

    names: the first event that goes by one of them counts, where there is one. Cost: the interactions about each thing,
    a handful as a rule.
    """
    rows = await reader.rows(BEGAN[kind], keys=list(keys), names=list(names))
    return {row["key"]: Beginning(row["at"], _profile(row["profile"])) for row in rows}


def _profile(row: Row | None) -> Profile | None:
    return None if row is None else profile_from(row)


# account_key (unique), then deal_account (range) in its order, once for each merged account
DEALS_OF = """
UNWIND $asked AS asked
CALL (asked) {
  MATCH (anchor:Account {key: asked.owner})<-[:MERGED_INTO*0..1]-(said:Account)
  USING INDEX SEEK anchor:Account(key)
  CALL (asked, said) {
    MATCH (deal:Deal)
    USING INDEX SEEK deal:Deal(account, key)
    WHERE deal.account = said.key AND deal.key > asked.last
    RETURN deal
    ORDER BY deal.account, deal.key
    LIMIT $first
  }
  WITH deal
  ORDER BY deal.key
  LIMIT $first
  RETURN collect([deal.key, deal.at, deal.facts, deal.account]) AS deals
}
RETURN asked.owner AS owner, asked.last AS last, deals
"""


async def deals_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, tuple[Deal, ...]]:
    """The deals of each account, in the order of their keys, at most `first`. One statement."""
    rows = await reader.rows(DEALS_OF, asked=[{"owner": ask.owner, "last": ask.last} for ask in asks], first=first)
    return {After(row["owner"], row["last"]): tuple(Deal(*each) for each in row["deals"]) for row in rows}


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """One page of a profile's orders: what comes after an order already shown, by the at and id of its first event."""

    profile: ProfileId
    after: tuple[int, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of a person with its first event."""

    at: int
    id: str
    order: Order

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands in the list: by the moment and id of the event, then by its key."""
        return self.at, self.id, self.order.key


# Only the first event of an order stands for it, so that each is found once, in the order in which they were made. All
# names are sought at once: seeks of their own for each name and identifier, which stop after a page, took 240 ms for
# a person of eight identifiers on a busy machine, and this 9 ms; of 100 people 16 s and 0.2 s. `earlier` has no label,
# since with one the planner was met reading a whole index for each event in the place of the few about the order.
def _orders_of(order: TimeOrder) -> str:
    beyond, way = ("<", " DESC") if order is TimeOrder.NEWEST else (">", "")
    return f"""
UNWIND $asked AS asked
CALL (asked) {{
  MATCH (profile:Profile {{id: asked.profile}})
  USING INDEX SEEK profile:Profile(id)
  {ranges_of_profile(order)}
  MATCH (interaction:Interaction)
  USING INDEX SEEK interaction:Interaction(actor, name, at)
  WHERE interaction.actor = actor AND interaction.name IN $names AND low <= interaction.at <= high
    AND CASE WHEN interaction.at = asked.at THEN interaction.id {beyond} asked.id ELSE true END
  WITH DISTINCT interaction
  ORDER BY interaction.at{way}, interaction.id{way}
  LIMIT $most
  RETURN [interaction.at, interaction.id, COLLECT {{
    MATCH (interaction)-[:ABOUT]->(thing:Order)
    WHERE NOT EXISTS {{
      MATCH (thing)<-[:ABOUT]-(earlier)
      WHERE earlier.actor IS NOT NULL AND earlier.name IN $names
        AND (earlier.at < interaction.at OR earlier.at = interaction.at AND earlier.id < interaction.id)
    }}
    RETURN {THING_ROW}
    ORDER BY thing.key
  }}] AS shown
}}
RETURN asked.number AS number, collect(shown) AS page
"""


# profile_id (unique), then interaction_actor_name_at (actor, name, at), once per range
ORDERS_OF = _orders_of(TimeOrder.NEWEST)

# as ORDERS_OF
ORDERS_OF_OLDEST = _orders_of(TimeOrder.OLDEST)
EVENTS_PER_ORDER = 4


@dataclass(frozen=True, slots=True)
class WantedOrders:
    """Which orders, in which order. names: by which events of orders go.

    since, until: the moments (µs) between which an order's first event lies.
    """

    names: tuple[str, ...]
    since: int = EARLIEST
    until: int = LATEST
    order: TimeOrder = TimeOrder.NEWEST


async def orders_of(
    reader: Reader, asks: Sequence[OrderPlace], first: int, wanted: WantedOrders
) -> dict[OrderPlace, tuple[Placed, ...]]:
    """A page of each profile's orders, in the order in which they were made, at most `first`; none is no entry.

    One statement where an order has up to four events as a rule; else more, each
    for all profiles still unfinished and four times as long, so that their number never grows with profiles.
    Cost: the page and the later events of its orders, and a look into the index at every event of an order that the
    profile ever had.
    """
    found: dict[OrderPlace, list[Placed]] = {ask: [] for ask in asks}
    open_ = {ask: _beginning(ask, wanted) for ask in asks}
    most = EVENTS_PER_ORDER * (first + 1)
    while open_:
        pages = await _pages(reader, open_, most, wanted)
        for ask in tuple(open_):
            page = pages.get(ask, ())
            found[ask] += [each for each in _placed(page) if _is_behind(each, ask.after, wanted.order)]
            if len(page) < most or len(found[ask]) >= first:
                del open_[ask]
            else:
                open_[ask] = page[-1][:2]
        most *= EVENTS_PER_ORDER
    return {ask: tuple(orders[:first]) for ask, orders in found.items() if orders}


Event = tuple[int, str, list[tuple[str, int, str | None, str | None]]]  # at, id, and the orders that began with it


def _beginning(ask: OrderPlace, wanted: WantedOrders) -> tuple[int, str]:
    """Where to read on. The event of the order shown last is read again: another order may have begun with it."""
    if wanted.order is TimeOrder.OLDEST:
        return max((ask.after[0], ask.after[1][:-1]) if ask.after else (EARLIEST, ""), (wanted.since, ""))
    after = (ask.after[0], f"{ask.after[1]}\0") if ask.after else (LATEST, "")
    return after if after[0] <= wanted.until else (wanted.until, "\U0010ffff")


async def _pages(
    reader: Reader, places: Mapping[OrderPlace, tuple[int, str]], most: int, wanted: WantedOrders
) -> Mapping[OrderPlace, Sequence[Event]]:
    asks = list(places)
    rows = await reader.rows(
        ORDERS_OF if wanted.order is TimeOrder.NEWEST else ORDERS_OF_OLDEST,
        asked=[
            {"number": number, "profile": ask.profile, "at": places[ask][0], "id": places[ask][1]}
            for number, ask in enumerate(asks)
        ],
        most=most,
        names=list(wanted.names),
        start=wanted.since,
        end=wanted.until,
    )
    return {asks[row["number"]]: [(at, id_, orders) for at, id_, orders in row["page"]] for row in rows}


def _placed(page: Sequence[Event]) -> list[Placed]:
    return [Placed(at, id_, Order(*each)) for at, id_, orders in page for each in orders]


def _is_behind(placed: Placed, after: tuple[int, str, str] | None, order: TimeOrder) -> bool:
    """Whether it stands behind a place: by the order of the events, the orders of one event by their keys."""
    if after is None:
        return True
    at, id_, key = after
    if (placed.at, placed.id) == (at, id_):
        return placed.order.key > key
    later = (placed.at, placed.id) > (at, id_)
    return not later if order is TimeOrder.NEWEST else later
