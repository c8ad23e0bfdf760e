"""The real clients of Segment, RudderStack and Snowplow: anonymous, login, purchase, logout, and a kill in between.

All of them send at the same time to one service, which is killed with SIGKILL after the login, so that what was sent
then may be lost on the way or acknowledged to nobody; the purchase happens while nobody answers. The service starts
again at the same address, and in the end everything is there, once.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from socket import create_server

import anyio
import pytest

from graph.connection import Connection
from graph.dead_letters import dead_letters
from graph.keys import Scope
from identity.messages import SourceName
from loaders.signed_users import signed
from selfsame.clock import now
from selfsame.keys import Terms, create_key
from tests.serving import Neo4jAddress
from tests.walks.clients.running import HERE, Client, Sender, chromium, installed, node, page, program
from tests.walks.processes import company_of, environment, served
from tests.walks.service import Company, differences

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PATIENCE_SECONDS = 240
STORED = "MATCH (i:Interaction) RETURN count(i) AS many"

# What each client's person has done in the end, by the name of its program's function.
TOLD = ("Viewed", "identify", "Order Completed", "Signed Out")
TRACKED = ("Viewed", "Signed In", "order_completed", "Signed Out")
PYTHON = {"segment": TOLD, "segment_gzip": TOLD, "rudderstack": TOLD, "snowplow": TRACKED, "snowplow_pixel": TRACKED}
NODE = {"segment": TOLD, "rudderstack": TOLD, "snowplow": TRACKED}
BROWSER = Client("browser", TOLD)
SECRET = "of the server that renders the pages"
BELIEVED = """
MATCH (:Identifier {key: $user})-[link:LINKED]-(:Identifier {key: $device}) RETURN link.authority AS authority
"""


def programs() -> list[Client]:
    """The clients that run as programs."""
    python = [Client(name, told, (sys.executable, HERE / "in_python.py", name)) for name, told in PYTHON.items()]
    script = (node(), HERE / "in_node.cjs", installed())
    return [*python, *(Client(f"node_{name}", told, (*script, name)) for name, told in NODE.items())]


def free_port() -> int:
    """A port that nobody listens on, for a service that comes back to it."""
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
async def keys(graph: Connection) -> tuple[str, str]:
    """A writing and a reading key."""
    write = await create_key(graph.writer, Scope.WRITE, now(), SourceName("web"))
    return write, await create_key(graph.writer, Scope.READ, now(), terms=Terms(pii=True))


async def test_no_client_loses_anything_or_sends_it_twice_when_the_service_is_killed(
    graph: Connection, neo4j_server: Neo4jAddress, keys: tuple[str, str], tmp_path: Path
) -> None:
    settings = environment(
        tmp_path / "data", neo4j_server, SELFSAME_PORT=str(free_port()), SELFSAME_USER_ID_SECRETS=SECRET
    )
    clients = programs()
    chromium()
    with ExitStack() as running:
        async with served(settings) as service:
            where = service.url, keys[0], tmp_path
            senders: list[Sender] = [running.enter_context(program(each, *where)) for each in clients]
            senders.append(running.enter_context(page(BROWSER, *where, signed(BROWSER.user, SECRET))))
            await all_take(senders, "anonymous", "login")
            service.kill()
            await all_take(senders, "purchase")
        async with served(settings) as service, company_of(service, keys) as company:
            await all_take(senders, "logout", "end")
            await everything_arrives_once(graph, company, [each.client for each in senders])
            assert [await believed(graph, each.client) for each in senders] == ["claimed"] * len(clients) + ["verified"]
            assert "a request comes again" in service.said()
            assert service.end() == 0


async def believed(graph: Connection, client: Client) -> str:
    """How far it is believed that the user is the one on the device."""
    ends = {"user": f"user_id:{client.user}", "device": f"anonymous_id:{client.device}"}
    (link,) = await graph.reader.rows(BELIEVED, **ends)
    return str(link["authority"])


async def all_take(senders: Sequence[Sender], *steps: str) -> None:
    """Every client takes the steps, one after the other, all clients at the same time."""
    with anyio.fail_after(PATIENCE_SECONDS):
        for step in steps:
            async with anyio.create_task_group() as tasks:
                for each in senders:
                    tasks.start_soon(each.take, step)


async def everything_arrives_once(graph: Connection, company: Company, sent: Sequence[Client]) -> None:
    """A page cannot say when all of it has arrived, so that is waited for."""
    with anyio.move_on_after(PATIENCE_SECONDS):
        while (await graph.reader.rows(STORED))[0]["many"] < 4 * len(sent):  # noqa: ASYNC110 - it is written elsewhere
            await anyio.sleep(0.1)
    people = {each.who: sorted(each.events) for each in await company.profiles()}
    assert people == {each.who: sorted(each.events) for each in sent}
    assert await graph.reader.rows(STORED) == [{"many": 4 * len(sent)}]
    assert await dead_letters(graph.reader) == ()
    assert not await differences(graph)
