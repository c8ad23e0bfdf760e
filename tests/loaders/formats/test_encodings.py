"""Encodings: named, shown by the first bytes, or guessed where there is enough to guess from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.files import opened_records
from loaders.formats.encodings import encoding_of
from loaders.formats.records import Reading
from tests.loaders.formats.reading import lines_of, values, written

GERMAN = "name,ort\n" + "".join(
    f"{first} {last},{town}\n"
    for first in ("Jürgen", "Käthe", "Björn", "Änne")
    for last in ("Müller", "Schröder", "Weiß", "Größe")
    for town in ("München", "Köln", "Görlitz", "Fürth")
)
GREEK = "name\n" + "Γιώργος Παπαδόπουλος\nΜαρία Γεωργίου\nΔημήτρης Νικολάου\n" * 5  # noqa: RUF001
JAPANESE = "name\n" + "山田太郎\n鈴木花子\n佐藤健一\n高橋美咲です、東京都に住んでいます\n" * 5


def read(folder: Path, content: bytes, reading: Reading | None = None) -> list[str]:
    return [str(each["name"]) if isinstance(each, dict) else str(each) for each in values(
        lines_of(written(folder, "f.csv", content), reading)
    )]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_shows_by_its_first_bytes(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, GERMAN.encode(encoding))[:1] == ["Jürgen Müller"]


@pytest.mark.parametrize(
    ("text", "encoding"), [(GERMAN, "cp1252"), (GERMAN, "latin-1"), (GREEK, "cp1253"), (JAPANESE, "shift_jis")]
)
def test_an_older_encoding_is_guessed_and_said(tmp_path: Path, text: str, encoding: str) -> None:
    path = written(tmp_path, "f.csv", text.encode(encoding))
    with opened_records(path) as records:
        assert "looks like" in records.remarks[0]
    assert read(tmp_path, text.encode(encoding))[0] == text.split("\n")[1].partition(",")[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp037", "gb18030", "cp1252"])
def test_an_encoding_that_is_named_is_used(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, b"name\n\xe4\n".decode("latin-1").encode(encoding), Reading(encoding=encoding)) == ["ä"]


def test_a_file_that_begins_as_utf_8_is_utf_8_and_a_wrong_byte_is_one_bad_row(tmp_path: Path) -> None:
    rows = b"".join(b"Zo\xc3\xab %d\n" % number for number in range(1_000))
    assert read(tmp_path, b"name\n" + rows + b"Zo\xeb\n" * 30 + b"Ann\n")[-2:] == [
        "broken_encoding @ f.csv:1031",
        "Ann",
    ]


def test_a_few_wrong_bytes_are_no_evidence_for_a_guess(tmp_path: Path) -> None:
    assert read(tmp_path, b"name\nZo\xeb\nAnn\n") == ["broken_encoding @ f.csv:2", "Ann"]


def test_half_a_character_of_utf_16_is_one_bad_row(tmp_path: Path) -> None:
    content = "name\nA\n".encode("utf-16-le") + b"\x00\xd8" + "\nB\n".encode("utf-16-le")
    assert read(tmp_path, content) == ["A", "broken_encoding @ f.csv:3", "B"]


@given(st.binary(max_size=300))
def test_any_bytes_have_an_encoding(sample: bytes) -> None:
    assert sample.decode(encoding_of(sample, None, "f").name, "replace") is not None
