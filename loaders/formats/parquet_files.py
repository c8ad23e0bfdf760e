"""Parquet files, by row groups: a part of a group is in memory at a time, and a damaged group costs its own rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from identity.messages import Rejection
from loaders.errors import FileUnreadableError
from loaders.formats.cells import found_row
from loaders.formats.csv_files import named_columns
from loaders.formats.records import Line, Reading, Records

ROWS = 1_000
READ_AHEAD = 1024 * 1024  # bytes of a column; without a limit a whole row group is fetched


@contextmanager
def opened(path: Path, name: str, _reading: Reading) -> Iterator[Records]:
    """The rows of a Parquet file, counted from 1. Raises FileUnreadableError, as for one that is cut off."""
    try:
        file = pq.ParquetFile(path, buffer_size=READ_AHEAD, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadableError(f"{name}: this is no whole Parquet file: {error}") from error
    with file:
        columns = named_columns(file.schema_arrow.names, name)
        size = file.metadata.num_rows
        after = lambda position: _rows(file, name, columns, position)  # noqa: E731 -- as short as its use
        yield Records(name, size, "parquet", columns, after, seekable=True)


def _rows(file: pq.ParquetFile, name: str, columns: tuple[str, ...], position: int) -> Iterator[Line]:
    end = 0
    for group in range(file.metadata.num_row_groups):
        start, end = end, end + file.metadata.row_group(group).num_rows
        if end > position:
            yield from _group(file, group, _Span(name, columns, start, end), position)


class _Span:
    """The rows of one group: those after start, up to end."""

    __slots__ = ("columns", "end", "name", "start")

    def __init__(self, name: str, columns: tuple[str, ...], start: int, end: int) -> None:
        self.name, self.columns, self.start, self.end = name, columns, start, end


def _group(file: pq.ParquetFile, group: int, span: _Span, position: int) -> Iterator[Line]:
    number = span.start
    try:
        for batch in file.iter_batches(ROWS, row_groups=[group], use_threads=False):
            if number + batch.num_rows <= position:
                number += batch.num_rows
                continue
            for cells in zip(*_cells(batch), strict=True):
                number += 1
                if number > position:
                    record = dict(zip(span.columns, cells, strict=True))
                    yield Line(number, number, found_row(record, f"{span.name}:{number}"))
    except (pa.ArrowException, OSError, ValueError) as error:
        sentence = f"rows {number + 1:,} to {span.end:,} cannot be read: {error}"
        yield Line(span.end, span.end, Rejection("broken_document", f"{span.name}:{number + 1}", sentence))


def _cells(batch: pa.RecordBatch) -> list[list[object]]:
    """The cells by columns; moments to the microsecond, finer than which nothing is kept here."""
    return [_column(column).to_pylist() for column in batch.columns]


def _column(column: "pa.Array[Any]") -> "pa.Array[Any]":
    coarse = _coarse(column.type)
    return column if coarse == column.type else column.cast(coarse, safe=False)


def _coarse(type_: pa.DataType) -> pa.DataType:
    """A type with microseconds where it has nanoseconds, which Python's own moments cannot hold."""
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    if pa.types.is_time64(type_) and type_.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(type_) and type_.unit == "ns":
        return pa.duration("us")
    if pa.types.is_list(type_):
        return pa.list_(_field(type_.value_field))
    if pa.types.is_struct(type_):
        return pa.struct([_field(type_.field(at)) for at in range(type_.num_fields)])
    return type_


def _field(field: "pa.Field[Any]") -> "pa.Field[Any]":
    return field.with_type(_coarse(field.type))
