"""CSV and JSONL files: what is broken is rejected with its line, all other records are kept."""

import csv
import io
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json, Rejection
from loaders.errors import FileUnreadableError
from loaders.files import opened_records
from loaders.formats.lines import LINE_LIMIT
from loaders.formats.records import Found, Line, Reading


def lines(folder: Path, content: bytes, name: str = "f.csv", reading: Reading | None = None) -> list[Line]:
    path = folder / name
    path.write_bytes(content)
    with opened_records(path, reading) as records:
        found = list(records)
    assert all(each.read <= len(content) for each in found)
    return found


def shown(found: list[Line]) -> list[tuple[int, Json | str]]:
    """Line and record, or line and code of the rejection."""
    return [
        (each.number, each.content.code if isinstance(each.content, Rejection) else each.content.value)
        for each in found
    ]


def rejections(found: list[Line]) -> list[tuple[str, str]]:
    return [(each.content.place, each.content.code) for each in found if isinstance(each.content, Rejection)]


def test_rows_become_records_by_the_header_and_empty_cells_are_missing(tmp_path: Path) -> None:
    assert shown(lines(tmp_path, b"a,b\n1,2\n3,\n")) == [(2, {"a": "1", "b": "2"}), (3, {"a": "3", "b": None})]


def test_blanks_after_each_delimiter_belong_to_no_cell(tmp_path: Path) -> None:
    assert shown(lines(tmp_path, b'a, b, c\n1, "x, y", \n')) == [(2, {"a": "1", "b": "x, y", "c": None})]
    assert shown(lines(tmp_path, b"a, b,c\n1, x,\n")) == [(2, {"a": "1", "b": " x", "c": None})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_shows_in_the_header(tmp_path: Path, delimiter: str) -> None:
    content = f'a{delimiter}b\n1{delimiter}"x,;|\t"\n'.encode()
    assert shown(lines(tmp_path, content)) == [(2, {"a": "1", "b": "x,;|\t"})]


def test_a_named_delimiter_goes_before_what_the_header_shows(tmp_path: Path) -> None:
    assert shown(lines(tmp_path, b"a,b:c\n1:2\n", reading=Reading(delimiter=":"))) == [(2, {"a,b": "1", "c": "2"})]


def test_a_byte_order_mark_and_windows_line_ends_are_passed_over(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfa,b\r\n1,\xc3\xbc\r\n\r\n3,4"
    assert shown(lines(tmp_path, content)) == [(2, {"a": "1", "b": "ü"}), (4, {"a": "3", "b": "4"})]


def test_a_quoted_cell_may_have_line_breaks(tmp_path: Path) -> None:
    found = lines(tmp_path, b'a,b\n1,"x\ny ""z"""\n2,3\n')
    assert shown(found) == [(3, {"a": "1", "b": 'x\ny "z"'}), (4, {"a": "2", "b": "3"})]
    assert isinstance(found[0].content, Found)
    assert (found[0].content.place, found[0].content.raw) == ("f.csv:2", '1,"x\ny ""z"""')


def test_a_broken_encoding_rejects_its_record_alone(tmp_path: Path) -> None:
    found = lines(tmp_path, b'a,b\n1,2\n3,\xe9\n4,"\n\xe9"\n5,6\n')
    assert shown(found) == [
        (2, {"a": "1", "b": "2"}),
        (3, "broken_encoding"),
        (5, "broken_encoding"),
        (6, {"a": "5", "b": "6"}),
    ]
    assert isinstance(found[1].content, Rejection)
    assert "byte 0xe9" in found[1].content.sentence
    assert found[1].content.raw == "3,\ufffd"


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    found = lines(tmp_path, b"n\xe4me,b\n\xe9,2\n", reading=Reading(encoding="cp1252"))
    assert shown(found) == [(2, {"näme": "é", "b": "2"})]


@pytest.mark.parametrize("row", [b"1", b"1,2,3", b'"1,2"'])
def test_a_row_with_another_number_of_cells_is_rejected(tmp_path: Path, row: bytes) -> None:
    found = lines(tmp_path, b"a,b\n" + row + b"\n3,4\n")
    assert shown(found) == [(2, "wrong_columns"), (3, {"a": "3", "b": "4"})]


def test_a_last_line_that_is_cut_off_is_rejected_and_said_to_be(tmp_path: Path) -> None:
    found = lines(tmp_path, b"a,b\n1,2\n3")
    assert rejections(found) == [("f.csv:3", "wrong_columns")]
    assert isinstance(found[1].content, Rejection)
    assert "ends in the middle" in found[1].content.sentence


def test_a_last_line_that_is_cut_off_in_a_quoted_cell_is_rejected(tmp_path: Path) -> None:
    found = lines(tmp_path, b'a,b\n1,2\n3,"x')
    assert shown(found) == [(2, {"a": "1", "b": "2"}), (3, "broken_row")]
    assert isinstance(found[1].content, Rejection)
    assert "never closed" in found[1].content.sentence


def test_a_quote_that_is_never_closed_takes_no_other_row_with_it(tmp_path: Path) -> None:
    rows = b"".join(b"%d,x\n" % number for number in range(50_000))
    found = lines(tmp_path, b'a,b\n1,"open\n' + rows + b'2,"open too\n3,4\n')
    assert rejections(found) == [("f.csv:2", "broken_row"), ("f.csv:50003", "broken_row")]
    assert len(found) == 50_003


@pytest.mark.parametrize("row", [b'1,"a"b', b'"1"x,2'])
def test_text_after_a_quoted_cell_is_rejected(tmp_path: Path, row: bytes) -> None:
    assert shown(lines(tmp_path, b"a,b\n" + row + b"\n3,4\n")) == [(2, "broken_row"), (3, {"a": "3", "b": "4"})]


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl"])
def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, name: str) -> None:
    head, last = (b"a,b\n", b"1,2\n") if name == "f.csv" else (b"", b"[1]\n")
    found = lines(tmp_path, head + b"1," + b"x" * (3 * LINE_LIMIT) + b"\n" + last, name)
    assert [type(each.content) for each in found] == [Rejection, Found]
    assert found[-1].number == (3 if name == "f.csv" else 2)
    assert isinstance(found[0].content, Rejection)
    assert found[0].content.raw is not None
    assert len(found[0].content.raw) <= 65_536


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"a,,b\n", "column 2 `` has no name"),
        (b"a,b,a\n", "column 3 `a` comes twice"),
        (b"a,\xe9\n", "column 2 `.` is wrongly encoded"),
        (b'"a\n', "header cannot be read"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path: Path, header: bytes, why: str) -> None:
    with pytest.raises(FileUnreadableError, match=why):
        lines(tmp_path, header)


@pytest.mark.parametrize(
    ("name", "reading", "why"),
    [
        ("missing.csv", None, "No such file"),
        (".", Reading("csv"), "directory"),
        ("f.docx", None, "name the format"),
        ("f.csv", Reading(encoding="base64"), "convert the file to UTF-8"),
        ("f.csv", Reading(encoding="klingon"), "convert the file to UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, reading: Reading | None, why: str) -> None:
    (tmp_path / "f.csv").write_text("a\n1\n")
    with pytest.raises(FileUnreadableError, match=why), opened_records(tmp_path / name, reading):
        pass


def test_json_lines_become_records(tmp_path: Path) -> None:
    content = b'{"a":1}\n\n  \n[2]\r\n"\xc3\xbc"'
    assert shown(lines(tmp_path, content, "f.jsonl")) == [(1, {"a": 1}), (4, [2]), (5, "ü")]


def test_a_json_line_that_is_broken_is_rejected_alone(tmp_path: Path) -> None:
    content = b'{"a":1}\n{"a":\n{"a":"\xff"}\n' + b"[" * 5_000 + b'\n{"a":2}\n{"a":3'
    assert shown(lines(tmp_path, content, "f.jsonl")) == [
        (1, {"a": 1}),
        (2, "not_json"),
        (3, "broken_encoding"),
        (4, "not_json"),
        (5, {"a": 2}),
        (6, "not_json"),
    ]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_what_python_writes_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    found = lines(tmp_path_factory.mktemp("csv"), text.getvalue().encode())
    assert [each.content.value for each in found if isinstance(each.content, Found)] == [
        dict(zip("abc", (cell or None for cell in row), strict=True)) for row in rows
    ]


@given(st.binary(max_size=400), st.sampled_from(["f.csv", "f.jsonl"]))
def test_any_bytes_are_read_or_refused_and_every_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        found = lines(folder, b"a,b\n" + content if name == "f.csv" else content, name)
    except FileUnreadableError:
        return
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    orjson.dumps([each.content.value for each in found if isinstance(each.content, Found)])
