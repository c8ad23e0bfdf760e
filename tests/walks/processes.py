"""Selfsame as processes of their own: commands that end, services that are killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from typer.testing import CliRunner

from graph.server.local import RunningServer, running_server
from selfsame.cli import app
from selfsame.cli.exits import shown, told
from tests.serving import Neo4jAddress, until
from tests.walks.service import PATIENCE, Company

SELFSAME = Path(sys.executable).with_name("selfsame")
ANSWERS = re.compile(r"answers at (?P<url>\S+) \(graph at (?P<neo4j>\S+)\)")
START_SECONDS = 180
STOP_SECONDS = 90
WIDTH = 200


def environment(folder: Path, address: Neo4jAddress | None = None, **more: str) -> dict[str, str]:
    """The environment of a process: its data in a folder, its Neo4j at an address or its own; no setting of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SELFSAME_")}
    own = {
        "SELFSAME_DATA_DIR": str(folder),
        "SELFSAME_PORT": "0",
        "SELFSAME_NEO4J_HEAP_MB": "512",
        "COLUMNS": str(WIDTH),
    }
    if address is None:
        return kept | own | more
    where = {
        "SELFSAME_NEO4J_URI": address.uri,
        "SELFSAME_NEO4J_USER": address.user,
        "SELFSAME_NEO4J_PASSWORD": address.password,
    }
    return kept | own | where | more


def selfsame(settings: Mapping[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """A command, run to its end."""
    return subprocess.run(
        [str(SELFSAME), *map(str, arguments)],
        env=settings,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def here(settings: Mapping[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """The same in a thread of this process: the start of a Python that knows GraphQL costs two seconds of work."""
    shown.width = told.width = WIDTH
    ours = {name: None for name in os.environ if name.startswith("SELFSAME_")}
    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(CliRunner().invoke, app, list(map(str, arguments)), env={**ours, **settings}).result()
    return subprocess.CompletedProcess(list(arguments), ended.exit_code, ended.stdout, ended.stderr)


def done(settings: Mapping[str, str], *arguments: str | Path) -> str:
    """What a command prints that ends with 0."""
    ended = here(settings, *arguments)
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    return ended.stdout


def loaded(settings: Mapping[str, str], mapping: str, *lines: str) -> str:
    """What `selfsame load` prints that takes every line of a CSV file, the first of which names the columns."""
    folder = Path(settings["SELFSAME_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    file, rules = folder / "rows.csv", folder / "rows.toml"
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    rules.write_text(mapping, "utf-8")
    return done(settings, "load", file, "--mapping", rules)


@dataclass(frozen=True)
class Running:
    """A process of the test's own. log: what it says on its standard error output."""

    process: "subprocess.Popen[str]"
    log: Path
    settings: Mapping[str, str]

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def kill(self) -> None:
        """As the kernel does it when memory runs out: no warning, no farewell."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Stop it as a supervisor does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@dataclass(frozen=True)
class Served(Running):
    """A running service. url: its address; neo4j: the address of its graph."""

    url: str
    neo4j: str

    def local(self) -> RunningServer:
        """Its own Neo4j."""
        found = running_server(Path(self.settings["SELFSAME_DATA_DIR"]))
        assert found
        return found


@contextmanager
def started(settings: Mapping[str, str], *arguments: str | Path) -> Iterator[Running]:
    """A command that runs; if it still does at the end, it is stopped."""
    folder = Path(settings["SELFSAME_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder.parent  # a disk that a test fills has no room for what is said of that
    log = beside / f"{folder.name}-{arguments[0]}-{len(list(beside.glob('*.said')))}.said"
    with (
        log.open("w") as said,
        subprocess.Popen(
            [str(SELFSAME), *map(str, arguments)],
            env=settings,
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield Running(process, log, settings)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@asynccontextmanager
async def served(settings: Mapping[str, str]) -> AsyncIterator[Served]:
    """`selfsame serve`, from the moment it answers."""
    with started(settings, "serve") as running:
        await until(lambda: running.process.poll() is not None or ANSWERS.search(running.said()), START_SECONDS)
        found = ANSWERS.search(running.said())
        assert found, running.said()
        yield Served(running.process, running.log, settings, found["url"], found["neo4j"])


def new_keys(settings: Mapping[str, str]) -> tuple[str, str]:
    """A writing and a reading key, made by the command."""
    made = [done(settings, "keys", "create", "--scope", scope).strip() for scope in ("write", "read")]
    return made[0], made[1]


@asynccontextmanager
async def company_of(service: Served, keys: tuple[str, str]) -> AsyncIterator[Company]:
    """Somebody who sends to a service over the network."""
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as http:
        yield Company(http, *keys)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet mourned does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"
