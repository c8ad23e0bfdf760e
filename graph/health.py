"""How the database is: whether it answers, what it is, how much it holds."""

from dataclasses import dataclass

from neo4j.exceptions import DriverError, Neo4jError

from graph.connection import Reader
from graph.errors import DatabaseBrokenError, GraphError

# no node is read
ANSWER = """
RETURN 1 AS answer
"""

# three counts from the store's own statistics, and identifier_pending (range)
STOCK = """
CALL () {
  MATCH (:Identifier)
  RETURN count(*) AS identifiers
}
CALL () {
  MATCH (:Profile)
  RETURN count(*) AS profiles
}
CALL () {
  MATCH (:Interaction)
  RETURN count(*) AS interactions
}
CALL () {
  MATCH (waiting:Identifier)
  WHERE waiting.pending = true
  RETURN count(*) AS pending
}
RETURN identifiers, profiles, interactions, pending
"""

# change_at (range), from where it was read last
CHANGES_SINCE = """
MATCH (change:Change)
USING INDEX SEEK change:Change(at, id)
WHERE change.at > $since AND change.id IS NOT NULL
RETURN change.kind AS kind, count(*) AS many, max(change.at) AS last
"""

# a count from the store's own statistics
DEAD_LETTERS = """
MATCH (:DeadLetter)
RETURN count(*) AS many
"""

# a procedure, no node is read
VERSION = """
CALL dbms.components() YIELD name, versions, edition
RETURN name + ' ' + versions[0] + ' ' + edition AS version
ORDER BY version
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """How much the graph holds. pending: identifiers that wait for a background recompute."""

    identifiers: int
    profiles: int
    interactions: int
    pending: int


async def answers(reader: Reader) -> None:
    """Return when the database answers. Raises DatabaseAwayError when it does not."""
    await reader.rows(ANSWER)


async def is_broken(reader: Reader) -> bool:
    """Whether the database says of itself that it has to be started again; one that says nothing may only be busy."""
    try:
        await answers(reader)
    except DatabaseBrokenError:
        return True
    except (GraphError, DriverError, Neo4jError, OSError):  # whatever else is wrong, who asks for something hears of it
        return False
    return False


async def stock_of(reader: Reader) -> Stock:
    """How much there is. Raises DatabaseAwayError."""
    row = (await reader.rows(STOCK))[0]
    return Stock(row["identifiers"], row["profiles"], row["interactions"], row["pending"])


async def version_of(reader: Reader) -> str:
    """What the database is, as in `Neo4j Kernel 2026.08.1 community`. Raises DatabaseAwayError."""
    return str((await reader.rows(VERSION))[0]["version"])


async def changes_since(reader: Reader, since: int) -> tuple[dict[str, int], int]:
    """How many rows of the log of changes were recorded after a moment (µs), by kind, and the moment of the last one.

    Raises DatabaseAwayError.
    """
    rows = await reader.rows(CHANGES_SINCE, since=since)
    return {row["kind"]: row["many"] for row in rows}, max((row["last"] for row in rows), default=since)


async def dead_letters_kept(reader: Reader) -> int:
    """How many dead letters there are. Raises DatabaseAwayError."""
    return int((await reader.rows(DEAD_LETTERS))[0]["many"])
