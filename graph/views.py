"""What profiles show, kept up with the evidence: moments, traits, who shares what, who used a shared device when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from graph.connection import Row, Transaction
from graph.contact_use import refresh_contact_use
from graph.device_use import refresh_uses
from graph.regions import Change
from graph.stitcher import Stitched, drop_profiles
from identity.evidence import Heard, Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Json
from identity.policy import Policy
from identity.survivorship import Observation, canonical, surviving

# profile_id (unique), then one expand per profile
REFRESH_MOMENTS = """
UNWIND $profiles AS id
MATCH (p:Profile {id: id})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK p:Profile(id)
WITH p, min(i.first_seen) AS first_seen, max(i.last_seen) AS last_seen, count(i.pending) > 0 AS pending
SET p.first_seen = first_seen, p.last_seen = last_seen, p.pending = CASE WHEN pending THEN true END
"""

# profile_id (unique), then an expand per profile and per identifier
OBSERVED = """
UNWIND $profiles AS id
MATCH (anchor:Profile {id: id})<-[:IDENTIFIES]-(:Identifier)<-[:OF]-(o:Observation)
USING INDEX SEEK anchor:Profile(id)
WHERE o.trait IN $traits
RETURN id, o.trait AS trait, o.value AS value, o.source AS source, o.at AS at, o.message AS message, o.sure AS sure,
  o.first_at AS first_at, o.first_message AS first_message, o.count AS count
"""

# profile_id (unique)
SHOW_TRAITS = """
UNWIND $rows AS row
MATCH (p:Profile {id: row.id})
USING INDEX SEEK p:Profile(id)
SET p += row.traits
"""

# profile_id (unique), then an expand per profile and per identifier
SHARE = """
CALL () {
  UNWIND $profiles AS id
  MATCH (p:Profile {id: id})<-[s:SHARED_BY]-(g:Identifier)
  USING INDEX SEEK p:Profile(id)
  WHERE g.generic IS NULL
    OR p.shared
    OR NOT EXISTS { MATCH (p)<-[:IDENTIFIES]-(:Identifier)-[:LINKED {reason: 'generic'}]-(g) }
  DELETE s
}
CALL () {
  UNWIND $profiles AS id
  MATCH (p:Profile {id: id})
  USING INDEX SEEK p:Profile(id)
  WHERE NOT p.shared
  CALL (p) {
    MATCH (p)<-[:IDENTIFIES]-(i:Identifier)-[l:LINKED {reason: 'generic'}]-(g:Identifier)
    WHERE g.generic IS NOT NULL
    RETURN g, min(l.first_seen) AS first, max(l.last_seen) AS last
  }
  MERGE (g)-[s:SHARED_BY]->(p)
  SET s.first = first, s.last = last, s.who = p.id, s.what = g.mint
}
"""

# identifier_key (unique)
STOP_SHARING_OF = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[s:SHARED_BY]->(:Profile)
USING INDEX SEEK anchor:Identifier(key)
DELETE s
"""

# identifier_key (unique)
PROFILES_OF = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
RETURN DISTINCT p.id AS id
"""


async def refresh_views(
    tx: Transaction,
    heard: Sequence[Heard],
    change: Change,
    stitched: Stitched,
    policy: Policy,
    *,
    limited: bool = True,
) -> None:
    """Bring all views up to date that a batch and its stitching touch.

    limited: what is too large for a batch is left for `drain_pending`, which asks for it without the limit.
    """
    await drop_profiles(tx, stitched.gone)
    where = _profiles(change, stitched)
    seen = {where[each.key] for one in heard for each in one.identifiers if each.key in where}
    said = {where[key] for id_ in change.said for key in (id_.a, id_.b) if key in where}
    await refresh_moments(tx, seen | said | stitched.changed | {each.id for each in stitched.clusters})
    told = {where[each.actor] for each in heard if each.actor in where and each.observations}
    await refresh_traits(tx, told | stitched.changed, policy)
    sharing = await _sharing(tx, change, stitched, where)
    await refresh_sharing(tx, sharing, stitched)
    ends = {end for id_ in change.said for end in (id_.a, id_.b)}
    await refresh_contact_use(tx, sharing, change.ends | ends, stitched.turned, policy)
    devices = {key for one in heard for key in (*one.devices, *([one.actor] if one.actor else []))}
    devices |= set() if limited else change.ends
    await refresh_uses(tx, devices, stitched.turned, stitched.changed | seen | said, policy, limited=limited)


def _profiles(change: Change, stitched: Stitched) -> dict[IdentifierKey, ProfileId]:
    """Where the identifiers that the transaction met belong now."""
    stored = {key: each.profile for key, each in change.stored.items() if each.profile is not None}
    return {**stored, **{key: each.id for each in stitched.clusters for key in each.members}}


async def _sharing(
    tx: Transaction, change: Change, stitched: Stitched, where: Mapping[IdentifierKey, ProfileId]
) -> set[ProfileId]:
    """The profiles whose links to generic identifiers may have changed; some lie outside the clusters stitched."""
    met = {end for id_, why in stitched.verdicts.items() if why is Reason.GENERIC for end in (id_.a, id_.b)}
    if stitched.turned or any(each.generic is not None for each in change.stored.values()):
        met |= change.ends | {end for id_ in change.said for end in (id_.a, id_.b)}
    beyond = sorted(met - where.keys())
    rows = await tx.rows(PROFILES_OF, keys=beyond) if beyond else []
    return {where[key] for key in met if key in where} | {ProfileId(row["id"]) for row in rows} | stitched.changed


async def refresh_moments(tx: Transaction, profiles: Collection[ProfileId]) -> None:
    """First and last sighting of each profile, from its identifiers."""
    if profiles:
        await tx.rows(REFRESH_MOMENTS, profiles=sorted(profiles))


async def refresh_traits(tx: Transaction, profiles: Collection[ProfileId], policy: Policy) -> None:
    """The traits that the policy names, as properties of each profile."""
    if not profiles or not policy.traits:
        return
    found: defaultdict[ProfileId, list[Observation]] = defaultdict(list)
    for row in await tx.rows(OBSERVED, profiles=sorted(profiles), traits=sorted(policy.traits)):
        found[ProfileId(row["id"])].append(observation_from(row))
    rows = [{"id": id_, "traits": shown_traits(found.get(id_, []), policy)} for id_ in sorted(profiles)]
    await tx.rows(SHOW_TRAITS, rows=rows)


def observation_from(row: Row) -> Observation:
    """An observation's properties as a value."""
    return Observation(
        trait=row["trait"],
        value=msgspec.json.decode(row["value"]),
        source=row["source"],
        at=row["at"],
        message=row["message"],
        sure=row["sure"],
        first_at=row["first_at"],
        first_message=row["first_message"],
        count=row["count"],
    )


def shown_traits(observations: Iterable[Observation], policy: Policy) -> dict[str, str | int | float | bool | None]:
    """The t_ properties of a profile: each trait the policy names, null where nothing stands."""
    standing = surviving(observations, policy)
    return {f"t_{name}": _property(standing[name].value if name in standing else None) for name in policy.traits}


def _property(value: Json) -> str | int | float | bool | None:
    """A value as Neo4j can hold it: scalars as they are (integers of 64 bits), all else as JSON text."""
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value)
    return canonical(value) if isinstance(value, list | dict) else value


async def refresh_sharing(tx: Transaction, profiles: Collection[ProfileId], stitched: Stitched) -> None:
    """The SHARED_BY relationships of these profiles, and of the identifiers that turned."""
    back = sorted(key for key, why in stitched.turned.items() if why is None)
    if back:
        await tx.rows(STOP_SHARING_OF, keys=back)
    await share(tx, profiles)


async def share(tx: Transaction, profiles: Collection[ProfileId]) -> None:
    """The SHARED_BY relationships of these profiles, as their refused links say."""
    if profiles:
        await tx.rows(SHARE, profiles=sorted(profiles))
