"""A start of the service with its own local Neo4j, against the start of that Neo4j alone; and what memory it takes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.report import Ratio
from bench.world import PROGRAM, World, announced_port

ROUNDS = 3


async def starts(_world: World) -> Ratio:
    """Seconds from the command to readiness, on data that an earlier start has made; three rounds in turn.

    Memory is what is resident right after: of the service's process, and of its Neo4j.
    """
    ours: list[float] = []
    ceiling: list[float] = []
    memory: list[tuple[int, int]] = []
    with tempfile.TemporaryDirectory(prefix="selfsame-bench-") as folder:
        for _ in range(ROUNDS + 1):
            with _service(Path(folder)) as (seconds, process):
                ours.append(seconds)
                memory.append((_resident_mb([process]), _resident_mb(_children(process))))
            with _neo4j(Path(folder)) as (seconds, _):
                ceiling.append(seconds)
    service_mb, neo4j_mb = (median(each) for each in zip(*memory[1:], strict=True))
    against = f"Neo4j alone (resident: service {service_mb:,.0f} MB, Neo4j {neo4j_mb:,.0f} MB)"
    return Ratio("start", against, "s", ours[1:], ceiling[1:], "within 1.5 times")


@contextmanager
def _service(data: Path) -> Iterator[tuple[float, int]]:
    environment = {"SELFSAME_PORT": "0", "SELFSAME_DATA_DIR": str(data)}
    with _started([str(PROGRAM), "serve"], environment) as (process, start):
        announced_port(process)
        yield perf_counter() - start, process.pid


@contextmanager
def _neo4j(data: Path) -> Iterator[tuple[float, int]]:
    with _started([sys.executable, "-m", "graph.server", str(data)], {}) as (process, start):
        assert process.stdout
        for _ in range(3):
            process.stdout.readline()
        yield perf_counter() - start, process.pid


@contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple["subprocess.Popen[str]", float]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SELFSAME_")}
    start = perf_counter()
    with subprocess.Popen(
        command, env={**kept, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, start
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _children(process: int) -> list[int]:
    listed = _ps(["-o", "pid=,ppid=", "-A"])
    pairs = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, parent in pairs if int(parent) == process]


def _resident_mb(processes: Sequence[int]) -> int:
    return sum(int(_ps(["-o", "rss=", "-p", str(each)])) for each in processes) // 1024


def _ps(arguments: Sequence[str]) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=True).stdout  # noqa: S607
