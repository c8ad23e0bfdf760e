"""Files with wrong bytes, cut off or made to harm: every record is read, rejected by name, or the file is refused."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import openpyxl
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.messages import Rejection
from loaders.errors import FileUnreadableError
from loaders.files import opened_records
from loaders.formats import excel_files
from loaders.formats.parts import optional_part
from loaders.formats.records import Found, Line
from loaders.formats.streams import ZSTANDARD_MODULE
from tests.loaders.formats.reading import lines_of, written

ROWS = [{"id": number, "name": f"Name {number}", "tags": ["a", "ü"]} for number in range(40)]
CSV = "id,name\n" + "".join(f"{each['id']},{each['name']}\n" for each in ROWS)
PROVING = settings.get_current_profile_name() == "prove"


def workbook() -> bytes:
    made, file = openpyxl.Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet
    for row in [("id", "name"), *((each["id"], each["name"]) for each in ROWS)]:
        sheet.append(row)
    made.save(file)
    return file.getvalue()


def stored(packed: bytes) -> bytes:
    """A workbook whose parts are not packed, so that a wrong byte is one of the text and not of the packing."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as given_, zipfile.ZipFile(file, "w") as made:
        for each in given_.namelist():
            made.writestr(each, given_.read(each))
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), file, row_group_size=10)
    return file.getvalue()


FILES: Mapping[str, Callable[[], bytes]] = {
    "f.json": lambda: json.dumps(ROWS, ensure_ascii=False).encode(),
    "f.jsonl": lambda: b"".join(orjson.dumps(each) + b"\n" for each in ROWS),
    "f.csv.gz": lambda: gzip.compress(CSV.encode(), mtime=0),
    "f.csv.zst": lambda: bytes(optional_part(ZSTANDARD_MODULE).compress(CSV.encode())),
    "utf16.csv": lambda: CSV.encode("utf-16"),
    "f.xlsx": workbook,
    "stored.xlsx": lambda: stored(workbook()),
    "f.parquet": parquet,
}


@cache
def whole(name: str) -> bytes:
    return FILES[name]()


@pytest.mark.parametrize("name", FILES)
def test_the_whole_file_is_read(tmp_path: Path, name: str) -> None:
    assert len([each for each in read(tmp_path, name, whole(name)) if isinstance(each.content, Found)]) == len(ROWS)


def read(folder: Path, name: str, content: bytes) -> list[Line]:
    return lines_of(written(folder, name, content))


# To open a workbook takes 5 ms, so each of the eight has 30 tries, in `make prove` all that the profile says.
@pytest.mark.parametrize("name", FILES)
@settings(max_examples=3_000 if PROVING else 30, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_with_wrong_bytes_is_read_or_refused_and_every_record_has_a_number_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray(whole(name))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    with suppress(FileUnreadableError):
        accounted_for(read(tmp_path_factory.mktemp("any"), name, bytes(content[:end])), name)


def accounted_for(found: Sequence[Line], name: str) -> None:
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    for each in found:
        assert isinstance(each.content, Found) or (each.content.code and name in each.content.place)


def test_a_workbook_whose_lists_of_styles_unpack_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the rows is in memory as a whole."""
    path, more = written(tmp_path, "f.xlsx", workbook()), b"<x/>" * 1_000_000
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/theme/theme2.xml", more)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(excel_files, "TEXTS_LIMIT", 2_000_000)
    with pytest.raises(FileUnreadableError, match="save the sheet as CSV"):
        lines_of(path)


def test_ten_million_equal_rows_in_a_few_bytes_take_the_memory_of_a_part(tmp_path: Path) -> None:
    rows = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), 10_000_000), pa.array(["Ann"]))
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"name": rows}), path)
    assert path.stat().st_size < 100_000
    before = pa.total_allocated_bytes()
    with opened_records(path) as records:
        assert records.size == 10_000_000
        first = [line.content for line, _ in zip(records.after(0), range(3_000), strict=False)]
        assert pa.total_allocated_bytes() - before < 50_000_000
    assert all(isinstance(each, Found) and each.value == {"name": "Ann"} for each in first)


ROWS_BEFORE = 499_999


def test_a_broken_byte_in_row_500_000_rejects_that_row_alone(tmp_path: Path) -> None:
    """Far behind what tells the encoding; `make prove` loads such a file, too (tests/walks/test_bad_files.py)."""
    path = tmp_path / "f.jsonl"
    with path.open("wb") as file:
        file.write(b'"x"\n' * ROWS_BEFORE + b'"Zo\xeb"\n"last"\n')
    with opened_records(path) as records:
        found = [each for each in records if each.number >= ROWS_BEFORE]
    assert [each.number for each in found] == [499_999, 500_000, 500_001]
    broken, last = found[1].content, found[2].content
    assert isinstance(broken, Rejection)
    assert (broken.code, broken.place, broken.raw) == ("broken_encoding", "f.jsonl:500000", '"Zo\ufffd"')
    assert "byte 0xeb at character 4 is not utf-8" in broken.sentence
    assert isinstance(last, Found)
