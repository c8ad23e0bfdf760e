"""Ingestion through HTTP with stitching, against the bare driver writing the same nodes and relationships.

The messages are those of the sample company's web shop and app, for another seed than the demo's, as a Segment client
sends them. The ceiling creates what our run left, under the same constraints and indexes, in UNWIND batches of 1,000:
nodes by their labels, then relationships by their type, whose ends it finds by the unique key. Two writers share the
batches, the best number for bare writes (design.md §5), and lock what a batch of relationships ends at before they
write it. It reads nothing and decides nothing; no node, relationship or property is left out but the keys and the
migrations.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

import orjson
from neo4j import AsyncDriver

from bench.report import Ratio
from bench.wire import basic, caller, request
from bench.world import World, emptied, key_for, service
from graph.keys import Scope
from selfsame.demo.fernhill import fernhill, web_calls
from selfsame.demo.web import segment_message

SEED = 1
CALLERS = 16
PER_REQUEST = 100  # what the clients send at once by default
PER_UNWIND = 1_000
WRITERS = 2
WARM_UP = 2
ROUNDS = 3

ID = frozenset({"Profile", "Interaction"})  # the unique property of all others is `key`
SHARED = frozenset({"Identifier", "Profile", "Account", "Product", "Order"})


async def ingestion(world: World) -> Ratio:
    """Messages a second, ours and the ceiling in turn, each on an empty graph and with statements planned before.

    The first rounds warm up: a JVM compiles what it runs often.
    """
    messages = [segment_message(call) for call in web_calls(fernhill(SEED))]
    ours: list[float] = []
    ceiling: list[float] = []
    with service(world.server) as port:
        for _ in range(WARM_UP + ROUNDS):
            await emptied(world.connection)
            key = await key_for(world.connection, Scope.WRITE)
            ours.append(len(messages) / await _sent(messages, port, key))
            left = await _left(world.connection.driver)
            await emptied(world.connection)
            ceiling.append(len(messages) / await _written(world.connection.driver, left))
    goal = "at least 0.4, later 0.7"
    return Ratio("ingestion", "bare driver", "messages/s", ours[WARM_UP:], ceiling[WARM_UP:], goal)


async def _sent(messages: Sequence[dict[str, object]], port: int, key: str) -> float:
    """Seconds until everything is acknowledged. Every caller sends its share in order, a request at a time."""
    requests = [
        request("POST", "/v1/batch", {"Authorization": basic(key)}, orjson.dumps({"batch": list(each)}))
        for each in _chunks(messages, PER_REQUEST)
    ]
    waiting = iter(requests)

    async def work() -> None:
        connection = await caller(port)
        for each in waiting:
            answer = orjson.loads(await connection.call(each))
            if answer["rejected_total"]:
                raise RuntimeError(answer["rejected"])

    start = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(work())
    return perf_counter() - start


Rows = Sequence[dict[str, Any]]
Left = tuple[Mapping[str, Rows], Mapping[tuple[str, str, str], Rows]]

NODES = """
MATCH (n)
WHERE NOT n:Migration AND NOT n:MigrationLock AND NOT n:ApiKey
RETURN labels(n) AS labels, properties(n) AS properties
"""

RELATIONSHIPS = """
MATCH (a)-[r]->(b)
RETURN labels(a) AS from, labels(b) AS to, coalesce(a.key, a.id) AS a, coalesce(b.key, b.id) AS b,
  type(r) AS type, properties(r) AS properties
"""


async def _left(driver: AsyncDriver) -> Left:
    """The nodes by their labels, and the relationships by the labels of their ends and their type."""
    nodes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    relationships: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    async with driver.session() as session:
        async for row in await session.run(NODES):
            nodes[":".join(sorted(row["labels"], key=_anchor_first))].append(row["properties"])
        async for row in await session.run(RELATIONSHIPS):
            ends = (min(row["from"], key=_anchor_first), row["type"], min(row["to"], key=_anchor_first))
            relationships[ends].append({"a": row["a"], "b": row["b"], "properties": row["properties"]})
    return nodes, relationships


def _anchor_first(label: str) -> tuple[bool, str]:
    return (label != "Identifier", label)


async def _written(driver: AsyncDriver, left: Left) -> float:
    """Seconds until all of it is committed."""
    nodes, relationships = left
    start = perf_counter()
    await _by_two(
        driver, (_created(labels, each) for labels, rows in nodes.items() for each in _chunks(rows, PER_UNWIND))
    )
    await _by_two(
        driver, (_tied(ends, each) for ends, rows in relationships.items() for each in _chunks(rows, PER_UNWIND))
    )
    return perf_counter() - start


Steps = Sequence[tuple[str, Sequence[Any]]]


def _created(labels: str, rows: Rows) -> Steps:
    return [(f"UNWIND $rows AS row CREATE (n:{labels}) SET n = row", rows)]


def _tied(ends: tuple[str, str, str], rows: Rows) -> Steps:
    """The statements that create relationships: first a lock on what several batches end at, then all of them."""
    one, type_, other = ends
    locks = [
        (
            f"UNWIND $rows AS key MATCH (n:{label} {{{_key(label)}: key}}) SET n.locked = null",
            sorted({row[end] for row in rows}),
        )
        for label, end in ((one, "a"), (other, "b"))
        if label in SHARED
    ]
    tie = f"""
    UNWIND $rows AS row
    MATCH (a:{one} {{{_key(one)}: row.a}})
    MATCH (b:{other} {{{_key(other)}: row.b}})
    CREATE (a)-[r:{type_}]->(b)
    SET r = row.properties
    """
    return [*locks, (tie, rows)]


async def _by_two(driver: AsyncDriver, batches: Iterator[Steps]) -> None:
    """Commit batches, a transaction each, two at a time."""

    async def work() -> None:
        async with driver.session() as session:
            for steps in batches:
                await session.execute_write(_run, steps)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(work())


async def _run(tx: Any, steps: Steps) -> None:  # noqa: ANN401 - the driver's transaction
    for statement, rows in steps:
        await (await tx.run(f"CYPHER replan=skip {statement}", rows=rows)).consume()


def _key(label: str) -> str:
    return "id" if label in ID else "key"


def _chunks(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
