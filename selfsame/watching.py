"""What is seen of every request and every statement: counted, and told in the log. No value that anybody sent is in it.

What costs time is done for each request once: a dict, two counters, a line.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import perf_counter

from opentelemetry.context import Context, attach, detach, set_value
from opentelemetry.trace import Span, Tracer, set_span_in_context
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from graph.connection import Ran, Reader
from graph.failures import kind_of
from graph.keys import ApiKey
from graph.plans import plan_of
from graph.statements import name_of
from resolvers.answering.spans import NOTHING, TRACER
from resolvers.answering.told import Told, told_in
from selfsame.metrics import UNKNOWN_ROUTE, Metrics
from selfsame.telemetry import log
from selfsame.tracing import caller_of, commit_span, end_request, request_span, statement_span, trace_id

KEY = "selfsame.key"  # in the scope of a request: as what the log knows the key that it showed
# Asked again and again by machines; in the log only at `debug`.
QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
MOST_PLANS = 500
CLOSE = (b"connection", b"close")


@dataclass(slots=True)
class Watch:
    """What this process sees of itself. slow_ms: from how many ms on a statement is slow, 0 for never.

    lines: whether each request is told in the log. wondered: slow statements whose plan nobody looked at yet.
    counted_to: up to which moment (µs) changes are counted. tracer: who is told of spans, where somebody wants them.
    lines_to: where lines of requests go, once there was one.
    """

    metrics: Metrics = field(default_factory=Metrics)
    slow_ms: float = 0.0
    lines: bool = True
    wondered: deque[str] = field(default_factory=deque)
    planned: set[str] = field(default_factory=set)
    counted_to: int = 0
    tracer: Tracer | None = None
    lines_to: FilteringBoundLogger | None = None

    def ran(self, ran: Ran) -> None:
        """Hear of a statement that ran."""
        self.metrics.ran(ran)
        if self.tracer is not None:
            statement_span(self.tracer, ran)
        if self.slow_ms and ran.seconds * 1_000 >= self.slow_ms:
            log().warning(
                "a statement was slow", statement=name_of(ran.statement), ms=round(ran.seconds * 1_000), rows=ran.rows
            )
            if ran.statement not in self.planned and len(self.planned) < MOST_PLANS:
                self.planned.add(ran.statement)
                self.wondered.append(ran.statement)

    def asked(self, told: Told) -> None:
        """Hear of an operation, by whatever way it came."""
        self.metrics.asked(told.kind, told.code, told.cost)

    def commit(self, sent_in: Sequence[Context]) -> AbstractContextManager[object]:
        """Watch a commit of messages that were sent in some contexts of requests."""
        return NOTHING if self.tracer is None else commit_span(self.tracer, sent_in)

    async def tell_plan(self, reader: Reader) -> None:
        """Tell the plan of one slow statement, once for each text. Raises what Neo4j raises, then it is told never."""
        if not self.wondered:
            return
        statement = self.wondered.popleft()
        log().warning(
            "the plan of a slow statement", statement=name_of(statement), plan=await plan_of(reader, statement)
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """An application whose requests are seen. routes: the path as it is declared, by endpoint."""

    app: ASGIApp
    watch: Watch
    routes: Mapping[object, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count what was answered."""
        tracer = self.watch.tracer
        if scope["type"] != "http":
            if tracer is not None and scope["type"] == "websocket":  # each has a task, and a span for each question
                attach(set_value(TRACER, tracer, caller_of(scope["headers"])))
            await self.app(scope, receive, send)
            return
        began, status = perf_counter(), 499  # nobody was there to be answered
        span = request_span(tracer, scope["method"], scope["headers"]) if tracer else None
        token = attach(set_value(TRACER, tracer, set_span_in_context(span))) if span else None

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if getattr(scope["app"].state, "going_down", False):  # what comes on this connection would be cut off
                    message["headers"] = [*message.get("headers", ()), CLOSE]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception as error:
            status = 500
            log().error("a request failed", error=kind_of(error), exc_info=error)
            raise
        finally:
            if token is not None:
                detach(token)
            self._seen(scope, status, perf_counter() - began, span)

    def _seen(self, scope: Scope, status: int, seconds: float, span: Span | None) -> None:
        route = self.routes.get(scope.get("endpoint"), UNKNOWN_ROUTE)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.watch.metrics.answered(method, route, status, seconds)
        told = told_in(scope)
        for each in told:
            self.watch.asked(each)
        more = {}
        if span is not None:
            more = {"trace": trace_id(span)}
            said = {"graphql.operation.type": told[0].kind, "selfsame.code": told[0].code} if told else {}
            end_request(span, method, route, status, said)
        if self.watch.lines:
            if self.watch.lines_to is None:
                self.watch.lines_to = log().bind()  # which takes as long as to write a line
            lines = self.watch.lines_to
            line = lines.debug if route in QUIET else lines.info
            line("request", **_line(scope, method, route, status, seconds, told), **more)


METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


def known_as(key: ApiKey) -> str:
    """As what the log knows a key. The holder of a token is somebody, whose name may be an address: it stays out."""
    return f"key:{key.hash[:12]}" if key.subject is None else "token"


def _line(
    scope: Scope, method: str, route: str, status: int, seconds: float, told: tuple[Told, ...]
) -> dict[str, object]:
    line: dict[str, object] = {"method": method, "route": route, "status": status, "ms": round(seconds * 1_000, 1)}
    if KEY in scope:
        line["key"] = scope[KEY]
    if len(told) == 1:
        (each,) = told
        line |= {"operation": each.kind, "document": each.digest, "cost": each.cost, "code": each.code}
    elif told:
        line |= {"operations": len(told), "cost": sum(each.cost for each in told)}
    return line
