"""Spans below that of a request: where its time goes before and while it is executed."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import get_value
from opentelemetry.trace import Tracer

TRACER = "selfsame.tracer"  # in the context of a request whose spans somebody wants


@contextmanager
def span(name: str) -> Iterator[None]:
    """A span around the block, where somebody wants spans of the request."""
    tracer = get_value(TRACER)
    if not isinstance(tracer, Tracer):
        yield
        return
    with tracer.start_as_current_span(name):
        yield
