"""Typed cells of tables as JSON, without loss: what JSON has no type for becomes the text that says the same.

A decimal is its digits, never a float. A moment is ISO 8601: in UTC where the column has a zone, without one where it
has none, so that the mapping's own zone is in force. Bytes are text where they are UTF-8, else Base64.
"""

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import orjson

from identity.messages import Json, Rejection
from loaders.formats.records import Found
from loaders.wire import DEPTH_LIMIT, INT64, UnreadableJsonError, bounded

Written = Callable[[Decimal], Json]


def found_row(cells: Mapping[str, object], place: str) -> Found | Rejection:
    """The record of typed cells, or why it is none."""
    try:
        record = {name: json_of(cell) for name, cell in cells.items()}
        return Found(record, place, written(record))
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"the row cannot be kept: {error}", raw=bounded(str(cells)))
    except orjson.JSONEncodeError:
        shown = str(cells).encode("utf-8", "replace")
        return Rejection("broken_encoding", place, "a text in the row is wrongly encoded", raw=bounded(shown))


def written(value: Json) -> str:
    """A record as JSON text. Raises orjson.JSONEncodeError where a text in it holds half of a character."""
    return orjson.dumps(value).decode()


def digits(value: Decimal) -> Json:
    """A decimal as the text of its digits; what is no number is missing."""
    return format(value, "f") if value.is_finite() else None


def json_of(value: object, decimal: Written = digits, levels: int = DEPTH_LIMIT) -> Json:
    """A cell as JSON. decimal: how a Decimal is written. Raises UnreadableJsonError for what is nested too deeply."""
    match value:
        case None | str() | bool():
            return value
        case int():
            return int(value) if value in INT64 else str(value)
        case float():
            return None if math.isnan(value) else value if math.isfinite(value) else str(value)
        case Decimal():
            return decimal(value)
        case Mapping() | list() | tuple() | set():
            return _nested(value, decimal, levels)
        case _:
            return _text(value)


def _nested(value: object, decimal: Written, levels: int) -> Json:
    if levels == 0:
        raise UnreadableJsonError(f"nested deeper than {DEPTH_LIMIT} levels")
    if isinstance(value, Mapping):
        return {str(name): json_of(each, decimal, levels - 1) for name, each in value.items()}
    assert isinstance(value, list | tuple | set)  # noqa: S101 -- json_of looked
    return [json_of(each, decimal, levels - 1) for each in value]


def _text(value: object) -> str:
    match value:
        case datetime():
            return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return format(Decimal(value // timedelta(microseconds=1)) / 1_000_000, "f")
        case bytes() | bytearray() | memoryview():
            return _bytes(bytes(value))
        case _:
            return str(value)


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
