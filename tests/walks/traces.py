"""A receiver of traces: the outside system behind OTEL_EXPORTER_OTLP_ENDPOINT, by OTLP over HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

FOUND = 200


@dataclass(frozen=True)
class Traces:
    """What was received. url: the endpoint to set; answering: unset, every sender waits for an answer."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    answering: Event = field(default_factory=Event)

    def services(self) -> set[str]:
        """As what the senders named themselves."""
        return {
            attribute.value.string_value
            for request in self._requests()
            for each in request.resource_spans
            for attribute in each.resource.attributes
            if attribute.key == "service.name"
        }

    def of(self, trace: str) -> list[Span]:
        """The spans of a trace, by its id in hexadecimal digits."""
        return [
            span
            for request in self._requests()
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
            if span.trace_id.hex() == trace
        ]

    def roots(self) -> set[str]:
        """The names of the spans that have none above them."""
        return {
            span.name
            for request in self._requests()
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
            if not span.parent_span_id
        }

    def _requests(self) -> Iterator[ExportTraceServiceRequest]:
        return map(ExportTraceServiceRequest.FromString, self.bodies)


def parents(spans: list[Span]) -> Mapping[str, str]:
    """The name of each span, and that of the one above it; of the first the id that it names."""
    names = {each.span_id: each.name for each in spans}
    return {each.name: names.get(each.parent_span_id, each.parent_span_id.hex()) for each in spans}


@contextmanager
def receiver_of_traces() -> Iterator[Traces]:
    """A receiver that answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            traces.answering.wait()
            if self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf":
                traces.bodies.append(body)
            self.send_response(FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    traces = Traces(f"http://127.0.0.1:{server.server_port}")
    traces.answering.set()
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield traces
    finally:
        traces.answering.set()
        server.shutdown()
        thread.join()
        server.server_close()
