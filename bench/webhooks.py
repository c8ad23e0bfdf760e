"""10,000 messages due to one receiver on this machine, against sending as many that nobody has to remember."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import anyio

from bench.report import Ratio
from bench.world import World, emptied
from destinations.deliveries import AT_ONCE, Delivering
from destinations.webhooks import Letter, send
from graph.connection import Connection
from graph.endpoints import Endpoint, Topic, keep_endpoint, new_secret, remove_endpoint
from identity.messages import micros
from selfsame.clock import now

MANY = 10_000
ROUNDS = 3
DUE = """
UNWIND range(1, $many) AS n
CREATE (:WebhookDelivery {id: 'msg_' + $endpoint + n, endpoint: $endpoint, seq: n, type: 'profile.changed', at: $now,
  body: '{"type":"profile.changed","data":{"profiles":["' + randomUUID() + '"],"sequence":"' + n + '"}}',
  tries: 0, due_at: $now})
"""


async def webhooks(world: World) -> Ratio:
    """Messages a second; the rounds of both in turn."""
    await emptied(world.connection)
    ours: list[float] = []
    ceiling: list[float] = []
    with _receiver() as url:
        for number in range(ROUNDS):
            ours.append(await _delivered(world.connection, f"e{number}", url))
            ceiling.append(await _sent(url))
    return Ratio("webhooks out", "sent and forgotten", "messages/s", ours, ceiling, "none was set")


@contextmanager
def _receiver() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.receiving"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/told"
        finally:
            process.stdin.close()


async def _delivered(connection: Connection, id_: str, url: str) -> float:
    endpoint = Endpoint(id_, url, (Topic.PROFILE_CHANGED,), new_secret(), micros(now()))
    await keep_endpoint(connection.writer, endpoint)
    await connection.writer.command(DUE, many=MANY, endpoint=id_, now=micros(now()))
    telling = Delivering(connection, now, private=True)
    start = perf_counter()
    async with telling.opened():
        await telling.go_on()
        while telling.running:  # noqa: ASYNC110 -- a lane tells nobody that it has come to its end
            await anyio.sleep(0.01)
        seconds = perf_counter() - start
    await remove_endpoint(connection.writer, id_)
    return MANY / seconds


async def _sent(url: str) -> float:
    secret, body = new_secret(), '{"type":"profile.changed","data":{"profiles":["x"],"sequence":"1"}}'
    start = perf_counter()
    for begin in range(0, MANY, AT_ONCE):
        async with anyio.create_task_group() as tasks:
            for number in range(begin, begin + AT_ONCE):
                tasks.start_soon(send, Letter(f"msg_{number}", url, body, [secret], private=True), now())
    return MANY / (perf_counter() - start)
