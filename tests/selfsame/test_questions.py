"""What is wrong before a question is asked is said as GraphQL says it, whatever form of an answer is accepted."""

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response

from graph.errors import DatabaseAwayError
from selfsame.questions import question_failed, question_refused
from selfsame.refusals import KEY_UNKNOWN, PREFLIGHT_NEEDED, RATE_LIMITED

NEW = "application/graphql-response+json"


def asked(accept: str, method: str = "POST") -> Request:
    return Request({"type": "http", "method": method, "headers": [(b"accept", accept.encode())]})


def said(answer: Response) -> tuple[int, str, dict[str, object]]:
    """Status, type and the only error's extensions."""
    read = orjson.loads(bytes(answer.body))
    (error,) = read.pop("errors")
    assert error["message"]
    assert read == {}
    return answer.status_code, answer.headers["content-type"], error["extensions"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "application/json"), ("application/json", "application/json"), (NEW, NEW),
     ("text/event-stream", "application/json"), (f"text/event-stream, {NEW}", NEW)],
)  # fmt: skip
def test_a_refusal_has_the_form_of_graphql_in_the_type_that_is_accepted(accept: str, kind: str) -> None:
    answer = question_refused(asked(accept), KEY_UNKNOWN)
    assert said(answer) == (401, kind, {"code": "key_unknown"})
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert said(question_refused(asked(accept), PREFLIGHT_NEEDED)) == (403, kind, {"code": "preflight_needed"})


def test_who_has_to_wait_is_told_how_long_by_header_and_error() -> None:
    for answer, status, code in (
        (question_refused(asked(NEW), RATE_LIMITED), 429, "rate_limited"),
        (question_failed(asked(NEW), DatabaseAwayError("away")), 503, "database_away"),
    ):
        assert said(answer) == (status, NEW, {"code": code, "retryAfter": 1})
        assert answer.headers["retry-after"] == "1"


def test_a_fault_tells_nothing_of_its_cause_and_is_not_kept_by_an_address() -> None:
    answer = question_failed(asked(NEW, "GET"), ZeroDivisionError("what nobody should read"))
    assert said(answer) == (500, NEW, {"code": "unexpected"})
    assert b"nobody should read" not in bytes(answer.body)
    assert answer.headers["cache-control"] == "no-store"
