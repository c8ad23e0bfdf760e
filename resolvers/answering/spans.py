"""Spans below that of a request: where its time goes before and while it is executed."""

from contextlib import AbstractContextManager, nullcontext
from typing import cast

from opentelemetry.context import get_value
from opentelemetry.trace import Tracer

NOTHING = nullcontext()
TRACER = "selfsame.tracer"  # in the context of a request whose spans somebody wants


def span(name: str) -> AbstractContextManager[object]:
    """A span around the block, where somebody wants spans of the request."""
    tracer = get_value(TRACER)
    return NOTHING if tracer is None else cast("Tracer", tracer).start_as_current_span(name)
