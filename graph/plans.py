"""How Neo4j would carry out a statement, for whoever wonders why it is slow."""

from collections.abc import Iterator, Mapping
from typing import Any

from neo4j import READ_ACCESS, Query

from graph.connection import PLANNED, Reader
from graph.packing import packed

LONGEST = 300


async def plan_of(reader: Reader, statement: str) -> tuple[str, ...]:
    """The operators of a statement's plan, each indented below the one that asks it; empty where there is none.

    It is planned as it is sent, and not carried out; no parameter is needed. Raises what Neo4j raises.
    """
    if not PLANNED.match(statement):
        return ()
    text: Any = f"EXPLAIN {packed(statement).text}"
    async with reader.driver.session(database=reader.database, default_access_mode=READ_ACCESS) as session:
        plan = (await (await session.run(Query(text, timeout=10.0))).consume()).plan
    return tuple(_operators(plan, 0)) if plan else ()


def _operators(plan: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Details are our own text: names of labels, indexes and variables, and no value."""
    details = " ".join(str(plan.get("args", {}).get("Details", "")).split())
    yield f"{'  ' * depth}{str(plan['operatorType']).partition('@')[0]} {details[:LONGEST]}".rstrip()
    for child in plan.get("children", ()):
        yield from _operators(child, depth + 1)
