"""`selfsame serve` as a process: its port, its end. Its data directory and its own Neo4j: tests/walks/test_kills.py."""

import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from graph.connection import Connection
from selfsame import serving
from tests.serving import Neo4jAddress, until
from tests.walks.processes import company_of, environment, new_keys, selfsame, served
from tests.walks.sending import track
from tests.walks.service import over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def test_a_taken_port_is_told_before_a_neo4j_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = selfsame(environment(tmp_path, SELFSAME_PORT=str(port)), "serve")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use); stop what uses it" in ended.stderr
    assert not (tmp_path / "neo4j").exists()


def test_a_host_that_is_not_ours_is_told(tmp_path: Path) -> None:
    ended = selfsame(environment(tmp_path, SELFSAME_HOST="192.0.2.1"), "serve")
    assert (ended.returncode, "192.0.2.1:0 cannot be listened on" in ended.stderr) == (5, True)


async def test_sigterm_answers_what_was_accepted_and_ends_with_0(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    answers: list[httpx.Response] = []
    async with served(environment(tmp_path, neo4j_server)) as service:
        keys = new_keys(service.settings)
        async with company_of(service, keys) as company, anyio.create_task_group() as tasks:

            async def send(number: int) -> None:
                batch = [track(f"a{number}-{each}", id=f"{number}-{each}") for each in range(100)]
                answers.append(await company.post("batch", orjson.dumps({"batch": batch})))

            async with anyio.create_task_group() as first:  # and so eight connections are open
                for number in range(8):
                    first.start_soon(send, number)
            for number in range(8, 16):
                tasks.start_soon(send, number)
            await anyio.sleep(0.2)  # the requests are on their way
            service.process.send_signal(signal.SIGTERM)
        await until(lambda: service.process.poll() is not None, 60)
        assert service.process.returncode == 0, service.said()
    assert [each.status_code for each in answers] == [200] * 16
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many")
    assert row["many"] == 1_600


async def test_a_connection_is_ended_by_an_answer_and_a_socket_by_1001(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PARTING_SECONDS", 20)  # it is over when the last connection is
    during: list[httpx.Response] = []
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks, over_network(graph) as company:
        url = str(company.http.base_url)
        client = await stack.enter_async_context(httpx.AsyncClient())
        listens = connect(f"ws{url.removeprefix('http')}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")])
        listener = await stack.enter_async_context(listens)
        before = await client.get(f"{url}/health/ready")

        async def ask_again() -> None:
            await listener.wait_closed()
            during.append(await client.get(f"{url}/health/ready"))  # on the connection that is open

        tasks.start_soon(ask_again)
    assert (before.status_code, before.headers.get("connection")) == (200, None)
    assert listener.close_code == 1001
    assert [(each.status_code, each.headers.get("connection")) for each in during] == [(503, "close")]
