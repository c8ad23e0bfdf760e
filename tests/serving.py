"""The Neo4j that the tests ask: one for the whole run, or one that a developer keeps running."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest

from graph.connection import Connection, Writer
from graph.server.owning import holder_of

PREFIX = "SELFSAME_TEST_NEO4J_"
STOP_SECONDS = 40
PATIENCE_SECONDS = 90.0  # for what comes in any case: the machine may be busy, and only a failure takes as long
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of an unforeseeable name is made there
PREFIX_IN_MEMORY = "selfsame-tests-"
ROOM_BYTES = 4 << 30  # for two that run side by side, each of which wants a gigabyte free when it starts


@dataclass(frozen=True, slots=True)
class Neo4jAddress:
    """Where a Neo4j answers, and to whom."""

    uri: str
    user: str
    password: str


def kept_running() -> Neo4jAddress | None:
    """The Neo4j that SELFSAME_TEST_NEO4J_URI, _USER and _PASSWORD name; the tests empty it.

    Where tests run side by side each worker needs one of its own, since it empties it, and none is named.
    """
    uri = None if "PYTEST_XDIST_WORKER" in os.environ else os.environ.get(PREFIX + "URI")
    return Neo4jAddress(uri, os.environ[PREFIX + "USER"], os.environ[PREFIX + "PASSWORD"]) if uri else None


def owner_command(folder: Path) -> list[str]:
    """What runs a local Neo4j on a folder until a signal."""
    return [sys.executable, "-m", "graph.server", str(folder)]


@contextmanager
def served(folder: Path) -> Iterator[tuple[Neo4jAddress, subprocess.Popen[str]]]:
    """A local Neo4j in a process of its own, and that process; stopped cleanly at the end if it still runs."""
    with subprocess.Popen(owner_command(folder), stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield _announced(process), process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)


@contextmanager
def in_memory(else_: Path) -> Iterator[Path]:
    """A folder for a Neo4j that is of no use when the tests are done; where memory has no room for it, another one.

    Each commit waits for the disk, some milliseconds, and the tests commit some ten thousand times.
    """
    _clear_memory()
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        yield else_
        return
    with TemporaryDirectory(dir=MEMORY, prefix=PREFIX_IN_MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _clear_memory() -> None:
    """Take away what runs left that were killed. What is young may be of one that begins."""
    for left in MEMORY.glob(f"{PREFIX_IN_MEMORY}*"):
        if left.stat().st_mtime < time.time() - 600 and holder_of(left) is None:
            shutil.rmtree(left, ignore_errors=True)


def _announced(process: "subprocess.Popen[str]") -> Neo4jAddress:
    assert process.stdout
    lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(3)]
    told = dict(line.partition("=")[::2] for line in lines)
    assert set(told) == {PREFIX + name for name in ("URI", "USER", "PASSWORD")}, "the local Neo4j did not start"
    return Neo4jAddress(told[PREFIX + "URI"], told[PREFIX + "USER"], told[PREFIX + "PASSWORD"])


async def forget_schema(connection: Connection) -> None:
    """Take away all data, constraints and indexes, so that a Neo4j kept running knows today's migrations."""
    await empty(connection.writer, "MATCH (n)")
    for kind, kinds in (("CONSTRAINT", "CONSTRAINTS"), ("INDEX", "INDEXES")):
        for row in await connection.reader.rows(f"SHOW {kinds} YIELD name, type"):
            if row["type"] != "LOOKUP":
                await connection.writer.command(f"DROP {kind} {row['name']} IF EXISTS")


async def empty(writer: Writer, what: str = "MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock") -> None:
    """Take away all data but the memory of migrations."""
    await writer.command(what + " CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds. Raises TimeoutError when it does not hold in time."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens outside this process
            await anyio.sleep(0.02)


async def until_async(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """The same of a condition that has to be asked. Raises TimeoutError."""
    with anyio.fail_after(seconds):
        while not await condition():  # noqa: ASYNC110 - likewise
            await anyio.sleep(0.1)


def require(present: object, what: str) -> None:
    """Skip the test when something outside is absent, or fail it where SELFSAME_REQUIRE_ALL wants everything."""
    if present:
        return
    if os.environ.get("SELFSAME_REQUIRE_ALL"):
        pytest.fail(f"absent: {what}")
    pytest.skip(f"absent: {what}")
