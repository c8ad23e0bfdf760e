"""What is measured: a real Neo4j, and the service as a process of its own beside it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from graph.connection import Connection, connected
from graph.keys import Scope
from graph.migrations import migrate
from graph.server.configuration import ServerSettings
from graph.server.local import LocalNeo4j, local_neo4j
from identity.messages import SourceName
from selfsame.clock import now
from selfsame.keys import Terms, create_key

PROGRAM = Path(sys.executable).with_name("selfsame")


@dataclass(frozen=True, slots=True)
class World:
    """A Neo4j with today's schema, and keys that are good for it as long as it is not emptied."""

    server: LocalNeo4j
    connection: Connection


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A Neo4j of its own, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="selfsame-bench-") as folder:
        settings = ServerSettings(Path(folder), heap_mb=2_048, page_cache_mb=512)
        async with local_neo4j(settings) as server, connected(server.uri, server.user, server.password) as connection:
            await migrate(connection.writer, now())
            yield World(server, connection)


async def emptied(connection: Connection) -> None:
    """Take away all data but the memory of migrations."""
    await connection.writer.command(
        "MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock "
        "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"
    )


async def key_for(connection: Connection, scope: Scope) -> str:
    """A new key."""
    source = SourceName("web") if scope is Scope.WRITE else None
    return await create_key(connection.writer, scope, now(), source, terms=Terms(pii=scope is Scope.READ))


def reaching(server: LocalNeo4j) -> dict[str, str]:
    """The environment of a command or a service on this Neo4j."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SELFSAME_")},
        "SELFSAME_NEO4J_URI": server.uri,
        "SELFSAME_NEO4J_USER": server.user,
        "SELFSAME_NEO4J_PASSWORD": server.password,
    }


# One key asks all there is: its rates are counted as in production, and far away.
HELD_AND_NEVER_MET = {"SELFSAME_RATE_QUESTIONS": "1000000", "SELFSAME_RATE_COST": "1000000000000"}


@dataclass(frozen=True, slots=True)
class Service:
    """A service that answers. pid: of its process."""

    port: int
    pid: int


@contextmanager
def service(server: LocalNeo4j, *command: str) -> Iterator[Service]:
    """The service on this Neo4j, from when it answers. command: another program that announces its port as it does."""
    with subprocess.Popen(
        command or [PROGRAM, "serve"],
        env=reaching(server) | {"SELFSAME_PORT": "0", "SELFSAME_LOG_FORMAT": "json"} | HELD_AND_NEVER_MET,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Service(announced_port(process), process.pid)
        finally:
            process.terminate()
            process.wait(timeout=60)


def announced_port(process: "subprocess.Popen[str]") -> int:
    """The port that a starting service names. Raises RuntimeError when it ends instead."""
    assert process.stderr
    for line in process.stderr:
        if "answers at http://" in line:
            threading.Thread(target=deque, args=(process.stderr, 0), daemon=True).start()  # a full pipe would hold it
            return int(line.split("http://")[1].split()[0].rpartition(":")[2])
    raise RuntimeError("the service did not start")
