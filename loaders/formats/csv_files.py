"""CSV files with a header, whatever the delimiter: what is broken is rejected with its line, the rest is kept."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace

from identity.messages import Json, Rejection
from loaders.errors import FileUnreadableError
from loaders.formats.lines import BROKEN, TextLine, TextLines, mended
from loaders.formats.records import Found, Line, Records, passing_over
from loaders.formats.streams import check_whole
from loaders.wire import bounded

DELIMITERS = (",", ";", "\t", "|")


def csv_records(lines: TextLines, delimiter: str | None) -> Records:
    """The records of a CSV text by the names in its first line. Raises FileUnreadableError when that names no columns.

    delimiter: one character, by default the one that cuts the header into most cells.
    """
    rows = _Rows(lines, delimiter)
    columns = _header(rows, lines.stream.name)
    after = passing_over(_records(rows, columns))
    return Records(lines.stream.name, lines.stream.size, "csv", columns, after, delimiter=rows.delimiter)


class _RowError(Exception):
    """The lines that were read make no row; the text says why."""


class _Rows:
    """The rows of a CSV file, each with the physical lines that it took.

    A quote that is never closed would take the rest of the file: then its first line is rejected alone, the others
    are put back and read again. Python's csv gives up on a field of 128 KB, so that costs no more than this.
    """

    def __init__(self, lines: TextLines, delimiter: str | None) -> None:
        self.lines = lines
        self.taken: list[TextLine] = []
        first = lines.next()
        self.delimiter = delimiter or (_sniffed(first.text) if first else ",")
        self.padded = first is not None and _is_padded(first.text, self.delimiter)
        if first:
            lines.put_back([first])
        self._reader = self._fresh()

    def _fresh(self) -> Iterator[list[str]]:
        return iter(csv.reader(self._feed(), delimiter=self.delimiter, skipinitialspace=self.padded, strict=True))

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
    return max(DELIMITERS, key=lambda each: _cells_of(header, each))


def _cells_of(header: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([header], delimiter=delimiter), []))
    except csv.Error:  # a line break of an old Mac within the line; who reads the header says what is wrong with it
        return 0


def _is_padded(header: str, delimiter: str) -> bool:
    """Whether a blank follows each delimiter, in the header and so in the rows; it belongs to no cell."""
    after = header.split(delimiter)[1:]
    return bool(after) and all(each.startswith(" ") for each in after)


def _header(rows: _Rows, file: str) -> tuple[str, ...]:
    try:
        cells = rows.next()
    except _RowError as error:
        raise FileUnreadableError(f"{file}:1: the header cannot be read: {error}") from error
    if not cells:
        check_whole(rows.lines.stream)
        raise FileUnreadableError(f"{file}:1: the file is empty; its first line must name the columns")
    return named_columns(cells, f"{file}:1")


def named_columns(cells: Sequence[str], place: str) -> tuple[str, ...]:
    """The names of columns without the blanks around them. Raises FileUnreadableError for one that is none."""
    columns = tuple(cell.strip() for cell in cells)
    for at, name in enumerate(columns):
        if not name or BROKEN.search(name) or name in columns[:at]:
            why = "has no name" if not name else "comes twice" if name in columns[:at] else "is wrongly encoded"
            raise FileUnreadableError(f"{place}: column {at + 1} `{mended(name)}` {why}")
    return columns


def _records(rows: _Rows, columns: tuple[str, ...]) -> Iterator[Line]:
    while True:
        try:
            cells = rows.next()
        except _RowError as error:
            yield _line(rows, _bad_row(rows, "broken_row", str(error)))
            continue
        if cells is None:
            break
        if cells:
            yield _line(rows, _row(rows, cells, columns))
    if (cut := rows.lines.cut()) is not None:
        yield Line(rows.lines.number + 1, rows.lines.stream.size, cut)


def _line(rows: _Rows, content: Found | Rejection) -> Line:
    return Line(rows.taken[-1].number, rows.taken[-1].end, content)


def _bad_row(rows: _Rows, code: str, sentence: str) -> Rejection:
    return Rejection(code, rows.lines.place(rows.taken[0].number), sentence, raw=bounded(_raw(rows)))


def _raw(rows: _Rows) -> str:
    return mended("".join(each.text for each in rows.taken))


def _row(rows: _Rows, cells: list[str], columns: tuple[str, ...]) -> Found | Rejection:
    broken = next((why for each in rows.taken if (why := rows.lines.broken(each)) is not None), None)
    if broken is not None:
        return replace(broken, raw=bounded(_raw(rows)))
    if len(cells) != len(columns):
        return _bad_row(rows, "wrong_columns", _columns_sentence(rows, len(cells), len(columns)))
    record: dict[str, Json] = {name: cell or None for name, cell in zip(columns, cells, strict=True)}
    return Found(record, rows.lines.place(rows.taken[0].number), _raw(rows))


def _columns_sentence(rows: _Rows, found: int, wanted: int) -> str:
    cut = "; the file ends in the middle of the line" if not rows.taken[-1].text.endswith("\n") else ""
    return f"the row has {found} cells, the header {wanted}{cut}"
