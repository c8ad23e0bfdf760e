"""100,000 people leave a segment at once, against the bare driver ending as many memberships that nobody is told of."""

from time import perf_counter

from bench.report import Ratio
from bench.telling import policy
from bench.world import World, emptied
from graph.connection import Connection, Transaction
from graph.endpoints import Endpoint, EndpointState, Topic, keep_endpoint, remove_endpoint
from graph.feed import number_entries
from graph.owing import owe
from graph.policies import PolicyHeld
from graph.segment_members import AT_ONCE, keep_members
from graph.segments import define_segment, remove_segment
from identity.messages import micros
from insight.segments import Comparison, TraitIs
from selfsame.clock import mint, now

MANY = 100_000
ROUNDS = 3
PEOPLE = """
UNWIND $rows AS row
CREATE (i:Identifier:Contact {key: 'user_id:' + row.number, namespace: 'user_id', value: toString(row.number),
  mint: row.mint, minted_at: 1, first_seen: 1, last_seen: 1})-[:IDENTIFIES]->(:Profile {id: row.mint, known: true,
  shared: false, first_seen: 1, last_seen: 1, t_city: 'Oslo'})
"""
MEMBERS = """
UNWIND $mints AS mint
MATCH (i:Identifier {mint: mint})
MERGE (segment:BareSegment {key: 'bare'})
CREATE (i)-[:WAS_IN {entered: 1, of: 'bare', who: mint}]->(segment)
"""
ENDED = """
UNWIND $mints AS mint
MATCH (:Identifier)-[was:WAS_IN]->(:BareSegment)
USING INDEX SEEK was:WAS_IN(of, who)
WHERE was.of = 'bare' AND was.who = mint
SET was.left = 2
REMOVE was.of, was.who
"""


async def leaving(world: World) -> Ratio:
    """People a second until each who left is told to whoever is owed it; the rounds of both in turn."""
    await emptied(world.connection)
    mints = [mint() for _ in range(MANY)]
    for start in range(0, MANY, AT_ONCE):
        rows = [{"number": number, "mint": mints[number]} for number in range(start, start + AT_ONCE)]
        await world.connection.writer.command(PEOPLE, rows=rows)
    topics = (Topic.SEGMENT_ENTERED, Topic.SEGMENT_LEFT)
    endpoint = Endpoint("bench", "http://a.example", topics, "", 0, EndpointState.PAUSED)
    await keep_endpoint(world.connection.writer, endpoint)
    ours: list[float] = []
    ceiling: list[float] = []
    for _ in range(ROUNDS):
        ours.append(await _left(world.connection))
        ceiling.append(await _ended(world.connection, mints))
    await remove_segment(world.connection.writer, "bench")
    await remove_endpoint(world.connection.writer, endpoint.id)
    return Ratio("100,000 leave a segment", "the bare driver ends it", "people/s", ours, ceiling, "none was set")


async def _left(connection: Connection) -> float:
    for city in ("Oslo", "Bergen"):
        await define_segment(connection.writer, "bench", TraitIs("city", Comparison.EQUALS, city), micros(now()))
        start = perf_counter()
        await _followed(connection)
    return MANY / (perf_counter() - start)


async def _followed(connection: Connection) -> None:
    """What the background of the service does, without its pauses."""
    held = PolicyHeld(policy())
    while await keep_members(connection, held, micros(now())):
        await number_entries(connection)
        while await owe(connection):
            pass


async def _ended(connection: Connection, mints: list[str]) -> float:
    async def ended(tx: Transaction, some: list[str]) -> None:
        await tx.rows(ENDED, mints=some)

    parts = [mints[start : start + AT_ONCE] for start in range(0, MANY, AT_ONCE)]
    for some in parts:
        await connection.writer.command(MEMBERS, mints=some)
    start = perf_counter()
    for some in parts:
        await connection.writer.write(ended, some)
    return MANY / (perf_counter() - start)
