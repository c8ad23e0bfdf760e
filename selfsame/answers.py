"""How an error is answered over HTTP: one table of codes, statuses and waiting times. docs/errors.md says the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response

from graph.errors import GraphError
from graph.failures import kind_of, may_pass
from identity.errors import IdentityError
from loaders.errors import LoaderError
from selfsame.errors import FrontDoorError
from selfsame.refusals import Refusal
from selfsame.telemetry import log

# The codes of errors that a request can meet. What must never be sent again gets 4xx, all else 5xx: SDKs send again.
STATUS_OF_CODE: Mapping[str, int] = {
    "body_invalid": 400,
    "body_too_large": 413,
    "queue_full": 503,
    "intake_closed": 503,
    "database_away": 503,
    "database_broken": 503,
    "body_stalled": 503,
    "policy_applying": 503,
    "erasure_key": 503,
    "namespace_conflict": 503,
    "name_conflict": 503,
}
RETRY_AFTER = 1
CODED = (FrontDoorError, GraphError, IdentityError, LoaderError)


def said(content: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(content), status, headers, "application/json")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a request, whatever the form in which it is said. headers: what goes with the status."""

    status: int
    code: str
    sentence: str
    place: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refused(refusal: Refusal) -> Response:
    """The answer to a request whose key may not do what it asks."""
    return _shown(why_refused(refusal))


def failed(error: Exception) -> Response:
    """The answer to a request that ended with an error; one that may pass asks the sender to come again."""
    return _shown(why_failed(error))


def _shown(wrong: Wrong) -> Response:
    return problem(wrong.status, wrong.code, wrong.sentence, wrong.place, wrong.headers)


def problem(
    status: int, code: str, sentence: str, place: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that says what is wrong, where, and what to do."""
    error = {"code": code, "message": sentence} | ({"place": place} if place else {})
    return said({"success": False, "error": error}, status, headers)


def why_refused(refusal: Refusal) -> Wrong:
    """What is wrong with a request whose key may not do what it asks."""
    wait = refusal.retry_after or RETRY_AFTER
    headers = {"Retry-After": str(wait)} if refusal.status in (429, 503) else {}
    if refusal.status == 401:
        bearer = 'Bearer realm="selfsame", error="invalid_token"'
        basic = 'Basic realm="selfsame", charset="UTF-8"'
        headers = {"WWW-Authenticate": bearer if refusal.code == "token_invalid" else basic}
    return Wrong(refusal.status, refusal.code, refusal.sentence, headers=headers)


def why_failed(error: Exception) -> Wrong:
    """What is wrong with a request that ended with an error. What is no error of ours is told in the log alone."""
    code = error.code if isinstance(error, CODED) else "database_away" if may_pass(error) else "unexpected"
    status = STATUS_OF_CODE.get(code, 503 if may_pass(error) else 500)
    if status == 500:
        log().error("a request failed", error=kind_of(error), exc_info=error)
        return Wrong(500, "unexpected", "a fault in Selfsame itself; its log has the details")
    wait = {"Retry-After": str(getattr(error, "retry_after", RETRY_AFTER))} if status == 503 else {}
    sentence = getattr(error, "sentence", None) or _sentence(error, status)
    return Wrong(status, code, sentence, getattr(error, "place", None), wait)


def _sentence(error: Exception, status: int) -> str:
    """What Neo4j says of itself stays in the log."""
    if isinstance(error, LoaderError):
        return str(error)
    log().warning("a request has to wait", error=kind_of(error), status=status)
    return "the database does not answer or is too busy; nothing is lost if the same is sent again in a moment"
