"""Explanations: the accepted links of a profile, and whether two identifiers are one person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from graph.connection import Reader, Row
from graph.errors import DatabaseAwayError
from graph.links import AUTHORITIES, KINDS
from graph.namespaces import in_force
from graph.refusals import refused_between
from identity.evidence import Link
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId, SourceName
from identity.policy import Policy
from insight.explanations import Explanation, Making, making_of, strongest_path
from insight.statements import explained_link

TRIES = 3

# identifier_key (unique), then one expand per identifier; namespaces: a label scan, a few nodes
PROFILES_OF_KEYS = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK anchor:Identifier(key)
CALL () {
  MATCH (n:Namespace)
  RETURN collect(n {.*}) AS namespaces
}
RETURN key, profile.id AS profile, namespaces
"""

# profile_id (unique), then one expand per identifier; namespaces: a label scan, a few nodes
ACCEPTED_OF = """
UNWIND $profiles AS id
MATCH (anchor:Profile {id: id})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK anchor:Profile(id)
CALL (i) {
  MATCH (i)-[l:LINKED {accepted: true}]->(other:Identifier)
  RETURN collect([
    other.key, l.kind, l.authority, l.first_seen, l.sure, l.last_seen, l.count, l.source, l.message, l.previous
  ]) AS links
}
WITH id, collect([i.key, links]) AS members
CALL () {
  MATCH (n:Namespace)
  RETURN collect(n {.*}) AS namespaces
}
RETURN id, members, namespaces
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The accepted links of a profile, in no order. size: its identifiers. policy: with the declared namespaces."""

    size: int
    links: tuple[Link, ...]
    policy: Policy


async def accepted_of(reader: Reader, profiles: Sequence[ProfileId], policy: Policy) -> Mapping[ProfileId, Accepted]:
    """The accepted links of each profile; an unknown one has no entry. One statement. Cost: the links."""
    rows = await reader.rows(ACCEPTED_OF, profiles=list(profiles))
    return {ProfileId(row["id"]): _accepted(row, policy) for row in rows}


def _accepted(row: Row, policy: Policy) -> Accepted:
    links = tuple(_link(IdentifierKey(key), link) for key, links in row["members"] for link in links)
    return Accepted(len(row["members"]), links, in_force(policy, row["namespaces"]))


def _link(a: IdentifierKey, row: Sequence[Any]) -> Link:
    b, kind, authority, first_seen, sure, last_seen, count, source, message, previous = row
    return Link(
        a,
        IdentifierKey(b),
        KINDS[kind],
        AUTHORITIES[authority],
        first_seen,
        sure,
        last_seen,
        count,
        SourceName(source),
        MessageId(message),
        previous,
    )


async def makings_of(reader: Reader, profiles: Sequence[ProfileId], policy: Policy) -> Mapping[ProfileId, Making]:
    """How each profile came to be; an unknown one has no entry. One statement.

    Cost: O(n log n) in its links; 100,000 among 1,000 identifiers take 3 to 4 s, in a thread of their own.
    """
    found = await accepted_of(reader, profiles, policy)
    return {id_: await to_thread.run_sync(making_of, each.size, each.links, each.policy) for id_, each in found.items()}


async def explained(reader: Reader, a: IdentifierKey, b: IdentifierKey, policy: Policy) -> Explanation:
    """Why two identifiers are one person, or why not. Two statements for one person, four for two.

    Each statement sees the graph of its own moment; when a person is merged or parted between them, it is asked anew.
    Raises DatabaseAwayError when that never ends. Cost: the links of the one person; of two, the refused links of the
    smaller one.
    """
    for _ in range(TRIES):
        found = await _explained(reader, a, b, policy)
        if found is not None:
            return found
    raise DatabaseAwayError(f"{a} and {b} are being merged and parted all the time")


async def _explained(reader: Reader, a: IdentifierKey, b: IdentifierKey, policy: Policy) -> Explanation | None:
    rows = await reader.rows(PROFILES_OF_KEYS, keys=[a, b])
    profiles = {IdentifierKey(row["key"]): ProfileId(row["profile"]) for row in rows}
    missing = tuple(key for key in (a, b) if key not in profiles)
    if missing or a == b:
        return Explanation(a, b, same=not missing, missing=missing)
    if profiles[a] != profiles[b]:
        policy = in_force(policy, rows[0]["namespaces"])
        return await refused_between(reader, (a, profiles[a]), (b, profiles[b]), policy)
    accepted = (await accepted_of(reader, [profiles[a]], policy)).get(profiles[a])
    if accepted is None:
        return None
    path = await to_thread.run_sync(strongest_path, a, b, accepted.links, accepted.policy)
    return Explanation(a, b, same=True, path=tuple(map(explained_link, path)))
