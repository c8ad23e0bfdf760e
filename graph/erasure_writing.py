"""The steps of an erasure, each inside a transaction: interactions dropped, identifiers buried, the rest stitched."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from graph.connection import Transaction
from graph.contact_use import refresh_contact_use
from graph.device_use import KEEP_USES, refresh_uses, uses_from, uses_text
from graph.erasure_reading import Gone
from graph.regions import Change
from graph.segments import tell_gone
from graph.stitcher import DEFER, Stitched, stitch_change
from graph.views import refresh_traits, refresh_views, share
from identity.erasure import Hashing, Mode, also_known_as, normaliser_of
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId
from identity.policy import Policy

# interaction_id (unique), then one or two expands each
AROUND = """
UNWIND $ids AS id
MATCH (i:Interaction {id: id})
USING INDEX SEEK i:Interaction(id)
CALL (i) {
  OPTIONAL MATCH (i)-[:BY|ON]->(device:Device)
  WHERE device.generic IS NOT NULL
  RETURN collect(DISTINCT device.key) AS devices
}
CALL (i) {
  OPTIONAL MATCH (i)-[:ABOUT]->(thing:Order|Deal|Ticket)
  RETURN collect(DISTINCT elementId(thing)) AS things
}
RETURN devices, things
"""

# interaction_id and erased_message_hash (unique)
DROP = """
UNWIND $rows AS row
MATCH (i:Interaction {id: row.id})
USING INDEX SEEK i:Interaction(id)
MERGE (:ErasedMessage {hash: row.hash})
WITH i
OPTIONAL MATCH (i)-[:BY]->(actor:Identifier)
SET actor.interactions = actor.interactions - 1
DETACH DELETE i
RETURN count(*) AS dropped
"""

# interaction_id (unique), then one expand each
DISCOUNT = """
UNWIND $ids AS id
MATCH (i:Interaction {id: id})-[:BY]->(actor:Identifier)
USING INDEX SEEK i:Interaction(id)
WITH actor, count(i) AS many
SET actor.interactions = actor.interactions - many
"""

# element ids read in this transaction; a thing that others did something with stays
DROP_THINGS = """
UNWIND $elements AS element
MATCH (thing)
WHERE elementId(thing) = element AND NOT EXISTS { (thing)<-[:ABOUT]-() }
DETACH DELETE thing
"""

# identifier_key (unique), act_a and act_b (range); the log keeps that something changed, not what was said of it
BURY = """
CALL () {
  UNWIND $keys AS key
  MATCH (x:Act {a: key})
  USING INDEX SEEK x:Act(a)
  RETURN x
  UNION
  UNWIND $keys AS key
  MATCH (x:Act {b: key})
  USING INDEX SEEK x:Act(b)
  RETURN x
}
WITH collect(x) AS acts
FOREACH (x IN acts | DETACH DELETE x)
WITH size(acts) AS acts
CALL () {
  UNWIND $keys AS key
  MATCH (i:Identifier {key: key})
  USING INDEX SEEK i:Identifier(key)
  CALL (i) {
    MATCH (i)<-[:OF|WAS_OF]-(o:Observation)
    DETACH DELETE o
    RETURN count(*) AS of_it
  }
  CALL (i) {
    MATCH (i)<-[:MOVED|CONCERNS]-(change:Change)
    SET change.note = null, change.messages = null
  }
  DETACH DELETE i
  RETURN sum(of_it) AS observations
}
RETURN acts, observations
"""

# a label scan: the manual acts are few; what an act was said of under an older policy
FORGET_SAID = """
MATCH (x:Act)
WHERE x.said_a IN $keys OR x.said_b IN $keys
SET x.said_a = null, x.said_b = null
"""

# former_id_key and former_id_now (range): of a former id whose value is erased, or went over to it, the bare id is kept
FORGET_FORMER = """
CALL () {
  UNWIND $keys AS key
  MATCH (f:FormerId {key: key})
  USING INDEX SEEK f:FormerId(key)
  RETURN f
  UNION
  UNWIND $keys AS key
  MATCH (i:Identifier {key: key})
  USING INDEX SEEK i:Identifier(key)
  MATCH (f:FormerId {now: i.mint})
  USING INDEX SEEK f:FormerId(now)
  RETURN f
}
CALL (f) {
  MATCH (f)<-[logged:MOVED|CONCERNS]-(change:Change)
  SET change.note = null, change.messages = null
  DELETE logged
}
SET f = {mint: f.mint, heir: f.heir, now: f.now}
"""

# tombstone_hash and erased_mint (unique), in the order of hashes and mints; suppression is never taken back by deleting
REMEMBER = """
CALL () {
  UNWIND $rows AS row
  MERGE (t:Tombstone {hash: row.hash})
  ON CREATE SET t.suppressed = 0, t.mode = $mode
  SET t.erased_at = $now,
    t.written = [each IN coalesce(t.written, []) WHERE each <> row.written] + row.written,
    t.mode = CASE WHEN $mode = 'delete' THEN t.mode ELSE $mode END
}
CALL () {
  UNWIND $mints AS mint
  MERGE (e:Erased {mint: mint})
  ON CREATE SET e.erased_at = $now
}
"""

# privacy_request_key (range): who asked for it has it now, and a request that is settled names nobody
SETTLE_REQUESTS = """
UNWIND $keys AS key
MATCH (r:PrivacyRequest {key: key})
USING INDEX SEEK r:PrivacyRequest(key)
SET r.state = 'done', r.settled_at = $now, r.by = $by, r.key = null
"""

# identifier_key (unique)
USES_OF = """
UNWIND $keys AS key
MATCH (d:Identifier {key: key})
USING INDEX SEEK d:Identifier(key)
WHERE d.uses IS NOT NULL
RETURN key, d.uses AS uses
"""


@dataclass(frozen=True, slots=True)
class Burying:
    """What burying needs: the key of the erasures, the policy by which keys are written, and the moment in µs."""

    hashing: Hashing
    policy: Policy
    now: int


@dataclass(frozen=True, slots=True)
class Buried:
    """How much went with the identifiers."""

    acts: int
    observations: int


async def drop_interactions(tx: Transaction, ids: Sequence[str], hashing: Hashing) -> set[IdentifierKey]:
    """Delete interactions, and the orders, deals and tickets that nobody else did anything with.

    Each stays known by the hash of its message id. Returns the shared devices whose uses may be others now.
    """
    if not ids:
        return set()
    around = await tx.rows(AROUND, ids=list(ids))
    await tx.rows(DROP, rows=[{"id": each, "hash": hashing.of_message(MessageId(each))} for each in ids])
    things = sorted({element for row in around for element in row["things"]})
    if things:
        await tx.rows(DROP_THINGS, elements=things)
    return {IdentifierKey(key) for row in around for key in row["devices"]}


async def discount(tx: Transaction, ids: Sequence[str]) -> None:
    """Count interactions as gone that are too many to delete in a transaction which is rolled back."""
    await tx.rows(DISCOUNT, ids=list(ids))


async def leave_devices(tx: Transaction, devices: Collection[IdentifierKey]) -> None:
    """Leave the uses of these devices to the background recompute."""
    if devices:
        await tx.rows(DEFER, keys=sorted(devices))


async def bury(tx: Transaction, keys: Collection[IdentifierKey], now: int) -> Buried:
    """Delete identifiers with all that hangs on them: observations, acts, links, memberships, what they were before."""
    await tell_gone(tx, keys, now)
    await tx.rows(FORGET_FORMER, keys=sorted(keys))
    row = (await tx.rows(BURY, keys=sorted(keys)))[0]
    await tx.rows(FORGET_SAID, keys=sorted(keys))
    return Buried(row["acts"], row["observations"])


async def remember(
    tx: Transaction, keys: Iterable[IdentifierKey], gone: Sequence[Gone], mode: Mode, tools: Burying
) -> None:
    """Leave a tombstone for each key and for the hash of each address, and the bare mints.

    A tombstone says by which normaliser the key was written, so that another policy knows the same value again.
    """
    names = {name for key in keys for name in also_known_as(key)}
    hashes = {tools.hashing.of_identifier(name): normaliser_of(name, tools.policy) for name in names}
    rows = [{"hash": hash_, "written": written} for hash_, written in sorted(hashes.items())]
    await tx.rows(REMEMBER, rows=rows, mints=sorted(each.mint for each in gone), mode=mode.value, now=tools.now)


async def settle_requests(tx: Transaction, keys: Iterable[IdentifierKey], by: str, now: int) -> None:
    """Settle the requests about these identifiers, in the transaction that erases them. now: µs."""
    await tx.rows(SETTLE_REQUESTS, keys=sorted(set(keys)), by=by, now=now)


async def stitch_rest(tx: Transaction, change: Change, policy: Policy, now: int) -> Stitched:
    """Stitch again what only the buried held together, and bring all views up to date. now: µs."""
    stitched = await stitch_change(tx, change, policy, now)
    await refresh_views(tx, [], change, stitched, policy)
    left = {each.id for each in stitched.clusters} | (change.emptied - stitched.gone)
    await refresh_traits(tx, left, policy)
    await share(tx, left)
    await refresh_contact_use(tx, left, change.ends, (), policy)
    return stitched


async def refresh_devices(
    tx: Transaction, devices: Collection[IdentifierKey], keys: Collection[IdentifierKey], policy: Policy
) -> None:
    """Who used these devices when, without the buried; of busy ones these are only taken out, the rest comes later."""
    if not devices:
        return
    rows = []
    for row in await tx.rows(USES_OF, keys=sorted(devices)):
        uses = uses_from(row["uses"])
        kept = [each for each in uses if each.person not in keys]
        rows += [{"key": row["key"], "uses": uses_text(kept)}] if len(kept) < len(uses) else []
    if rows:
        await tx.rows(KEEP_USES, rows=rows)
    await refresh_uses(tx, devices, (), (), policy)


def profiles_of(gone: Iterable[Gone]) -> set[ProfileId]:
    """The profiles that lose an identifier."""
    return {each.profile for each in gone if each.profile is not None}
