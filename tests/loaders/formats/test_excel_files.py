"""Excel workbooks: rows by the names in the first one, typed cells, and workbooks made to harm."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from identity.messages import Rejection
from loaders.errors import FileUnreadableError
from loaders.formats import excel_files
from loaders.formats.records import Reading
from tests.loaders.formats.reading import lines_of, values, written


def book(folder: Path, **sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active or made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = folder / "f.xlsx"
    made.save(path)
    return path


def changed(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """The workbook with other bytes in one of its parts."""
    other = path.with_name("g.xlsx")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as made:
        for each in given.namelist():
            content = given.read(each)
            assert each != part or old in content
            made.writestr(each, content.replace(old, new) if each == part else content)
    return other


def test_rows_are_records_by_the_names_in_the_first_row_that_is_not_empty(tmp_path: Path) -> None:
    rows = [[], [" id ", "name"], [1, "Ann"], [], [2.0, None], [2.5, ""], ["007", "=1+1"]]
    found = lines_of(book(tmp_path, People=rows))
    assert [(each.number, each.content.place) for each in found][:2] == [(3, "f.xlsx:People:3"), (5, "f.xlsx:People:5")]
    assert values(found)[:4] == [
        {"id": 1, "name": "Ann"},
        {"id": 2, "name": None},
        {"id": 2.5, "name": None},
        {"id": "007", "name": None},
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 9, 30), "2026-01-02T09:30:00"),  # noqa: DTZ001 -- a cell has no zone
        (True, True),
        ("#N/A", None),
        (12_345_678_901.0, 12_345_678_901),
        (0.1, 0.1),
    ],
)
def test_a_cell_keeps_its_meaning(tmp_path: Path, cell: object, value: object) -> None:
    assert values(lines_of(book(tmp_path, S=[["a"], [cell]]))) == [{"a": value}]


def test_a_sheet_is_named_and_a_wrong_one_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = book(tmp_path, First=[["a"], [1]], Second=[["a"], [2]])
    assert values(lines_of(path)) == [{"a": 1}]
    assert values(lines_of(path, Reading(sheet="Second"))) == [{"a": 2}]
    with pytest.raises(FileUnreadableError, match="`First`, `Second`"):
        lines_of(path, Reading(sheet="Third"))


def test_a_row_with_more_cells_than_the_header_is_rejected(tmp_path: Path) -> None:
    assert values(lines_of(book(tmp_path, S=[["a"], [1, 2], [3]]))) == ["wrong_columns @ f.xlsx:S:2", {"a": 3}]


def test_a_load_goes_on_after_a_row(tmp_path: Path) -> None:
    path = book(tmp_path, S=[["a"], [1], [2], [3]])
    assert values(lines_of(path, after=3)) == [{"a": 3}]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileUnreadableError, match="no workbook"):
        lines_of(written(tmp_path, "f.xlsx", content))


def test_a_sheet_that_breaks_off_is_read_until_there(tmp_path: Path) -> None:
    path = changed(book(tmp_path, S=[["a"], [1], [2]]), "xl/worksheets/sheet1.xml", b'<row r="3"', b"<row <")
    found = lines_of(path)
    assert values(found) == [{"a": 1}, "broken_document @ g.xlsx:S:3"]


def test_a_cell_in_the_farthest_corner_takes_no_memory(tmp_path: Path) -> None:
    rows = b'</row><row r="20000"><c r="XFD20000"><v>1</v></c></row></sheetData>'
    path = changed(book(tmp_path, S=[["a"], [1]]), "xl/worksheets/sheet1.xml", b"</row></sheetData>", rows)
    found = lines_of(path)
    assert values(found[:1]) == [{"a": 1}]
    assert values(found[1:]) == ["wrong_columns @ g.xlsx:S:20000"]


def test_a_table_of_texts_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("xl/sharedStrings.xml", b" " * 3_000_000)
    monkeypatch.setattr(excel_files, "TEXTS_LIMIT", 2_000_000)
    with pytest.raises(FileUnreadableError, match="2 MB of texts and styles"):
        lines_of(path)


def test_a_rejected_row_keeps_its_text(tmp_path: Path) -> None:
    (line,) = lines_of(book(tmp_path, S=[["a"], [1, "x"]]))
    assert isinstance(line.content, Rejection)
    assert line.content.raw == "(1, 'x')"


# Other workbooks

# Made by xlwt 1.3: a sheet `People` whose first row is empty, and a sheet `Other`.
XLS = Path(__file__).with_name("people.xls")
ODF = "urn:oasis:names:tc:opendocument:xmlns"
CONTENT = (
    f'<office:document-content xmlns:office="{ODF}:office:1.0" xmlns:table="{ODF}:table:1.0" '
    f'xmlns:text="{ODF}:text:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="People">'
    '<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell>'
    '<table:table-cell office:value-type="string"><text:p>since</text:p></table:table-cell></table:table-row>'
    '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
    "<table:table-row>"
    '<table:table-cell office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell>'
    '<table:table-cell office:value-type="date" office:date-value="2026-01-02"><text:p>2.1.</text:p></table:table-cell>'
    "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
)
MANIFEST = (
    f'<manifest:manifest xmlns:manifest="{ODF}:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def test_the_sheets_of_an_old_workbook_are_read_like_others(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra `tables`")
    path = written(tmp_path, "f.xls", XLS.read_bytes())
    found = lines_of(path)
    assert [each.content.place for each in found] == ["f.xls:People:3", "f.xls:People:5"]
    none = {"since": None, "seen": None, "ok": None, "note": None}
    assert values(found) == [
        {"id": 1, "name": "Ann", "since": "2026-01-02", "seen": "2026-01-02T09:30:00", "ok": True, "note": "=1+1"},
        {"id": 2.5, "name": "Bo", **none},
    ]
    assert values(lines_of(path, after=3)) == values(found[1:])
    assert values(lines_of(path, Reading(sheet="Other"))) == [{"x": 7}]
    with pytest.raises(FileUnreadableError, match="its sheets are `People`, `Other`"):
        lines_of(path, Reading(sheet="Nobody"))


def test_the_sheets_of_an_open_document_are_read_like_others(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra `tables`")
    path = tmp_path / "f.ods"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", CONTENT)
        made.writestr("META-INF/manifest.xml", MANIFEST)
    (line,) = lines_of(path)
    assert (line.content.place, values([line])) == ("f.ods:People:4", [{"id": 1, "since": "2026-01-02"}])


@pytest.mark.parametrize("cut", [8, 600, 3_000])
def test_an_old_workbook_that_is_damaged_cannot_be_read(tmp_path: Path, cut: int) -> None:
    pytest.importorskip("python_calamine", reason="the extra `tables`")
    with pytest.raises(FileUnreadableError, match=r"f\.xls: "):
        lines_of(written(tmp_path, "f.xls", XLS.read_bytes()[:cut]))
