"""Rows of tables that a program sends to a webhook by itself, and both sides of how that is done.

A mapping without a `[webhook]` part says what rows mean, not how they come: they come as `{"table": …, "rows": […]}`,
with the name of their key if they have one, signed as Standard Webhooks are. Each row is a record as one of a file is.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from identity.messages import Json, Rejection
from loaders.formats.cells import json_of, written
from loaders.formats.records import Found
from loaders.signatures import Encoding, KeyEncoding, Kind, Scheme, keys_from
from loaders.webhook_rules import Webhook
from loaders.wire import bounded

SIGNED_AS = Scheme(
    kind=Kind.HMAC,
    header="webhook-signature",
    prefix="v1,",
    separator=" ",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
    signed=("", "id", ".", "timestamp", ".", "body", ""),
    encoding=Encoding.BASE64,
    key=KeyEncoding.BASE64,
    key_prefix="whsec_",
)
ROWS = Webhook(SIGNED_AS, headers=(), parse=(), records=None, contacts=())
ROWS_LIMIT = 10_000
BODY_BYTES = 4 * 1024 * 1024  # of a request; the service reads 5 MB
NAME_LIMIT = 200


def rows_in(body: Json, place: str) -> tuple[Found | Rejection, ...] | Rejection:
    """The rows of a body, each with its place, `table:key=7` or `table[3]`; or why there are none. Never raises."""
    rows = body.get("rows") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(rows, list) or len(rows) > ROWS_LIMIT:
        sentence = f"rows are sent as an object with `table` and a list `rows` of at most {ROWS_LIMIT:,}"
        return Rejection("not_an_object", place, sentence, raw=bounded(written(body)))
    table, key = body.get("table"), body.get("key")
    named = table[:NAME_LIMIT] if isinstance(table, str) and table else place
    return tuple(_row(each, f"{named}{_shown(each, key, at)}") for at, each in enumerate(rows))


def _row(row: Json, place: str) -> Found | Rejection:
    if isinstance(row, dict):
        return Found(row, place, written(row))
    return Rejection("not_an_object", place, "a row must be a JSON object", raw=bounded(written(row)))


def _shown(row: Json, key: Json, at: int) -> str:
    """A key that is a number tells nothing of anybody; another one may be an address."""
    value = row.get(key) if isinstance(row, dict) and isinstance(key, str) else None
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f":{str(key)[:NAME_LIMIT]}={value}" if whole else f"[{at}]"


def bodies_of(table: str, key: str | None, rows: Sequence[Mapping[str, object]]) -> Iterator[bytes]:
    """Rows of typed cells as the bodies of requests, none of more than 4 MB unless one row is."""
    body = orjson.dumps({"table": table, "key": key, "rows": [json_of(each) for each in rows]})
    if len(body) <= BODY_BYTES or len(rows) == 1:
        yield body
        return
    half = len(rows) // 2
    yield from bodies_of(table, key, rows[:half])
    yield from bodies_of(table, key, rows[half:])


def signed_headers(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The headers that prove a body. Its id follows from it. Raises SecretUnusableError."""
    (key,) = keys_from([secret], SIGNED_AS)
    id_, timestamp = f"rows_{hashlib.sha256(body).hexdigest()[:32]}", str(int(now.timestamp()))
    digest = hmac.digest(key, b".".join((id_.encode(), timestamp.encode(), body)), "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
