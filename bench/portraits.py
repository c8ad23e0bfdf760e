"""One profile with its contacts, devices and 20 latest interactions, and a list of 100 with 5 each, over GraphQL.

100,000 people, a million interactions. In turn, on the same machine and the same Neo4j: the service with its limits and
keys; `@neo4j/graphql` with Apollo; a minimal Strawberry schema over one Cypher; Starlette and orjson over the Cypher of
the service; the bare driver with that Cypher. The callers run on that machine, too.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter

import orjson

from bench.crowd import TALKATIVE, crowd
from bench.report import Ratio
from bench.rivals.answering import portrait_of
from bench.wire import caller, request
from bench.world import World, announced_port, emptied, key_for, reaching, service
from graph.keys import Scope
from tests.walks.clients.running import installed, node

CALLERS = (1, 16, 64)
LIST_CALLERS = 4
SECONDS = 4.0
ROUNDS = 5
RIVALS = Path(__file__).parent / "rivals"

OURS = """
query Portrait($value: String!) {
  profile(by: {identifier: {namespace: "user_id", value: $value}}) {
    id
    known
    contacts { namespace value }
    devices { namespace value firstSeen lastSeen }
    interactions(first: 20) { edges { node { id at type name channel } } }
  }
}
"""
THEIRS = """
query Portrait($value: String!) {
  contacts(where: {key: {eq: $value}}) {
    profile {
      id
      known
      contacts { namespace value }
      devices { namespace value firstSeen lastSeen }
      interactions(first: 20) { id at type name channel }
    }
  }
}
"""
MINIMAL = """
query Portrait($value: String!) {
  profile(key: $value) {
    id
    known
    contacts { namespace value }
    devices { namespace value firstSeen lastSeen }
    interactions { id at type name channel }
  }
}
"""
OUR_LIST = """
{
  profiles(first: 100) {
    edges { node { id known interactions(first: 5) { edges { node { id at type name channel } } } } }
  }
}
"""
THEIR_LIST = """
{
  profiles(limit: 100, sort: [{id: ASC}]) { id known interactions(first: 5) { id at type name channel } }
}
"""

Ask = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers a second of all callers together, and within how many milliseconds 99 of 100 came."""

    answers: float
    late: float


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that answer. people: what it is asked for each number of a person."""

    name: str
    port: int
    path: str
    headers: Mapping[str, str]
    query: str
    prefix: str = ""

    @asynccontextmanager
    async def asked(self, callers: int, query: str | None = None) -> AsyncIterator[Ask]:
        """A way to ask it by so many connections."""
        headers = {"Content-Type": "application/json", **self.headers}
        lines = [await caller(self.port) for _ in range(callers)]

        async def ask(number: int, person: int) -> None:
            variables = {"value": f"{self.prefix}u{person}"} if query is None else {}
            sent = orjson.dumps({"query": query or self.query, "variables": variables})
            answer = await lines[number].call(request("POST", self.path, dict(headers), sent))
            if b'"errors"' in answer or answer.count(b'"at"') < 20:
                raise RuntimeError(answer.decode())

        try:
            yield ask
        finally:
            for line in lines:
                line.writer.close()


async def portraits(world: World) -> Sequence[Ratio]:
    """Five rounds at each number of callers, all sides in turn, after one that warms them up."""
    await emptied(world.connection)
    await crowd(world.connection)
    async with _sides(world) as (ours, theirs, minimal, plain):
        found: list[Ratio] = []
        for callers in CALLERS:
            found += await _compared(world, [ours, theirs, minimal, plain], callers)
        found += await _listed(ours, theirs)
    return found


@asynccontextmanager
async def _sides(world: World) -> AsyncIterator[tuple[Side, Side, Side, Side]]:
    key = await key_for(world.connection, Scope.READ)
    async with AsyncExitStack() as stack:
        own = stack.enter_context(service(world.server))
        apollo = stack.enter_context(_program(world, node(), RIVALS / "neo4j_graphql.cjs"))
        strawberry = stack.enter_context(_program(world, sys.executable, "-m", "bench.rivals.minimal"))
        starlette = stack.enter_context(_program(world, sys.executable, "-m", "bench.rivals.plain"))
        yield (
            Side("the service", own.port, "/graphql", {"Authorization": f"Bearer {key}"}, OURS),
            Side("@neo4j/graphql on Apollo", apollo, "/", {}, THEIRS, "user_id:"),
            Side("minimal Strawberry", strawberry, "/graphql/", {}, MINIMAL, "user_id:"),
            Side("Starlette, orjson, same Cypher", starlette, "/graphql", {}, OURS),
        )


async def _compared(world: World, sides: Sequence[Side], callers: int) -> list[Ratio]:
    rates: dict[str, list[Rate]] = {side.name: [] for side in sides}
    bare = rates["bare driver, same Cypher"] = []
    for _ in range(ROUNDS + 1):
        for side in sides:
            async with side.asked(callers) as ask:
                rates[side.name].append(await _rate(ask, callers))
        bare.append(await _rate(by_driver(world), callers))
    ours = rates.pop(sides[0].name)[1:]
    return [
        ratio
        for name, theirs in rates.items()
        for ratio in _ratios(f"one profile, {callers} callers", name, ours, theirs[1:], GOALS.get((name, callers), ""))
    ]


GOALS = {
    ("@neo4j/graphql on Apollo", 16): "at least 1.5",
    ("Starlette, orjson, same Cypher", 16): "at least 0.85",
}


def _ratios(
    what: str, against: str, ours: Sequence[Rate], theirs: Sequence[Rate], goal: str, late: str = ""
) -> Sequence[Ratio]:
    """The answers a second, and the 99th percentiles, of which a smaller one is better."""
    return (
        Ratio(what, against, "answers/s", [each.answers for each in ours], [each.answers for each in theirs], goal),
        Ratio(f"{what}, p99", against, "ms", [each.late for each in ours], [each.late for each in theirs], late),
    )


async def _listed(ours: Side, theirs: Side) -> Sequence[Ratio]:
    mine, others = list[Rate](), list[Rate]()
    for _ in range(ROUNDS + 1):
        for side, query, rates in ((ours, OUR_LIST, mine), (theirs, THEIR_LIST, others)):
            async with side.asked(LIST_CALLERS, query) as ask:
                rates.append(await _rate(ask, LIST_CALLERS))
    what = f"100 profiles with 5 interactions each, {LIST_CALLERS} callers"
    return _ratios(what, theirs.name, mine[1:], others[1:], "at least 2")


def by_driver(world: World) -> Ask:
    """The statement of the portrait by the bare driver."""

    async def ask(_: int, person: int) -> None:
        async with world.connection.driver.session(database="neo4j", default_access_mode="READ") as session:
            result = await session.run(*portrait_of(f"u{person}"))
            if not (await result.single(strict=True))[0]:
                raise RuntimeError(str(person))

    return ask


async def _rate(ask: Ask, callers: int) -> Rate:
    people = cycle(range(1, TALKATIVE + 1, 7))
    took = list[float]()
    start = perf_counter()

    async def work(number: int) -> None:
        while (begun := perf_counter()) < start + SECONDS:
            await ask(number, next(people))
            took.append(perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(work(number))
    seconds = perf_counter() - start
    return Rate(len(took) / seconds, 1_000 * sorted(took)[int(0.99 * len(took))])


@contextmanager
def _program(world: World, *command: str | Path) -> Iterator[int]:
    """The port of a rival on the Neo4j of the bench, from when it answers."""
    found = {"NODE_PATH": str(installed(RIVALS) / "node_modules")}
    with subprocess.Popen(command, env=reaching(world.server) | found, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield announced_port(process)
        finally:
            process.terminate()
            process.wait(timeout=60)
