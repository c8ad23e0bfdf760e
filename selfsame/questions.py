"""How /graphql says what is wrong before anything is executed: as GraphQL does, so that its clients understand it.

Apollo Client, urql and the like look for `errors` in whatever they are answered. With the form of the other doors they
would show that the network failed, and nobody would read that a key has ended or that a database is away.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from resolvers.answering.endpoint import NOT_KEPT, media_type
from selfsame.answers import Wrong, why_failed, why_refused
from selfsame.refusals import Refusal


def question_refused(request: Request, refusal: Refusal) -> Response:
    """The answer to a question that somebody may not ask."""
    return _shown(request, why_refused(refusal))


def question_failed(request: Request, error: Exception) -> Response:
    """The answer to a question that ended with an error outside of all its fields."""
    return _shown(request, why_failed(error))


def _shown(request: Request, wrong: Wrong) -> Response:
    """Status and headers are those of the other doors; the code stands where an error of a field has it."""
    wait = wrong.headers.get("Retry-After")
    more: dict[str, object] = {} if wait is None else {"retryAfter": int(wait)}
    error = {"message": wrong.sentence, "extensions": {"code": wrong.code, **more}}
    headers = {**NOT_KEPT, **wrong.headers} if request.method == "GET" else wrong.headers
    return Response(orjson.dumps({"errors": [error]}), wrong.status, headers, media_type(request))
