"""Relations over GraphQL: ways with their reasons, and what lies around something, as a client asks for them."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import caller
from tests.resolvers.people import buyers, crowd, family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

BETWEEN = """
query ($one: String!, $other: String!, $hops: Int! = 4) {
  connection(
    from: {identifier: {namespace: "user_id", value: $one}}
    to: {identifier: {namespace: "user_id", value: $other}}
    maxHops: $hops
  ) {
    complete
    leftOut { label }
    paths { hops sentence things { label kind node { id } } ties { kind sentence } }
  }
}
"""


async def test_two_people_are_related_by_their_account_before_the_kiosk_they_share(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    found = (await me.ask(BETWEEN, one="anna", other="ben"))["connection"]
    assert [(path["hops"], [tie["kind"] for tie in path["ties"]]) for path in found["paths"]] == [
        (2, ["MEMBER_OF", "MEMBER_OF"]),
        (2, ["SHARES_DEVICE", "SHARES_DEVICE"]),
    ]
    by_account, by_kiosk = found["paths"]
    assert by_account["sentence"] == (
        "user_id:anna belongs to Fern as buyer (from crm). user_id:ben belongs to Fern as owner (from crm)."
    )
    assert by_kiosk["ties"][0]["sentence"] == "user_id:anna uses anonymous_id kiosk, which 2 people share."
    assert [thing["node"]["id"] for thing in by_account["things"]] == [
        global_id(Noun.PROFILE, "anna"),
        global_id(Noun.ACCOUNT, "account:fern"),
        global_id(Noun.PROFILE, "ben"),
    ]
    assert (found["complete"], found["leftOut"]) == (True, [])


async def test_how_many_people_there_are_changes_not_how_many_statements_it_takes(graph: Connection) -> None:
    taken = []
    for size in (3, 40):
        await crowd(size).write(graph.writer)
        me = caller(graph)
        await me.ask(BETWEEN, one="1", other="2")
        taken.append(len(me.statements))
        await graph.writer.command("MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock DETACH DELETE n")
    assert taken[0] == taken[1] <= 14


@pytest.mark.parametrize(("one", "other"), [("anna", "nobody"), ("nobody", "anna")])
async def test_who_is_unknown_is_related_to_nobody(graph: Connection, one: str, other: str) -> None:
    await family().write(graph.writer)
    assert (await caller(graph).ask(BETWEEN, one=one, other=other))["connection"] is None


DEEP = """
{
  neighbourhood(of: {id: "x"}, limit: 500) {
    nodes { node { ... on Profile { interactions(first: 100) { edges { node { id name } } } } } }
  }
}
"""
AROUND = "query ($of: Around!) { neighbourhood(of: $of, hops: 1) { complete nodes { key hops } edges { a b kind } } }"


@pytest.mark.parametrize(
    ("of", "begins_at", "nodes"),
    [
        ({"identifier": {"namespace": "user_id", "value": "ben"}}, "profile:ben", 5),
        ({"id": global_id(Noun.PROFILE, "ben")}, "profile:ben", 5),
        ({"id": global_id(Noun.IDENTIFIER, "anna-2")}, "identifier:email:anna@fern.no", 2),
        ({"id": global_id(Noun.ACCOUNT, "account:fern")}, "account:account:fern", 4),
        ({"account": {"namespace": "account", "value": "fern"}}, "account:account:fern", 4),
    ],
)
async def test_a_neighbourhood_begins_at_whatever_is_named(
    graph: Connection, of: dict[str, object], begins_at: str, nodes: int
) -> None:
    await family().write(graph.writer)
    found = (await caller(graph).ask(AROUND, of=of))["neighbourhood"]  # type: ignore[arg-type]  # plain JSON
    assert found["nodes"][0] == {"key": begins_at, "hops": 0}
    assert (len(found["nodes"]), len(found["edges"]), found["complete"]) == (nodes, nodes - 1, True)


THINGS = """query ($of: Around!) { neighbourhood(of: $of, hops: 1) {
  nodes { kind label node { __typename id ... on Order { total { amount } } } } edges { kind } } }"""


@pytest.mark.parametrize(
    ("noun", "key", "ties"),
    [
        (Noun.ORDER, "web:1", ["ABOUT", "CONTAINS"]),
        (Noun.DEAL, "crm:9", ["ABOUT", "DEAL_OF", "TOLD_WITH"]),
        (Noun.TICKET, "desk:7", ["ABOUT", "FOR_ACCOUNT"]),
        (Noun.PRODUCT, "web:B-1", ["ABOUT", "CONTAINS"]),
        (Noun.CAMPAIGN, "ads:1", ["ABOUT", "TOLD_WITH"]),
    ],
)
async def test_a_neighbourhood_begins_at_a_thing_by_its_key_and_by_its_id(
    graph: Connection, noun: Noun, key: str, ties: list[str]
) -> None:
    await buyers().write(graph.writer)
    me = caller(graph)
    source, _, name = key.partition(":")
    by_key = await me.ask(THINGS, of={noun.value.lower(): {"source": source, "id": name}})
    assert await me.ask(THINGS, of={"id": global_id(noun, key)}) == by_key
    found = by_key["neighbourhood"]
    start = {"__typename": noun.value, "id": global_id(noun, key)}
    assert found["nodes"][0]["node"] == start | ({"total": {"amount": "19.00"}} if noun is Noun.ORDER else {})
    assert [each["node"] is not None for each in found["nodes"]] == [True] * len(found["nodes"])
    assert sorted({each["kind"] for each in found["edges"]}) == ties
    assert (await me.ask(THINGS, of={"id": global_id(noun, "never")}))["neighbourhood"] is None


MANY = """{ neighbourhood(of: { order: { source: "web", id: "0" } }, hops: 4, limit: 500) {
  nodes { node { ... on Order { placedAt profile { id } products { key } } } } } }"""


async def test_what_is_asked_of_things_that_are_drawn_is_read_of_all_of_them_together(graph: Connection) -> None:
    taken = []
    for size in (3, 20):
        await crowd(size).write(graph.writer)
        me = caller(graph)
        for _ in range(2):  # executed, then by a plan
            me.statements.clear()
            await me.ask(MANY)
            taken.append(len(me.statements))
        await graph.writer.command("MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock DETACH DELETE n")
    assert len(set(taken)) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (BETWEEN.replace("= 4", "= 7"), "too_many_values"),
        ('{ neighbourhood(of: {id: "x"}) { complete } }', "bad_id"),
        (f'{{ neighbourhood(of: {{order: {{source: "a", id: "{"b" * 1_024}"}}}}) {{ complete }} }}', "too_many_values"),
        (f'{{ neighbourhood(of: {{id: "{global_id(Noun.SEGMENT, "x")}"}}) {{ complete }} }}', "bad_id"),
        ('{ neighbourhood(of: {id: "x"}, limit: 501) { complete } }', "too_many_values"),
        ('{ neighbourhood(of: {id: "x"}, hops: 5) { complete } }', "too_many_values"),
        (DEEP, "too_costly"),
    ],
)
async def test_what_is_too_much_is_refused(graph: Connection, query: str, code: str) -> None:
    answer = caller(graph)
    variables = {"one": "a", "other": "b"} if "$one" in query else {}
    assert await answer.refused(query, **variables) == code
