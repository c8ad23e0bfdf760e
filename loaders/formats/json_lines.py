"""Files with one JSON value a line."""

from collections.abc import Iterator

from identity.messages import Rejection
from loaders.formats.lines import TextLines
from loaders.formats.records import Found, Line, Records, passing_over
from loaders.wire import UnreadableJsonError, bounded, json_value


def json_lines(lines: TextLines) -> Records:
    """The records of a text with one JSON value a line; empty lines are none."""
    return Records(lines.stream.name, lines.stream.size, "jsonl", None, passing_over(_records(lines)))


def _records(lines: TextLines) -> Iterator[Line]:
    while (text := lines.next()) is not None:
        stripped = text.text.strip()
        if stripped or not text.whole:
            place = lines.place(text.number)
            yield Line(text.number, text.end, lines.broken(text) or _record(stripped, place))
    if (cut := lines.cut()) is not None:
        yield Line(lines.number + 1, lines.stream.size, cut)


def _record(text: str, place: str) -> Found | Rejection:
    try:
        return Found(json_value(text.encode()), place, text)
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"this is no JSON that can be read: {error}", raw=bounded(text))
