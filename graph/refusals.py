"""What the rule refused between two people, and what of them keeps them apart."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from graph.connection import Reader, Row
from graph.links import KINDS
from graph.regions import ruling_acts
from identity.evidence import Act, Reason
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy
from identity.stitching import Generic, standing_of
from insight.explanations import Explanation
from insight.refusals import Party, RefusedGroup, SharedUse, in_the_way, party_of, refusals_of, remedies_of
from insight.statements import ExplainedLink

MOST_REFUSED = 20
Asked = tuple[IdentifierKey, ProfileId]

# The order of the fields of ExplainedLink.
LINK_ROW = """[
    startNode(link).key, endNode(link).key, link.kind, link.authority, link.source, link.first_seen, link.message,
    link.reason, [end IN [startNode(link), endNode(link)] WHERE end.generic IS NOT NULL | end.key]
  ]"""

# The order of the fields of SharedUse but the last; of what is not shared the second is null.
USE_ROW = "[{0}.key, {0}.generic, COUNT {{ ({0})-[:SHARED_BY]->(:Profile) }}, COUNT {{ ({0})-[:LINKED]-() }}]"

# profile_id (unique), then one expand per profile
PARTIES = f"""
UNWIND $profiles AS id
MATCH (p:Profile {{id: id}})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK p:Profile(id)
WITH id, i ORDER BY i.key
WITH id, collect(i) AS members
RETURN id, [each IN members | each.key] AS keys, [each IN members WHERE each.mint = id | each.key] AS anchors,
  [each IN members WHERE each.generic IS NOT NULL | {USE_ROW.format("each")}] AS shared
"""

# profile_id (unique); the refused links of the first one's identifiers, and of both to what both share
REFUSED_BETWEEN = f"""
MATCH (one:Profile {{id: $one}})
USING INDEX SEEK one:Profile(id)
MATCH (other:Profile {{id: $other}})
USING INDEX SEEK other:Profile(id)
CALL (one, other) {{
  MATCH (one)<-[:IDENTIFIES]-(mine:Identifier)-[link:LINKED]-(theirs:Identifier)
  WHERE link.accepted IS NULL OR NOT link.accepted
  WITH other, link, theirs, CASE WHEN mine.generic IS NULL THEN theirs ELSE mine END AS end
  MATCH (theirs)-[:IDENTIFIES]->(other)
  RETURN link, CASE link.reason WHEN 'generic' THEN end END AS shared, false AS over
  UNION
  MATCH (one)<-[:SHARED_BY]-(shared:Identifier)-[:SHARED_BY]->(other)
  WITH shared, [one, other] AS people
  UNWIND people AS person
  MATCH (person)<-[:IDENTIFIES]-(mine:Identifier)
  WITH shared, mine
  MATCH (mine)-[link:LINKED {{reason: 'generic'}}]-(shared)
  RETURN link, shared, true AS over
}}
WITH link, shared, over
ORDER BY link.first_seen, startNode(link).key, endNode(link).key
WITH link.reason AS reason, shared, over, collect(link) AS links
RETURN reason, over, size(links) AS count,
  CASE WHEN shared IS NULL THEN null ELSE {USE_ROW.format("shared")} END AS shared,
  [link IN links[..$first] | {LINK_ROW}] AS links
ORDER BY over, reason, shared[0]
"""


async def refused_between(reader: Reader, one: Asked, other: Asked, policy: Policy) -> Explanation | None:
    """Why two identifiers of two profiles are not one person; None when one of the profiles is no more.

    policy: with the declared namespaces. A few statements. At most 20 refused links, the earliest of each reason
    first; all are counted. Cost: the refused links of the smaller profile, and the acts about both.
    """
    rows = await reader.rows(PARTIES, profiles=[one[1], other[1]])
    if len(rows) < len((one, other)):
        return None
    members = {ProfileId(row["id"]): frozenset(map(IdentifierKey, row["keys"])) for row in rows}
    shared = {ProfileId(row["id"]) for row in rows if row["shared"]}
    acts = await ruling_acts(reader, chain.from_iterable(members.values()), policy)
    standing = standing_of(acts)
    parties = {ProfileId(row["id"]): _party(row, policy) for row in rows}
    way = in_the_way(parties[one[1]], parties[other[1]], _across(acts, members), standing, policy)
    first, second = sorted(members, key=lambda id_: (id_ in shared, len(members[id_])))
    found = await reader.rows(REFUSED_BETWEEN, one=first, other=second, first=MOST_REFUSED)
    groups = _capped([_group(row, policy) for row in found])
    anchors = tuple(parties[id_].anchor for _, id_ in (one, other))
    refusals = refusals_of(groups, way, anchors)
    return Explanation(
        one[0],
        other[0],
        same=False,
        refused=tuple(chain.from_iterable(each.links for each in groups)),
        refused_count=sum(row["count"] for row in found),
        refusals=refusals,
        remedies=remedies_of(refusals, way, anchors),
    )


def _party(row: Row, policy: Policy) -> Party:
    keys = tuple(
        map(IdentifierKey, (*row["anchors"][:1], *(key for key in row["keys"] if key not in row["anchors"][:1])))
    )
    return party_of(keys, policy, _use(row["shared"][0], policy) if row["shared"] else None)


def _use(row: Sequence[Any], policy: Policy) -> SharedUse:
    key, why, people, partners = row
    rules = policy.namespace(namespace_of(key))
    limit = rules.max_partners if why == Generic.PARTNERS else rules.generic_above
    return SharedUse(IdentifierKey(key), Generic(why), people, partners, limit)


def _across(acts: Sequence[Act], members: Mapping[ProfileId, frozenset[IdentifierKey]]) -> list[Act]:
    """The acts by hand of which each person has an end."""
    one, other = members.values()
    by_hand = (act for act in acts if act.manual)
    return [act for act in by_hand if len({act.a, act.b} & one) == len({act.a, act.b} & other) == 1]


def _group(row: Row, policy: Policy) -> RefusedGroup:
    return RefusedGroup(
        reason=Reason(row["reason"]) if row["reason"] else None,
        count=row["count"],
        links=tuple(map(_link, row["links"])),
        shared=_use(row["shared"], policy) if row["shared"] else None,
        over=row["over"],
    )


def _capped(groups: Sequence[RefusedGroup]) -> tuple[RefusedGroup, ...]:
    """The first 20 groups with at most 20 links together; a group that comes too late keeps its number alone."""
    left = MOST_REFUSED
    found: list[RefusedGroup] = []
    for each in groups[:MOST_REFUSED]:
        found.append(RefusedGroup(each.reason, each.count, each.links[:left], each.shared, each.over))
        left = max(left - len(each.links), 0)
    return tuple(found)


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
