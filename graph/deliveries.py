"""Webhooks out: what each endpoint is still to be told, and what became of it. A delivery is a node until it is taken.

Each endpoint has a lane of its own in the index: what is due to one is found without what is due to another.
"""

from collections.abc import Collection
from dataclasses import dataclass

from graph.connection import Reader, Row, Transaction, Writer
from graph.endpoints import Endpoint, endpoint_from

FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. at: when it had come to its end, µs; status: of the answer, None where there was none."""

    at: int
    status: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something an endpoint is owed. body: as it is sent. tries: in vain so far; status: of the last answer, if any.

    attempts: every try, also those before it was sent once more by hand, the first one first.
    """

    id: str
    endpoint: str
    seq: int
    type: str
    body: str
    at: int
    tries: int = 0
    due_at: int | None = None
    done_at: int | None = None
    status: int | None = None
    attempts: tuple[Attempt, ...] = ()


# label scan: as many rows as there are endpoints; webhook_delivery_lane (endpoint, due_at, seq), the first of each
LANES_DUE = """
MATCH (endpoint:WebhookEndpoint)
WHERE endpoint.state = 'active' AND EXISTS {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, due_at, seq)
  WHERE owed.endpoint = endpoint.id AND owed.due_at <= $now AND owed.seq >= 0
}
RETURN endpoint.id AS id
"""


async def lanes_due(reader: Reader, now: int) -> Collection[str]:
    """The endpoints to which something is due at a moment (µs). One statement. Raises DatabaseAwayError."""
    return frozenset(row["id"] for row in await reader.rows(LANES_DUE, now=now))


# webhook_endpoint_id (unique)
ACTIVE = """
MATCH (endpoint:WebhookEndpoint {id: $id})
WHERE endpoint.state = 'active'
RETURN endpoint {.*} AS endpoint
"""

# webhook_delivery_lane (endpoint, due_at, seq), in its order;
# the write is the lock: who comes second finds it due later
TAKE_DUE = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, due_at, seq)
WHERE owed.endpoint = $endpoint AND owed.due_at <= $now AND owed.seq >= 0
WITH owed
ORDER BY owed.endpoint, owed.due_at, owed.seq
LIMIT $limit
SET owed.touched = $now
WITH owed
WHERE owed.due_at <= $now
SET owed.due_at = $until
RETURN owed {.*} AS owed
ORDER BY owed.seq, owed.id
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is due to an endpoint, for one process alone until a moment after which another one takes it."""

    endpoint: Endpoint
    owed: tuple[Delivery, ...]


async def take_due(writer: Writer, endpoint: str, now: int, until: int, limit: int) -> Taken | None:
    """What is due to an endpoint, at most `limit`, of one that takes nothing a single one; None: nothing is due to it.

    In the order of the feed, the earliest due. Moments in µs.
    """
    return await writer.write(_take, endpoint, now, until, limit)


async def _take(tx: Transaction, id_: str, now: int, until: int, limit: int) -> Taken | None:
    found = await tx.rows(ACTIVE, id=id_)
    if not found:
        return None
    endpoint = endpoint_from(found[0]["endpoint"])
    many = limit if endpoint.failing_since is None else 1
    rows = await tx.rows(TAKE_DUE, endpoint=id_, now=now, until=until, limit=many)
    return Taken(endpoint, tuple(_delivery(row["owed"]) for row in rows)) if rows else None


def _delivery(row: Row) -> Delivery:
    tried = zip(row.get("tried") or (), row.get("answered") or (), strict=True)
    return Delivery(
        id=row["id"],
        endpoint=row["endpoint"],
        seq=row["seq"],
        type=row["type"],
        body=row["body"],
        at=row["at"],
        tries=row["tries"],
        due_at=row.get("due_at"),
        done_at=row.get("done_at"),
        status=row.get("status"),
        attempts=tuple(Attempt(at, status or None) for at, status in tried),
    )


# webhook_delivery_id (unique)
SETTLE = """
MATCH (owed:WebhookDelivery {id: $id})
SET owed += $facts,
  owed.tried = coalesce(owed.tried, []) + $at, owed.answered = coalesce(owed.answered, []) + coalesce($facts.status, 0)
"""

# webhook_endpoint_id (unique)
FAILING = """
MATCH (endpoint:WebhookEndpoint {id: $id})
SET endpoint.failing_since = coalesce(endpoint.failing_since, $now)
WITH endpoint
WHERE endpoint.state = 'active' AND ($gone OR endpoint.failing_since < $limit)
SET endpoint.state = 'disabled', endpoint.reason = $reason
RETURN endpoint.id AS id
"""

# webhook_endpoint_id (unique)
WELL = """
MATCH (endpoint:WebhookEndpoint {id: $id})
WHERE endpoint.failing_since IS NOT NULL
SET endpoint.failing_since = null
"""


async def settle_taken(writer: Writer, id_: str, endpoint: str, status: int, now: int) -> None:
    """An endpoint took what it was owed."""
    await writer.write(_taken, id_, endpoint, status, now)


async def _taken(tx: Transaction, id_: str, endpoint: str, status: int, now: int) -> None:
    await tx.rows(SETTLE, id=id_, at=now, facts={"due_at": None, "done_at": now, "status": status})
    await tx.rows(WELL, id=endpoint)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not taken. due_at: when it is tried again, µs; None: never. gone: the endpoint wants nothing more.

    limit: who has been failing since before this moment is told nothing more.
    """

    tries: int
    due_at: int | None
    status: int | None
    reason: str
    gone: bool
    limit: int


async def settle_refused(writer: Writer, id_: str, endpoint: str, refusal: Refusal, now: int) -> bool:
    """An endpoint did not take what it was owed; whether it is disabled by that."""
    return await writer.write(_refused, id_, endpoint, refusal, now)


async def _refused(tx: Transaction, id_: str, endpoint: str, refusal: Refusal, now: int) -> bool:
    facts = {"due_at": refusal.due_at, "tries": refusal.tries, "status": refusal.status}
    await tx.rows(SETTLE, id=id_, at=now, facts=facts)
    return bool(
        await tx.rows(FAILING, id=endpoint, now=now, gone=refusal.gone, limit=refusal.limit, reason=refusal.reason)
    )


# webhook_delivery_endpoint (endpoint, seq), backwards
LATEST = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
WHERE owed.endpoint = $endpoint AND owed.seq >= 0
WITH owed
ORDER BY owed.endpoint DESC, owed.seq DESC
WITH owed
WHERE NOT $failed OR (owed.done_at IS NULL AND owed.tries > 0)
LIMIT $limit
RETURN owed {.*} AS owed
"""


async def deliveries(reader: Reader, endpoint: str, limit: int, *, failed: bool = False) -> tuple[Delivery, ...]:
    """The latest that an endpoint was or is owed, newest first. failed: only what was tried and not taken so far.

    Raises DatabaseAwayError.
    """
    rows = await reader.rows(LATEST, endpoint=endpoint, limit=limit, failed=failed)
    return tuple(_delivery(row["owed"]) for row in rows)


# webhook_delivery_id (unique)
DELIVERY = """
MATCH (owed:WebhookDelivery {id: $id})
RETURN owed {.*} AS owed
"""


async def delivery_by_id(reader: Reader, id_: str) -> Delivery | None:
    """Something that an endpoint was or is owed; None where it is unknown. Raises DatabaseAwayError."""
    return next((_delivery(row["owed"]) for row in await reader.rows(DELIVERY, id=id_)), None)


# webhook_delivery_id (unique)
RESEND = """
MATCH (owed:WebhookDelivery {id: $id})
SET owed.due_at = $now, owed.done_at = null, owed.tries = 0
RETURN owed.id AS id
"""


async def resend(writer: Writer, id_: str, now: int) -> bool:
    """Tell something once more, under the same id; False where it is unknown."""
    return bool(await writer.write(_resend, id_, now))


async def _resend(tx: Transaction, id_: str, now: int) -> list[Row]:
    return await tx.rows(RESEND, id=id_, now=now)


# webhook_delivery_done (range)
FORGET_DONE = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(done_at)
WHERE owed.done_at < $before
WITH owed
LIMIT $most
DELETE owed
RETURN count(owed) AS many
"""

# label scan: as many rows as there are endpoints; webhook_delivery_endpoint (endpoint, seq), the first of each
FORGET_OLD = """
MATCH (endpoint:WebhookEndpoint)
CALL (endpoint) {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
  WHERE owed.endpoint = endpoint.id AND owed.seq >= 0
  WITH owed
  ORDER BY owed.endpoint, owed.seq
  LIMIT $most
  WITH owed
  WHERE owed.at < $before
  RETURN owed
}
DELETE owed
RETURN count(owed) AS many
"""


async def forget_deliveries(writer: Writer, done: int, old: int) -> None:
    """Forget what was taken before a moment, and what happened before another, taken or not (µs); in pages."""
    for statement, before in ((FORGET_DONE, done), (FORGET_OLD, old)):
        while await writer.write(_forget, statement, before) >= FORGOTTEN_AT_ONCE:
            pass


async def _forget(tx: Transaction, statement: str, before: int) -> int:
    return int((await tx.rows(statement, before=before, most=FORGOTTEN_AT_ONCE))[0]["many"])
