"""Webhooks out: who is told, and how that is changed, by the command and over GraphQL alike.

What each is still to be told is in graph/owing.py and graph/deliveries.py. A change is one small transaction, however
much an endpoint is owed: what then has to be done of each thing that it is owed is only written down here, and done in
pages behind it (graph/backlog.py).
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from graph.feed import locked_position

POSITION = "webhooks"
MOST_ENDPOINTS = 100
MOST_FORMERS = 5


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
class Again:
    """What an endpoint is owed is made due at once, in pages. since: only what happened at this moment or later, µs.

    at: when that was asked for, µs. seq, id: up to where it is done; many: how many were made due so far.
    """

    since: int
    at: int
    seq: int = -1
    id: str = ""
    many: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Former:
    """A secret that was replaced, and signs beside the new one until a moment (µs)."""

    secret: str
    until: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told. secret, formers: by which it is signed, the latest of the former ones last. reason: why disabled.

    again: what it is owed is made due at once, or was at last.
    """

    id: str
    url: str
    topics: tuple[str, ...]
    secret: str
    created_at: int
    state: EndpointState = EndpointState.ACTIVE
    formers: tuple[Former, ...] = ()
    failing_since: int | None = None
    reason: str | None = None
    again: Again | None = None

    def signing(self, now: int) -> tuple[str, ...]:
        """By which a message is signed at a moment (µs): while a secret is being replaced, by the former ones, too."""
        return (self.secret, *(each.secret for each in self.formers if now < each.until))


def new_secret() -> str:
    """A secret that nobody knows yet, in the form that Standard Webhooks gives it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def rotated(old: Endpoint, secret: str, until: int, now: int) -> Endpoint:
    """An endpoint with another secret, beside which the one before signs until a moment (both in µs).

    Those before that sign as long as they would have: who lost a new secret rotates again, and the receiver, which
    still has the first one, loses nothing. The five latest do.
    """
    formers = (*(each for each in old.formers if now < each.until), Former(old.secret, until))
    return replace(old, secret=secret, formers=formers[-MOST_FORMERS:])


def paused(old: Endpoint) -> Endpoint:
    """An endpoint that is told nothing until it is resumed; what it is owed stays as it is."""
    return replace(old, state=EndpointState.PAUSED, reason=None)


def resumed(old: Endpoint, now: int) -> Endpoint:
    """An endpoint that is told what it is owed, all of it from now (µs) on, also what was not sent any more."""
    return recovered(replace(old, state=EndpointState.ACTIVE, reason=None, failing_since=None), 0, now)


def recovered(old: Endpoint, since: int, now: int) -> Endpoint:
    """An endpoint that is told at once what happened since a moment and it did not take, given up or not. Both in µs.

    Of two such wishes, of which one is not done yet, the longer way back counts.
    """
    under_way = old.again is not None and not old.again.done
    earlier = old.again.since if old.again is not None and under_way else since
    return replace(old, again=Again(min(since, earlier), now))


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
        formers=tuple(map(Former, row.get("formers") or (), row.get("formers_until") or ())),
        failing_since=row.get("failing_since"),
        reason=row.get("reason"),
        again=_again(row),
    )


def _again(row: Row) -> Again | None:
    if row.get("again_at") is None:
        return None
    return Again(**{each.name: row[f"again_{each.name}"] for each in fields(Again)})


# label scan: as many rows as there are endpoints
ROOM = """
MATCH (endpoint:WebhookEndpoint)
RETURN count(endpoint) AS many, count(CASE WHEN endpoint.id = $id THEN 1 END) AS known
"""

# webhook_endpoint_id (unique)
KEEP_ENDPOINT = """
MERGE (endpoint:WebhookEndpoint {id: $id})
SET endpoint += $facts
"""


async def keep_endpoint(writer: Writer, endpoint: Endpoint) -> Endpoint | None:
    """Tell somebody what happens from now on; None, and nothing kept, where there are 100 others. Twice is once."""
    return await writer.write(_keep, endpoint)


async def _keep(tx: Transaction, endpoint: Endpoint) -> Endpoint | None:
    await locked_position(tx, POSITION)
    row = (await tx.rows(ROOM, id=endpoint.id))[0]
    if row["many"] - row["known"] >= MOST_ENDPOINTS:
        return None
    await tx.rows(KEEP_ENDPOINT, id=endpoint.id, facts=_facts(endpoint))
    return endpoint


def _facts(endpoint: Endpoint) -> dict[str, object]:
    again = endpoint.again
    return {
        "url": endpoint.url,
        "topics": list(endpoint.topics),
        "secret": endpoint.secret,
        "created_at": endpoint.created_at,
        "state": endpoint.state.value,
        "formers": [each.secret for each in endpoint.formers],
        "formers_until": [each.until for each in endpoint.formers],
        "failing_since": endpoint.failing_since,
        "reason": endpoint.reason,
    } | ({f"again_{name}": value for name, value in asdict(again).items()} if again is not None else {})


# webhook_endpoint_id (unique); the write is the lock
LOCK_ENDPOINT = """
MATCH (endpoint:WebhookEndpoint {id: $id})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
SET endpoint.touched = timestamp()
RETURN endpoint {.*} AS endpoint
"""

Changed = Callable[[Endpoint], Endpoint]


async def change_endpoint(writer: Writer, id_: str, changed: Changed) -> Endpoint | None:
    """Change an endpoint from what it is when nobody else can change it; None where there is none. As it is then."""
    return await writer.write(_change, id_, changed)


async def _change(tx: Transaction, id_: str, changed: Changed) -> Endpoint | None:
    await locked_position(tx, POSITION)
    found = await tx.rows(LOCK_ENDPOINT, id=id_)
    if not found:
        return None
    endpoint = changed(endpoint_from(found[0]["endpoint"]))
    await tx.rows(KEEP_ENDPOINT, id=id_, facts=_facts(endpoint))
    return endpoint


# webhook_endpoint_id (unique)
REMOVE_ENDPOINT = """
MATCH (endpoint:WebhookEndpoint {id: $id})
USING INDEX SEEK endpoint:WebhookEndpoint(id)
REMOVE endpoint:WebhookEndpoint, endpoint.url, endpoint.secret, endpoint.formers
SET endpoint:RemovedWebhookEndpoint
RETURN count(*) AS many
"""

# label scan: of endpoints, and feed_position_name (unique)
FORGET_POSITION = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
WHERE NOT EXISTS { MATCH (:WebhookEndpoint) }
DELETE position
"""


async def remove_endpoint(writer: Writer, id_: str) -> bool:
    """Tell somebody nothing more, and forget the secrets; False where nobody is known. Twice is once.

    What it was owed is forgotten behind that, in pages (graph/backlog.py).
    """
    return await writer.write(_remove, id_)


async def _remove(tx: Transaction, id_: str) -> bool:
    await locked_position(tx, POSITION)
    many = (await tx.rows(REMOVE_ENDPOINT, id=id_))[0]["many"]
    await tx.rows(FORGET_POSITION, name=POSITION)
    return bool(many)
