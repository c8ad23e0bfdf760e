"""Traces by OpenTelemetry: a span for each request, and in it one for each statement. Names are ours, no value is told.

Without OpenTelemetry's standard variables there is no tracer, a request costs nothing more, and no SDK is imported.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from threading import Thread
from types import ModuleType
from typing import cast

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from graph.connection import Ran
from graph.statements import name_of
from resolvers.joining import BESIDE
from selfsame.errors import SettingsInvalidError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_SECONDS = 5.0  # a receiver that is away holds up the end of the service no longer


@contextmanager
def tracing() -> Iterator[Tracer | None]:
    """The tracer of the block: of an SDK that somebody has set, or ours where a standard variable names an endpoint.

    Ours sends from a thread of its own, and at the end what is left. Raises SettingsInvalidError when an endpoint is
    named and the SDK is not installed.
    """
    if not _ours():
        yield None if _unset() else trace.get_tracer("selfsame")
        return
    tracer, shutdown = _exporting()
    try:
        yield tracer
    finally:
        last = Thread(target=shutdown, daemon=True)
        last.start()
        last.join(FLUSH_SECONDS)


def check_tracing() -> None:
    """Raises SettingsInvalidError where traces are wanted and cannot be had."""
    if _ours():
        _sdk()


def _exporting() -> tuple[Tracer, Callable[[], None]]:
    return cast("Callable[[], tuple[Tracer, Callable[[], None]]]", _sdk().exporting)()


def _sdk() -> ModuleType:
    try:
        return import_module("selfsame.exporting")
    except ImportError as error:  # the extra `otel` is not installed
        needed = "traces need `pip install 'selfsame[otel]'`"
        raise SettingsInvalidError(f"OTEL_EXPORTER_OTLP_ENDPOINT is set: {needed}") from error


def _ours() -> bool:
    return _unset() and _wanted()


def _unset() -> bool:
    """Whether nobody has set an SDK."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _wanted() -> bool:
    """Whether the standard variables say where traces go, and do not say otherwise."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return any(map(os.environ.get, ENDPOINTS)) and not off


def caller_of(headers: Iterable[tuple[bytes, bytes]]) -> Context:
    """The trace that a request says it belongs to (W3C `traceparent`)."""
    told = {b"traceparent", b"tracestate"}
    return propagate.extract({name.decode(): value.decode("latin-1") for name, value in headers if name in told})


def request_span(tracer: Tracer, method: str, headers: Iterable[tuple[bytes, bytes]]) -> Span:
    """The span of a request, begun."""
    return tracer.start_span(method, caller_of(headers), SpanKind.SERVER)


def end_request(span: Span, method: str, route: str, status: int, more: Mapping[str, str | int]) -> None:
    """End the span of a request with what is known of it by now."""
    span.update_name(f"{method} {route}")
    span.set_attributes({
        "http.request.method": method, "http.route": route, "http.response.status_code": status, **more,
    })  # fmt: skip
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def commit_span(tracer: Tracer, sent_in: Sequence[Context]) -> AbstractContextManager[object]:
    """The span of a commit: below the first of the requests that sent its messages, and linked with the others."""
    links = [Link(trace.get_current_span(each).get_span_context()) for each in sent_in[1:]]
    return tracer.start_as_current_span("commit", next(iter(sent_in), None), links=links)


def statement_span(tracer: Tracer, ran: Ran) -> None:
    """The span of a statement that ran, below whatever asked for it: one for each request that it answers.

    What the service does by itself is in no trace, several times a second: its statements are counted.
    """
    for asked_in in (None, *BESIDE.get()):
        if trace.get_current_span(asked_in).get_span_context().is_valid:
            _statement_span(tracer, ran, asked_in)


def _statement_span(tracer: Tracer, ran: Ran, asked_in: Context | None) -> None:
    name = name_of(ran.statement)
    span = tracer.start_span(
        name,
        asked_in,
        kind=SpanKind.CLIENT,
        attributes={"db.system.name": "neo4j", "db.operation.name": name, "db.response.returned_rows": ran.rows},
        start_time=ran.began,
    )
    if ran.error is not None:
        span.set_attribute("error.type", ran.error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(ran.began + int(ran.seconds * 1e9))


def trace_id(span: Span) -> str:
    """As log lines and tools show it."""
    return trace.format_trace_id(span.get_span_context().trace_id)
