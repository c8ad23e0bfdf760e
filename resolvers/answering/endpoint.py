"""/graphql by GET and POST, as the GraphQL-over-HTTP specification says.

A client that accepts `application/graphql-response+json` (Apollo and urql do) learns from the status that a request
could not be executed; any other is taken for one from before that type, as the specification asks: it reads
`application/json`, and gets 200 for that, too.
"""

from collections.abc import Mapping, Sequence

import anyio
import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import Response

from graph.errors import PolicyApplyingError
from graph.failures import kind_of, may_pass
from resolvers.answering.documents import Document, Operation, document_of, operation_in
from resolvers.answering.executing import executed
from resolvers.answering.limits import check_size
from resolvers.answering.requests import asked_in
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.permissions import check_access
from resolvers.viewer import Viewer
from resolvers.world import World

OLD, NEW = "application/json", "application/graphql-response+json"
PATIENCE_SECONDS = 30.0

# What the status says even to clients that accept only application/json; all else that cannot be executed is a 400.
STATUS_OF_CODE: Mapping[Code, int] = {
    Code.BODY_INVALID: 400,
    Code.BODY_TOO_LARGE: 413,
    Code.CONTENT_TYPE: 415,
    Code.METHOD: 405,
    Code.KEY_SCOPE: 403,
    Code.TOO_SLOW: 503,
    Code.DATABASE_AWAY: 503,
    Code.POLICY_APPLYING: 503,
}
RETRY_AFTER = {Code.DATABASE_AWAY: "1", Code.POLICY_APPLYING: str(PolicyApplyingError.retry_after)}


async def answered(request: Request, viewer: Viewer, asked: World) -> Response:
    """The answer to one request of a viewer whom the front door has let in. It never raises what a caller can cause."""
    try:
        question = await asked_in(request)
        document = document_of(question.query)
        if not isinstance(document, Document):
            return _refusal(request, document)
        operation = operation_in(document, question.operation)
        _check_access(operation, viewer, request.method)
        check_size(operation.size, question.variables)
        with anyio.fail_after(PATIENCE_SECONDS):
            result = await executed(document.node, question.variables, question.operation, Asking(viewer, asked))
    except GraphQLError as error:
        return _refusal(request, [error])
    except TimeoutError:
        return _refusal(request, [refused(Code.TOO_SLOW)])
    return _response(request, result, operation.kind)


def _check_access(operation: Operation, viewer: Viewer, method: str) -> None:
    if operation.kind is OperationType.MUTATION and method == "GET":
        raise refused(Code.METHOD)
    check_access(operation.size.fields, viewer)


def _response(request: Request, result: ExecutionResult, kind: OperationType) -> Response:
    """The answer to what was executed. Where one of several mutations has to wait, what the others did is told."""
    if result.data is None and result.errors and all(error.path is None for error in result.errors):
        return _refusal(request, [_with_code(error, Code.VARIABLES_INVALID) for error in result.errors])
    if not result.errors:
        return Response(orjson.dumps({"data": result.data}), media_type=_media_type(request))
    errors = [_expected(error) for error in result.errors]
    for error in errors:
        if _code(error) in RETRY_AFTER and not (kind is OperationType.MUTATION and _something_done(result)):
            return _refusal(request, [error])
    return _said(request, 200, {"data": result.data, "errors": [error.formatted for error in errors]})


def _something_done(result: ExecutionResult) -> bool:
    """Whether a field at the root has its answer; of mutations that one is committed."""
    failed = {error.path[0] for error in result.errors or () if error.path and len(error.path) == 1}
    return any(name not in failed for name in result.data or ())


def _expected(error: GraphQLError) -> GraphQLError:
    """The error as a caller may see it: what was not meant for callers stays in the log."""
    if (error.extensions or {}).get("code"):
        return error
    cause = error.original_error
    if isinstance(cause, PolicyApplyingError):
        return _at(error, refused(Code.POLICY_APPLYING, cause.sentence))
    if cause is not None and may_pass(cause):
        return _at(error, refused(Code.DATABASE_AWAY))
    structlog.get_logger().error(
        "a GraphQL field failed", path=error.path, error=kind_of(cause or error), exc_info=cause
    )
    return _at(error, refused(Code.UNEXPECTED))


def _at(place: GraphQLError, meant: GraphQLError) -> GraphQLError:
    """What is meant, said of the place where it went wrong."""
    return GraphQLError(meant.message, place.nodes, path=place.path, extensions=meant.extensions)


def _with_code(error: GraphQLError, code: Code) -> GraphQLError:
    if not (error.extensions or {}).get("code"):
        error.extensions = {**(error.extensions or {}), "code": code.value}
    return error


def _code(error: GraphQLError) -> Code:
    return Code((error.extensions or {})["code"])


def _refusal(request: Request, errors: Sequence[GraphQLError]) -> Response:
    """The answer to a request that was not executed, or not to its end."""
    code = _code(errors[0])
    status = STATUS_OF_CODE.get(code, 200 if _media_type(request) == OLD else 400)
    headers = {"Retry-After": RETRY_AFTER[code]} if code in RETRY_AFTER else None
    headers = {"Allow": "POST"} if code is Code.METHOD else headers
    return _said(request, status, {"errors": [error.formatted for error in errors]}, headers)


def _said(
    request: Request, status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(content), status, headers, _media_type(request))


def _media_type(request: Request) -> str:
    return NEW if NEW in request.headers.get("accept", "").lower() else OLD
