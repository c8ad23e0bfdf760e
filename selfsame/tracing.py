"""Traces by OpenTelemetry: a span for each request, and in it one for each statement. Names are ours, no value is told.

Without an SDK, and without its standard variables, there is no tracer, and a request costs nothing more.
"""

import os
from collections.abc import Iterable, Mapping

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from graph.connection import Ran
from graph.statements import name_of
from resolvers.joining import BESIDE
from selfsame.errors import SettingsInvalidError

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError:  # the extra `otel` is not installed
    OTLPSpanExporter = None  # type: ignore[assignment,misc]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def configured_tracer() -> Tracer | None:
    """The tracer of this process: the SDK's that somebody has set, or ours where a standard variable names an endpoint.

    Raises SettingsInvalidError when one is named and the SDK is not installed.
    """
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        if not any(map(os.environ.get, ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return None
        if OTLPSpanExporter is None:
            raise SettingsInvalidError("OTEL_EXPORTER_OTLP_ENDPOINT is set: traces need `pip install 'selfsame[otel]'`")
        os.environ.setdefault("OTEL_SERVICE_NAME", "selfsame")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    return trace.get_tracer("selfsame")


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


def statement_span(tracer: Tracer, ran: Ran) -> None:
    """The span of a statement that ran, below whatever asked for it: one for each request that it answers."""
    for asked_in in (None, *BESIDE.get()):
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
