"""A file into an empty graph, by a load in batches and by a first load, against the bare driver and the importer alone.

The file holds the web calls of the sample company, several times over and each time of other people. The ceiling of the
bare driver is that of `ingestion`: it creates what the load left. `python -m bench.loading FILE` does one first load in
a process of its own and prints how long each step took, in seconds and in processor seconds of all its processes (which
say more on a machine that others use), and the megabytes that Python held at most.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import orjson

from bench.bare import left_in, written
from bench.ingestion import shop_messages
from bench.report import Ratio
from bench.telling import policy
from bench.world import World, emptied
from graph.connection import connected
from graph.first_load.gathering import Gathering
from graph.first_load.writing import completed
from graph.ingestion import Outcome, commit_batch
from graph.migrations import migrate
from graph.pending import drain_pending
from graph.server.configuration import ServerSettings
from graph.server.local import import_local, local_neo4j
from identity.messages import Message, SourceName, micros
from loaders.first_load import Gatherer, Part
from loaders.runs import Into, load_file
from loaders.sources import Source
from selfsame.clock import mint, now

WEB = Source(name=SourceName("web"))
COPIES = 5
WARM_UP = 1
ROUNDS = 3


async def loading(world: World) -> Ratio:
    """Rows a second of a load in batches, and of the bare driver, in turn; a Neo4j that has run before."""
    ours: list[float] = []
    ceiling: list[float] = []
    with TemporaryDirectory(prefix="selfsame-bench-") as folder:
        path = Path(folder, "web.jsonl")
        rows = write_rows(path, COPIES)
        for _ in range(WARM_UP + ROUNDS):
            await emptied(world.connection)
            ours.append(rows / await _in_batches(world, path))
            left = await left_in(world.connection.driver)
            await emptied(world.connection)
            ceiling.append(rows / await written(world.connection.driver, left))
    return Ratio("a load in batches", "bare driver", "rows/s", ours[WARM_UP:], ceiling[WARM_UP:], "at least 0.7")


async def first_loading(world: World) -> Ratio:
    """Rows a second of a first load with all its starts, against the bare driver, three rounds in turn."""
    ours: list[float] = []
    ceiling: list[float] = []
    with TemporaryDirectory(prefix="selfsame-bench-") as folder:
        path = Path(folder, "web.jsonl")
        rows = write_rows(path, COPIES)
        await emptied(world.connection)
        await _in_batches(world, path)
        left = await left_in(world.connection.driver)
        for _ in range(ROUNDS):
            ours.append(rows / _at_first(path))
            await emptied(world.connection)
            ceiling.append(rows / await written(world.connection.driver, left))
    return Ratio("a first load", "bare driver", "rows/s", ours, ceiling, "none was set")


def write_rows(path: Path, copies: int) -> int:
    """Write the web calls so many times over, each time of other people; how many rows that are."""
    messages = shop_messages()
    with path.open("wb") as file:
        for copy in range(copies):
            for each in messages:
                file.write(orjson.dumps(_of_others(each, copy)) + b"\n")
    return copies * len(messages)


def _of_others(message: Mapping[str, object], copy: int) -> dict[str, object]:
    names = ("messageId", "userId", "anonymousId", "previousId")
    found = {**message, **{name: f"{copy}-{message[name]}" for name in names if message.get(name)}}
    traits = message.get("traits")
    if isinstance(traits, dict) and traits.get("email"):
        found["traits"] = {**traits, "email": f"{copy}.{traits['email']}"}
    return found


async def _in_batches(world: World, path: Path) -> float:
    """Seconds from the first row that is read to the last that is committed."""
    ruling = policy()

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(world.connection.writer, messages, ruling, mint, now())

    start = perf_counter()
    await load_file(path, WEB, Into(world.connection, commit, mint, now))
    return perf_counter() - start


def _at_first(path: Path) -> float:
    command = [sys.executable, "-m", "bench.loading", str(path)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(said, flush=True)
    return float(said.splitlines()[-1].split()[0])


@contextmanager
def _step(name: str) -> Iterator[None]:
    begun, worked = perf_counter(), _worked()
    yield
    print(f"{name}: {perf_counter() - begun:.1f} s, {_worked() - worked:.1f} s of processors")


def _worked() -> float:
    """Processor seconds of this process and of those that it has seen end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


async def _measured(path: Path) -> None:
    """One first load, step by step; the last line begins with its seconds."""
    ruling, begun = policy(), perf_counter()
    with TemporaryDirectory(prefix="selfsame-bench-") as folder:
        settings = ServerSettings(Path(folder, "data"), heap_mb=1_024)
        settings.data_dir.mkdir()
        with Gathering(Path(folder), ruling, micros(now())) as gathering:
            with _step("reading and gathering"):
                report = await Gatherer(gathering, mint, now).read(Part(path, WEB), lambda _: None)
            with _step("stitching and writing the files"):
                made = completed(gathering, ruling, (), "web", mint, lambda _: None)
            with _step("Neo4j's importer"):
                await import_local(settings, made.arguments, made.hold)
        with _step("start, indexes, what waits, stop"):
            await _opened(settings)
        seconds = perf_counter() - begun
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        hold = made.hold
    print(
        f"{report.counts.committed:,} messages, {hold.nodes:,} nodes, {hold.relationships:,} relationships, "
        f"{hold.size >> 20:,} MB of files; Python held {held:,} MB at most"
    )
    print(f"{seconds:.1f} s in all")


async def _opened(settings: ServerSettings) -> None:
    async with local_neo4j(settings) as server, connected(server.uri, server.user, server.password) as connection:
        await migrate(connection.writer, now())
        await drain_pending(connection.writer, policy(), micros(now()))


if __name__ == "__main__":
    anyio.run(_measured, Path(sys.argv[1]))
