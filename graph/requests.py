"""Requests that sources pass on, to erase somebody or to hand out what is known of her: kept until they are settled.

A request is there once it is recorded, whatever happens to the process afterwards: one that is due is carried out in
the background, again if it was cut off, and the erasure that takes its identifier settles it in its own last
transaction. From then on the request names nobody.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from graph.erasure import Doors, Request, Tools, erase
from graph.errors import DatabaseAwayError, ErasureKeyError, PolicyApplyingError
from graph.failures import kind_of
from graph.policies import PolicyHeld, begin
from identity.erasure import Hashing, Mode, Scope
from identity.identifiers import IdentifierKey
from identity.messages import MessageId, SourceName, micros, moment
from identity.requests import Asked, Wish, key_asked

AT_ONCE = 100


class RequestState(StrEnum):
    """Where a request stands: somebody has to decide, it will be carried out, it was, it was refused."""

    WAITING = "waiting"
    DUE = "due"
    DONE = "done"
    REFUSED = "refused"


OPEN = (RequestState.WAITING, RequestState.DUE)
EVERY = tuple(RequestState)


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """A request as it is kept. key: whose, or how all of them begin (`whole`); None once it is settled.

    scope: of the erasure that is due. by: who settled it.
    """

    id: str
    source: SourceName
    wish: Wish
    key: IdentifierKey | None
    whole: bool
    state: RequestState
    asked_at: datetime
    scope: Scope | None = None
    settled_at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """What is done with the requests of a source. scope: how much an erasure takes; None: somebody has to decide."""

    held: PolicyHeld
    hashing: Hashing | None
    scope: Scope | None = None


# privacy_request_id (unique), in the order of ids; what is there stays, also when it is settled
RECORD_REQUESTS = """
UNWIND $rows AS row
MERGE (r:PrivacyRequest {id: row.id})
ON CREATE SET r += row
"""


async def record_requests(writer: Writer, asked: Sequence[Asked], handling: Handling, now: datetime) -> None:
    """Keep requests until they are settled; a repeat changes nothing. Raises PolicyApplyingError, DatabaseAwayError.

    An erasure of one record is due at once where the handling says so; all else waits for somebody to decide.
    """
    if asked:
        await writer.write(_recorded, asked, handling, now)


async def _recorded(tx: Transaction, asked: Sequence[Asked], handling: Handling, now: datetime) -> None:
    policy = (await begin(tx, handling.held)).policy
    rows = {}
    for each in asked:
        due = each.wish is Wish.ERASURE and not each.whole and handling.scope is not None
        id_ = _id(each, handling.hashing)
        rows[id_] = {
            "id": id_,
            "source": each.source,
            "wish": each.wish.value,
            "key": key_asked(each, policy),
            "whole": each.whole,
            "state": (RequestState.DUE if due else RequestState.WAITING).value,
            "scope": handling.scope.value if due and handling.scope else None,
            "asked_at": micros(now),
        }
    await tx.rows(RECORD_REQUESTS, rows=[rows[id_] for id_ in sorted(rows)])


def _id(asked: Asked, hashing: Hashing | None) -> str:
    """By a hash, since ids of messages often tell whose they are; without a key nothing was ever erased."""
    id_ = MessageId(f"{asked.source}:{asked.wish}:{asked.id}")
    return hashing.of_message(id_) if hashing else hashlib.sha256(id_.encode()).hexdigest()


# privacy_request_state (range)
REQUESTS_IN = """
MATCH (r:PrivacyRequest)
USING INDEX SEEK r:PrivacyRequest(state)
WHERE r.state IN $states
RETURN r {.*} AS request
ORDER BY r.asked_at, r.id
LIMIT $limit
"""


async def requests_in(
    reader: Reader, states: Sequence[RequestState], limit: int = AT_ONCE
) -> tuple[PrivacyRequest, ...]:
    """Requests in one of these states, the oldest first. Raises DatabaseAwayError."""
    rows = await reader.rows(REQUESTS_IN, states=[each.value for each in states], limit=limit)
    return tuple(_request(row["request"]) for row in rows)


# privacy_request_id (unique), by the beginning of ids
REQUESTS_NAMED = """
UNWIND $starts AS start
MATCH (r:PrivacyRequest)
USING INDEX SEEK r:PrivacyRequest(id)
WHERE r.id STARTS WITH start
RETURN DISTINCT r {.*} AS request
ORDER BY request.asked_at, request.id
"""


async def requests_named(reader: Reader, starts: Sequence[str]) -> tuple[PrivacyRequest, ...]:
    """The requests whose ids begin with one of these texts, the oldest first. Raises DatabaseAwayError."""
    return tuple(_request(row["request"]) for row in await reader.rows(REQUESTS_NAMED, starts=list(starts)))


def _request(row: Row) -> PrivacyRequest:
    return PrivacyRequest(
        id=row["id"],
        source=SourceName(row["source"]),
        wish=Wish(row["wish"]),
        key=row.get("key"),
        whole=row["whole"],
        state=RequestState(row["state"]),
        asked_at=moment(row["asked_at"]),
        scope=Scope(row["scope"]) if row.get("scope") else None,
        settled_at=moment(row["settled_at"]) if row.get("settled_at") else None,
        by=row.get("by"),
    )


# privacy_request_id (unique); the write is the lock
SETTLE_REQUEST = """
MATCH (r:PrivacyRequest {id: $id})
USING INDEX SEEK r:PrivacyRequest(id)
SET r.touched = $now
WITH r
WHERE r.state IN ['waiting', 'due']
SET r.state = $state, r.settled_at = $now, r.by = $by, r.key = null
RETURN r.id AS id
"""


async def settle_request(writer: Writer, id_: str, state: RequestState, by: str, now: datetime) -> bool:
    """Settle an open request, which then names nobody; False where it was settled before. Raises DatabaseAwayError."""
    return bool(await writer.write(_settled, id_, state, by, micros(now)))


async def _settled(tx: Transaction, id_: str, state: RequestState, by: str, now: int) -> bool:
    return bool(await tx.rows(SETTLE_REQUEST, id=id_, state=state.value, by=by, now=now))


# identifier_key (unique), in its order
KEYS_BEGINNING = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key STARTS WITH $start AND i.key > $after
RETURN i.key AS key
ORDER BY key
LIMIT $limit
"""


async def carry_out(graph: Doors, request: PrivacyRequest, scope: Scope, by: str, tools: Tools) -> int:
    """Erase whom an open request of erasure is about, and settle it; how many identifiers went. Twice is once.

    What it raises is what `erase` raises; then the request is as open as before, and the same call goes on.
    """
    if request.key is None:
        return 0
    if not request.whole:  # its last transaction settles the request, too
        return len((await erase(graph, Request(request.key, Mode.DELETE, scope, by), tools)).identifiers)
    erased, after = 0, request.key
    while rows := await graph.reader.rows(KEYS_BEGINNING, start=request.key, after=after, limit=AT_ONCE):
        for row in rows:
            asked = Request(row["key"], Mode.DELETE, scope, by)
            erased += len((await erase(graph, asked, tools)).identifiers)
        after = rows[-1]["key"]
    await settle_request(graph.writer, request.id, RequestState.DONE, by, moment(tools.now))
    return erased


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of the requests that were due. failed: their ids, with the reason."""

    done: int
    failed: tuple[tuple[str, str], ...]


async def carry_out_due(graph: Doors, tools: Tools) -> CarriedOut:
    """Carry out what is due, the oldest first; one that cannot be carried out holds up none of the others.

    What holds them all up is raised: DatabaseAwayError, PolicyApplyingError, ErasureKeyError.
    """
    done, failed = 0, []
    for each in await requests_in(graph.reader, [RequestState.DUE]):
        try:
            await carry_out(graph, each, each.scope or Scope.IDENTIFIER, f"source:{each.source}", tools)
        except (DatabaseAwayError, PolicyApplyingError, ErasureKeyError):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever stops one, somebody else waits behind it
            failed.append((each.id, kind_of(error)))
        else:
            done += 1
    return CarriedOut(done, tuple(failed))
