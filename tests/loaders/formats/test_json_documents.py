"""JSON documents: their records one by one, and where they break off what is lost."""

import json
from pathlib import Path

import pytest

from identity.messages import Rejection
from loaders.errors import FileUnreadableError
from loaders.formats import json_documents
from loaders.formats.records import Reading
from tests.loaders.formats.reading import lines_of, values, written


def read(folder: Path, content: bytes, path: str | None = None) -> list[object]:
    return list(values(lines_of(written(folder, "f.json", content), Reading(records=path))))


def test_the_elements_of_an_array_are_its_records(tmp_path: Path) -> None:
    content = b'\n [{"a": 1, "b": [1.50, null]},\n 2, "x"]'
    assert read(tmp_path, content) == [{"a": 1, "b": [1.5, None]}, 2, "x"]


def test_the_records_may_stand_under_a_path(tmp_path: Path) -> None:
    content = b'{"n": {"x": [1], "items": [{"a": 1}, {"a": [{"items": [3]}]}]}, "items": [9]}'
    assert read(tmp_path, content, "n.items") == [{"a": 1}, {"a": [{"items": [3]}]}]


def test_an_empty_list_has_no_records_and_a_list_that_is_not_there_is_missed(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"items": []}', "items") == []
    assert read(tmp_path, b"[]") == []
    assert read(tmp_path, b'{"items": {"a": 1}}', "items") == ["broken_document @ f.json:1"]
    assert read(tmp_path, b'{"itmes": [1]}', "items") == ["broken_document @ f.json:1"]


def test_one_value_a_line_is_known_from_a_document(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    with pytest.raises(FileUnreadableError, match="--records"):
        read(tmp_path, b'{\n  "items": []\n}\n')


@pytest.mark.parametrize("rest", [b'{"a":', b"{b: 1}]", b"]]", b'"\\x"]', b""])
def test_what_follows_a_broken_element_is_said_to_be_lost(tmp_path: Path, rest: bytes) -> None:
    assert read(tmp_path, b'[{"a": 1},' + rest) == [{"a": 1}, "broken_document @ f.json:2"]


def test_a_wrong_byte_rejects_its_record_alone(tmp_path: Path) -> None:
    assert read(tmp_path, b'[{"a": 1}, {"a": "\xff"}, {"a": "\xc3\xbc"}]') == [
        {"a": 1},
        "broken_encoding @ f.json:2",
        {"a": "ü"},
    ]


def test_what_cannot_be_kept_is_rejected_or_kept_as_text(tmp_path: Path) -> None:
    deep = b"[" * 100 + b"]" * 100
    assert read(tmp_path, b"[1e400, 99999999999999999999, " + deep + b", 1]") == [
        "1E+400",
        "99999999999999999999",
        "not_json @ f.json:3",
        1,
    ]


def test_a_record_without_an_end_is_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_documents, "RECORD_LIMIT", 500_000)
    (line,) = lines_of(written(tmp_path, "f.json", b'["' + b"x" * 900_000 + b'"]'))
    assert isinstance(line.content, Rejection)
    assert "hold no whole record" in line.content.sentence


def test_a_load_goes_on_after_a_record(tmp_path: Path) -> None:
    path = written(tmp_path, "f.json", json.dumps([{"a": at} for at in range(500)]).encode())
    assert values(lines_of(path, after=498)) == [{"a": 498}, {"a": 499}]
    assert lines_of(path)[-1].read == path.stat().st_size
