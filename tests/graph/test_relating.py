"""Relations on the real Neo4j: every way there is, hubs met but never followed, whatever the graph a few statements."""

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.relating import Connected, connected, neighbourhood_of
from graph.relations import names_of
from insight.relations import WEAKNESS, Kind, Thing, TieKind, sentence_of_tie
from tests.graph.world import World
from tests.resolvers.calling import CountingReader
from tests.resolvers.people import buyers, crowd
from tests.serving import empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PEOPLE = "abcd"
PLACES = {"account:x": TieKind.MEMBER_OF, "account:y": TieKind.MEMBER_OF, "anonymous_id:k": TieKind.SHARES_DEVICE}


def person(name: str) -> Thing:
    return Thing(Kind.PROFILE, name)


def place(key: str) -> Thing:
    return Thing(Kind.ACCOUNT if key.startswith("account") else Kind.IDENTIFIER, key)


def small(ties: set[tuple[str, str]], part: bool) -> tuple[World, nx.Graph]:
    """Four people, two accounts of which one may be part of the other, and a kiosk."""
    made = World().account("account:x", "X").account("account:y", "Y", parent="account:x" if part else None)
    made.person("k", "anonymous_id:k", known=False, shared="values")
    graph = nx.Graph()
    for name in PEOPLE:
        made.person(name, f"user_id:{name}")
        graph.add_node(person(name))
    for name, key in sorted(ties):
        (made.member(f"user_id:{name}", key) if key.startswith("account") else made.shares(name, key, (1, 2)))
        graph.add_edge(person(name), place(key), weakness=WEAKNESS[PLACES[key]])
    if part:
        graph.add_edge(place("account:x"), place("account:y"), weakness=WEAKNESS[TieKind.PART_OF])
    graph.add_edge(person("k"), place("anonymous_id:k"), weakness=0)
    return made, graph


@given(st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(sorted(PLACES)))), st.booleans(), st.integers(1, 6))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_ways_are_those_of_networkx(
    graph: Connection, ties: set[tuple[str, str]], part: bool, most: int
) -> None:
    await empty(graph.writer)
    made, expected = small(ties, part)
    await made.write(graph.writer)

    def rank(way: tuple[Thing, ...]) -> tuple[object, ...]:
        return (
            len(way),
            sum(expected.edges[pair]["weakness"] for pair in pairwise(way)),
            [each.rank for each in way],
        )

    there = sorted(map(tuple, nx.all_simple_paths(expected, person("a"), person("b"), cutoff=most)), key=rank)
    for first in (1, 20):
        found = await connected(graph.reader, person("a"), person("b"), most, first)
        assert [way for way, _ in found.ways] == there[:first]
        assert found.complete


CROWD = """
UNWIND range(1, 250) AS number
CREATE (p:Profile {id: 'n' + number, known: true, shared: false, first_seen: 1, last_seen: 1})
CREATE (i:Identifier:Contact {key: 'user_id:n' + number, namespace: 'user_id', value: 'n' + number, mint: 'n' + number})
CREATE (i)-[:IDENTIFIES]->(p)
WITH i, p
MATCH (a:Account {key: 'account:x'})
CREATE (i)-[:MEMBER_OF {source: 'crm', last_seen: 1}]->(a)
WITH p
MATCH (k:Identifier {key: 'anonymous_id:k'})
CREATE (k)-[:SHARED_BY {first: 1, last: 1}]->(p)
"""


async def test_a_hub_is_met_but_never_followed(graph: Connection) -> None:
    made, _ = small({("a", "account:x"), ("b", "account:x"), ("c", "anonymous_id:k"), ("a", "anonymous_id:k")}, False)
    await made.member("user_id:c", "account:y").member("user_id:d", "account:y").write(graph.writer)
    await graph.writer.command(CROWD)
    hubs = (place("account:x"), place("anonymous_id:k"))
    colleagues = await connected(graph.reader, person("a"), person("b"), 4, 1)
    assert [way for way, _ in colleagues.ways] == [(person("a"), hubs[0], person("b"))]
    assert colleagues.complete
    beyond = await connected(graph.reader, person("a"), person("d"), 6, 5)
    assert [len(way) for way, _ in beyond.ways] == [5]
    assert (beyond.left_out, beyond.complete) == (hubs, False)
    around = await neighbourhood_of(graph.reader, person("a"), 3, 500)
    assert {thing.name for thing in around.hops} == {"a", "user_id:a", "account:x", "anonymous_id:k", "k"}
    assert (around.left_out, around.complete) == (hubs, False)


async def test_a_hub_that_is_asked_for_shows_what_is_near_it_up_to_the_limit(graph: Connection) -> None:
    made, _ = small(set(), False)
    await made.write(graph.writer)
    await graph.writer.command(CROWD)
    around = await neighbourhood_of(graph.reader, place("account:x"), 1, 50)
    assert list(around.hops) == [place("account:x"), *sorted((person(f"n{n}") for n in range(1, 251)), key=_rank)[:49]]
    assert len(around.ties) == 49
    assert not around.complete


def _rank(thing: Thing) -> tuple[str, str]:
    return thing.rank


THINGS = """
MATCH (account:Account {key: 'account:x'})
UNWIND [['Order', 'shop:1', 'b'], ['Ticket', 'help:1', 'c'], ['Deal', 'crm:1', 'd']] AS each
CREATE (thing:$(each[0]) {key: each[1], account: CASE each[0] WHEN 'Deal' THEN account.key END})
WITH thing, each
UNWIND ['a', each[2]] AS name
MATCH (i:Identifier {key: 'user_id:' + name})
CREATE (x:Interaction {id: each[1] + name, actor: i.key, at: 1, type: 'track', name: 'Order Completed'})
CREATE (x)-[:BY]->(i)
CREATE (x)-[:ABOUT]->(thing)
"""


async def told(graph: Connection, found: Connected) -> list[list[str]]:
    names = await names_of(graph.reader, [thing for way, _ in found.ways for thing in way])
    return [[sentence_of_tie(tie, names) for tie in ties] for _, ties in found.ways]


async def test_orders_tickets_deals_and_refused_links_are_reasons(graph: Connection) -> None:
    made, _ = small({("d", "account:y")}, False)
    await made.linked("user_id:a", "user_id:d", reason="unique").write(graph.writer)
    await graph.writer.command(THINGS)
    assert await told(graph, await connected(graph.reader, person("a"), person("b"), 2, 5)) == [
        [
            "user_id:a had to do with order shop:1: Order Completed.",
            "user_id:b had to do with order shop:1: Order Completed.",
        ]
    ]
    assert await told(graph, await connected(graph.reader, person("c"), person("a"), 2, 5)) == [
        [
            "user_id:c had to do with ticket help:1: Order Completed.",
            "user_id:a had to do with ticket help:1: Order Completed.",
        ]
    ]
    by_deal = [f"user_id:{name} had to do with deal crm:1: Order Completed." for name in "ad"]
    refused = (
        "user_id:a of user_id:a and user_id:d of user_id:d were met together, which does not make them one (unique)."
    )
    assert await told(graph, await connected(graph.reader, person("a"), person("d"), 2, 5)) == [[refused], by_deal]
    backwards = await told(graph, await connected(graph.reader, person("d"), person("a"), 2, 5))
    assert backwards == [[refused], by_deal[::-1]]
    around = await neighbourhood_of(graph.reader, Thing(Kind.DEAL, "crm:1"), 1, 50)
    assert set(around.hops) == {Thing(Kind.DEAL, "crm:1"), place("account:x"), person("a"), person("d")}


async def drawn_around(graph: Connection, kind: Kind, key: str, hops: int = 1) -> set[str]:
    """The sentences of all ties around a thing."""
    found = await neighbourhood_of(graph.reader, Thing(kind, key), hops, 500)
    assert found.complete
    names = await names_of(graph.reader, found.hops)
    return {sentence_of_tie(tie, names) for tie in found.ties}


ORDERED = "order web:1 has product Rope in it."
WON = "deal Ropes and campaign Spring were told of together: Deal won."


async def test_around_a_thing_is_who_had_to_do_with_it_its_account_and_what_was_told_of_with_it(
    graph: Connection,
) -> None:
    await buyers().write(graph.writer)
    bought = "user_id:anna had to do with %s: Order Placed."  # at a kiosk that others use as well
    about = "user_id:anna had to do with %s: %s."
    assert await drawn_around(graph, Kind.ORDER, "web:1") == {ORDERED, bought % "order web:1"}
    assert await drawn_around(graph, Kind.PRODUCT, "web:B-1") == {ORDERED, bought % "product Rope"}
    assert await drawn_around(graph, Kind.CAMPAIGN, "ads:1") == {WON, about % ("campaign Spring", "Deal won")}
    deal = {WON, "deal Ropes is a deal of Fern.", about % ("deal Ropes", "Deal won")}
    assert await drawn_around(graph, Kind.DEAL, "crm:9") == deal
    ticket = {"ticket It squeaks is for Fern.", about % ("ticket It squeaks", "Ticket Created")}
    assert await drawn_around(graph, Kind.TICKET, "desk:7") == ticket
    assert "order shop:1 is for Fern." in await drawn_around(graph, Kind.ORDER, "shop:1")


async def test_a_product_of_many_is_looked_at_in_part_where_it_is_asked_for_and_not_followed_elsewhere(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buyers().write(graph.writer)
    await graph.writer.command(
        """MATCH (product:Product {key: 'web:B-1'}), (i:Identifier {key: 'user_id:ben'})
        UNWIND range(1, 250) AS number
        CREATE (x:Interaction {id: 'v' + number, at: 1, name: 'Product Viewed'})-[:BY]->(i), (x)-[:ABOUT]->(product)"""
    )
    product = Thing(Kind.PRODUCT, "web:B-1")
    near = await neighbourhood_of(graph.reader, Thing(Kind.ORDER, "web:1"), 2, 500)
    assert (near.left_out, near.complete, person("ben") in near.hops) == ((product,), False, False)
    whole = await neighbourhood_of(graph.reader, product, 1, 500)
    assert set(whole.hops) == {product, Thing(Kind.ORDER, "web:1"), person("anna"), person("ben")}
    assert whole.complete
    monkeypatch.setattr("graph.relating.MOST_OF_START", 200)
    part = await neighbourhood_of(graph.reader, product, 1, 500)
    assert (part.left_out, part.complete, len(part.hops) > 1) == ((), False, True)


async def test_products_and_campaigns_relate_nobody(graph: Connection) -> None:
    await buyers().write(graph.writer)
    await graph.writer.command(
        """MATCH (x:Interaction {id: 'web:k2'}), (thing:Product|Campaign)
        CREATE (x)-[:ABOUT]->(thing)"""
    )
    found = await connected(graph.reader, person("anna"), person("ben"), 6, 20)
    assert {thing.kind for way, _ in found.ways for thing in way}.isdisjoint({Kind.PRODUCT, Kind.CAMPAIGN})
    assert found.ways


async def test_whatever_the_graph_it_is_a_handful_of_statements(graph: Connection) -> None:
    made, _ = small({("a", "account:x"), ("c", "account:y")}, True)
    await made.write(graph.writer)
    await graph.writer.command(CROWD)
    reader = CountingReader(graph.reader.driver, graph.reader.database, graph.reader.bookmarked)
    await connected(reader, person("a"), person("c"), 6, 20)
    assert len(reader.statements) <= 12
    reader.statements.clear()
    await neighbourhood_of(reader, person("a"), 4, 500)
    assert len(reader.statements) <= 16
    taken = []
    for size in (2, 30):
        reader.statements.clear()
        await graph.writer.command("MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock DETACH DELETE n")
        await crowd(size).write(graph.writer)
        await neighbourhood_of(reader, Thing(Kind.ORDER, "web:0"), 3, 500)
        taken.append(len(reader.statements))
    assert taken[0] == taken[1] <= 9
