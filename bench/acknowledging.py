"""How long an acknowledgement takes under a steady load, against a bare transaction under the same load.

Requests leave by the clock, whether or not the ones before were answered, so one that waits is not spared its wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import quantiles
from time import perf_counter

import orjson

from bench.ingestion import shop_messages
from bench.report import Ratio
from bench.wire import basic, caller, request
from bench.world import World, emptied, key_for, service
from graph.keys import Scope

TOGETHER = 10
A_SECOND = 30
MESSAGES = 4_500
ROUNDS = 3
WIX_MS = 1_250

BARE = """
UNWIND $rows AS row
MERGE (i:Identifier {key: row.key})
MERGE (x:Interaction {id: row.id})
ON CREATE SET x.text = row.text
MERGE (x)-[:BY]->(i)
"""


async def acknowledging(world: World) -> Sequence[Ratio]:
    """The 99th and the 50th percentile in ms, of messages of the sample company at 300 a second."""
    messages = shop_messages()[:MESSAGES]
    parts = [messages[start : start + TOGETHER] for start in range(0, len(messages), TOGETHER)]
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    with service(world.server) as process:
        for _ in range(ROUNDS + 1):
            await emptied(world.connection)
            key = await key_for(world.connection, Scope.WRITE)
            ours.append(await _steadily(parts, _sender(process.port, key)))
            await emptied(world.connection)
            bare.append(await _steadily(parts, _writer(world)))
    load = f"{TOGETHER * A_SECOND} messages/s, {TOGETHER} a request"
    return [
        Ratio(
            f"acknowledgement, {name} at {load}",
            "a bare transaction",
            "ms",
            [quantiles(each, n=100)[place - 1] for each in ours[1:]],
            [quantiles(each, n=100)[place - 1] for each in bare[1:]],
            goal,
        )
        for name, place, goal in (("p99", 99, f"p99 under {WIX_MS:,} ms, what Wix waits"), ("p50", 50, "none was set"))
    ]


Part = Sequence[Mapping[str, object]]
Send = Callable[[Part], Awaitable[None]]


async def _steadily(parts: Sequence[Part], send: Send) -> list[float]:
    """The milliseconds of each, from the moment at which it was due."""
    start = perf_counter() + 0.1
    times: list[float] = []

    async def one(due: float, part: Part) -> None:
        await asyncio.sleep(max(0.0, due - perf_counter()))
        await send(part)
        times.append((perf_counter() - due) * 1_000)

    async with asyncio.TaskGroup() as tasks:
        for number, part in enumerate(parts):
            tasks.create_task(one(start + number / A_SECOND, part))
    return times


def _sender(port: int, key: str) -> Send:
    async def send(part: Part) -> None:
        connection = await caller(port)
        body = orjson.dumps({"batch": part})
        answer = orjson.loads(await connection.call(request("POST", "/v1/batch", {"Authorization": basic(key)}, body)))
        connection.writer.close()
        if answer["rejected_total"]:
            raise RuntimeError(answer["rejected"])

    return send


def _writer(world: World) -> Send:
    async def send(part: Part) -> None:
        rows = sorted(
            (
                {
                    "key": str(each.get("userId") or each.get("anonymousId")),
                    "id": str(each["messageId"]),
                    "text": orjson.dumps(each).decode(),
                }
                for each in part
            ),
            key=lambda row: row["key"],
        )
        await world.connection.writer.write(lambda tx: tx.rows(BARE, rows=rows))

    return send
