"""/graphql by GET and POST, as the GraphQL-over-HTTP specification says.

A client that accepts `application/graphql-response+json` (Apollo and urql do) learns from the status that a request
could not be executed; any other is taken for one from before that type, as the specification asks: it reads
`application/json`, and gets 200 for that, too.
"""

from asyncio import Task, Timeout, get_running_loop, timeout
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from graph.errors import PolicyApplyingError
from graph.failures import kind_of, may_pass
from resolvers.answering.crowds import check_variables
from resolvers.answering.documents import Document, Operation, document_of, operation_in
from resolvers.answering.guarded import shown_to_viewer
from resolvers.answering.limits import check_size, cost_of
from resolvers.answering.requests import Asked, asked_in
from resolvers.answering.spans import span
from resolvers.answering.told import TOLD, Told
from resolvers.answering.trusted import remember, text_meant
from resolvers.asking import Asking
from resolvers.errors import Code, refused, with_code
from resolvers.permissions import check_access
from resolvers.viewer import Viewer
from resolvers.world import World

OLD, NEW = "application/json", "application/graphql-response+json"
PATIENCE_SECONDS = 30.0
SCHEMA = frozenset({"__schema", "__type"})
WATCHED_AFTER_SECONDS = 0.3
# How graphql-core begins to speak of a variable, null or missing, that does not fit the argument where it stands.
INPUTS = ("Argument '", "Variable '")
# Of what is asked by an address: it is about people, is somebody else's with another key, and has to go when they do.
NOT_KEPT = {"Cache-Control": "no-store"}

# What the status says even to clients that accept only application/json; all else that cannot be executed is a 400.
STATUS_OF_CODE: Mapping[Code, int] = {
    Code.BODY_INVALID: 400,
    Code.BODY_TOO_LARGE: 413,
    Code.CONTENT_TYPE: 415,
    Code.METHOD: 405,
    Code.KEY_SCOPE: 403,
    Code.RATE_LIMITED: 429,
    Code.PERSISTED_QUERY_NOT_FOUND: 200,  # as of Apollo Server: nothing is wrong
    Code.TOO_SLOW: 503,
    Code.DATABASE_AWAY: 503,
    Code.POLICY_APPLYING: 503,
}
RETRY_AFTER = {Code.DATABASE_AWAY: "1", Code.POLICY_APPLYING: str(PolicyApplyingError.retry_after)}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said to one question: the status, the JSON, headers of its own, and what may be told of it."""

    status: int
    content: dict[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)
    told: Told = field(default_factory=Told)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question that may be executed. cost: how many fields it would answer."""

    question: Asked
    document: Document
    operation: Operation
    cost: int


async def answered(request: Request, viewer: Viewer, asked: World) -> Response:
    """The answer to one request of a viewer whom the front door has let in. It never raises what a caller can cause.

    Raises ClientDisconnect when the client hung up before there was an answer to a query.
    """
    said: Said | list[Said]
    kind = media_type(request)
    old = kind == OLD
    try:
        viewer.meter.ask()
        questions = await asked_in(request, viewer.bounds.operations)
        if isinstance(questions, Asked):
            said = await _said(request, questions, viewer, asked, old)
        else:
            said = await _batch(request, questions, viewer, asked, old)
    except GraphQLError as error:
        said = _refusal([error], old)
    request.scope[TOLD] = tuple(each.told for each in said) if isinstance(said, list) else (said.told,)
    if isinstance(said, list):
        return Response(orjson.dumps([each.content for each in said]), 200, media_type=kind)
    return _response(request, said)


async def _batch(request: Request, questions: Sequence[Asked], viewer: Viewer, asked: World, old: bool) -> list[Said]:
    """The answers in the order of the questions, one after another. Raises GraphQLError for what they cost together."""
    if len(questions) > 1:
        viewer.meter.ask(len(questions) - 1)
    ready = [_prepared(each, viewer, request.method, old) for each in questions]
    together = sum(each.cost for each in ready if isinstance(each, Prepared))
    _check_cost(together, viewer)
    viewer.meter.spend(together)
    return [each if isinstance(each, Said) else await _executed(request, each, viewer, asked, old) for each in ready]


async def _said(request: Request, question: Asked, viewer: Viewer, asked: World, old: bool) -> Said:
    ready = _prepared(question, viewer, request.method, old)
    if isinstance(ready, Said):
        return ready
    viewer.meter.spend(ready.cost)
    return await _executed(request, ready, viewer, asked, old)


def _prepared(question: Asked, viewer: Viewer, method: str, old: bool) -> Prepared | Said:
    """What may be executed; else the answer that says why not. old: for who reads no status."""
    try:
        with span("prepare"):
            ready = prepared(question, viewer, method)
    except RefusedError as error:
        return _refusal(error.errors, old)
    if ready.operation.kind is OperationType.SUBSCRIPTION:
        return _refusal([refused(Code.SUBSCRIPTION_TRANSPORT)], old)
    return ready


class RefusedError(Exception):
    """A question that is not executed. errors: why."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


def prepared(question: Asked, viewer: Viewer, method: str = "POST") -> Prepared:
    """A question held against every limit and right. method: by which it came. Raises RefusedError."""
    try:
        document = document_of(text_meant(question, viewer.bounds))
    except GraphQLError as error:
        raise RefusedError([error]) from error
    if not isinstance(document, Document):
        raise RefusedError(document if viewer.bounds.introspection else [_terse(each) for each in document])
    if question.hash is not None:
        remember(question)
    try:
        operation = operation_in(document, question.operation)
        _check_access(operation, viewer, method)
        check_size(operation.size)
        check_variables(question.variables)
        cost = cost_of(operation.size, question.variables)
        _check_cost(cost, viewer)
    except GraphQLError as error:
        raise RefusedError([error]) from error
    return Prepared(question, document, operation, cost)


def _terse(error: GraphQLError) -> GraphQLError:
    """The error without the names of the schema that come near what was asked."""
    message = error.message.partition(" Did you mean ")[0]
    return GraphQLError(message, error.nodes, error.source, error.positions, extensions=error.extensions)


def refusal(request: Request, errors: Sequence[GraphQLError]) -> Response:
    """The answer to a request that is not executed."""
    return _response(request, _refusal(errors, media_type(request) == OLD))


def _response(request: Request, said: Said) -> Response:
    headers = {**NOT_KEPT, **said.headers} if request.method == "GET" else said.headers
    return Response(orjson.dumps(said.content), said.status, headers, media_type(request))


def _check_cost(cost: int, viewer: Viewer) -> None:
    allowed = viewer.bounds.cost
    if cost > allowed:
        sentence = f"{cost:,} fields would be answered; the service allows {allowed:,}"
        raise refused(Code.TOO_COSTLY, sentence, cost={"requested": cost, "allowed": allowed})


async def _executed(request: Request, ready: Prepared, viewer: Viewer, asked: World, old: bool) -> Said:
    asking = Asking(viewer, asked)
    line = Line()
    try:
        async with timeout(None) as patience, Watching(line, request, ready.operation.kind, patience):
            with span("execute"):
                result = await shown_to_viewer(ready.document, ready.question, asking, ready.operation.plans)
    except TimeoutError as error:
        if line.cut:
            raise ClientDisconnect from error
        said = _refusal([refused(Code.TOO_SLOW)], old)
    else:
        said = _answer(result, ready.operation.kind, old)
    finally:
        asking.batching.stop()
    said.content["extensions"] = extensions_of(ready, viewer)
    told = Told(ready.operation.kind.value, ready.document.digest, ready.cost, said.told.code)
    return Said(said.status, said.content, said.headers, told)


def extensions_of(ready: Prepared, viewer: Viewer) -> dict[str, object]:
    """What is said beside every answer: its cost, and what was hidden in it."""
    hidden = {} if viewer.pii or not ready.document.personal else {"masked": ready.document.masked}
    return {"cost": {"requested": ready.cost, "allowed": viewer.bounds.cost}, **hidden}


@dataclass(slots=True)
class Line:
    """The line to a client. cut: whether it hung up."""

    cut: bool = False


class Watching:
    """Give up what takes too long, and a query whose client hangs up; what is over soon costs one timer.

    A mutation is carried through, whoever hangs up.
    """

    __slots__ = ("begun", "kind", "line", "patience", "request", "soon", "watching")

    def __init__(self, line: Line, request: Request, kind: OperationType, patience: Timeout) -> None:
        self.line, self.request, self.kind, self.patience = line, request, kind, patience
        self.watching: Task[None] | None = None

    async def __aenter__(self) -> None:
        loop = get_running_loop()
        self.begun = loop.time()
        self.soon = loop.call_later(WATCHED_AFTER_SECONDS, self._watch)

    async def __aexit__(self, *_: object) -> None:
        self.soon.cancel()
        if self.watching is not None:
            self.watching.cancel()

    def _watch(self) -> None:
        self.patience.reschedule(self.begun + PATIENCE_SECONDS)
        if self.kind is OperationType.QUERY:
            self.watching = get_running_loop().create_task(_heard(self.line, self.request, self.patience))


async def _heard(line: Line, request: Request, patience: Timeout) -> None:
    if request.method == "GET":
        await request.receive()  # its empty body, for which nobody has asked
    if (await request.receive())["type"] == "http.disconnect":
        line.cut = True
        patience.reschedule(get_running_loop().time())


def _check_access(operation: Operation, viewer: Viewer, method: str) -> None:
    if operation.kind is OperationType.MUTATION and method == "GET":
        raise refused(Code.METHOD)
    if not viewer.bounds.introspection and not SCHEMA.isdisjoint(operation.size.fields):
        raise refused(Code.INTROSPECTION_OFF)
    check_access(operation.size.fields, viewer)


def _answer(result: ExecutionResult, kind: OperationType, old: bool) -> Said:
    """The answer to what was executed. Where one of several mutations has to wait, what the others did is told."""
    if not result.errors:
        return Said(200, {"data": result.data})
    if result.data is None and all(error.path is None for error in result.errors):
        return _refusal([with_code(error, Code.VARIABLES_INVALID) for error in result.errors], old)
    errors = [expected(error) for error in result.errors]
    for error in errors:
        if _code(error) in RETRY_AFTER and not (kind is OperationType.MUTATION and _something_done(result)):
            return _refusal([error], old)
    content: dict[str, object] = {"data": result.data, "errors": [error.formatted for error in errors]}
    return Said(200, content, told=Told(code=_code(errors[0]).value))


def _something_done(result: ExecutionResult) -> bool:
    """Whether a field at the root has its answer; of mutations that one is committed."""
    failed = {error.path[0] for error in result.errors or () if error.path and len(error.path) == 1}
    return any(name not in failed for name in result.data or ())


def expected(error: GraphQLError) -> GraphQLError:
    """The error as a caller may see it: what was not meant for callers stays in the log."""
    if (error.extensions or {}).get("code"):
        return error
    cause = error.original_error
    if isinstance(cause, GraphQLError | None) and error.message.startswith(INPUTS):
        return with_code(error, Code.VARIABLES_INVALID)
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


def _code(error: GraphQLError) -> Code:
    return Code((error.extensions or {})["code"])


def _refusal(errors: Sequence[GraphQLError], old: bool) -> Said:
    """The answer to a question that was not executed, or not to its end. old: for who reads no status."""
    code = _code(errors[0])
    extensions = errors[0].extensions or {}
    wait = extensions.get("retryAfter", RETRY_AFTER.get(code))
    headers = {"Retry-After": str(wait)} if wait is not None else {}
    headers = {"Allow": "POST"} if code is Code.METHOD else headers
    content: dict[str, object] = {"errors": [error.formatted for error in errors]}
    if cost := extensions.get("cost"):
        content["extensions"] = {"cost": cost}
    return Said(STATUS_OF_CODE.get(code, 200 if old else 400), content, headers, Told(code=code.value))


def media_type(request: Request) -> str:
    """The type of what a client is answered in JSON: the one that it accepts."""
    return NEW if NEW in request.headers.get("accept", "").lower() else OLD
