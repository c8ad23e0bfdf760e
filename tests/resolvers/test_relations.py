"""Relations over GraphQL: ways with their reasons, and what lies around something, as a client asks for them."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import caller
from tests.resolvers.people import crowd, family

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


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (BETWEEN.replace("= 4", "= 7"), "too_many_values"),
        ('{ neighbourhood(of: {id: "x"}) { complete } }', "bad_id"),
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
