"""Webhooks out: what each endpoint is still to be told, and what became of it. A delivery is a node until it is taken.

Each endpoint has a lane of its own in the index: what is due to one is found without what is due to another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from graph.connection import Reader, Row, Transaction, Writer
from graph.counting import MOST_COUNTED, Counted, counted
from graph.endpoints import Endpoint, EndpointState, endpoint_from
from identity.messages import moment

FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. at: when it had come to its end, µs; status: of the answer, None where there was none."""

    at: int
    status: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something an endpoint is owed. body: as it is sent. tries: in vain so far; status: of the last answer, if any.

    attempts: the latest 100 tries, also those before it was sent once more by hand, the first one first.
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


class DeliveryState(StrEnum):
    """What became of something owed: taken; to be sent; later, since the endpoint is held; not sent any more."""

    TAKEN = "taken"
    WAITING = "waiting"
    HELD = "held"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Owed:
    """Something owed, and to whom."""

    endpoint: Endpoint
    delivery: Delivery


def standing_of(owed: Delivery, endpoint: Endpoint) -> DeliveryState:
    """What became of something that an endpoint is owed."""
    if owed.done_at is not None:
        return DeliveryState.TAKEN
    if owed.due_at is None and owed.tries:
        return DeliveryState.GIVEN_UP
    if owed.due_at is None or endpoint.state is not EndpointState.ACTIVE:
        return DeliveryState.HELD
    return DeliveryState.WAITING


def body_of(owed: Delivery) -> str:
    """What is sent: the same at each try, `timestamp` is when it happened."""
    said = orjson.loads(owed.body)
    happened = moment(owed.at).isoformat()
    return orjson.dumps({"type": said["type"], "timestamp": happened, "data": said["data"]}).decode()


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. at: when it had come to its end, µs; status, reason: of the answer.

    taken: whether that is the end of it. Of what was not taken tries: so far; due_at: when it is tried again, µs, None:
    never; gone: the endpoint wants nothing more.
    """

    id: str
    at: int
    status: int | None
    reason: str
    taken: bool
    tries: int = 0
    due_at: int | None = None
    gone: bool = False

    @property
    def facts(self) -> dict[str, object]:
        """What is different of the delivery from now on."""
        if self.taken:
            return {"due_at": None, "done_at": self.at, "status": self.status}
        return {"due_at": self.due_at, "tries": self.tries, "status": self.status}


# webhook_delivery_id (unique)
SETTLE = """
UNWIND $rows AS row
MATCH (owed:WebhookDelivery {id: row.id})
USING INDEX SEEK owed:WebhookDelivery(id)
SET owed += row.facts,
  owed.tried = (coalesce(owed.tried, []) + row.at)[-100..],
  owed.answered = (coalesce(owed.answered, []) + coalesce(row.facts.status, 0))[-100..]
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


async def settle(writer: Writer, endpoint: str, outcomes: Sequence[Outcome], limit: int) -> str | None:
    """Remember what became of some tries, in the order of their ends; why the endpoint is disabled by it, if it is.

    limit: who has been failing since before this moment (µs) is told nothing more. One transaction for all: to commit
    takes longer than to send.
    """
    return await writer.write(_settle, endpoint, outcomes, limit)


async def _settle(tx: Transaction, endpoint: str, outcomes: Sequence[Outcome], limit: int) -> str | None:
    rows = [{"id": each.id, "at": each.at, "facts": each.facts} for each in sorted(outcomes, key=lambda one: one.id)]
    await tx.rows(SETTLE, rows=rows)
    if any(each.taken for each in outcomes):
        await tx.rows(WELL, id=endpoint)
    last, gone = outcomes[-1], next((each for each in outcomes if each.gone), None)
    if last.taken and gone is None:
        return None
    why = gone or last
    found = await tx.rows(FAILING, id=endpoint, now=why.at, gone=why.gone, limit=limit, reason=why.reason)
    return why.reason if found else None


@dataclass(frozen=True, slots=True)
class DeliveryPlace:
    """Behind what a page of what an endpoint is owed begins, the newest first; from the newest without `seq`."""

    endpoint: str
    seq: int = 2**62
    id: str = ""


# webhook_delivery_endpoint (endpoint, seq), backwards, a page for each place. CASE keeps the planner from making two
# seeks of an OR, which read all that an endpoint was ever owed.
LATEST = """
UNWIND $places AS place
CALL (place) {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
  WHERE owed.endpoint = place.endpoint AND owed.seq <= place.seq
    AND CASE WHEN owed.seq = place.seq THEN owed.id < place.id ELSE true END
  WITH owed
  ORDER BY owed.endpoint DESC, owed.seq DESC, owed.id DESC
  WITH owed
  WHERE NOT $failed OR (owed.done_at IS NULL AND owed.tries > 0)
  LIMIT $limit
  RETURN collect(owed {.*}) AS page
}
RETURN place.number AS number, page
"""


async def deliveries_of(
    reader: Reader, places: Sequence[DeliveryPlace], limit: int, *, failed: bool = False
) -> dict[DeliveryPlace, tuple[Delivery, ...]]:
    """The next that endpoints were or are owed, newest first, at most `limit` each. One statement.

    failed: only what was tried and not taken so far; all else is passed over. Raises DatabaseAwayError.
    """
    asked = [
        {"number": number, "endpoint": each.endpoint, "seq": each.seq, "id": each.id}
        for number, each in enumerate(places)
    ]
    rows = await reader.rows(LATEST, places=asked, limit=limit, failed=failed)
    return {places[row["number"]]: tuple(map(_delivery, row["page"])) for row in rows}


async def deliveries(reader: Reader, endpoint: str, limit: int, *, failed: bool = False) -> tuple[Delivery, ...]:
    """The latest that one endpoint was or is owed, as `deliveries_of`."""
    place = DeliveryPlace(endpoint)
    return (await deliveries_of(reader, [place], limit, failed=failed))[place]


# webhook_delivery_lane (endpoint, due_at, seq), until there are enough
WAITING = """
UNWIND $endpoints AS endpoint
CALL (endpoint) {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, due_at, seq)
  WHERE owed.endpoint = endpoint AND owed.due_at >= 0 AND owed.seq >= 0
  WITH owed
  LIMIT $most
  RETURN count(owed) AS number
}
RETURN endpoint, number
"""


async def waiting_for(reader: Reader, ids: Sequence[str]) -> dict[str, Counted]:
    """How much there is to be sent to each endpoint, now or later. One statement."""
    rows = await reader.rows(WAITING, endpoints=list(ids), most=MOST_COUNTED + 1)
    return {row["endpoint"]: counted(row["number"]) for row in rows}


# webhook_delivery_id (unique), webhook_endpoint_id (unique)
DELIVERY = """
MATCH (owed:WebhookDelivery {id: $id})
USING INDEX SEEK owed:WebhookDelivery(id)
MATCH (endpoint:WebhookEndpoint {id: owed.endpoint})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
RETURN owed {.*} AS owed, endpoint {.*} AS endpoint
"""


async def delivery_by_id(reader: Reader, id_: str) -> Owed | None:
    """Something that an endpoint was or is owed; None where it is unknown. Raises DatabaseAwayError."""
    return next(map(_owed, await reader.rows(DELIVERY, id=id_)), None)


def _owed(row: Row) -> Owed:
    return Owed(endpoint_from(row["endpoint"]), _delivery(row["owed"]))


# webhook_delivery_id (unique), webhook_endpoint_id (unique)
RESEND = """
MATCH (owed:WebhookDelivery {id: $id})
USING INDEX SEEK owed:WebhookDelivery(id)
MATCH (endpoint:WebhookEndpoint {id: owed.endpoint})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
SET owed.due_at = $now, owed.done_at = null, owed.tries = 0
RETURN owed {.*} AS owed, endpoint {.*} AS endpoint
"""


async def resend(writer: Writer, id_: str, now: int) -> Owed | None:
    """Tell something once more, under the same id; as it is then, None where it is unknown. now: µs."""
    return await writer.write(_resend, id_, now)


async def _resend(tx: Transaction, id_: str, now: int) -> Owed | None:
    return next(map(_owed, await tx.rows(RESEND, id=id_, now=now)), None)


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
