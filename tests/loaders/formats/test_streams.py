"""Packed files: unpacked as they are read, and where they break off the reader is told what is lost."""

import gzip
import io
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from loaders.errors import FileUnreadableError
from loaders.files import files_of, opened_records
from loaders.formats.records import Reading
from tests.loaders.formats.reading import lines_of, values, written

ROWS = b"a,b\n" + b"".join(b"%d,x%d\n" % (number, number * number) for number in range(5_000))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstd.compress)])
def test_a_packed_file_is_the_file(tmp_path: Path, suffix: str, pack: "type[bytes]") -> None:
    path = written(tmp_path, f"f.csv{suffix}", pack(ROWS))
    found = lines_of(path)
    assert (len(found), values(found[:1]), found[-1].read) == (5_000, [{"a": "0", "b": "x0"}], path.stat().st_size)


def test_two_packed_files_one_after_the_other_are_one(tmp_path: Path) -> None:
    content = gzip.compress(b"a\n1\n") + gzip.compress(b"2\n")
    assert values(lines_of(written(tmp_path, "f.csv.gz", content))) == [{"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize(("pack", "part"), [(gzip.compress, 0.3), (gzip.compress, 0.9), (zstd.compress, 0.9)])
def test_of_a_packed_file_that_is_cut_off_the_rows_before_are_read_and_the_rest_is_said_to_be_lost(
    tmp_path: Path, pack: "type[bytes]", part: float
) -> None:
    half = ROWS.index(b"2500,")
    packed = pack(ROWS[:half]) + pack(ROWS[half:])
    found = lines_of(written(tmp_path, "f.csv.gz", packed[: int(len(packed) * part)]))
    good = [each for each in values(found) if isinstance(each, dict)]
    assert good == [{"a": str(at), "b": f"x{at * at}"} for at in range(len(good))]
    assert {str(each).split(" @")[0] for each in values(found)[len(good) :]} == {"broken_archive"}
    assert len(found) - len(good) in {1, 2}


def test_garbage_in_a_packed_file_is_no_fault(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(ROWS))
    packed[-900:-800] = b"x" * 100
    assert str(values(lines_of(written(tmp_path, "f.csv.gz", bytes(packed))))[-1]).startswith("broken_archive")


def test_a_packed_file_that_breaks_off_in_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="cannot be unpacked"):
        lines_of(written(tmp_path, "f.csv.gz", gzip.compress(ROWS)[:12]))


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_bomb_takes_no_more_memory_than_a_line(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"a\n1\n" + b"0" * 20_000_000 + b"\n2\n")
    path = written(tmp_path, "f.csv.gz", bomb)
    tracemalloc.start()
    found = values(lines_of(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found, peak < 16_000_000) == ([{"a": "1"}, "broken_row @ f.csv.gz:3", {"a": "2"}], True)


def test_a_packed_parquet_file_is_unpacked_to_disk(tmp_path: Path) -> None:
    plain = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": [1]}), plain)
    assert values(lines_of(written(tmp_path, "g.parquet.gz", gzip.compress(plain.read_bytes())))) == [{"a": 1}]


@pytest.mark.parametrize("content", [b"a\n1\n", gzip.compress(b"a\n1\n", mtime=0)], ids=["plain", "packed"])
def test_the_standard_input_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    assert values(lines_of(Path("-"), Reading("csv"))) == [{"a": "1"}]


def test_the_standard_input_does_not_say_what_it_is() -> None:
    with pytest.raises(FileUnreadableError, match="name the format"), opened_records(Path("-")):
        pass


def test_a_folder_and_a_pattern_are_their_files_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv.gz", "notes.docx", "_SUCCESS", ".hidden.csv", "deep/c.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [each.name for each in files_of(tmp_path, None)] == ["a.csv.gz", "b.csv", "c.jsonl"]
    assert [each.name for each in files_of(tmp_path, "csv")] == ["a.csv.gz", "b.csv", "c.jsonl", "notes.docx"]
    assert [each.name for each in files_of(tmp_path / "*.csv", None)] == ["b.csv"]
    assert files_of(tmp_path / "none.csv", None) == (tmp_path / "none.csv",)
    with pytest.raises(FileUnreadableError, match="no file there"):
        files_of(tmp_path / "*.parquet", None)
