"""Where the processor time of a GraphQL request goes: the same service, asked for more and more of it.

Parts are differences: an answer without GraphQL (HTTP), `{ __typename }` (key, document, limits, counts), the bare
driver with the statement of the portrait, and the portrait itself, whose rest is resolving and shaping. What the
database takes is read from its process. Parsing, validating and measuring a new document is timed by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, process_time

import orjson
import psutil

from bench.crowd import TALKATIVE, crowd
from bench.portraits import OURS, by_driver
from bench.report import Ratio
from bench.wire import Caller, caller, request
from bench.world import World, emptied, key_for, service
from graph.keys import Scope
from resolvers.answering.documents import read_document

CALLERS = 16
SECONDS = 3.0
ROUNDS = 5
WHOLE = "the whole request"


async def layers(world: World) -> Sequence[Ratio]:
    """Five rounds, the parts in turn. The database's share is of the service's and its own time together."""
    await emptied(world.connection)
    await crowd(world.connection)
    headers = {
        "Authorization": f"Bearer {await key_for(world.connection, Scope.READ)}",
        "Content-Type": "application/json",
    }
    database = psutil.Process(world.server.pid)
    parts: dict[str, list[float]] = {"HTTP": [], "key, document, limits": [], "driver": [], "resolve and shape": []}
    whole, stored = list[float](), list[float]()
    with service(world.server) as own:
        process = psutil.Process(own.pid)
        lines = [await caller(own.port) for _ in range(CALLERS)]
        for _ in range(ROUNDS + 1):
            http, _ = await _spent(process, database, _asking(lines, lambda _: request("GET", "/health/live", {})))
            trivial, _ = await _spent(
                process, database, _asking(lines, lambda _: _question(headers, "{ __typename }", 0))
            )
            driver = await _driven(world)
            all_of_it, below = await _spent(process, database, _asking(lines, lambda n: _question(headers, OURS, n)))
            for name, value in zip(parts, (http, trivial - http, driver, all_of_it - trivial - driver), strict=True):
                parts[name].append(value)
            whole.append(all_of_it)
            stored.append(below)
    both = [one + other for one, other in zip(whole, stored, strict=True)]
    shares = [Ratio(name, WHOLE, "µs", values[1:], both[1:], "") for name, values in parts.items()]
    return [*shares, Ratio("database", WHOLE, "µs", stored[1:], both[1:], ""), _cold(both)]


Ask = Callable[[int, int], Awaitable[object]]


def _question(headers: dict[str, str], query: str, person: int) -> bytes:
    variables = {"value": f"u{person}"} if "$value" in query else {}
    return request("POST", "/graphql", headers, orjson.dumps({"query": query, "variables": variables}))


def _asking(lines: Sequence[Caller], sent: Callable[[int], bytes]) -> Ask:
    async def ask(number: int, person: int) -> object:
        return await lines[number].call(sent(person))

    return ask


async def _spent(process: psutil.Process, database: psutil.Process, ask: Ask) -> tuple[float, float]:
    """µs of processor time a request, of the service and of the database."""
    before = _time(process), _time(database)
    answered = await _asked(ask)
    return tuple(  # type: ignore[return-value]  # of the two
        1e6 * (_time(each) - begun) / answered for each, begun in zip((process, database), before, strict=True)
    )


async def _driven(world: World) -> float:
    """µs of processor time of the bare driver, which runs in this process, a statement."""
    before = process_time()
    return 1e6 / await _asked(by_driver(world)) * (process_time() - before)


async def _asked(ask: Ask) -> int:
    answered = 0
    end = perf_counter() + SECONDS

    async def work(number: int) -> None:
        nonlocal answered
        while perf_counter() < end:
            await ask(number, answered * 7 % TALKATIVE + 1)
            answered += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(CALLERS):
            tasks.create_task(work(number))
    return answered


def _time(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _cold(both: Sequence[float]) -> Ratio:
    """What a document costs once: it is parsed, validated, measured; later its text finds it."""
    took = list[float]()
    for _ in range(ROUNDS):
        before = process_time()
        read_document(OURS)
        took.append(1e6 * (process_time() - before))
    return Ratio("parse, validate and measure, once a document", WHOLE, "µs", took, both[1:], "")
