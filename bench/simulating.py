"""Another policy tried on 1,000,000 stored links by `selfsame policy simulate`, against reading those links alone.

250,000 people with four identifiers each, of whom two messages tell; one in fifty links a device to somebody else,
too. The graph is written by Cypher as ingestion leaves it, as far as a simulation looks at it. Ours is the whole
command in a process of its own, from its start; the floor reads the same pages in this process and keeps their columns.

`simulating` has a candidate that says when a device is generic: the links are stitched again. `rehearing` has the
preset `shop`, under which a message with an address could say something else: what all 500,000 name is read again.
"""

import random
import resource
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from bench.report import Ratio
from bench.telling import policy
from bench.world import PROGRAM, World, emptied, reaching
from graph.columns import read_history
from identity.policy_writing import policy_text

PEOPLE = 250_000
SHARED = 0.02
TOGETHER = 5_000
ROUNDS = 3
START = 1_767_225_600_000_000

# only creates: everything of one person hangs together
PERSON = """
UNWIND $rows AS row
WITH row, {first_seen: row.at, last_seen: row.at, minted_at: row.at, sighted: true, interactions: 0} AS seen, {
  kind: 'cooccur', authority: 'claimed', source: 'bench', first_seen: row.at, last_seen: row.at, recorded_at: row.at,
  sure: true, count: 1, message: 'bench:' + row.n, accepted: true, steps: row.steps
} AS said
CREATE (p:Profile {id: 'u' + row.n, known: true, shared: false, first_seen: row.at, last_seen: row.at})
CREATE (user:Identifier:Contact {key: 'user_id:u' + row.n, namespace: 'user_id', value: 'u' + row.n, mint: 'u' + row.n})
CREATE (email:Identifier:ContactPoint {
  key: 'email:p' + row.n + '@x.com', namespace: 'email', value: 'p' + row.n + '@x.com', mint: 'e' + row.n
})
CREATE (one:Identifier:Device {
  key: 'anonymous_id:a' + row.n, namespace: 'anonymous_id', value: 'a' + row.n, mint: 'a' + row.n
})
CREATE (other:Identifier:Device {
  key: 'anonymous_id:b' + row.n, namespace: 'anonymous_id', value: 'b' + row.n, mint: 'b' + row.n
})
SET user += seen, email += seen, one += seen, other += seen
CREATE (user)-[:IDENTIFIES]->(p), (email)-[:IDENTIFIES]->(p), (one)-[:IDENTIFIES]->(p), (other)-[:IDENTIFIES]->(p)
CREATE (email)-[first:LINKED]->(user), (one)-[second:LINKED]->(user), (one)-[third:LINKED]->(email),
  (other)-[fourth:LINKED]->(user)
SET first = said, second = said, third = said, fourth = said
WITH row, user, [
  [row.n, '[["user_id","u' + row.n + '","userId"],["email","p' + row.n + '@x.com","traits.email"],["anonymous_id","a'
    + row.n + '","anonymousId"]]'],
  ['other-' + row.n, '[["user_id","u' + row.n + '","userId"],["anonymous_id","b' + row.n + '","anonymousId"]]']
] AS messages
UNWIND messages AS message
CREATE (i:Interaction {
  id: 'bench:' + message[0], source: 'bench', type: 'identify', at: row.at, own_time: row.at, received_at: row.at,
  recorded_at: row.at, identifiers: message[1], authority: 'claimed', actor: 'user_id:u' + row.n
})
CREATE (i)-[:BY]->(user)
"""

# identifier_key (unique); who used the device first keeps it
ELSEWHERE = """
UNWIND $rows AS row
MATCH (device:Identifier {key: 'anonymous_id:a' + row.n})
USING INDEX SEEK device:Identifier(key)
MATCH (user:Identifier {key: 'user_id:u' + row.other})
USING INDEX SEEK user:Identifier(key)
CREATE (device)-[:LINKED {
  kind: 'cooccur', authority: 'claimed', source: 'bench', first_seen: row.at, last_seen: row.at, recorded_at: row.at,
  sure: true, count: 1, message: 'bench:again-' + row.n, accepted: false, reason: 'unique', steps: row.steps
}]->(user)
"""


async def simulating(world: World) -> Ratio:
    """Seconds a simulation, three rounds; what the command held at most is printed beside."""
    await _grown(world)
    ruling = policy()
    namespaces = {**ruling.namespaces, "anonymous_id": replace(ruling.namespaces["anonymous_id"], generic_above=1)}
    with tempfile.TemporaryDirectory(prefix="selfsame-bench-") as folder:
        candidate = Path(folder, "candidate.toml")
        candidate.write_text(policy_text(replace(ruling, namespaces=namespaces)), "utf-8")  # noqa: ASYNC240 - alone
        return await _measured(world, "simulating a policy on 1,000,000 links", str(candidate))


async def rehearing(world: World) -> Ratio:
    """Seconds a simulation that asks all messages, three rounds, as `simulating`, on the graph that it leaves."""
    await _grown(world)
    return await _measured(world, "simulating one that asks 500,000 messages, too", "shop")


async def _measured(world: World, name: str, candidate: str) -> Ratio:
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_simulated(world, candidate))
        floor.append(await _read(world))
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{name}: at most {held:,} MB in the command's process", flush=True)
    return Ratio(name, "reading them", "s", ours, floor, "under 60 s, under 4 GB")


async def _grown(world: World) -> None:
    """Write the history, where the benchmark before has not."""
    if await world.connection.reader.rows("MATCH (i:Interaction {id: 'bench:other-0'}) RETURN i.id AS id"):
        return
    await emptied(world.connection)
    chance = random.Random(1)  # noqa: S311 - no secret
    for first in range(0, PEOPLE, TOGETHER):
        rows = [_row(number) for number in range(first, first + TOGETHER)]
        again = [{**row, "other": str(chance.randrange(first + 1))} for row in rows if chance.random() < SHARED]
        await world.connection.driver.execute_query(PERSON, rows=rows)
        await world.connection.driver.execute_query(ELSEWHERE, rows=again)


def _row(number: int) -> dict[str, object]:
    at = START + number * 1_000
    return {"n": str(number), "at": at, "steps": f'[[{at},{at},true,"claimed"]]'}


def _simulated(world: World, candidate: str) -> float:
    begun = perf_counter()
    command = [str(PROGRAM), "policy", "simulate", candidate]
    subprocess.run(command, env=reaching(world.server), check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - begun


async def _read(world: World) -> float:
    begun = perf_counter()
    await read_history(world.connection.reader)
    return perf_counter() - begun
