"""Rows of a database through SQLAlchemy: streamed by the server's cursor, in the order of a key where one is named.

A load goes on by the key: numbers are their own position, moments are counted in microseconds. Rows with the key at
which it stopped are read again, and so are those without one, which databases sort to either end; what is known
already changes nothing. With another kind of key, or none, a load that was stopped begins anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import floor, isfinite
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from identity.messages import micros, moment
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
    engine = _engine(url)
    try:
        connection = engine.connect().execution_options(stream_results=True, max_row_buffer=ROWS)
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
    except SQLAlchemyError as error:
        raise SourceAwayError(f"the database cannot be reached: {_said(error)}") from error
    try:
        yield _records(connection, selection)
    finally:
        connection.close()
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url)
    except ModuleNotFoundError as error:
        raise PartMissingError(f"the database needs the driver {error.name}: pip install {error.name}") from error
    except (ArgumentError, SQLAlchemyError) as error:
        raise FileUnreadableError("the URL of the database is none, or its kind is not known") from error
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


def _records(connection: sa.Connection, selection: Selection) -> Records:
    try:
        columns = tuple(connection.execute(_statement(selection).where(sa.false())).keys())
    except SQLAlchemyError as error:
        raise FileUnreadableError(f"{selection.name}: {_said(error)}") from error
    named_columns(columns, selection.name)
    if selection.key is not None and selection.key not in columns:
        sentence = f"there is no column `{selection.key}` to go by; the columns are {', '.join(columns)}"
        raise FileUnreadableError(f"{selection.name}: {sentence}")
    rows = _Rows(connection, selection, columns)
    return Records(selection.name, 0, "sql", columns, rows.after, seekable=True)


def _statement(selection: Selection) -> "sa.Select[tuple[object, ...]]":
    """All that is selected. A colon in a query is no parameter."""
    if selection.query is not None:
        asked = selection.query.replace(":", r"\:")
        return sa.select(sa.text("*")).select_from(sa.text(f"({asked}) selected"))
    schema, _, table = (selection.table or "").rpartition(".")
    return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema or None))


class _Rows:
    """The rows of a selection, to be read from any position."""

    def __init__(self, connection: sa.Connection, selection: Selection, columns: tuple[str, ...]) -> None:
        self.connection, self.selection, self.columns = connection, selection, columns

    def after(self, position: int) -> Iterator[Line]:
        """The rows from a position on."""
        try:
            with self.connection.execute(self._ordered(position)) as result:
                number = position
                for count, row in enumerate(result, 1):
                    cells: dict[str, object] = dict(zip(self.columns, row, strict=True))
                    number = self._position(cells, number)
                    yield Line(number, count, found_row(cells, self._place(cells, count)))
        except SQLAlchemyError as error:
            raise SourceAwayError(f"{self.selection.name}: {_said(error)}; the same load goes on") from error

    def _ordered(self, position: int) -> "sa.Select[tuple[object, ...]]":
        statement = _statement(self.selection)
        if self.selection.key is None:
            return statement
        key: sa.ColumnClause[object] = sa.column(self.selection.key)
        statement = statement.order_by(key)
        start = self._start(key, position)
        return statement if start is None else statement.where((key >= sa.literal(start)) | key.is_(None))

    def _start(self, key: "sa.ColumnClause[object]", position: int) -> object:
        """The key at a position, of the kind that the column has; None for the beginning."""
        if position == 0:
            return None
        first = sa.select(key).select_from(_statement(self.selection).subquery()).where(key.is_not(None))
        return _key_at(position, self.connection.execute(first.order_by(key).limit(1)).scalar())

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
