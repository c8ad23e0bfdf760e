"""Webhooks out: what takes long where an endpoint is owed a great deal, a page in a transaction.

What a resumed or recovered one is owed becomes due at once, and what a removed one was owed is forgotten. How far that
is done is written with each page: whoever is killed in between, the service or whoever asks again goes on from there,
and several who do so at once each find another page.
"""

from collections.abc import Collection
from dataclasses import dataclass

from graph.connection import Reader, Transaction, Writer

AT_ONCE = 1_000

# label scans: as many rows as there are endpoints, and those that were removed lately
STANDING = """
CALL () {
  MATCH (endpoint:WebhookEndpoint)
  WHERE endpoint.again_done = false
  RETURN endpoint.id AS id, false AS removed
  UNION ALL
  MATCH (endpoint:RemovedWebhookEndpoint)
  RETURN endpoint.id AS id, true AS removed
}
RETURN id, removed
ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of which endpoints something is left to do: to be made due again, or to be forgotten."""

    again: Collection[str]
    removed: Collection[str]


async def standing(reader: Reader) -> Standing:
    """Of which endpoints something is left to do. One statement. Raises DatabaseAwayError."""
    rows = await reader.rows(STANDING)
    again, removed = ([row["id"] for row in rows if row["removed"] is which] for which in (False, True))
    return Standing(again, removed)


async def work_off(reader: Reader, writer: Writer, pages: int) -> int:
    """Do some pages of what is left of any endpoint; how many were done. One reading statement where nothing is."""
    left, done = await standing(reader), 0
    for work, ids in ((again_page, left.again), (forget_page, left.removed)):
        for id_ in ids:
            more = True
            while more and done < pages:
                more = await work(writer, id_)
                done += 1
    return done


# webhook_endpoint_id (unique), whose write is the lock
AGAIN = """
MATCH (endpoint:WebhookEndpoint {id: $id})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
SET endpoint.touched = timestamp()
WITH endpoint
WHERE endpoint.again_done = false
RETURN endpoint.again_since AS since, endpoint.again_at AS at, endpoint.again_seq AS seq, endpoint.again_id AS after
"""

# webhook_delivery_endpoint (endpoint, seq), a page in its order. What was never tried and is due has nothing to be
# changed; what is on its way may be settled meanwhile, so each is looked at once more when it is locked.
MAKE_DUE = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
WHERE owed.endpoint = $endpoint AND owed.seq >= $seq AND (owed.seq > $seq OR owed.id > $after)
WITH owed
ORDER BY owed.endpoint, owed.seq, owed.id
LIMIT $most
WITH collect(owed) AS page
CALL (page) {
  UNWIND page AS owed
  WITH owed
  WHERE owed.done_at IS NULL AND owed.at >= $since AND (owed.due_at IS NULL OR owed.tries > 0)
  SET owed.touched = $at
  WITH owed
  WHERE owed.done_at IS NULL AND (owed.due_at IS NULL OR owed.tries > 0)
  SET owed.due_at = $at, owed.tries = 0
  RETURN count(owed) AS moved
}
RETURN size(page) AS many, moved, page[-1].seq AS seq, page[-1].id AS after
"""

# webhook_endpoint_id (unique)
KEEP_PLACE = """
MATCH (endpoint:WebhookEndpoint {id: $id})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
SET endpoint.again_many = endpoint.again_many + $moved, endpoint.again_done = $done,
  endpoint.again_seq = coalesce($seq, endpoint.again_seq), endpoint.again_id = coalesce($after, endpoint.again_id)
"""


async def again_page(writer: Writer, id_: str) -> bool:
    """Make one page more due of what an endpoint is owed; whether there may be another. Raises DatabaseAwayError."""
    return await writer.write(_again, id_)


async def _again(tx: Transaction, id_: str) -> bool:
    found = await tx.rows(AGAIN, id=id_)
    if not found:
        return False
    (row,) = await tx.rows(MAKE_DUE, endpoint=id_, most=AT_ONCE, **found[0])
    more = bool(row["many"] == AT_ONCE)
    await tx.rows(KEEP_PLACE, id=id_, moved=row["moved"], done=not more, seq=row["seq"], after=row["after"])
    return more


# webhook_delivery_endpoint (endpoint, seq), a page
FORGET_OWED = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
WHERE owed.endpoint = $id AND owed.seq >= 0
WITH owed
LIMIT $most
DELETE owed
RETURN count(owed) AS many
"""

# label scan: those that were removed lately
FORGET_ENDPOINT = """
MATCH (endpoint:RemovedWebhookEndpoint {id: $id})
DELETE endpoint
"""


async def forget_page(writer: Writer, id_: str) -> bool:
    """Forget one page more of what a removed endpoint was owed, and it with the last; whether there may be another."""
    return await writer.write(_forget, id_)


async def _forget(tx: Transaction, id_: str) -> bool:
    more = bool((await tx.rows(FORGET_OWED, id=id_, most=AT_ONCE))[0]["many"] == AT_ONCE)
    if not more:
        await tx.rows(FORGET_ENDPOINT, id=id_)
    return more
