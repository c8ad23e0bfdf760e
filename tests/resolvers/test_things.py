"""Orders, products, deals, tickets and campaigns over GraphQL, and what interactions tell by their kinds."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import Caller, caller
from tests.resolvers.people import buyers

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


async def shop(graph: Connection) -> Caller:
    await buyers().write(graph.writer)
    return caller(graph)


ORDERS = """{ profile(by: { id: "%s" }) { orders(first: %d%s) {
  edges { node { key placedAt profile { id } } } pageInfo { hasNextPage endCursor } } } }"""


async def orders_of(me: Caller, profile: str, size: int, order: str = "NEWEST_FIRST") -> list[str]:
    """The keys of all orders, page by page."""
    seen, after, more = [], f", order: {order}", True
    while more:
        page = (await me.ask(ORDERS % (profile, size, after)))["profile"]["orders"]
        seen += [edge["node"]["key"] for edge in page["edges"]]
        assert {edge["node"]["profile"]["id"] for edge in page["edges"]} == {global_id(Noun.PROFILE, profile)}
        after = f', order: {order}, after: "{page["pageInfo"]["endCursor"]}"'
        more = page["pageInfo"]["hasNextPage"]
    return seen


async def test_a_person_has_her_orders_newest_first_in_pages_of_any_size(graph: Connection) -> None:
    """What she bought at a shared kiosk is hers, an order told of twice is one, and one event may begin two."""
    me = await shop(graph)
    for size in (1, 2, 3, 10):
        assert await orders_of(me, "anna", size) == ["shop:3", "shop:4", "shop:1", "web:1"]
        assert await orders_of(me, "anna", size, "OLDEST_FIRST") == ["web:1", "shop:1", "shop:3", "shop:4"]
    assert await orders_of(me, "ben", 2) == ["web:2"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ('since: "2026-01-01T01:00:00Z"', ["shop:3", "shop:4", "shop:1"]),
        ('since: "2026-01-01T01:01:00Z"', ["shop:3", "shop:4"]),  # of shop:1 only what came later lies in it
        ('until: "2026-01-01T01:00:00Z"', ["shop:1", "web:1"]),
        ('since: "2026-01-01T00:30:00Z", until: "2026-01-01T01:19:00Z"', ["shop:1"]),
    ],
)
async def test_orders_are_chosen_by_when_they_were_placed(graph: Connection, wanted: str, expected: list[str]) -> None:
    me = await shop(graph)
    asked = '{ profile(by: { id: "anna" }) { orders(first: 1%s, filter: { %s }) { edges { cursor node { key } } } } }'
    for order in ("NEWEST_FIRST", "OLDEST_FIRST"):
        found, after = [], f", order: {order}"
        while edges := (await me.ask(asked % (after, wanted)))["profile"]["orders"]["edges"]:
            found.append(edges[0]["node"]["key"])
            after = f', order: {order}, after: "{edges[0]["cursor"]}"'
        assert sorted(found) == sorted(expected)
        assert order == "OLDEST_FIRST" or found == expected


async def test_orders_behind_many_later_events_are_found_as_well(graph: Connection) -> None:
    made = buyers()
    for number in range(20):
        made.did("user_id:anna", 200 + number, "Order Updated", id=f"shop:u{number:02d}")
        made.rows["about"].append({"id": f"shop:u{number:02d}", "label": "Order", "key": "shop:1"})
    await made.write(graph.writer)
    me = caller(graph)
    assert await orders_of(me, "anna", 1) == ["shop:3", "shop:4", "shop:1", "web:1"]
    assert await orders_of(me, "anna", 1, "OLDEST_FIRST") == ["web:1", "shop:1", "shop:3", "shop:4"]


async def test_an_order_is_found_by_its_key_and_its_id_with_all_that_is_known_of_it(graph: Connection) -> None:
    me = await shop(graph)
    fields = """id key total { amount currency } status placedAt account { name } profile { id }
      products { id name price { amount currency } }"""
    found = await me.ask(f"""{{ web: order(by: {{ key: {{ source: "web", id: "1" }} }}) {{ {fields} }}
      shop: node(id: "{global_id(Noun.ORDER, "shop:1")}") {{ ... on Order {{ {fields} }} }}
      none: order(by: {{ id: "{global_id(Noun.ORDER, "web:77")}" }}) {{ key }} }}""")
    anna = {"id": global_id(Noun.PROFILE, "anna")}
    rope = {"id": global_id(Noun.PRODUCT, "web:B-1"), "name": "Rope", "price": {"amount": "9.50", "currency": "GBP"}}
    assert found["web"] == {
        "id": global_id(Noun.ORDER, "web:1"),
        "key": "web:1",
        "total": {"amount": "19.00", "currency": "GBP"},
        "status": None,
        "placedAt": "2026-01-01T00:12:00Z",
        "account": None,
        "profile": anna,
        "products": [rope],
    }
    assert found["shop"] == {
        "id": global_id(Noun.ORDER, "shop:1"),
        "key": "shop:1",
        "total": {"amount": "7", "currency": None},
        "status": "refunded",
        "placedAt": "2026-01-01T01:00:00Z",
        "account": {"name": "Fern"},
        "profile": anna,
        "products": [],
    }
    assert found["none"] is None


async def test_tickets_deals_campaigns_and_products_tell_their_facts(graph: Connection) -> None:
    me = await shop(graph)
    found = await me.ask("""{
      ticket(by: { key: { source: "desk", id: "7" } }) { subject closedAt account { name } profile { known } facts }
      deal(by: { key: { source: "crm", id: "9" } }) { name stage won amount { amount } account { name } profile { id } }
      campaign(by: { key: { source: "ads", id: "1" } }) { name }
      product(by: { key: { source: "web", id: "B-1" } }) { __typename name sku }
    }""")
    assert found == {
        "ticket": {
            "subject": "It squeaks",
            "closedAt": "2026-01-02T00:00:00Z",
            "account": {"name": "Fern"},
            "profile": {"known": True},
            "facts": {"subject": "It squeaks", "closed_at": "2026-01-02T00:00:00Z"},
        },
        "deal": {
            "name": "Ropes",
            "stage": "won",
            "won": True,
            "amount": {"amount": "1500"},
            "account": {"name": "Fern"},
            "profile": {"id": global_id(Noun.PROFILE, "anna")},
        },
        "campaign": {"name": "Spring"},
        "product": {"__typename": "Product", "name": "Rope", "sku": None},
    }


async def test_an_id_of_another_kind_is_refused(graph: Connection) -> None:
    await graph.reader.rows("RETURN 1 AS one")
    ticket = global_id(Noun.TICKET, "desk:7")
    assert await caller(graph).refused(f'{{ order(by: {{ id: "{ticket}" }}) {{ key }} }}') == "bad_id"


async def test_interactions_have_a_type_each_and_tell_what_it_alone_tells(graph: Connection) -> None:
    me = await shop(graph)
    found = await me.ask("""{ profile(by: { id: "anna" }) { interactions { edges { node { __typename
      ... on OrderEvent { order { key } lines { product quantity price { amount currency } } }
      ... on TicketEvent { ticket { subject } }
      ... on TrackEvent { deal { name } campaign { name } }
      ... on PageView { path }
    } } } } }""")
    shown = [edge["node"] for edge in found["profile"]["interactions"]["edges"]]
    line = {"product": "B-1", "quantity": 2.0, "price": {"amount": "9.5", "currency": "GBP"}}
    assert shown == [
        {"__typename": "OrderEvent", "order": None, "lines": []},
        {"__typename": "TrackEvent", "deal": {"name": "Ropes"}, "campaign": {"name": "Spring"}},
        {"__typename": "TicketEvent", "ticket": {"subject": "It squeaks"}},
        {"__typename": "OrderEvent", "order": {"key": "shop:3"}, "lines": []},
        {"__typename": "OrderEvent", "order": {"key": "shop:1"}, "lines": []},
        {"__typename": "OrderEvent", "order": {"key": "shop:1"}, "lines": []},
        {"__typename": "TrackEvent", "deal": None, "campaign": None},
        {"__typename": "OrderEvent", "order": {"key": "web:1"}, "lines": [line]},
        {"__typename": "TrackEvent", "deal": None, "campaign": None},
        {"__typename": "PageView", "path": None},
    ]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("kinds: [TICKET]", ["desk:1"]),
        ("kinds: [ORDER]", ["web:4", "shop:3", "shop:2", "shop:1", "web:k1"]),
        ('kinds: [ORDER], end: "2026-01-01T01:20:00Z"', ["shop:3", "shop:2", "shop:1", "web:k1"]),
        ('kinds: [ORDER, TICKET], names: ["Order Placed", "Ticket Created", "Deal won"]', ["desk:1", "web:k1"]),
        ('kinds: [ORDER], names: ["Deal won"]', []),
        ("kinds: [ORDER], types: [PAGE]", []),
    ],
)
async def test_a_timeline_of_some_kinds_only(graph: Connection, wanted: str, ids: list[str]) -> None:
    me = await shop(graph)
    selected = f"interactions(filter: {{ {wanted} }}) {{ edges {{ node {{ id }} }} }}"
    found = await me.ask(f'{{ profile(by: {{ id: "anna" }}) {{ {selected} }} }}')
    shown = [edge["node"]["id"] for edge in found["profile"]["interactions"]["edges"]]
    assert shown == [global_id(Noun.INTERACTION, each) for each in ids]


async def test_orders_deals_and_tickets_among_relations_are_nodes(graph: Connection) -> None:
    me = await shop(graph)
    found = await me.ask("""{ neighbourhood(of: { identifier: { namespace: "user_id", value: "anna" } }, hops: 1) {
      nodes { kind node { id } } } }""")
    ids = {each["node"]["id"] for each in found["neighbourhood"]["nodes"]}
    for noun, key in ((Noun.ORDER, "shop:1"), (Noun.DEAL, "crm:9"), (Noun.TICKET, "desk:7")):
        assert global_id(noun, key) in ids
