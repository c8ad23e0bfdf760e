"""Who asks for a stream of events, and who for one answer."""

import pytest
from starlette.requests import Request

from resolvers.answering.events import wants_events

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("text/event-stream, multipart/mixed", True),
        ("text/event-stream, application/json;q=0.5", True),
        (URQL, False),
        ("application/json", False),
        ("*/*", False),
    ],
)
def test_events_are_wanted_where_they_are_named_before_json(accept: str, streams: bool) -> None:
    assert wants_events(Request({"type": "http", "headers": [(b"accept", accept.encode())]})) is streams
