"""Who used a shared device when, kept on the device and on its SHARED_BY relationships."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from graph.connection import Row, Statements, Transaction
from graph.stitcher import DEFER
from identity.device_use import Happening, Use, uses_of
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy

MOST_HAPPENINGS = 5_000  # 0.1 s to read and tell apart; above it the device waits for the background

# identifier_key (unique); profile_id (unique)
SHARED_DEVICES = """
CALL () {
  UNWIND $keys AS key
  MATCH (d:Identifier {key: key})
  USING INDEX SEEK d:Identifier(key)
  WHERE d:Device AND d.generic IS NOT NULL
  RETURN d, true AS asked
  UNION
  UNWIND $turned AS key
  MATCH (i:Identifier {key: key})
  USING INDEX SEEK i:Identifier(key)
  WITH i
  MATCH (i)-[:LINKED]-(d:Device)
  WHERE d.generic IS NOT NULL
  RETURN d, true AS asked
  UNION
  UNWIND $profiles AS id
  MATCH (anchor:Profile {id: id})<-[:SHARED_BY]-(d:Device)
  USING INDEX SEEK anchor:Profile(id)
  RETURN d, false AS asked
}
WITH d, max(asked) AS asked
RETURN d.key AS key, d.uses AS uses, asked OR d.uses IS NULL AS asked,
  coalesce(d.interactions, 0) + COUNT { (d)<-[:ON]-() } AS happenings
ORDER BY key
"""

# interaction_actor_at (range; only where each of its properties is asked for) and one expand per device
HAPPENINGS = """
UNWIND $keys AS key
CALL (key) {
  MATCH (i:Interaction)
  USING INDEX SEEK i:Interaction(actor, at, id)
  WHERE i.actor = key AND i.at IS NOT NULL AND i.id IS NOT NULL
  RETURN i
  UNION
  MATCH (d:Identifier {key: key})
  USING INDEX SEEK d:Identifier(key)
  WITH d
  MATCH (d)<-[:ON]-(i:Interaction)
  RETURN i
}
RETURN key, i.at AS at, i.id AS id, i.name AS name, i.persons AS persons
"""

# identifier_key (unique)
GENERIC_AMONG = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
WHERE i.generic IS NOT NULL
RETURN key
"""

# identifier_key (unique)
KEEP_USES = """
UNWIND $rows AS row
MATCH (d:Identifier {key: row.key})
USING INDEX SEEK d:Identifier(key)
SET d.uses = row.uses
"""

# identifier_key (unique)
PERSONS_PROFILES = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
RETURN key, p.id AS profile
"""

# identifier_key (unique), then one expand per device
KEEP_SPANS = """
UNWIND $rows AS row
MATCH (d:Identifier {key: row.device})-[s:SHARED_BY]->(p:Profile)
USING INDEX SEEK d:Identifier(key)
SET s.spans = row.spans[p.id]
"""


async def refresh_uses(
    tx: Transaction,
    devices: Collection[IdentifierKey],
    turned: Collection[IdentifierKey],
    profiles: Collection[ProfileId],
    policy: Policy,
    *,
    limited: bool = True,
) -> None:
    """Recompute the uses of these devices where they are shared, and the spans on all that these profiles share.

    turned: who turned generic or back; whether they are a login changes the uses of every device linked to them.
    limited: devices with more than 5,000 interactions are left for `drain_pending`, so that no message pays for them.
    """
    keys, ids = sorted({*devices, *turned}), sorted(profiles)
    rows = await tx.rows(SHARED_DEVICES, keys=keys, turned=sorted(turned), profiles=ids) if keys or ids else []
    if not rows:
        return
    late = [row["key"] for row in rows if limited and row["asked"] and row["happenings"] > MOST_HAPPENINGS]
    if late:
        await tx.rows(DEFER, keys=late)
    uses = {IdentifierKey(row["key"]): uses_from(row["uses"]) for row in rows if not row["asked"]}
    asked = [IdentifierKey(row["key"]) for row in rows if row["asked"] and row["key"] not in late]
    if asked:
        uses |= await computed_uses(tx, asked, policy)
        await tx.rows(KEEP_USES, rows=[{"key": key, "uses": uses_text(uses[key])} for key in asked])
    await _keep_spans(tx, uses)


async def computed_uses(
    tx: Statements, devices: Sequence[IdentifierKey], policy: Policy, generic: Collection[IdentifierKey] | None = None
) -> dict[IdentifierKey, tuple[Use, ...]]:
    """The uses of shared devices from their interactions. generic: who is no login; None asks what is stored."""
    found: defaultdict[IdentifierKey, list[Happening]] = defaultdict(list)
    for row in await tx.rows(HAPPENINGS, keys=list(devices)):
        found[IdentifierKey(row["key"])].append(_happening(row))
    if generic is None:
        persons = {person for each in found.values() for one in each for person in one.persons}
        generic = {IdentifierKey(row["key"]) for row in await tx.rows(GENERIC_AMONG, keys=sorted(persons))}
    return {device: uses_of(found.get(device, []), generic, policy) for device in devices}


def _happening(row: Row) -> Happening:
    return Happening(row["at"], row["id"], row["name"], tuple(map(IdentifierKey, row["persons"] or ())))


def uses_text(uses: Sequence[Use]) -> str:
    """Uses as the JSON text that the device keeps."""
    return msgspec.json.encode([[each.person, each.start, each.end] for each in uses]).decode()


def uses_from(text: str) -> tuple[Use, ...]:
    """Uses from the JSON text that the device keeps."""
    rows = msgspec.json.decode(text, type=list[tuple[str, int, int]])
    return tuple(Use(IdentifierKey(person), start, end) for person, start, end in rows)


def spans_of(uses: Sequence[Use], profile_of: Mapping[IdentifierKey, ProfileId]) -> dict[ProfileId, list[int]]:
    """The spans of each profile on a device, flat: one start and one end after the other."""
    spans: defaultdict[ProfileId, list[int]] = defaultdict(list)
    for each in uses:
        if each.person in profile_of:
            spans[profile_of[each.person]] += [each.start, each.end]
    return dict(spans)


async def _keep_spans(tx: Transaction, uses: Mapping[IdentifierKey, Sequence[Use]]) -> None:
    persons = sorted({each.person for found in uses.values() for each in found})
    rows = await tx.rows(PERSONS_PROFILES, keys=persons)
    profile_of = {IdentifierKey(row["key"]): ProfileId(row["profile"]) for row in rows}
    await tx.rows(
        KEEP_SPANS, rows=[{"device": key, "spans": spans_of(found, profile_of)} for key, found in sorted(uses.items())]
    )
