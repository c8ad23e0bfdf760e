"""JSON documents that hold their records in one list, read as a stream: never more than a few records are in memory."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Protocol

import ijson

from identity.messages import Json, Rejection
from loaders.formats.cells import json_of, written
from loaders.formats.encodings import Encoding, in_utf8
from loaders.formats.records import Found, Line, Records, passing_over
from loaders.formats.streams import Stream
from loaders.wire import UnreadableJsonError, bounded

RECORD_LIMIT = 16 * 1024 * 1024  # bytes between two records
STEP = 64 * 1024  # bytes
# No text has this character, which Unicode leaves to programs: it marks what the encoding does not know.
MARK = "\ufdd0"


def json_document(stream: Stream, encoding: Encoding, path: str | None) -> Records:
    """The elements of the list that the document is, or of the one at a path of names joined by dots.

    A document has no lines to find one's way by: what follows an element that cannot be parsed is lost, and the last
    Line says so. It says as well when no list stands at the path.
    """
    return Records(stream.name, stream.size, "json", None, passing_over(_records(stream, encoding, path or "")))


def _records(stream: Stream, encoding: Encoding, path: str) -> Iterator[Line]:
    parsed = _Parsed(path)
    more, number = in_utf8(stream.read, encoding.name), 0
    while parsed.why is None:
        found = more(STEP)
        for value in parsed.values(found.replace(b"\xff", MARK.encode())):
            number += 1
            yield Line(number, stream.tell(), _record(value, f"{stream.name}:{number}"))
        if not found:
            break
    if (why := stream.broken or parsed.why) is not None:
        rejection = Rejection("broken_document", f"{stream.name}:{number + 1}", _lost(number, why))
        yield Line(number + 1, stream.size, rejection)


def _lost(number: int, why: str) -> str:
    return f"what follows after record {number:,} is lost: {why}"


class _Sent(Protocol):
    def send(self, text: bytes, /) -> object: ...


@dataclass(slots=True)
class _Parsed:
    """A parser that is handed a text piece by piece. why: it cannot go on; None at the end of a whole document."""

    path: str
    why: str | None = None
    waiting: int = 0
    listed: bool = False
    events: list[tuple[str, str, object]] = field(default_factory=ijson.sendable_list)
    items: list[object] = field(default_factory=ijson.sendable_list)
    _events: _Sent = field(init=False)
    _items: _Sent = field(init=False)

    def __post_init__(self) -> None:
        self._items = ijson.items_coro(self.items, f"{self.path}.item" if self.path else "item")
        self._events = ijson.parse_coro(self.events)

    def values(self, text: bytes) -> list[object]:
        """The elements that a piece of text completes; an empty one is the end."""
        with suppress(StopIteration, ijson.JSONError):
            self._look(text)
        try:
            self._items.send(text)
        except ijson.JSONError as error:
            self.why = f"this is no JSON that can be read: {' '.join(str(error).split())}"
        except StopIteration:
            pass
        found = list(self.items)
        del self.items[:]
        self.waiting = 0 if found else self.waiting + len(text)
        if self.why is None and self.waiting > RECORD_LIMIT:
            self.why = f"more than {RECORD_LIMIT // 1024**2} MB hold no whole record"
        if self.why is None and not text and not self.listed:
            self.why = f"no list stands at `{self.path}`" if self.path else "the document is no list"
        return found

    def _look(self, text: bytes) -> None:
        """Whether the list has begun; as soon as it has, nobody looks any more."""
        if not self.listed:
            self._events.send(text)
            self.listed = any(place == self.path and event == "start_array" for place, event, _ in self.events)
            del self.events[:]


def _record(value: object, place: str) -> Found | Rejection:
    try:
        record = json_of(value, _number)
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"this is no JSON that can be kept: {error}", raw=bounded(str(value)))
    raw = written(record)
    if MARK in raw:
        shown = bounded(raw.replace(MARK, "\ufffd"))
        return Rejection("broken_encoding", place, "a text in the record is wrongly encoded", raw=shown)
    return Found(record, place, raw)


def _number(value: Decimal) -> Json:
    """As in files with one JSON value a line: a fraction is a float."""
    return float(value) if isfinite(float(value)) else str(value)
