"""The graph as others read it: identifiers as rows, a neighbourhood as a NetworkX graph."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from graph.connection import Reader, Row
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import moment

PROFILES_PER_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class IdentifierLine:
    """One identifier and the profile it belongs to."""

    profile: ProfileId
    namespace: str
    value: str


# A page of profiles by profile_id (unique), then one expand each.
IDENTIFIER_LINES = """
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile(id)
WHERE profile.id > $after
WITH profile ORDER BY profile.id LIMIT $profiles
MATCH (profile)<-[:IDENTIFIES]-(identifier:Identifier)
RETURN profile.id AS profile, identifier.namespace AS namespace, identifier.value AS value
ORDER BY profile, namespace, value
"""


async def identifier_lines(reader: Reader) -> AsyncIterator[IdentifierLine]:
    """Every identifier with its profile, ordered by profile, namespace and value; one statement per 2,000 profiles.

    What changes while it is read may be there as it was or as it is. Raises DatabaseAwayError.
    """
    after = ""
    while rows := await reader.rows(IDENTIFIER_LINES, after=after, profiles=PROFILES_PER_PAGE):
        for row in rows:
            yield IdentifierLine(ProfileId(row["profile"]), row["namespace"], row["value"])
        after = rows[-1]["profile"]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What stands around an identifier. cut: the limit was reached, so there is more than is shown."""

    graph: "nx.MultiDiGraph[str]"
    cut: bool


# By identifier_key (unique).
START = """
MATCH (identifier:Identifier {key: $key})
USING INDEX SEEK identifier:Identifier(key)
RETURN elementId(identifier) AS id
"""

# By element id; the limit keeps a hub from being read whole.
NEXT = """
UNWIND $around AS id
MATCH (node)
WHERE elementId(node) = id
CALL (node) {
  MATCH (node)-[:LINKED|IDENTIFIES|SHARED_BY|MEMBER_OF|PART_OF|MERGED_INTO]-(other)
  RETURN DISTINCT other
  ORDER BY coalesce(other.key, other.id)
  LIMIT $limit
}
RETURN DISTINCT elementId(other) AS id, coalesce(other.key, other.id) AS name
ORDER BY name
"""

# By element id.
NODES = """
UNWIND $ids AS id
MATCH (node)
WHERE elementId(node) = id
RETURN id, labels(node) AS labels, properties(node) AS properties
"""

# By element id; relationships with both ends in the set.
RELATIONSHIPS = """
UNWIND $ids AS id
MATCH (node)
WHERE elementId(node) = id
MATCH (node)-[relationship:LINKED|IDENTIFIES|SHARED_BY|MEMBER_OF|PART_OF|MERGED_INTO]->(other)
WHERE elementId(other) IN $ids
RETURN id AS start, elementId(other) AS end, type(relationship) AS type, properties(relationship) AS properties
ORDER BY type, coalesce(node.key, node.id), coalesce(other.key, other.id)
"""


async def neighbourhood(reader: Reader, key: IdentifierKey, hops: int, limit: int = 1_000) -> Neighbourhood | None:
    """The identifiers, profiles and accounts within so many hops of an identifier, and what joins them.

    None when the identifier was never seen. At most `limit` nodes, nearest first. Nodes are named by key, profiles by
    `profile:<id>`; attributes are texts, numbers and booleans, moments in ISO 8601. Raises DatabaseAwayError.
    """
    start = await reader.rows(START, key=key)
    if not start:
        return None
    found: dict[str, None] = {start[0]["id"]: None}
    edge = list(found)
    cut = False
    for _ in range(hops):
        rows = await reader.rows(NEXT, around=edge, limit=limit)
        fresh = [row["id"] for row in rows if row["id"] not in found]
        edge = fresh[: limit - len(found)]
        cut = cut or len(edge) < len(fresh)
        found.update(dict.fromkeys(edge))
    nodes = await reader.rows(NODES, ids=list(found))
    relationships = await reader.rows(RELATIONSHIPS, ids=list(found))
    return Neighbourhood(_graph(nodes, relationships), cut)


def _graph(nodes: Iterable[Row], relationships: Iterable[Row]) -> "nx.MultiDiGraph[str]":
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    names: dict[str, str] = {}
    for row in nodes:
        kind = _kind(row["labels"])
        name = f"profile:{row['properties']['id']}" if kind == "Profile" else row["properties"]["key"]
        names[row["id"]] = name
        graph.add_node(name, kind=kind, **_attributes(row["properties"]))
    for row in relationships:
        graph.add_edge(
            names[row["start"]], names[row["end"]], relationship=row["type"], **_attributes(row["properties"])
        )
    return graph


def _kind(labels: Sequence[str]) -> str:
    """Contact, Device or ContactPoint rather than Identifier, which they all are."""
    return next((label for label in sorted(labels) if label != "Identifier"), "Identifier")


MOMENTS = frozenset({"first_seen", "last_seen", "minted_at", "recorded_at", "first", "last", "from", "to"})
KEPT_BACK = frozenset(
    {"key", "id", "mint", "sha256", "folded", "mail_domain", "uses", "steps", "spans", "pending", "traits"}
    | {"who", "of", "what"}  # for indexes; the ends say the same
)
# The words of a link's ends in node-link JSON are taken.
SPELT = {"source": "by_source"}


def _attributes(properties: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """What GraphML can carry, without the graph's own bookkeeping."""
    kept = {name: value for name, value in properties.items() if name not in KEPT_BACK}
    return {
        SPELT.get(name, name): moment(value).isoformat() if name in MOMENTS and isinstance(value, int) else value
        for name, value in sorted(kept.items())
        if isinstance(value, str | int | float | bool)
    }
