"""Moments and JSON as scalars. Both take what the graph stores as it is, so that only what is asked is shaped."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from identity.messages import micros
from resolvers.errors import Code, refused

Moment = NewType("Moment", int)
JsonValue = NewType("JsonValue", object)


EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- an aware one would write its offset, which `Z` stands for here
CLOCK = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3_600))  # of an hour


def stored_json(text: str | None) -> JsonValue | None:
    """A JSON text as the graph holds it, put into the answer byte for byte, never decoded."""
    return None if text is None else JsonValue(orjson.Fragment(text))


def iso(value: int) -> str:
    """A moment in µs as the answer writes it."""
    seconds, micros_left = divmod(value, 1_000_000)
    hour = _hour(seconds // 3_600)
    if micros_left:
        return f"{hour}{CLOCK[seconds % 3_600]}.{micros_left:06}Z"
    return f"{hour}{CLOCK[seconds % 3_600]}Z"


@lru_cache(maxsize=4_096)
def _hour(number: int) -> str:
    """`2026-01-31T12:`; the moments of a page are of few hours, and to write a whole one takes four times as long."""
    return (EPOCH + timedelta(hours=number)).isoformat()[:14]


def _read(value: object) -> Moment:
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        if read is not None and read.tzinfo is not None:
            return Moment(micros(read.astimezone(UTC)))
    except (ValueError, OverflowError):  # the last hours of the year 9999 lie in the next one elsewhere
        pass
    raise refused(Code.BAD_DATE, "a DateTime is an ISO 8601 text with an offset, such as 2026-01-31T12:00:00Z")


SCALARS: Mapping[object, ScalarDefinition] = {
    Moment: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC as ISO 8601 with up to six decimals of a second: `2026-01-31T12:00:00.25Z`. "
        "As an argument it may have any offset, but must have one.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=iso,
        parse_value=_read,
    ),
    JsonValue: strawberry.scalar(
        name="JSON",
        description="Any JSON value, as a source sent it.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
