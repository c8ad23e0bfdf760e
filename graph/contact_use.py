"""Whose a shared contact point was when, kept on its SHARED_BY relationships where the policy tells it by time."""

from collections.abc import Collection

from graph.connection import Transaction
from graph.device_use import KEEP_SPANS
from identity.contact_use import spans_by_time, told_by_time
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy, Shared
from identity.stitching import Generic

# profile_id and identifier_key (unique), then one expand per contact point; the write is a lock: people who meet it by
# two transactions at once are all seen by the second
SHARED_POINTS = """
CALL () {
  UNWIND $profiles AS id
  MATCH (anchor:Profile {id: id})<-[:SHARED_BY]-(point:ContactPoint)
  USING INDEX SEEK anchor:Profile(id)
  WHERE point.namespace IN $namespaces
  RETURN point
  UNION
  UNWIND $keys AS key
  MATCH (point:Identifier {key: key})
  USING INDEX SEEK point:Identifier(key)
  WHERE point:ContactPoint AND point.generic IS NOT NULL AND point.namespace IN $namespaces
  RETURN point
}
WITH DISTINCT point
WHERE point.generic = 'values' OR point.key IN $turned
WITH point
ORDER BY point.key
SET point.touched = coalesce(point.touched, 0)
WITH point
MATCH (point)-[use:SHARED_BY]->(person:Profile)
RETURN point.key AS key, point.generic AS generic, collect([person.id, use.first]) AS people
"""


async def refresh_contact_use(
    tx: Transaction,
    profiles: Collection[ProfileId],
    keys: Collection[IdentifierKey],
    turned: Collection[IdentifierKey],
    policy: Policy,
) -> None:
    """The spans of the contact points that these profiles share and of those among the keys.

    turned: who turned generic, or is so for another reason now. Nothing is asked where the policy tells none by time.
    """
    namespaces = sorted(name for name, rules in policy.namespaces.items() if rules.shared is Shared.BY_TIME)
    if not namespaces:
        return
    asked = {"profiles": sorted(profiles), "keys": sorted({*keys, *turned}), "turned": sorted(turned)}
    rows = await tx.rows(SHARED_POINTS, **asked, namespaces=namespaces)
    kept = [
        {"device": row["key"], "spans": spans_by_time({ProfileId(id_): first for id_, first in row["people"]})}
        if told_by_time(IdentifierKey(row["key"]), Generic(row["generic"]), policy)
        else {"device": row["key"], "spans": {}}
        for row in rows
    ]
    if kept:
        await tx.rows(KEEP_SPANS, rows=kept)
