"""Records, whatever they stood in: what each form of file or table is read to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from identity.messages import Json, Rejection
from loaders.errors import MappingInvalidError

FORMATS = ("csv", "jsonl", "json", "parquet", "excel")
STREAM = "kafka"  # what a run keeps as the form of records that came as a stream


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file, where it does not show.

    encoding: of a text; UTF-8 by default, or what its first bytes show. sheet: of a workbook; its first one by default.
    records: the path to the list of records in a JSON document, names joined by dots.
    """

    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None

    def over(self, other: "Reading") -> "Reading":
        """What this one says, and where it is silent the other."""
        return Reading(
            self.format or other.format,
            self.delimiter or other.delimiter,
            self.encoding or other.encoding,
            self.sheet or other.sheet,
            self.records or other.records,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read from a database: a table (`schema.table`) or the answer to a query.

    key: the column by which it is ordered, so that a load can go on where it stopped.
    """

    table: str | None = None
    query: str | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """For people, and in the places of its rows."""
        return self.table or "query"


def selected(table: str | None, query: str | None, key: str | None) -> Selection:
    """The selection that these say. Raises MappingInvalidError unless exactly one of table and query is there."""
    if (table is None) == (query is None):
        raise MappingInvalidError("sql: exactly one of `table` and `query` is needed")
    return Selection(table, None if query is None else query.strip().rstrip(";"), key)


@dataclass(frozen=True, slots=True)
class Found:
    """A record as a file holds it. place: `file:line`; raw: its text, for a dead letter.

    id: what stands in for a message id that the record does not give; without it that is the record's hash. at: when
    somebody before us took the record in.
    """

    value: Json
    place: str
    raw: str
    id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """What is no record, and is passed over for this reason."""

    because: str


@dataclass(frozen=True, slots=True)
class Line:
    """What stands at a line or row: a record, or why it is none or is passed over.

    number: the position to go on after. read: how far the whole is read, in the unit of `Records.size`.
    """

    number: int
    read: int
    content: Found | Rejection | Passed


@dataclass(frozen=True, slots=True)
class Records:
    """Something opened, to be read once and in order.

    size: in bytes, or in rows where they are counted; 0 where nobody knows. columns: where the whole has them, as the
    header of a CSV file, else None. after: the lines behind a position, 0 for all. remarks: what a person should know
    of how it is read. delimiter: between the cells of a text. seekable: `after` may be asked anew, and is a short way.
    """

    name: str
    size: int
    format: str
    columns: tuple[str, ...] | None
    after: Callable[[int], Iterable[Line]]
    remarks: tuple[str, ...] = ()
    delimiter: str | None = None
    seekable: bool = False

    def __iter__(self) -> Iterator[Line]:
        return iter(self.after(0))


def passing_over(lines: Iterable[Line]) -> Callable[[int], Iterator[Line]]:
    """The lines after a position, where there is no shorter way to it than reading."""
    return lambda position: (line for line in lines if line.number > position)
