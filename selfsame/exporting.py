"""The SDK of OpenTelemetry, set up by its own variables: spans leave by OTLP over HTTP.

Nothing imports this but by its name, where somebody wants traces: it takes a third of a second of a start, and it needs
the extra `otel`.
"""

import os
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer


def exporting() -> tuple[Tracer, Callable[[], None]]:
    """A tracer whose spans are sent by a thread of its own, and what sends the last of them and ends that thread."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "selfsame")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("selfsame"), provider.shutdown
