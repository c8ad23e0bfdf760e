"""Rows that a program sends: packed and signed on one side, believed and read on the other, each with its place."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from identity.messages import Json, Rejection
from loaders.formats.records import Found
from loaders.mapping import mapping_named
from loaders.rows import ROWS, SIGNED_AS, bodies_of, rows_in, signed_headers
from loaders.signatures import Delivery, Fault, SecretUnusableError, keys_from, verified
from loaders.webhooks import Content, records_in
from tests.loaders.segment import NOW

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy0wMTIzNDU2Nzg5"


def rows(body: Json) -> list[tuple[str, Json]]:
    read = rows_in(body, "webhook:crm")
    assert not isinstance(read, Rejection)
    return [(each.place, each.value if isinstance(each, Found) else each.code) for each in read]


def test_a_row_is_named_by_its_key_where_that_is_a_number() -> None:
    sent: Json = {"table": "people", "key": "id", "rows": [{"id": 7}, {"id": "ann@example.com"}, 5]}
    assert rows(sent) == [
        ("people:id=7", {"id": 7}),
        ("people[1]", {"id": "ann@example.com"}),
        ("people[2]", "not_an_object"),
    ]


@pytest.mark.parametrize("body", [None, [], {"rows": {}}, {"table": "people"}, {"rows": [{}] * 10_001}])
def test_what_holds_no_rows_is_refused_as_a_whole(body: Json) -> None:
    assert isinstance(rows_in(body, "webhook:crm"), Rejection)


def test_typed_cells_are_sent_without_loss() -> None:
    row = {
        "at": datetime(2026, 1, 31, tzinfo=UTC),
        "paid": Decimal("10.50"),
        "raw": b"\xff",
        "tags": ["a"],
        "big": 2**70,
    }
    (body,) = bodies_of("people", None, [row])
    assert orjson.loads(body) == {
        "table": "people",
        "key": None,
        "rows": [{"at": "2026-01-31T00:00:00+00:00", "paid": "10.50", "raw": "/w==", "tags": ["a"], "big": str(2**70)}],
    }


def test_no_request_is_larger_than_the_service_reads() -> None:
    many = [{"id": number, "text": "x" * 100_000} for number in range(100)]
    bodies = list(bodies_of("people", "id", many))
    assert all(len(body) <= 4 * 1024 * 1024 for body in bodies)
    assert [row["id"] for body in bodies for row in orjson.loads(body)["rows"]] == list(range(100))


def test_what_is_signed_is_believed_and_read_as_a_row_of_a_file() -> None:
    (body,) = bodies_of("Customer", "CustomerId", [{"CustomerId": 1}])
    headers = signed_headers(body, SECRET, NOW)
    keys = keys_from([SECRET], SIGNED_AS)
    assert verified(Delivery("POST", headers, body), SIGNED_AS, keys, NOW) == body
    assert verified(Delivery("POST", headers, body + b" "), SIGNED_AS, keys, NOW) == Fault.WRONG
    assert verified(Delivery("POST", headers, body), SIGNED_AS, keys, NOW + timedelta(hours=1)) == Fault.REPLAYED
    read = records_in(Content(headers, body), mapping_named("docs/examples/chinook_customers.toml"), ROWS)
    assert read == (Found({"CustomerId": 1}, "Customer:CustomerId=1", '{"CustomerId":1}'),)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(SecretUnusableError):
        signed_headers(b"{}", "short", NOW)
