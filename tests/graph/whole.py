"""All that a graph holds, to be compared with what it held before; and when that is compared."""

from graph.connection import Connection
from graph.feed import feed_standing
from tests.serving import until_async

# Every property of every node and relationship. What migrates locks by a node of its own.
EVERYTHING = """
MATCH (n)
WHERE NOT n:MigrationLock
RETURN labels(n) AS what, elementId(n) AS id, properties(n) AS facts
UNION ALL
MATCH (a)-[r]->(b)
RETURN [type(r), elementId(a), elementId(b)] AS what, elementId(r) AS id, properties(r) AS facts
"""
# What says nothing: a lock writes the first, and a service once a minute when its keys were used.
SILENT = ("touched", "used_at")


async def everything(graph: Connection) -> list[str]:
    """All that the graph holds. Where a service runs on it, it has to have settled: `settled`."""
    rows = await graph.reader.rows(EVERYTHING)
    held = [(row["what"], row["id"], {**row["facts"]}) for row in rows]
    for _, _, facts in held:
        for each in SILENT:
            facts.pop(each, None)
    return sorted(f"{what} {id_} {sorted(facts.items())}" for what, id_, facts in held)


async def settled(graph: Connection) -> None:
    """Return once a service has numbered what it was told. Raises TimeoutError.

    It does so up to a second after it has answered. Nothing else is written behind an answer, but where there are
    segments, endpoints of webhooks, large regions, or erasures and fetches that are due.
    """
    await until_async(lambda: _numbered(graph))


async def _numbered(graph: Connection) -> bool:
    return not (await feed_standing(graph.reader)).waits
