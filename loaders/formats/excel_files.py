"""Excel workbooks, row by row: the cells of one row are in memory, and the workbook's table of texts."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Protocol, cast
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from identity.messages import Rejection
from loaders.errors import FileUnreadableError
from loaders.formats.cells import found_row
from loaders.formats.csv_files import named_columns
from loaders.formats.old_workbooks import sheets_of
from loaders.formats.records import Line, Reading, Records

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # of `.xls`
TEXTS_LIMIT = 256 * 1024 * 1024  # bytes of all but the rows, most of it the table of texts: it is in memory as a whole
ROWS_PART = "xl/worksheets/"
# A workbook is a pack of XML that strangers may have written; openpyxl trusts what stands in it.
BROKEN = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, LookupError, ValueError, TypeError,
    AttributeError, ArithmeticError, RuntimeError, OSError, EOFError,
)  # fmt: skip
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
Cells = tuple[object, ...]


class _Sheet(Protocol):
    """What openpyxl hands out of a workbook that is only read."""

    title: str

    def iter_rows(self, *, values_only: bool) -> Iterator[Cells]: ...
    def reset_dimensions(self) -> None: ...


@contextmanager
def opened(path: Path, name: str, reading: Reading) -> Iterator[Records]:
    """The rows of a sheet by the names in its first row that is not empty. Raises FileUnreadableError.

    Of a formula it is the value that was saved with it. A row is named by its number in the sheet.
    """
    with ExitStack() as stack:
        try:
            sheet = _named(_sheets(path, name, stack), reading.sheet, name)
            sheet.reset_dimensions()  # what a workbook says of its size need not be so
            header_row, header = _header(sheet, name)
        except BROKEN as error:
            raise FileUnreadableError(
                f"{name}: this is no workbook that can be read (.xlsx, .xls, .xlsb, .ods): {error}"
            ) from error
        columns = named_columns([str(cell or "") for cell in header], f"{name}:{sheet.title}:{header_row}")
        yield Records(name, 0, "excel", columns, lambda position: _rows(sheet, name, columns, (header_row, position)))


def _sheets(path: Path, name: str, stack: ExitStack) -> Sequence[_Sheet]:
    if not _is_xlsx(path):
        return sheets_of(path, name)
    _check_texts(path, name)
    file = stack.enter_context(path.open("rb"))  # one that openpyxl opens itself it may leave open
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations that openpyxl passes over
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    return [cast("_Sheet", each) for each in book.worksheets]


def _is_xlsx(path: Path) -> bool:
    """By what it holds, whatever its name says; what is neither is told to be none by who reads `.xlsx`."""
    with path.open("rb") as file:
        if file.read(len(OLE_MAGIC)) == OLE_MAGIC:
            return False
    if not zipfile.is_zipfile(path):
        return True
    with zipfile.ZipFile(path) as packed:
        return not {"mimetype", "xl/workbook.bin"} & set(packed.namelist())


def _check_texts(path: Path, name: str) -> None:
    with zipfile.ZipFile(path) as packed:
        many = sum(each.file_size for each in packed.infolist() if not each.filename.startswith(ROWS_PART))
    if many > TEXTS_LIMIT:
        size = f"{many // 1024**2:,} MB"
        raise FileUnreadableError(f"{name}: the workbook has {size} of texts and styles; save the sheet as CSV")


def _named(sheets: Sequence[_Sheet], wanted: str | None, name: str) -> _Sheet:
    if wanted is None and sheets:
        return sheets[0]
    found = [each for each in sheets if each.title == wanted]
    if not found:
        known = ", ".join(f"`{each.title}`" for each in sheets) or "none"
        raise FileUnreadableError(f"{name}: no sheet is named `{wanted}`; its sheets are {known}")
    return found[0]


def _header(sheet: _Sheet, name: str) -> tuple[int, Cells]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        if filled := _filled(cells):
            return number, filled
    raise FileUnreadableError(f"{name}: the sheet `{sheet.title}` is empty; its first row must name the columns")


def _filled(cells: Cells) -> Cells:
    """The cells up to the last one in which something stands."""
    end = next((at for at in range(len(cells), 0, -1) if cells[at - 1] not in {None, ""}), 0)
    return cells[:end]


def _rows(sheet: _Sheet, name: str, columns: Sequence[str], span: tuple[int, int]) -> Iterator[Line]:
    number = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > max(span) and (filled := _filled(cells)):
                yield _line(filled, number, columns, f"{name}:{sheet.title}:{number}")
    except BROKEN as error:
        sentence = f"what follows after row {number:,} is lost: the sheet cannot be read any further: {error}"
        yield Line(number + 1, 0, Rejection("broken_document", f"{name}:{sheet.title}:{number + 1}", sentence))


def _line(cells: Cells, number: int, columns: Sequence[str], place: str) -> Line:
    if len(cells) > len(columns):
        sentence = f"the row has {len(cells)} cells, the header {len(columns)}"
        return Line(number, number, Rejection("wrong_columns", place, sentence, raw=str(cells)[:1_000]))
    given = {column: _value(cell) for column, cell in zip(columns, cells, strict=False)}
    return Line(number, number, found_row({column: given.get(column) for column in columns}, place))


def _value(cell: object) -> object:
    """A workbook knows floats alone, so that 42 may be stored as 42.0; a date is a moment at midnight."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date()
    return None if cell == "" or (isinstance(cell, str) and cell in ERRORS) else cell
