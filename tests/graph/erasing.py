"""What the tests of erasures share: a key, the tools, and a search of everything that the graph holds."""

from graph.connection import Connection
from graph.erasure import Outcome, Request, Tools, erase
from graph.policies import PolicyHeld
from identity.erasure import Hashing, Mode, Scope
from identity.identifiers import IdentifierKey
from tests.building import default_policy

HASHING = Hashing(bytes(range(32)))
AT = 1_893_456_000_000_000  # 2030-01-01, after everything that the histories of the tests say

# Every property of every node and relationship, as text; a test's graph is small.
EVERYTHING = """
CALL () {
  MATCH (n)
  UNWIND keys(n) AS name
  RETURN labels(n)[0] AS kind, name, n[name] AS value
  UNION ALL
  MATCH ()-[r]->()
  UNWIND keys(r) AS name
  RETURN type(r) AS kind, name, r[name] AS value
}
WITH kind, name, toStringList(CASE WHEN value IS :: LIST<ANY> THEN value ELSE [value] END) AS texts
UNWIND texts AS text
WITH kind, name, text WHERE toLower(text) CONTAINS toLower($value)
RETURN kind, name, text
"""


async def readable(graph: Connection, value: str) -> list[tuple[str, str, str]]:
    """Where a value stands in any property of the graph."""
    rows = await graph.reader.rows(EVERYTHING, value=value)
    return [(row["kind"], row["name"], row["text"]) for row in rows]


def tools(at: int = AT, at_once: int = 1_000) -> Tools:
    return Tools(PolicyHeld(default_policy()), HASHING, at, at_once)


async def erased(
    graph: Connection,
    key: str,
    mode: Mode = Mode.DELETE,
    scope: Scope = Scope.PROFILE,
    *,
    dry: bool = False,
    at_once: int = 1_000,
) -> Outcome:
    return await erase(graph, Request(IdentifierKey(key), mode, scope, "tests"), tools(at_once=at_once), dry=dry)
