"""What stands in a file, in short."""

from collections.abc import Iterable
from pathlib import Path

from identity.messages import Json, Rejection
from loaders.files import opened_records
from loaders.formats.records import Line, Reading


def lines_of(path: Path, reading: Reading | None = None, after: int = 0) -> list[Line]:
    """What stands in a file after a position."""
    with opened_records(path, reading) as records:
        return list(records.after(after))


def written(folder: Path, name: str, content: bytes) -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


def values(lines: Iterable[Line]) -> list[Json]:
    """The records, or of those that are none `code @ place`."""
    return [
        f"{each.content.code} @ {each.content.place}" if isinstance(each.content, Rejection) else each.content.value
        for each in lines
    ]
