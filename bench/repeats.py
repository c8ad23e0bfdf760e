"""How fast what is known already is refused: the same requests again, against the first time."""

from bench.ingestion import sent, shop_messages
from bench.report import Ratio
from bench.world import World, emptied, key_for, service
from graph.keys import Scope

CALLERS = 16
WARM_UP = 2
ROUNDS = 3


async def repeats(world: World) -> Ratio:
    """Messages a second, repeats and new ones in turn. Raises RuntimeError when a repeat left anything."""
    messages = shop_messages()
    again: list[float] = []
    first: list[float] = []
    with service(world.server) as process:
        for _ in range(WARM_UP + ROUNDS):
            await emptied(world.connection)
            key = await key_for(world.connection, Scope.WRITE)
            first.append(len(messages) / await sent(messages, process.port, key, CALLERS))
            before = await _stored(world)
            again.append(len(messages) / await sent(messages, process.port, key, CALLERS))
            if await _stored(world) != before:
                raise RuntimeError("a repeat changed how much is stored")
    return Ratio("repeats refused", "new messages", "messages/s", again[WARM_UP:], first[WARM_UP:], "none was set")


async def _stored(world: World) -> tuple[int, int]:
    rows = await world.connection.reader.rows("RETURN COUNT { () } AS nodes, COUNT { ()-->() } AS relationships")
    return rows[0]["nodes"], rows[0]["relationships"]
