"""Workbooks of the kinds before and beside `.xlsx`: `.xls`, `.xlsb` and `.ods`, through calamine.

python-calamine rather than xlrd and odfpy: one part for all three, in Rust, with typed cells, and kept up; rather than
fastexcel, which makes typed columns of mixed cells. A sheet is in memory as a whole, so what unpacks to more than
256 MB is refused.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from loaders.errors import FileUnreadableError
from loaders.formats.parts import optional_part

SIZE_LIMIT = 256 * 1024 * 1024  # bytes, unpacked
PANIC = "PanicException"  # of the Rust beneath, and no Exception


class _Rows(Protocol):
    name: str

    def iter_rows(self) -> Iterator[Sequence[object]]: ...


class Workbook(Protocol):
    """What calamine hands out."""

    sheet_names: list[str]

    def get_sheet_by_name(self, name: str) -> _Rows:
        """The rows of a sheet."""
        ...


class Sheet:
    """A sheet, as the reader of workbooks asks for it."""

    def __init__(self, book: Workbook, title: str) -> None:
        self.title = title
        self._rows = book.get_sheet_by_name(title)

    def iter_rows(self, *, values_only: bool) -> Iterator[tuple[object, ...]]:
        """The cells of each row, the empty ones as empty texts."""
        del values_only
        return (tuple(row) for row in self._rows.iter_rows())

    def reset_dimensions(self) -> None:
        """Nothing to forget: the size is what was read."""


def sheets_of(path: Path, name: str) -> list[Sheet]:
    """The sheets of a workbook. Raises FileUnreadableError, PartMissingError."""
    _check_size(path, name)
    calamine = optional_part("python_calamine")
    with _Broken(name):
        book: Workbook = calamine.CalamineWorkbook.from_path(str(path))
        return [Sheet(book, title) for title in book.sheet_names]


def _check_size(path: Path, name: str) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            size = sum(each.file_size for each in packed.infolist())
    if size > SIZE_LIMIT:
        raise FileUnreadableError(f"{name}: the workbook has {size // 1024**2:,} MB; save the sheet as CSV")


class _Broken:
    """Whatever calamine finds wrong in a file is that it cannot be read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None and (kind.__module__.startswith("python_calamine") or kind.__name__ == PANIC):
            raise FileUnreadableError(f"{self.name}: this is no workbook that can be read: {error}") from error
