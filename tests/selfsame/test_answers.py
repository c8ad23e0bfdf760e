"""How errors are answered: the status, the code, and when to come again."""

import orjson
import pytest
from neo4j.exceptions import ServiceUnavailable, TransientError
from starlette.responses import Response

from graph.errors import DatabaseAwayError
from loaders.errors import BodyInvalidError, BodyTooLargeError, IntakeClosedError, QueueFullError
from selfsame.access import KEY_MISSING, KEY_SCOPE, KEY_UNKNOWN, Refusal
from selfsame.answers import failed, refused


def read(answer: Response) -> dict[str, object]:
    return orjson.loads(bytes(answer.body))["error"]


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"),
    [
        (BodyInvalidError("batch", "no list"), 400, "body_invalid", None),
        (BodyTooLargeError("body", "too much"), 413, "body_too_large", None),
        (QueueFullError("full"), 503, "queue_full", "1"),
        (IntakeClosedError("going down"), 503, "intake_closed", "5"),
        (DatabaseAwayError("away"), 503, "database_away", "1"),
        (ServiceUnavailable("away"), 503, "database_away", "1"),
        (TransientError("a deadlock"), 503, "database_away", "1"),
        (ZeroDivisionError(), 500, "unexpected", None),
    ],
)
def test_an_error_has_a_status_a_code_and_a_time_to_wait(
    error: Exception, status: int, code: str, wait: str | None
) -> None:
    answer = failed(error)
    assert (answer.status_code, read(answer)["code"], answer.headers.get("retry-after")) == (status, code, wait)


def test_a_body_that_cannot_be_read_is_told_where_and_why() -> None:
    assert read(failed(BodyInvalidError("batch", "no list"))) == {
        "code": "body_invalid",
        "message": "no list",
        "place": "batch",
    }


@pytest.mark.parametrize("error", [DatabaseAwayError("bolt://10.0.0.7 refused"), TransientError("deadlock of 7")])
def test_what_neo4j_says_of_itself_is_not_told(error: Exception) -> None:
    assert str(error) not in str(read(failed(error)))


def test_what_a_fault_says_of_itself_is_not_told() -> None:
    assert "secret" not in str(read(failed(ValueError("secret"))))


@pytest.mark.parametrize("refusal", [KEY_MISSING, KEY_UNKNOWN])
def test_a_missing_or_unknown_key_is_challenged(refusal: Refusal) -> None:
    answer = refused(refusal)
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")


@pytest.mark.parametrize("refusal", [KEY_SCOPE])
def test_a_key_of_the_other_scope_is_not_challenged(refusal: Refusal) -> None:
    answer = refused(refusal)
    assert (answer.status_code, "www-authenticate" in answer.headers) == (403, False)
