"""The real clients of Segment, RudderStack and Snowplow: anonymous, login, purchase, logout, and a kill in between.

All of them send at the same time to one service, which is killed with SIGKILL after the login, so that what was sent
then may be lost on the way or acknowledged to nobody; the purchase happens while nobody answers. The service starts
again at the same address, and in the end everything is there, once.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

import anyio
import anyio.to_thread
import pytest

from graph.connection import Connection
from graph.keys import Scope
from graph.runs import dead_letters
from identity.messages import SourceName
from selfsame.access import create_key
from selfsame.clock import now
from tests.serving import Neo4jAddress
from tests.walks.processes import company_of, environment, served
from tests.walks.service import Company, differences

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

IN_PYTHON = Path(__file__).parent / "clients" / "in_python.py"
PATIENCE_SECONDS = 240
TOLD = ("Viewed", "identify", "Order Completed", "Signed Out")
TRACKED = ("Viewed", "Signed In", "order_completed", "Signed Out")

# What each client sends, by the name of its program's function.
PYTHON = {"segment": TOLD, "segment_gzip": TOLD, "rudderstack": TOLD, "snowplow": TRACKED, "snowplow_pixel": TRACKED}


@dataclass(frozen=True)
class Client:
    """A program that sends by a real client. events: what its person has done in the end."""

    name: str
    command: Sequence[str | Path]
    events: Sequence[str]

    @property
    def user(self) -> str:
        return f"user-{self.name}"

    @property
    def device(self) -> str:
        return f"device-{self.name}"

    @property
    def who(self) -> frozenset[str]:
        """The identifiers of its person."""
        email = {f"{self.user}@example.com"} if "identify" in self.events else set()
        return frozenset({self.user, self.device} | email)


@dataclass(frozen=True)
class Sender:
    """A client that runs."""

    client: Client
    process: "subprocess.Popen[str]"

    async def take(self, step: str) -> None:
        """Let it take a step, and wait until it has."""
        said = await anyio.to_thread.run_sync(self._take, step)
        assert said == f"{step}\n", f"{self.client.name} ended at `{step}`"

    def _take(self, step: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def sending(client: Client, url: str, key: str, folder: Path) -> Iterator[Sender]:
    """A client's program; what it logs goes to a file, and it is killed where it does not end by itself."""
    command = [*map(str, client.command), url, key, client.user, client.device]
    with (
        (folder / f"{client.name}.log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield Sender(client, process)
        finally:
            process.kill()


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def all_take(senders: Sequence[Sender], *steps: str) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        for step in steps:
            async with anyio.create_task_group() as tasks:
                for each in senders:
                    tasks.start_soon(each.take, step)


def clients() -> list[Client]:
    return [Client(name, (sys.executable, IN_PYTHON, name), events) for name, events in PYTHON.items()]


@pytest.fixture
async def keys(graph: Connection) -> tuple[str, str]:
    """A writing and a reading key."""
    write = await create_key(graph.writer, Scope.WRITE, now(), SourceName("web"))
    return write, await create_key(graph.writer, Scope.READ, now())


async def test_no_client_loses_anything_or_sends_it_twice_when_the_service_is_killed(
    graph: Connection, neo4j_server: Neo4jAddress, keys: tuple[str, str], tmp_path: Path
) -> None:
    settings = environment(tmp_path / "data", neo4j_server, SELFSAME_PORT=str(free_port()))
    with ExitStack() as running:
        async with served(settings) as service:
            senders = [running.enter_context(sending(each, service.url, keys[0], tmp_path)) for each in clients()]
            await all_take(senders, "anonymous", "login")
            service.kill()
            await all_take(senders, "purchase")
        async with served(settings) as service, company_of(service, keys) as company:
            await all_take(senders, "logout", "end")
            await everything_is_there_once(graph, company, [each.client for each in senders])
            assert service.end() == 0


async def everything_is_there_once(graph: Connection, company: Company, sent: Sequence[Client]) -> None:
    people = {each.who: sorted(each.events) for each in await company.profiles()}
    assert people == {each.who: sorted(each.events) for each in sent}
    (counted,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many, count(DISTINCT i.id) AS ids")
    assert counted == {"many": 4 * len(sent), "ids": 4 * len(sent)}
    assert await dead_letters(graph.reader) == ()
    assert not await differences(graph)
