"""Webhooks out: who is told, and what each is still to be told. What is owed is a node until it is taken.

What happened becomes deliveries in the transaction that moves on the reader's place in the feed, under ids that follow
from the entry: however a process ends, each is owed once, and told under one id. They name ids, never a value.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from graph.changes import changes_by_id
from graph.connection import Connection, Reader, Row, Transaction, Writer
from graph.feed import Entry, entries_after, keep_position, locked_position, profiles_touched
from insight.changes import Change

POSITION = "webhooks"
PROFILES_AT_ONCE = 100


class Topic(StrEnum):
    """What an endpoint can be told of."""

    PROFILE_CHANGED = "profile.changed"
    PROFILE_MERGED = "profile.merged"
    PROFILE_SPLIT = "profile.split"
    IDENTITY_CHANGED = "identity.changed"
    INTERACTION_ADDED = "interaction.added"
    LOAD_PROGRESSED = "load.progressed"
    SEGMENT_ENTERED = "segment.entered"
    SEGMENT_LEFT = "segment.left"


class EndpointState(StrEnum):
    """Whether an endpoint is told: now; later, since somebody paused it, or since it takes nothing."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told. secret, former: by which it is signed, the former one until a moment (µs). reason: why disabled."""

    id: str
    url: str
    topics: tuple[str, ...]
    secret: str
    created_at: int
    state: EndpointState = EndpointState.ACTIVE
    former: str | None = None
    former_until: int = 0
    failing_since: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something an endpoint is owed. body: as it is sent. tries: in vain so far; status: of the last answer, if any."""

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


# webhook_endpoint_id (unique)
KEEP_ENDPOINT = """
MERGE (endpoint:WebhookEndpoint {id: $id})
SET endpoint += $facts
"""

# label scan: as many rows as there are endpoints
ENDPOINTS = """
MATCH (endpoint:WebhookEndpoint)
RETURN endpoint {.*} AS endpoint
ORDER BY endpoint.created_at, endpoint.id
"""


async def endpoints(reader: Reader | Transaction) -> tuple[Endpoint, ...]:
    """Everybody who is told, the oldest first. Raises DatabaseAwayError."""
    return tuple(_endpoint(row["endpoint"]) for row in await reader.rows(ENDPOINTS))


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(
        id=row["id"],
        url=row["url"],
        topics=tuple(row["topics"]),
        secret=row["secret"],
        created_at=row["created_at"],
        state=EndpointState(row["state"]),
        former=row.get("former"),
        former_until=row.get("former_until") or 0,
        failing_since=row.get("failing_since"),
        reason=row.get("reason"),
    )


async def keep_endpoint(writer: Writer, endpoint: Endpoint) -> None:
    """Remember an endpoint as it is now; the first one is told what happens from now on. Twice is once."""
    await writer.write(_keep_endpoint, endpoint)


async def _keep_endpoint(tx: Transaction, endpoint: Endpoint) -> None:
    await locked_position(tx, POSITION)
    facts = {
        "url": endpoint.url,
        "topics": list(endpoint.topics),
        "secret": endpoint.secret,
        "created_at": endpoint.created_at,
        "state": endpoint.state.value,
        "former": endpoint.former,
        "former_until": endpoint.former_until,
        "failing_since": endpoint.failing_since,
        "reason": endpoint.reason,
    }
    await tx.rows(KEEP_ENDPOINT, id=endpoint.id, facts=facts)


# webhook_endpoint_id (unique), webhook_delivery_endpoint (endpoint, seq); label scan of what is left
REMOVE_ENDPOINT = """
MATCH (endpoint:WebhookEndpoint {id: $id})
DELETE endpoint
WITH $id AS id
CALL (id) {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
  WHERE owed.endpoint = id AND owed.seq >= 0
  DELETE owed
}
"""

# label scans: of endpoints, and feed_position_name (unique)
FORGET_POSITION = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
WHERE NOT EXISTS { MATCH (:WebhookEndpoint) }
DELETE position
"""


async def remove_endpoint(writer: Writer, id_: str) -> None:
    """Forget an endpoint and all that it is owed. Twice is once."""
    await writer.write(_remove, id_)


async def _remove(tx: Transaction, id_: str) -> None:
    await tx.rows(REMOVE_ENDPOINT, id=id_)
    await tx.rows(FORGET_POSITION, name=POSITION)


# webhook_delivery_id (unique)
OWE = """
UNWIND $rows AS row
MERGE (owed:WebhookDelivery {id: row.id})
ON CREATE SET owed += row
"""


async def owe(connection: Connection) -> int:
    """Turn what happened since into what is owed; how many entries. Processes may do it side by side."""
    if not await connection.reader.rows(ENDPOINTS):
        return 0
    return await connection.writer.write(_owe)


async def _owe(tx: Transaction) -> int:
    position = await locked_position(tx, POSITION)
    entries = await entries_after(tx, position)
    if not entries:
        return 0
    told = await endpoints(tx)
    wanted = frozenset(topic for each in told for topic in each.topics)
    rows: list[dict[str, object]] = []
    for entry in entries:
        for place, (type_, data) in enumerate(await _events(tx, entry, wanted)):
            rows += [_owed(each, entry, place, type_, data) for each in told if type_ in each.topics]
    await tx.rows(OWE, rows=rows)
    await keep_position(tx, POSITION, entries[-1].seq)
    return len(entries)


def _owed(endpoint: Endpoint, entry: Entry, place: int, type_: str, data: Mapping[str, object]) -> dict[str, object]:
    id_ = hashlib.sha256(f"{endpoint.id}\0{entry.seq}\0{type_}\0{place}".encode()).hexdigest()[:32]
    body = {"type": type_, "data": {**data, "sequence": f"{entry.seq}"}}
    return {
        "id": f"msg_{id_}",
        "endpoint": endpoint.id,
        "seq": entry.seq,
        "type": type_,
        "body": orjson.dumps(body).decode(),
        "at": entry.at,
        "tries": 0,
        "due_at": entry.at if endpoint.state is EndpointState.ACTIVE else None,
    }


# interaction_id and identifier_key (unique), then one expand per actor
PROFILES_ACTING = """
UNWIND $ids AS id
MATCH (interaction:Interaction {id: id})
USING INDEX SEEK interaction:Interaction(id)
MATCH (actor:Identifier {key: interaction.actor})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK actor:Identifier(key)
RETURN DISTINCT profile.id AS id
"""


async def _events(tx: Transaction, entry: Entry, wanted: frozenset[str]) -> Sequence[tuple[str, Mapping[str, object]]]:
    """What of an entry is told, in a fixed order: ids alone."""
    events: list[tuple[str, Mapping[str, object]]] = []
    if Topic.PROFILE_CHANGED in wanted and entry.touched:
        events += [
            (Topic.PROFILE_CHANGED, {"profiles": some}) for some in _parts(await profiles_touched(tx, entry.touched))
        ]
    if Topic.INTERACTION_ADDED in wanted and entry.messages:
        rows = await tx.rows(PROFILES_ACTING, ids=list(entry.messages))
        events += [(Topic.INTERACTION_ADDED, {"profiles": some}) for some in _parts(row["id"] for row in rows)]
    if entry.changes and wanted & {Topic.PROFILE_MERGED, Topic.PROFILE_SPLIT, Topic.IDENTITY_CHANGED}:
        found = await changes_by_id(tx, entry.changes)
        for change in (found[id_] for id_ in entry.changes if id_ in found):
            events += [(topic, _change(change)) for topic in _topics(change) if topic in wanted]
    if Topic.LOAD_PROGRESSED in wanted:
        events += [(Topic.LOAD_PROGRESSED, {"run": run}) for run in dict.fromkeys(entry.runs)]
    for topic, who in ((Topic.SEGMENT_ENTERED, entry.entered), (Topic.SEGMENT_LEFT, entry.left)):
        if topic in wanted:
            events += [(topic, {"segment": entry.segment, "profiles": some}) for some in _parts(who)]
    return events


def _parts(found: Iterable[str]) -> list[list[str]]:
    ids = sorted(found)
    return [ids[start : start + PROFILES_AT_ONCE] for start in range(0, len(ids), PROFILES_AT_ONCE)]


def _topics(change: Change) -> list[str]:
    return [f"profile.{change.kind.value}", Topic.IDENTITY_CHANGED]


def _change(change: Change) -> Mapping[str, object]:
    return {
        "change": change.id,
        "kind": change.kind.value,
        "cause": change.cause.value,
        "before": list(change.before),
        "after": list(change.after),
        "retired": list(change.retired),
    }


# webhook_delivery_due (range); the write is the lock: who comes second finds it due later
TAKE_DUE = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(due_at)
WHERE owed.due_at <= $now
WITH owed
ORDER BY owed.due_at
LIMIT $limit
SET owed.touched = $now
WITH owed
WHERE owed.due_at <= $now
SET owed.due_at = $until
RETURN owed {.*} AS owed
ORDER BY owed.seq, owed.id
"""


async def take_due(writer: Writer, now: int, until: int, limit: int) -> tuple[Delivery, ...]:
    """What is due, for this process alone until a moment, after which another one takes it. Moments in µs."""
    return tuple(_delivery(row["owed"]) for row in await writer.write(_take, now, until, limit))


async def _take(tx: Transaction, now: int, until: int, limit: int) -> list[Row]:
    return await tx.rows(TAKE_DUE, now=now, until=until, limit=limit)


def _delivery(row: Row) -> Delivery:
    names = ("id", "endpoint", "seq", "type", "body", "at", "tries")
    more = ("due_at", "done_at", "status")
    return Delivery(*(row[name] for name in names), *(row.get(name) for name in more))


# webhook_delivery_id (unique)
SETTLE = """
MATCH (owed:WebhookDelivery {id: $id})
SET owed += $facts
"""

# webhook_endpoint_id (unique); webhook_delivery_endpoint (endpoint, seq) where it is told no more
FAILING = """
MATCH (endpoint:WebhookEndpoint {id: $id})
SET endpoint.failing_since = coalesce(endpoint.failing_since, $now)
WITH endpoint
WHERE endpoint.state = 'active' AND ($gone OR endpoint.failing_since < $limit)
SET endpoint.state = 'disabled', endpoint.reason = $reason
WITH endpoint.id AS id
CALL (id) {
  MATCH (owed:WebhookDelivery)
  USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
  WHERE owed.endpoint = id AND owed.seq >= 0 AND owed.done_at IS NULL
  SET owed.due_at = null
}
RETURN id
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
    await tx.rows(SETTLE, id=id_, facts={"due_at": None, "done_at": now, "status": status})
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
    await tx.rows(SETTLE, id=id_, facts=facts)
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
LIMIT $limit
RETURN owed {.*} AS owed
"""


async def deliveries(reader: Reader, endpoint: str, limit: int) -> tuple[Delivery, ...]:
    """The latest that an endpoint was or is owed, newest first. Raises DatabaseAwayError."""
    return tuple(_delivery(row["owed"]) for row in await reader.rows(LATEST, endpoint=endpoint, limit=limit))


# webhook_delivery_endpoint (endpoint, seq)
HOLD = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
WHERE owed.endpoint = $endpoint AND owed.seq >= 0 AND owed.done_at IS NULL
SET owed.due_at = $due_at, owed.tries = 0
"""


async def hold(writer: Writer, endpoint: Endpoint, due_at: int | None) -> None:
    """Remember an endpoint, and tell it what it is owed from a moment on; None: not before somebody says so."""
    await writer.write(_hold, endpoint, due_at)


async def _hold(tx: Transaction, endpoint: Endpoint, due_at: int | None) -> None:
    await _keep_endpoint(tx, endpoint)
    await tx.rows(HOLD, endpoint=endpoint.id, due_at=due_at)


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
LIMIT 1000
DELETE owed
RETURN count(owed) AS many
"""


async def forget_done(writer: Writer, before: int) -> int:
    """Forget what was taken before a moment (µs), a thousand at most; how many."""
    return int((await writer.write(_forget_done, before))[0]["many"])


async def _forget_done(tx: Transaction, before: int) -> list[Row]:
    return await tx.rows(FORGET_DONE, before=before)
