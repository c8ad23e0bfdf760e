"""Networks that stall, break and crawl, clocks that are set back: nothing acknowledged is lost, nothing comes twice."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio
import anyio.to_thread
import httpx
import orjson
import pytest

from graph.connection import Connection, connected
from selfsame.clock import now
from tests.serving import Neo4jAddress
from tests.walks.passage import Passage, passage
from tests.walks.sending import identify, track
from tests.walks.service import Company, differences, in_process, over_network, sets, taken
from tests.walks.vendors import deliver, example, hooks

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


async def stored(graph: Connection) -> int:
    (row,) = await graph.reader.rows("MATCH (i:Interaction)-[:BY]->() RETURN count(i) AS many")
    return int(row["many"])


# Between the service and Neo4j; that it is cut at any step of a commit is in tests/graph/test_cut_connections.py


async def test_a_way_to_neo4j_that_stalls_without_a_word_is_a_503_and_nothing_waits_for_ever(
    graph: Connection, neo4j_server: Neo4jAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall that forgot the connection: no end of it is told, so the driver would wait as long as it is let."""
    monkeypatch.setattr("graph.connection.PATIENCE_SECONDS", 2)
    for limit in ("app.COMMIT_SECONDS", "access.ASKED_SECONDS", "app.READY_SECONDS"):
        monkeypatch.setattr(f"selfsame.{limit}", 1.0)
    async with (
        passage(neo4j_server.uri) as way,
        connected(way.uri, neo4j_server.user, neo4j_server.password) as connection,
        in_process(connection, hooks=hooks()) as company,
    ):
        batch = orjson.dumps({"batch": [identify("u1", "a1", id="m1"), track("a1", id="m2")]})
        lead = example("facebook", "lead")
        way.stall()
        for answer in (await company.post("batch", batch), await deliver(company, lead)):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
            assert answer.headers["retry-after"] == "1"
        assert (await company.http.get("/health/ready")).status_code == 503
        way.break_all()  # what was held back never arrives
        way.flow()
        assert await known_at_last(lambda: company.post("batch", batch)) == 2
        assert await known_at_last(lambda: deliver(company, lead)) == 1
        late = orjson.dumps(track("a1", id="m3"))
        way.stall()
        assert (await company.post("track", late)).status_code == 503
        way.flow()  # now what was held back arrives after all, while the same is sent again
        assert await known_at_last(lambda: company.post("track", late)) == 1
    assert (await stored(graph), await differences(graph)) == (4, ())


async def known_at_last(send: Callable[[], Awaitable[httpx.Response]]) -> int:
    """Send as clients do, again after each 503; how many messages are there then, new or known."""
    with anyio.fail_after(60):
        while (answer := await send()).status_code == 503:  # noqa: ASYNC110 - what is waited for is on the way
            await anyio.sleep(0.1)
    told = taken(answer)
    return int(told["committed"]) + int(told["repeat"])


async def test_a_slow_way_to_neo4j_only_takes_longer(graph: Connection, neo4j_server: Neo4jAddress) -> None:
    async with (
        passage(neo4j_server.uri) as way,
        connected(way.uri, neo4j_server.user, neo4j_server.password) as connection,
        in_process(connection) as company,
    ):
        way.delay = 0.02
        assert (await company.batch([identify("u1", "a1"), track("a1")]))["committed"] == 2


# Between a client and the service


@pytest.fixture
async def crossing(graph: Connection) -> AsyncIterator[tuple[Company, Passage]]:
    """A company whose way to the service can fail."""
    async with (
        over_network(graph) as company,
        passage(str(company.http.base_url).rstrip("/")) as way,
        httpx.AsyncClient(base_url=way.uri, timeout=60) as far,
    ):
        yield replace(company, http=far), way


async def test_a_client_whose_connection_breaks_sends_the_same_again_and_it_is_there_once(
    graph: Connection, crossing: tuple[Company, Passage]
) -> None:
    """In the middle of a body nothing is taken; when the answer is lost, all of it was."""
    company, way = crossing
    batches = [
        [track(f"a{number}-{each}", properties={"x": "x" * 2_000}) for each in range(300)] for number in range(2)
    ]
    bodies = [orjson.dumps({"batch": each}) for each in batches]
    way.cut_once(3, answered=False)
    with pytest.raises(httpx.TransportError):
        await company.post("batch", bodies[0])
    assert taken(await company.post("batch", bodies[0]))["committed"] == 300
    small = orjson.dumps({"batch": [track("a1", id="m1"), track("a1", id="m2")]})
    way.cut_once(0, answered=True)
    with pytest.raises(httpx.TransportError):
        await company.post("batch", small)
    assert taken(await company.post("batch", small))["repeat"] == 2
    way.delay = 0.05
    assert taken(await company.post("batch", bodies[1]))["committed"] == 300
    assert await stored(graph) == 602


async def test_a_body_that_never_comes_to_its_end_is_answered_503_and_leaves_nothing(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfsame.receiving.SILENCE_SECONDS", 0.3)
    async with over_network(graph) as company:
        answer = await anyio.to_thread.run_sync(half_sent, company)
    assert answer.startswith("HTTP/1.1 503")
    assert '"code":"body_stalled"' in answer
    assert await stored(graph) == 0


def half_sent(company: Company) -> str:
    """The answer to a request whose body ends before its length."""
    url = company.http.base_url
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {company.write_key}\r\nContent-Length: 99\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port or 80), 60) as client:
        client.sendall(head.encode() + b'{"batch": [')
        said = b""
        while not said.endswith(b"}}"):
            said += client.recv(65_536)
        return said.decode()


# The service's clock


@dataclass
class Clock:
    """A clock that is wrong by a while."""

    wrong: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.wrong


async def test_a_clock_that_is_set_back_loses_nothing_and_changes_nobodys_id(graph: Connection) -> None:
    clock = Clock()
    async with in_process(graph, hooks=hooks(), clock=clock) as company:
        await company.batch([identify("u1", "a1", id="m1"), track("a2", id="m2")])
        before = (await company.person("u1")).id
        clock.wrong = -timedelta(days=3)
        later = await company.batch(
            [identify("u1", "a1", id="m1"), identify("u1", "a2", id="m3"), track("a1", id="m4")]
        )
        assert (later["repeat"], later["committed"]) == (1, 2)
        old = await deliver(company, example("stripe", "customer"))
        assert (old.status_code, old.json()["error"]["code"]) == (401, "webhook_replayed")
        assert taken(await deliver(company, example("facebook", "lead")))["committed"] == 1
        clock.wrong = timedelta()
        assert taken(await deliver(company, example("stripe", "customer")))["committed"] == 1
        assert sets("u1 a1 a2") <= await company.people()
        person = await company.person("u1")
        assert (person.id, len(person.events)) == (before, 4)
        assert (await company.profile(id=before))["id"] == before
    assert (await stored(graph), await differences(graph)) == (6, ())
