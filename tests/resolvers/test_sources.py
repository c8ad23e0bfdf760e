"""Sources over GraphQL: what may send, what was loaded, what could not be used."""

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.connection import Connection
from graph.dead_letters import record_dead_letters
from graph.keys import ApiKey, Scope, record_key
from graph.runs import Counts, Load, RunId, Step, advanced_run, begun_run, finished_run
from identity.messages import Rejection, SourceName
from tests.building import START
from tests.resolvers.calling import caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
SHOP = SourceName("shop")
ALL = "{ sources { name keys namespaces loads heardAt loadedAt complete rejected { code count last } } }"
RUNS = """query ($after: String) { source(name: "shop") { runs(first: 1, after: $after) {
  edges { node {
    id state file mapping format position read size times startedAt updatedAt counts { records committed }
  } } pageInfo { hasNextPage endCursor } } } }"""


async def told(graph: Connection) -> None:
    key = ApiKey("k", Scope.WRITE, SHOP, START)
    await record_key(graph.writer, key)
    await record_key(graph.writer, replace(key, hash="r", scope=Scope.READ, source=None))
    refused = [Rejection("no_identifier", f"shop.csv:{line}", "nobody") for line in (1, 2)]
    await record_dead_letters(graph.writer, SHOP, [*refused, Rejection("bad", "shop.csv:3", "bad")], START)
    await record_dead_letters(graph.writer, SourceName("till"), [Rejection("bad", "till.csv:3", "bad")], START)
    for number in (1, 2):
        now = START + timedelta(minutes=number)
        run = await begun_run(graph.writer, RunId(f"run{number}"), Load(SHOP, f"{number}.csv", f"{number}"), now)
        run = await advanced_run(graph.writer, run, Step(7, Counts(records=6, committed=5), (), 70, 100), now)
        if number == 1:
            await finished_run(graph.writer, run, now)


async def test_a_steward_sees_every_source_with_its_loads_and_what_could_not_be_used(graph: Connection) -> None:
    await told(graph)
    me = caller(graph, Scope.STEWARD)
    assert (await me.ask(ALL))["sources"] == [
        {
            "name": "shop",
            "keys": 1,
            "namespaces": [],
            "loads": 2,
            "heardAt": "2026-01-01T00:02:00Z",
            "loadedAt": "2026-01-01T00:02:00Z",
            "complete": True,
            "rejected": [
                {"code": "no_identifier", "count": 2, "last": "2026-01-01T00:00:00Z"},
                {"code": "bad", "count": 1, "last": "2026-01-01T00:00:00Z"},
            ],
        },
        {
            "name": "till",
            "keys": 0,
            "namespaces": [],
            "loads": 0,
            "heardAt": "2026-01-01T00:00:00Z",
            "loadedAt": None,
            "complete": True,
            "rejected": [{"code": "bad", "count": 1, "last": "2026-01-01T00:00:00Z"}],
        },
    ]
    assert await caller(graph).refused(ALL) == "key_scope"


async def test_loads_come_newest_first_in_pages_and_cost_one_statement_for_all_sources(graph: Connection) -> None:
    await told(graph)
    me = caller(graph, Scope.STEWARD)
    first = (await me.ask(RUNS))["source"]["runs"]
    rest = (await me.ask(RUNS, after=first["pageInfo"]["endCursor"]))["source"]["runs"]
    assert [edge["node"] for edge in (*first["edges"], *rest["edges"])] == [
        {
            "id": f"run{number}",
            "state": state,
            "file": f"{number}.csv",
            "mapping": None,
            "format": None,
            "position": 7,
            "read": 70.0,
            "size": 100.0,
            "times": 1,
            "startedAt": f"2026-01-01T00:0{number}:00Z",
            "updatedAt": f"2026-01-01T00:0{number}:00Z",
            "counts": {"records": 6, "committed": 5},
        }
        for number, state in ((2, "RUNNING"), (1, "FINISHED"))
    ]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    asked = '{ source(name: "shop") { runs(order: OLDEST_FIRST, first: %d%s) { edges { cursor node { id } } } } }'
    begun, again = (await me.ask(asked % (2, "")))["source"]["runs"]["edges"]
    assert (begun["node"], again["node"]) == ({"id": "run1"}, {"id": "run2"})
    after = f', after: "{begun["cursor"]}"'
    assert (await me.ask(asked % (1, after)))["source"]["runs"]["edges"] == [again]
    me = caller(graph, Scope.STEWARD)
    await me.ask("{ sources { runs { edges { node { id } } } } }")
    assert len(me.statements) == 3
