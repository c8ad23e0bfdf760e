"""Explanations: the accepted links from one identifier to another, or the refused ones between two people."""

from collections.abc import Sequence
from typing import Any

from graph.connection import Reader
from identity.evidence import Kind, Reason
from identity.identifiers import IdentifierKey, ProfileId
from insight.explanations import ExplainedLink, Explanation

MOST_REFUSED = 20
KINDS = {kind.word: kind for kind in Kind}

# The order of the fields of ExplainedLink.
LINK_ROW = """[
    startNode(link).key, endNode(link).key, link.kind, link.authority, link.source, link.first_seen, link.message,
    link.reason, [end IN [startNode(link), endNode(link)] WHERE end.generic IS NOT NULL | end.key]
  ]"""

# identifier_key (unique), then one expand per identifier
PROFILES_OF_KEYS = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK anchor:Identifier(key)
RETURN key, profile.id AS profile
"""

# identifier_key (unique) at both ends; accepted links stay inside a profile, so the search ends with it
SHORTEST_PATH = f"""
MATCH (a:Identifier {{key: $a}})
USING INDEX SEEK a:Identifier(key)
MATCH (b:Identifier {{key: $b}})
USING INDEX SEEK b:Identifier(key)
MATCH path = SHORTEST 1 (a)-[:LINKED {{accepted: true}}]-+(b)
RETURN [link IN relationships(path) | {LINK_ROW}] AS links
"""

# profile_id (unique), then the refused links of the first profile's identifiers
REFUSED_BETWEEN = f"""
MATCH (one:Profile {{id: $one}})
USING INDEX SEEK one:Profile(id)
MATCH (other:Profile {{id: $other}})
USING INDEX SEEK other:Profile(id)
CALL (one, other) {{
  MATCH (one)<-[:IDENTIFIES]-(:Identifier)-[link:LINKED {{accepted: false}}]-(:Identifier)-[:IDENTIFIES]->(other)
  RETURN link
  UNION
  MATCH (one)<-[:IDENTIFIES]-(:Identifier)-[here:LINKED {{accepted: false}}]-(shared:Identifier),
    (shared)-[there:LINKED {{accepted: false}}]-(:Identifier)-[:IDENTIFIES]->(other)
  WHERE shared.generic IS NOT NULL
  UNWIND [here, there] AS link
  RETURN link
}}
WITH DISTINCT link
ORDER BY link.first_seen, startNode(link).key, endNode(link).key
LIMIT $first
RETURN {LINK_ROW} AS link
"""


async def explained(reader: Reader, a: IdentifierKey, b: IdentifierKey) -> Explanation:
    """Why two identifiers are one person, or why not. Two statements; at most 20 refused links, the earliest first."""
    rows = await reader.rows(PROFILES_OF_KEYS, keys=[a, b])
    profiles = {IdentifierKey(row["key"]): ProfileId(row["profile"]) for row in rows}
    missing = tuple(key for key in (a, b) if key not in profiles)
    if missing or a == b:
        return Explanation(a, b, same=not missing, missing=missing)
    if profiles[a] == profiles[b]:
        return Explanation(a, b, same=True, path=await _path(reader, a, b))
    return Explanation(a, b, same=False, refused=await _refused(reader, profiles[a], profiles[b]))


async def _path(reader: Reader, a: IdentifierKey, b: IdentifierKey) -> tuple[ExplainedLink, ...]:
    rows = await reader.rows(SHORTEST_PATH, a=a, b=b)
    return tuple(_link(each) for row in rows for each in row["links"])


async def _refused(reader: Reader, one: ProfileId, other: ProfileId) -> tuple[ExplainedLink, ...]:
    rows = await reader.rows(REFUSED_BETWEEN, one=one, other=other, first=MOST_REFUSED)
    return tuple(_link(row["link"]) for row in rows)


def _link(row: Sequence[Any]) -> ExplainedLink:
    a, b, kind, authority, source, first_seen, message, reason, generic = row
    return ExplainedLink(
        IdentifierKey(a),
        IdentifierKey(b),
        KINDS[kind],
        authority,
        source,
        first_seen,
        message,
        Reason(reason) if reason else None,
        tuple(map(IdentifierKey, generic)),
    )
