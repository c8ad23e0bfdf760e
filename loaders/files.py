"""The one door to files of every form: opened, unpacked, and read as a stream of records with their places."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from tempfile import NamedTemporaryFile

from loaders.errors import FileUnreadableError
from loaders.formats.csv_files import csv_records
from loaders.formats.encodings import Encoding, encoding_of
from loaders.formats.json_lines import json_lines
from loaders.formats.lines import TextLines
from loaders.formats.parts import optional_part
from loaders.formats.records import Reading, Records
from loaders.formats.streams import CHUNK, STANDARD_INPUT, Stream, check_whole, opened_stream
from loaders.wire import UnreadableJsonError, json_value

FORMAT_OF_SUFFIX = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel",
    ".xls": "excel", ".xlsb": "excel", ".ods": "excel",
}  # fmt: skip
PACKED_SUFFIXES = frozenset({".gz", ".gzip", ".zst", ".zstd"})
MODULE_OF_FORMAT = {"parquet": "loaders.formats.parquet_files", "excel": "loaders.formats.excel_files"}
DOCUMENTS = "loaders.formats.json_documents"
Opener = Callable[[Path, str, Reading], AbstractContextManager[Records]]


def format_of(path: Path) -> str | None:
    """The form that a file's name says, packed or not; None where it says none."""
    suffixes = [each.lower() for each in path.suffixes]
    while suffixes and suffixes[-1] in PACKED_SUFFIXES:
        suffixes.pop()
    return FORMAT_OF_SUFFIX.get(suffixes[-1]) if suffixes else None


def files_of(given: Path, form: str | None) -> Sequence[Path]:
    """The files that a path means: itself, all in a folder and below it, or what a pattern with `*` fits, by name.

    Of a folder those count whose names say a form, or with a form given all. Raises FileUnreadableError for none.
    """
    if given.is_dir():
        inside = sorted(each for each in given.rglob("*") if each.is_file() and not _hidden(each, given))
        found = [each for each in inside if form or format_of(each)]
    elif given != STANDARD_INPUT and not given.exists() and has_magic(str(given)):
        found = sorted(each for each in map(Path, _matching(str(given))) if each.is_file())
    else:
        return (given,)
    if not found:
        raise FileUnreadableError(f"{given}: no file there whose name says what it is")
    return found


def _matching(pattern: str) -> list[str]:
    return glob(pattern, recursive=True)  # noqa: PTH207 -- Path.glob takes no pattern that begins at the root


def _hidden(path: Path, folder: Path) -> bool:
    """Notes that programs leave beside data, such as `_SUCCESS` and `.DS_Store`."""
    return any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


@contextmanager
def opened_records(path: Path, reading: Reading | None = None) -> Iterator[Records]:
    """The records of a file, or with `-` of the standard input.

    Raises FileUnreadableError when it cannot be read as a whole, PartMissingError.
    """
    reading = reading or Reading()
    form = reading.format or format_of(path)
    if form is None:
        raise FileUnreadableError(f"{path}: the name does not say what it is; name the format")
    with opened_stream(path, path.name) as stream:
        if form in MODULE_OF_FORMAT:
            with _whole(path, stream) as whole:
                opener: Opener = optional_part(MODULE_OF_FORMAT[form]).opened
                with opener(whole, stream.name, reading) as records:
                    yield records
        else:
            yield _text_records(stream, form, reading)


@contextmanager
def _whole(path: Path, stream: Stream) -> Iterator[Path]:
    """A file to jump about in, which a packed one and the standard input become on disk first."""
    if path != STANDARD_INPUT and not stream.packed:
        yield path
        return
    with NamedTemporaryFile(prefix="selfsame-") as file:
        room = shutil.disk_usage(file.name).free // 2
        while found := stream.read(CHUNK):
            if file.write(found) and file.tell() > room:
                raise FileUnreadableError(f"{stream.name}: unpacked it would take more than half of the free disk")
        file.flush()
        check_whole(stream)
        yield Path(file.name)


def _text_records(stream: Stream, form: str, reading: Reading) -> Records:
    sample = stream.ahead.look(CHUNK)
    encoding = encoding_of(sample, reading.encoding, stream.name)
    records = _by_form(stream, form, encoding, reading)
    return records if encoding.remark is None else replace(records, remarks=(encoding.remark,))


def _by_form(stream: Stream, form: str, encoding: Encoding, reading: Reading) -> Records:
    if form == "json" and _is_document(stream, encoding, reading):
        document: Records = optional_part(DOCUMENTS).json_document(stream, encoding, reading.records)
        return document
    lines = TextLines(stream, encoding)
    return csv_records(lines, reading.delimiter) if form == "csv" else json_lines(lines)


def _is_document(stream: Stream, encoding: Encoding, reading: Reading) -> bool:
    """Whether a `.json` file is one document, or one value a line, as many programs write it."""
    if reading.records:
        return True
    text = stream.ahead.look(CHUNK).decode(encoding.name, "replace").lstrip()
    if text.startswith("["):
        return True
    first, more, _ = text.partition("\n")
    if more and not _is_json(first):
        sentence = "it looks like one JSON document; name the path to the list of its records (--records)"
        raise FileUnreadableError(f"{stream.name}: {sentence}")
    return False


def _is_json(text: str) -> bool:
    try:
        json_value(text.encode("utf-8", "replace"))
    except UnreadableJsonError:
        return False
    return True
