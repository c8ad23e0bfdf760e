"""What reading requests costs: the service as it is, against the same endpoint that stores nothing.

Processor time is that of the service and its Neo4j together, as the operating system counts it.
"""

import sys
from collections.abc import Sequence

import psutil

from bench.ingestion import sent, shop_messages
from bench.report import Ratio
from bench.world import World, emptied, key_for, service
from graph.keys import Scope

CALLERS = 16
WARM_UP = 2
ROUNDS = 3


async def parsing(world: World) -> Sequence[Ratio]:
    """Messages a second of both, and the processor seconds of reading beside those of all, in turn."""
    messages = shop_messages()
    rates: tuple[list[float], list[float]] = ([], [])
    spent: tuple[list[float], list[float]] = ([], [])
    with service(world.server) as whole, service(world.server, sys.executable, "-m", "bench.parse_only") as reader:
        for _ in range(WARM_UP + ROUNDS):
            await emptied(world.connection)
            key = await key_for(world.connection, Scope.WRITE)
            for side, (process, pids) in enumerate(((whole, (whole.pid, world.server.pid)), (reader, (reader.pid,)))):
                before = _processor_seconds(pids)
                rates[side].append(len(messages) / await sent(messages, process.port, key, CALLERS))
                spent[side].append(_processor_seconds(pids) - before)
    return [
        Ratio(
            f"ingestion, {CALLERS} callers",
            "the same without storing",
            "messages/s",
            rates[0][WARM_UP:],
            rates[1][WARM_UP:],
            "none was set",
        ),
        Ratio(
            f"processor time of reading {len(messages):,} messages",
            "reading and storing, with Neo4j's",
            "s",
            spent[1][WARM_UP:],
            spent[0][WARM_UP:],
            "at most 0.10",
        ),
    ]


def _processor_seconds(pids: Sequence[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(each.user + each.system for each in times))
