"""Ingestion through HTTP with stitching, from 1 to 64 callers, against the bare driver writing what it left.

The messages are those of the sample company's web shop and app, for another seed than the demo's, as a Segment client
sends them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter

import orjson

from bench.bare import chunks, left_in, written
from bench.report import Ratio
from bench.wire import basic, caller, request
from bench.world import World, emptied, key_for, service
from graph.keys import Scope
from selfsame.demo.fernhill import fernhill, web_calls
from selfsame.demo.web import segment_message

SEED = 1
CALLERS = (16, 1, 4, 64)
PER_REQUEST = 100  # what the clients send at once by default
WARM_UP = 2
ROUNDS = 3


async def ingestion(world: World) -> Sequence[Ratio]:
    """Messages a second for each number of callers, and the ceiling, in turn, each on an empty graph.

    The first rounds warm up: a JVM compiles what it runs often.
    """
    messages = shop_messages()
    ours: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    ceiling: list[float] = []
    with service(world.server) as process:
        for _ in range(WARM_UP + ROUNDS):
            for callers in CALLERS:
                await emptied(world.connection)
                key = await key_for(world.connection, Scope.WRITE)
                ours[callers].append(len(messages) / await sent(messages, process.port, key, callers))
            left = await left_in(world.connection.driver)
            await emptied(world.connection)
            ceiling.append(len(messages) / await written(world.connection.driver, left))
    return [
        Ratio(
            f"ingestion, {callers} caller{'s' if callers > 1 else ''} with {PER_REQUEST} a request",
            "bare driver",
            "messages/s",
            ours[callers][WARM_UP:],
            ceiling[WARM_UP:],
            "at least 0.7" if callers == CALLERS[0] else "none was set",
        )
        for callers in CALLERS
    ]


def shop_messages() -> list[Mapping[str, object]]:
    """What a client of the sample company sends."""
    return [segment_message(call) for call in web_calls(fernhill(SEED))]


def batches(messages: Sequence[Mapping[str, object]], key: str) -> list[bytes]:
    """The requests that send these messages."""
    return [
        request("POST", "/v1/batch", {"Authorization": basic(key)}, orjson.dumps({"batch": list(each)}))
        for each in chunks(messages, PER_REQUEST)
    ]


async def sent(messages: Sequence[Mapping[str, object]], port: int, key: str, callers: int) -> float:
    """Seconds until everything is acknowledged. Every caller sends its share in order, a request at a time."""
    waiting = iter(batches(messages, key))

    async def work() -> None:
        connection = await caller(port)
        for each in waiting:
            answer = orjson.loads(await connection.call(each))
            if answer["rejected_total"]:
                raise RuntimeError(answer["rejected"])

    start = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(work())
    return perf_counter() - start
