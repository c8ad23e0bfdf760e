"""`selfsame serve` as a process: its port, its end. Its data directory and its own Neo4j: tests/walks/test_kills.py."""

import socket
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from graph.connection import Connection
from selfsame import running
from selfsame.errors import SettingsInvalidError
from selfsame.serving import serving
from selfsame.settings import Settings
from tests.walks.processes import environment, selfsame
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


async def test_a_manifest_that_cannot_be_read_is_told_before_a_neo4j_is_started(tmp_path: Path) -> None:
    """Only what answers can read it, which else is imported while Neo4j starts."""
    absent = tmp_path / "absent.json"
    with pytest.raises(SettingsInvalidError, match=r"SELFSAME_DOCUMENTS: .*absent\.json cannot be read"):
        async with serving(Settings(port=0, data_dir=tmp_path / "data", documents=absent)):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_connection_is_ended_by_an_answer_and_a_socket_by_1001(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PARTING_SECONDS", 20)  # it is over when the last connection is
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
