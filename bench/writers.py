"""Four writers that meet at 50 hot identifiers, against one that has them for itself. None may lose a message."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from time import perf_counter

from bench.report import Ratio
from bench.telling import policy, said
from bench.world import World, emptied
from graph.ingestion import Status, commit_batch
from identity.messages import Message
from selfsame.clock import mint, now

HOT = 50
MESSAGES = 8_000
TOGETHER = 100
WRITERS = 4
WARM_UP = 1
ROUNDS = 3


async def writers(world: World) -> Ratio:
    """Messages a second, in turn on an empty graph. Raises RuntimeError when one is lost."""
    four: list[float] = []
    one: list[float] = []
    deadlocks = 0
    for number in range(WARM_UP + ROUNDS):
        with _deadlocks() as met:
            four.append(await _written(world, WRITERS, number))
        deadlocks += len(met)
        one.append(await _written(world, 1, number))
    name = f"{WRITERS} writers at {HOT} hot identifiers, none lost, {deadlocks} deadlocks tried again"
    return Ratio(name, "one writer", "messages/s", four[WARM_UP:], one[WARM_UP:], "no message lost")


def _hot(number: int, random: Random) -> Message:
    """One of 50 people on one of her three devices, in no order."""
    who = random.randrange(HOT)
    return said(f"hot-{number}", number, user=f"hot-{who}", cookie=f"hot-{who}-{random.randrange(3)}")


async def _written(world: World, many: int, seed: int) -> float:
    await emptied(world.connection)
    random, ruling = Random(seed), policy()  # noqa: S311 - messages, no secrets
    messages = [_hot(number, random) for number in range(MESSAGES)]
    waiting = iter([messages[start : start + TOGETHER] for start in range(0, MESSAGES, TOGETHER)])
    committed: list[Status] = []

    async def work() -> None:
        for each in waiting:
            outcomes = await commit_batch(world.connection.writer, each, ruling, mint, now())
            committed.extend(outcome.status for outcome in outcomes)

    start = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(many):
            tasks.create_task(work())
    seconds = perf_counter() - start
    await _all_there(world, committed)
    return MESSAGES / seconds


async def _all_there(world: World, committed: Sequence[Status]) -> None:
    rows = await world.connection.reader.rows("MATCH (i:Interaction) RETURN count(i) AS stored")
    if committed.count(Status.COMMITTED) != MESSAGES or rows[0]["stored"] != MESSAGES:
        raise RuntimeError(f"{rows[0]['stored']:,} of {MESSAGES:,} messages are stored")


@contextmanager
def _deadlocks() -> Iterator[list[str]]:
    """Collects what the driver says of deadlocks that it tries again."""
    met: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "DeadlockDetected" in (text := record.getMessage()):
                met.append(text)

    driver, listener = logging.getLogger("neo4j"), Listener()
    driver.addHandler(listener)
    try:
        yield met
    finally:
        driver.removeHandler(listener)
