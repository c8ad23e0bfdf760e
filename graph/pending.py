"""What was too large for the transaction that touched it, done in the background: regions, and uses of busy devices."""

from graph.audit import Cause, CauseKind
from graph.connection import Reader, Transaction, Writer
from graph.genericity import recount
from graph.locks import begun_again, lock
from graph.policies import PolicyHeld, begin, held_of
from graph.regions import Change
from graph.stitcher import stitch_change
from graph.views import refresh_views
from identity.identifiers import IdentifierKey
from identity.policy import Policy

# identifier_pending (range)
WAITING = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(pending)
WHERE i.pending = true
RETURN i.key AS key
ORDER BY key
LIMIT $limit
"""

# identifier_key (unique)
DONE = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
REMOVE i.pending
"""

AT_ONCE = 1_000


async def anything_pending(reader: Reader) -> bool:
    """Whether anything waits: a transaction that may write would take three ways to Neo4j to say no."""
    return bool(await reader.rows(WAITING, limit=1))


async def drain_pending(writer: Writer, policy: Policy | PolicyHeld, now: int) -> int:
    """Stitch what waits, a region at a time, until nothing waits; how many identifiers waited. now: µs.

    May run twice and beside ingestion: a region is stitched under the same locks. Raises PolicyApplyingError.
    """
    held = held_of(policy)
    drained = 0
    while done := await begun_again(writer, _drain, held, now):
        drained += done
    return drained


async def _drain(tx: Transaction, held: PolicyHeld, now: int) -> int:
    keys = [IdentifierKey(row["key"]) for row in await tx.rows(WAITING, limit=AT_ONCE)]
    if not keys:
        return 0
    policy = (await begin(tx, held)).policy
    change = Change(Cause(CauseKind.RECOMPUTE), ends=set(keys), additive=False, waited=True)
    await lock(tx, change, keys, now)
    await tx.rows(DONE, keys=keys)
    await recount(tx, change, policy, now)
    stitched = await stitch_change(tx, change, policy, now, limited=False)
    await refresh_views(tx, [], change, stitched, policy, limited=False)
    return len(keys)
