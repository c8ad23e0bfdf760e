"""Rows of a database through SQLAlchemy: streamed by the server's cursor, in the order of a key where one is named.

A load goes on by the key: numbers are their own position, moments are counted in microseconds. Rows with the key at
which it stopped are read again, and so are those without one, which databases sort to either end; what is known
already changes nothing. With another kind of key, or none, a load that was stopped begins anew.
"""

import logging
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import floor, isfinite
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from identity.messages import Rejection, micros, moment
from loaders.errors import FileUnreadableError, PartMissingError, SourceAwayError
from loaders.formats.cells import found_row
from loaders.formats.csv_files import named_columns
from loaders.formats.records import Line, Records, Selection
from loaders.wire import INT64

ROWS = 1_000


@contextmanager
def opened(url: str, selection: Selection) -> Iterator[Records]:
    """The rows that a selection has now, a place being `table:key=5` or `table:5`. Nothing can be written through it.

    Raises FileUnreadableError, PartMissingError for a driver; while it is read SourceAwayError.
    """
    way = _Way(_engine(url))
    try:
        yield _records(way, selection)
    finally:
        way.close()


class _Way:
    """The way to a database, and another connection where one cannot be used any further."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.connection = self._connected()

    def anew(self) -> None:
        """Connect again: what a driver stumbled over is still on its way in the connection before."""
        with suppress(Exception):  # whatever it says of its end, nobody will use it
            self.connection.invalidate()
            self.connection.close()
        self.connection = self._connected()

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def _connected(self) -> sa.Connection:
        try:
            connection = self.engine.connect().execution_options(stream_results=True, max_row_buffer=ROWS)
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(postgresql_readonly=True)
        except SQLAlchemyError as error:
            raise SourceAwayError(f"the database cannot be reached: {_said(error)}") from error
        return connection


def _engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url)
    except ModuleNotFoundError as error:
        raise PartMissingError(f"the database needs the driver {error.name}: pip install {error.name}") from error
    except (ArgumentError, SQLAlchemyError) as error:
        raise FileUnreadableError("the URL of the database is none, or its kind is not known") from error
    # It would write a traceback where a driver's cursor cannot be closed any more, which the load tells itself.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    if engine.dialect.name == "sqlite":
        _check_there(engine.url.database)
        sa.event.listen(engine, "connect", _sqlite_connected)
    return engine


def _check_there(file: str | None) -> None:
    """SQLite makes a file that it does not find."""
    if file and file != ":memory:" and not file.startswith("file:") and not Path(file).is_file():
        raise FileUnreadableError(f"{file}: No such file or directory")


def _sqlite_connected(connection: sqlite3.Connection, _record: object) -> None:
    """A text that is no UTF-8 is then one bad row, not the end of the load."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    connection.execute("PRAGMA query_only = ON")


def _said(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _records(way: _Way, selection: Selection) -> Records:
    try:
        columns = tuple(way.connection.execute(_statement(selection).where(sa.false())).keys())
    except SQLAlchemyError as error:
        raise FileUnreadableError(f"{selection.name}: {_said(error)}") from error
    named_columns(columns, selection.name)
    if selection.key is not None and selection.key not in columns:
        sentence = f"there is no column `{selection.key}` to go by; the columns are {', '.join(columns)}"
        raise FileUnreadableError(f"{selection.name}: {sentence}")
    rows = _Rows(way, selection, columns)
    return Records(selection.name, 0, "sql", columns, rows.after, seekable=True)


def _statement(selection: Selection) -> "sa.Select[tuple[object, ...]]":
    """All that is selected. A colon in a query is no parameter."""
    if selection.query is not None:
        asked = selection.query.replace(":", r"\:")
        return sa.select(sa.text("*")).select_from(sa.text(f"({asked}) selected"))
    schema, _, table = (selection.table or "").rpartition(".")
    return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema or None))


@dataclass(slots=True)
class _Stand:
    """Where reading stands. number: the position of the row that was met last; count: of all rows that were met.

    passed: how many rows of that position were met, or passed over, in the order in which `_around` reads.
    """

    number: int
    count: int = 0
    passed: int = 0

    def met(self, number: int) -> None:
        """Another row was met, whose position is this."""
        self.passed = self.passed + 1 if number == self.number else 1
        self.number, self.count = number, self.count + 1


class _Rows:
    """The rows of a selection, to be read from any position."""

    def __init__(self, way: _Way, selection: Selection, columns: tuple[str, ...]) -> None:
        self.way, self.selection, self.columns = way, selection, columns

    def after(self, position: int) -> Iterator[Line]:
        """The rows from a position on; those with one key are read again around a value that the driver cannot read."""
        stand = _Stand(position)
        try:
            while (error := (yield from self._streamed(stand))) is not None:
                if self.selection.key is None:
                    raise SourceAwayError(f"{self._unreadable(error)}; name a key, and a load passes over the row")
                yield from self._around(stand)
        except SQLAlchemyError as error:
            raise SourceAwayError(f"{self.selection.name}: {_said(error)}; the same load goes on") from error

    def _streamed(self, stand: _Stand) -> Generator[Line, None, Exception | None]:
        """The rows from where reading stands to the end, or to the driver's error, which is returned."""
        try:
            with self.way.connection.execute(self._ordered(stand.number)) as result:
                for row in result:
                    yield self._line(row, stand)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 -- drivers raise what their conversions raise
            self.way.anew()
            return error
        return None

    def _around(self, stand: _Stand) -> Iterator[Line]:
        """The rows around one that the driver cannot read, which alone is rejected.

        They are read in parts, half as large after each error, so that one row costs about twenty statements; and in an
        order in which no two are alike, so that an offset means the same row each time. It ends behind as many rows as
        the driver fetches at once, at another key than that of the row.
        """
        stand.passed, size, good, bad = 0, ROWS // 2, 0, stand.number
        while good < ROWS or stand.number == bad:
            statement = self._ordered(stand.number, whole=True).offset(stand.passed).limit(size)
            rows = self._all(statement)
            if isinstance(rows, Exception) and size > 1:
                size //= 2
            elif isinstance(rows, Exception):
                yield self._rejected(rows, stand)
                good, bad = 0, stand.number
            else:
                for row in rows:
                    yield self._line(row, stand)
                good, size, ended = good + len(rows), min(2 * size, ROWS), len(rows) < size
                if ended:
                    return

    def _all(self, statement: sa.Executable) -> "Sequence[sa.Row[tuple[object, ...]]] | Exception":
        try:
            return self.way.connection.execute(statement).all()
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 -- likewise
            self.way.anew()
            return error

    def _line(self, row: Sequence[object], stand: _Stand) -> Line:
        cells: dict[str, object] = dict(zip(self.columns, row, strict=True))
        stand.met(self._position(cells, stand.number))
        return Line(stand.number, stand.count, found_row(cells, self._place(cells, stand.count)))

    def _rejected(self, error: Exception, stand: _Stand) -> Line:
        """A row that the driver cannot read, with its key, which is asked for by itself."""
        name = str(self.selection.key)
        key: sa.ColumnClause[object] = sa.column(name)
        asked = self._ordered(stand.number, whole=True).with_only_columns(key, maintain_column_froms=True)
        found = self._all(asked.offset(stand.passed).limit(1))
        cells: dict[str, object] = {name: None if isinstance(found, Exception) or not found else found[0][0]}
        stand.met(self._position(cells, stand.number))
        place = self._place(cells, stand.count)
        return Line(stand.number, stand.count, Rejection("broken_row", place, self._unreadable(error)))

    def _unreadable(self, error: Exception) -> str:
        return f"{self.selection.name}: the driver cannot read a value: {type(error).__name__}: {str(error)[:200]}"

    def _ordered(self, position: int, *, whole: bool = False) -> "sa.Select[tuple[object, ...]]":
        """The rows from a position on in the order of the key. whole: and of all that they hold where it is one key."""
        statement = _statement(self.selection)
        if self.selection.key is None:
            return statement
        key: sa.ColumnClause[object] = sa.column(self.selection.key)
        statement = statement.order_by(key)
        if whole and self.way.engine.dialect.name == "postgresql":
            statement = statement.order_by(sa.cast(sa.func.row(*map(sa.column, self.columns)), sa.Text))
        start = self._start(key, position)
        return statement if start is None else statement.where((key >= sa.literal(start)) | key.is_(None))

    def _start(self, key: "sa.ColumnClause[object]", position: int) -> object:
        """The key at a position, of the kind that the column has; None for the beginning."""
        if position == 0:
            return None
        first = sa.select(key).select_from(_statement(self.selection).subquery()).where(key.is_not(None))
        return _key_at(position, self.way.connection.execute(first.order_by(key).limit(1)).scalar())

    def _position(self, cells: dict[str, object], before: int) -> int:
        if self.selection.key is None:
            return 0
        found = _position_of(cells[self.selection.key])
        return before if found is None or found not in INT64 else found

    def _place(self, cells: dict[str, object], count: int) -> str:
        key = self.selection.key
        return f"{self.selection.name}:{count}" if key is None else f"{self.selection.name}:{key}={cells[key]}"


def _position_of(key: object) -> int | None:
    match key:
        case bool():
            return None
        case int():
            return key
        case float() | Decimal():
            return floor(key) if isfinite(key) else None
        case datetime():
            return micros(key if key.tzinfo else key.replace(tzinfo=UTC))
        case date():
            return micros(datetime.combine(key, time(), UTC))
        case _:
            return None


def _key_at(position: int, like: object) -> object:
    match like:
        case datetime():
            return moment(position) if like.tzinfo else moment(position).replace(tzinfo=None)
        case date():
            return moment(position).date()
        case int() | float() | Decimal():
            return position
        case _:
            return None
