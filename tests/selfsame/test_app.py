"""The routes of the service, and what lives with it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from graph.connection import Connection
from graph.policies import PolicyHeld
from selfsame.app import Parts, service
from selfsame.clock import mint, now
from tests.building import default_policy
from tests.serving import until_async
from tests.walks.sending import identify, track
from tests.walks.service import Company, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with in_process(graph) as running:
        yield running


async def test_health_needs_no_key(company: Company) -> None:
    live, ready = [await company.http.get(f"/health/{name}") for name in ("live", "ready")]
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_a_service_that_goes_down_is_not_ready(graph: Connection) -> None:
    app = service(Parts(graph, PolicyHeld(default_policy()), now, mint))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        app.state.going_down = True
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "intake_closed")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/batch", 405), ("POST", "/v2/batch", 404)])
async def test_what_is_no_route_is_told_so(company: Company, method: str, path: str, status: int) -> None:
    assert (await company.http.request(method, path)).status_code == status


async def test_graphql_wants_a_key_that_was_given_out(company: Company) -> None:
    question = {"query": "{ segments { name } }"}
    bare = await company.http.post("/graphql", json=question)
    unknown = await company.http.post("/graphql", json=question, auth=("ssr_unknown", ""))
    assert [(each.status_code, each.json()["errors"][0]["extensions"]["code"]) for each in (bare, unknown)] == [
        (401, "key_missing"),
        (401, "key_unknown"),
    ]


async def test_a_question_by_get_is_answered(company: Company) -> None:
    await company.send(identify("u1", "a1"))
    question = '{ profile(by: {identifier: {namespace: "user_id", value: "u1"}}) { known } }'
    answer = await company.http.get("/graphql", params={"query": question}, auth=(company.read_key, ""))
    assert answer.json()["data"] == {"profile": {"known": True}}


async def test_what_was_acknowledged_is_seen_by_the_next_question(company: Company) -> None:
    for number in range(5):
        await company.send(track(f"a{number}"))
        assert len(await company.people()) == number + 1


async def nothing_waits(graph: Connection) -> bool:
    return not await graph.reader.rows("MATCH (i:Identifier {pending: true}) RETURN i")


async def test_regions_that_wait_are_stitched_in_the_background(company: Company, graph: Connection) -> None:
    await company.send(identify("u1", "a1"))
    await graph.writer.command("MATCH (i:Identifier) SET i.pending = true")
    await graph.writer.command("MATCH (p:Profile) SET p.pending = true")
    await until_async(lambda: nothing_waits(graph))
    assert await company.people() == sets("u1 a1")
