"""CSV and JSONL files as a stream of records: what is broken is rejected with its line, everything else is kept."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from identity.messages import Json, Rejection
from loaders.errors import FileUnreadableError
from loaders.translating import Found
from loaders.wire import UnreadableJsonError, bounded, json_value

LINE_LIMIT = 1024 * 1024  # bytes
DELIMITERS = (",", ";", "\t", "|")
FORMAT_OF_SUFFIX = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
BROKEN = re.compile(r"[\udc80-\udcff]")
ASCII_PROBE = 'a,";\t|\n'


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file, where it does not show. encoding: UTF-8, with or without a byte order mark, by default."""

    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What stands at a line: a record, or why it is none. read: bytes of the file up to its end."""

    number: int
    read: int
    content: Found | Rejection


@dataclass(frozen=True, slots=True)
class Records:
    """An opened file. columns: of a CSV file's header, else None. Iterating reads it once, in order."""

    name: str
    size: int
    format: str
    columns: tuple[str, ...] | None
    lines: Iterable[Line]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


@contextmanager
def opened_records(path: Path, reading: Reading | None = None) -> Iterator[Records]:
    """The records of a CSV file with a header line, or of a file with one JSON value a line.

    Raises FileUnreadableError when the file as a whole cannot be read.
    """
    reading = reading or Reading()
    format_ = reading.format or FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if format_ is None:
        raise FileUnreadableError(f"{path}: the name does not say csv or jsonl; name the format")
    try:
        file = path.open("rb")
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror}") from error
    with file:
        yield _records(path, file, format_, reading)


def _records(path: Path, file: BinaryIO, format_: str, reading: Reading) -> Records:
    size = path.stat().st_size
    lines = _Lines(file, path.name, _ascii_compatible(reading.encoding or "utf-8-sig", path))
    if format_ == "jsonl":
        return Records(path.name, size, format_, None, _json_records(lines))
    rows = _Rows(lines, reading.delimiter)
    columns = _header(rows, path)
    return Records(path.name, size, format_, columns, _csv_records(rows, columns))


def _ascii_compatible(encoding: str, path: Path) -> str:
    try:
        fits = ASCII_PROBE.encode(encoding).removeprefix(b"\xef\xbb\xbf") == ASCII_PROBE.encode("ascii")
    except LookupError:
        fits = False
    if not fits:
        raise FileUnreadableError(f"{path}: the encoding `{encoding}` is not read; convert the file to UTF-8")
    return encoding


@dataclass(frozen=True, slots=True)
class _Text:
    """One physical line. text: bytes that the encoding does not know stand as lone surrogates. end: in the file."""

    number: int
    text: str
    end: int
    whole: bool = True


@dataclass(slots=True)
class _Lines:
    """The physical lines of a file; those that are put back come again first."""

    file: BinaryIO
    name: str
    encoding: str
    number: int = 0
    end: int = 0
    back: deque[_Text] = field(default_factory=deque)

    def next(self) -> _Text | None:
        """The next line, or None at the end; of a line that is too long only the beginning."""
        if self.back:
            return self.back.popleft()
        raw = self.file.readline(LINE_LIMIT)
        if not raw:
            return None
        whole = len(raw) < LINE_LIMIT or raw.endswith(b"\n")
        self.end += len(raw)
        if not whole:
            self._pass_over()
        self.number += 1
        encoding = self.encoding if self.number == 1 else self.encoding.removesuffix("-sig")
        return _Text(self.number, raw.decode(encoding, "surrogateescape"), self.end, whole)

    def _pass_over(self) -> None:
        while raw := self.file.readline(LINE_LIMIT):
            self.end += len(raw)
            if raw.endswith(b"\n"):
                return

    def put_back(self, lines: Sequence[_Text]) -> None:
        self.back.extendleft(reversed(lines))

    def place(self, number: int) -> str:
        return f"{self.name}:{number}"


def _broken(text: _Text, lines: _Lines) -> Rejection | None:
    """Why a line cannot be a record, whatever stands in it."""
    place = lines.place(text.number)
    if not text.whole:
        return Rejection(
            "line_too_long", place, f"the line is longer than {LINE_LIMIT:,} bytes", raw=bounded(text.text)
        )
    found = BROKEN.search(text.text)
    return _broken_encoding(text.text, found.start(), place, lines) if found else None


def _broken_encoding(text: str, at: int, place: str, lines: _Lines) -> Rejection:
    byte = ord(text[at]) - 0xDC00
    encoding = lines.encoding.removesuffix("-sig")
    sentence = f"byte 0x{byte:02x} at character {at + 1} is not {encoding}; convert it, or name the file's encoding"
    return Rejection("broken_encoding", place, sentence, raw=bounded(BROKEN.sub("\ufffd", text.rstrip("\r\n"))))


def _json_records(lines: _Lines) -> Iterator[Line]:
    while (text := lines.next()) is not None:
        stripped = text.text.strip()
        if stripped or not text.whole:
            yield Line(text.number, text.end, _broken(text, lines) or _json_record(stripped, lines.place(text.number)))


def _json_record(text: str, place: str) -> Found | Rejection:
    try:
        return Found(json_value(text.encode()), place, text)
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"this is no JSON that can be read: {error}", raw=bounded(text))


class _RowError(Exception):
    """The lines that were read make no row; the text says why."""


class _Rows:
    """The rows of a CSV file, each with the physical lines that it took.

    A quote that is never closed would take the rest of the file: then its first line is rejected alone, the others
    are put back and read again. Python's csv gives up on a field of 128 KB, so that costs no more than this.
    """

    def __init__(self, lines: _Lines, delimiter: str | None) -> None:
        self.lines = lines
        self.taken: list[_Text] = []
        first = lines.next()
        self.delimiter = delimiter or (_sniffed(first.text) if first else ",")
        if first:
            lines.put_back([first])
        self._reader = self._fresh()

    def _fresh(self) -> Iterator[list[str]]:
        return iter(csv.reader(self._feed(), delimiter=self.delimiter, strict=True))

    def _feed(self) -> Iterator[str]:
        while (text := self.lines.next()) is not None:
            self.taken.append(text)
            yield text.text

    def next(self) -> list[str] | None:
        """The cells of the next row, or None at the end; `taken` are its lines. Raises _RowError."""
        self.taken = []
        try:
            return next(self._reader, None)
        except csv.Error as error:
            self._reader = self._fresh()
            self.lines.put_back(self.taken[1:])
            self.taken = self.taken[:1]
            raise _RowError(_why(error)) from error


def _why(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote is opened and never closed: the line is cut off, or a quote is not doubled"
    if "field larger" in text:
        return "a cell is longer than 128 KB: probably a quote that is never closed"
    return f"the quotes do not fit: {text}"


def _sniffed(header: str) -> str:
    """The delimiter that cuts the header into most cells, the comma if none cuts it."""
    return max(DELIMITERS, key=lambda each: len(next(csv.reader([header], delimiter=each), [])))


def _header(rows: _Rows, path: Path) -> tuple[str, ...]:
    try:
        cells = rows.next()
    except _RowError as error:
        raise FileUnreadableError(f"{path}:1: the header cannot be read: {error}") from error
    if not cells:
        raise FileUnreadableError(f"{path}:1: the file is empty; its first line must name the columns")
    columns = tuple(cell.strip() for cell in cells)
    for at, name in enumerate(columns):
        if not name or BROKEN.search(name) or name in columns[:at]:
            why = "has no name" if not name else "comes twice" if name in columns[:at] else "is wrongly encoded"
            raise FileUnreadableError(f"{path}:1: column {at + 1} `{BROKEN.sub('?', name)}` {why}")
    return columns


def _csv_records(rows: _Rows, columns: tuple[str, ...]) -> Iterator[Line]:
    while True:
        try:
            cells = rows.next()
        except _RowError as error:
            yield _row_line(rows, _bad_row(rows, "broken_row", str(error)))
            continue
        if cells is None:
            return
        if cells:
            yield _row_line(rows, _row(rows, cells, columns))


def _row_line(rows: _Rows, content: Found | Rejection) -> Line:
    return Line(rows.taken[-1].number, rows.taken[-1].end, content)


def _bad_row(rows: _Rows, code: str, sentence: str) -> Rejection:
    return Rejection(code, rows.lines.place(rows.taken[0].number), sentence, raw=bounded(_raw(rows)))


def _raw(rows: _Rows) -> str:
    return BROKEN.sub("\ufffd", "".join(each.text for each in rows.taken).rstrip("\r\n"))


def _row(rows: _Rows, cells: list[str], columns: tuple[str, ...]) -> Found | Rejection:
    broken = next((why for each in rows.taken if (why := _broken(each, rows.lines)) is not None), None)
    if broken is not None:
        return replace(broken, raw=bounded(_raw(rows)))
    if len(cells) != len(columns):
        return _bad_row(rows, "wrong_columns", _columns_sentence(rows, len(cells), len(columns)))
    record: dict[str, Json] = {name: cell or None for name, cell in zip(columns, cells, strict=True)}
    return Found(record, rows.lines.place(rows.taken[0].number), _raw(rows))


def _columns_sentence(rows: _Rows, found: int, wanted: int) -> str:
    cut = "; the file ends in the middle of the line" if not rows.taken[-1].text.endswith("\n") else ""
    return f"the row has {found} cells, the header {wanted}{cut}"
