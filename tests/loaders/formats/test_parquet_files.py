"""Parquet files: typed cells as JSON without loss, by row groups, and damage that costs its own group alone."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.errors import FileUnreadableError
from tests.loaders.formats.reading import lines_of, values, written

NOON = datetime(2026, 1, 2, 12, 0, 0, 250_000)  # noqa: DTZ001 -- a column without a zone


def table(folder: Path, columns: dict[str, object], group: int | None = None) -> Path:
    path = folder / "f.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


@pytest.mark.parametrize(
    ("column", "record"),
    [
        (pa.array([2**62]), 2**62),
        (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
        (pa.array([True]), True),
        (pa.array([0.1]), 0.1),
        (pa.array([float("nan")]), None),
        (pa.array([None], pa.string()), None),
        (pa.array([""]), ""),
        (pa.array(["=cmd|' /C calc'!A0"]), "=cmd|' /C calc'!A0"),
        (pa.array([Decimal("12345678901234567890.10")]), "12345678901234567890.10"),
        (pa.array([Decimal("0.0000001")]), "0.0000001"),
        (pa.array([date(2026, 1, 2)]), "2026-01-02"),
        (pa.array([NOON], pa.timestamp("us")), "2026-01-02T12:00:00.250000"),
        (pa.array([NOON], pa.timestamp("ns", "Europe/Berlin")), "2026-01-02T12:00:00.250000+00:00"),
        (pa.array([1_767_355_200_250_000_001], pa.timestamp("ns")), "2026-01-02T12:00:00.250000"),
        (pa.array([time(9, 30)]), "09:30:00"),
        (pa.array([timedelta(hours=1, microseconds=5)]), "3600.000005"),
        (pa.array([b"\xc3\xbc"]), "ü"),
        (pa.array([b"\xff\x00"]), "/wA="),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([[{"at": NOON, "n": Decimal("1.0")}]]), [{"at": "2026-01-02T12:00:00.250000", "n": "1.0"}]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [["k", 1]]),
    ],
)
def test_a_typed_cell_keeps_its_meaning(tmp_path: Path, column: object, record: object) -> None:
    assert values(lines_of(table(tmp_path, {"a": column}))) == [{"a": record}]


def test_a_moment_with_a_zone_is_in_utc(tmp_path: Path) -> None:
    there = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    found = values(lines_of(table(tmp_path, {"a": pa.array([there], pa.timestamp("us", "+02:00"))})))
    assert found == [{"a": datetime(2026, 7, 1, 10, tzinfo=UTC).isoformat()}]


def test_rows_are_counted_and_a_load_goes_on_after_one(tmp_path: Path) -> None:
    path = table(tmp_path, {"a": list(range(5_000))}, group=1_500)
    found = lines_of(path)
    assert [(each.number, each.read) for each in found] == [(number, number) for number in range(1, 5_001)]
    for position in (1, 1_499, 1_500, 1_501, 4_999, 5_000):
        assert values(lines_of(path, after=position)) == values(found)[position:]


def test_a_damaged_group_costs_its_own_rows(tmp_path: Path) -> None:
    path = table(tmp_path, {"a": [f"text {number * 7919}" for number in range(3_000)]}, group=1_000)
    chunk = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    found = values(lines_of(written(tmp_path, "g.parquet", bytes(content))))
    assert [each for each in found if isinstance(each, str)] == ["broken_document @ g.parquet:1001"]
    assert len(found) == 2_001


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, part: float) -> None:
    content = table(tmp_path, {"a": list(range(1_000))}).read_bytes()
    with pytest.raises(FileUnreadableError, match="no whole Parquet file"):
        lines_of(written(tmp_path, "g.parquet", content[: int(len(content) * part)]))
