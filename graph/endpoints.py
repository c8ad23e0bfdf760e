"""Webhooks out: who is told. What each is still to be told is in graph/owing.py and graph/deliveries.py."""

from dataclasses import dataclass
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from graph.feed import locked_position

POSITION = "webhooks"
MOST_ENDPOINTS = 100


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
    SEGMENT_REMOVED = "segment.removed"


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
    return tuple(endpoint_from(row["endpoint"]) for row in await reader.rows(ENDPOINTS))


def endpoint_from(row: Row) -> Endpoint:
    """The endpoint in a node's properties."""
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
    await writer.write(keep_endpoint_in, endpoint)


async def keep_endpoint_in(tx: Transaction, endpoint: Endpoint) -> None:
    """The same with what else a transaction does."""
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


# webhook_endpoint_id (unique)
REMOVE_ENDPOINT = """
MATCH (endpoint:WebhookEndpoint {id: $id})
DELETE endpoint
"""

# label scans: of endpoints, and feed_position_name (unique)
FORGET_POSITION = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
WHERE NOT EXISTS { MATCH (:WebhookEndpoint) }
DELETE position
"""

# webhook_delivery_endpoint (endpoint, seq), a page
FORGET_OWED = """
MATCH (owed:WebhookDelivery)
USING INDEX SEEK owed:WebhookDelivery(endpoint, seq)
WHERE owed.endpoint = $id AND owed.seq >= 0
WITH owed
LIMIT 1000
DELETE owed
RETURN count(owed) AS many
"""


async def remove_endpoint(writer: Writer, id_: str) -> None:
    """Forget an endpoint and all that it is owed, a thousand in a transaction. Twice is once."""
    await writer.write(_remove, id_)
    while await writer.write(_forget_owed, id_):
        pass


async def _remove(tx: Transaction, id_: str) -> None:
    await locked_position(tx, POSITION)
    await tx.rows(REMOVE_ENDPOINT, id=id_)
    await tx.rows(FORGET_POSITION, name=POSITION)


async def _forget_owed(tx: Transaction, id_: str) -> int:
    return int((await tx.rows(FORGET_OWED, id=id_))[0]["many"])
