"""The bare driver as a ceiling: what one of our runs left, written by it as fast as we know.

It creates the same nodes and relationships under the same constraints and indexes, in UNWIND batches of 1,000: nodes by
their labels, then relationships by their type, whose ends it finds by the unique key. Two writers share the batches,
the best number for bare writes (design.md §5), and lock what a batch of relationships ends at before they write it. It
reads nothing and decides nothing; no node, relationship or property is left out but the keys and the migrations.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

from neo4j import AsyncDriver

PER_UNWIND = 1_000
WRITERS = 2

ID = frozenset({"Profile", "Interaction"})  # the unique property of all others is `key`
SHARED = frozenset({"Identifier", "Profile", "Account", "Product", "Order"})

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


async def left_in(driver: AsyncDriver) -> Left:
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


async def written(driver: AsyncDriver, left: Left) -> float:
    """Seconds until all of it is committed."""
    nodes, relationships = left
    start = perf_counter()
    await _by_two(
        driver, (_created(labels, each) for labels, rows in nodes.items() for each in chunks(rows, PER_UNWIND))
    )
    await _by_two(
        driver, (_tied(ends, each) for ends, rows in relationships.items() for each in chunks(rows, PER_UNWIND))
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


def chunks(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Rows by so many."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
