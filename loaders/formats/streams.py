"""Bytes from a file or the standard input, unpacked on the way: never more of them in memory than is looked at."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from loaders.errors import FileUnreadableError
from loaders.formats.parts import optional_part

STANDARD_INPUT = Path("-")
GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ZSTANDARD_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
CHUNK = 256 * 1024


class Ahead(io.RawIOBase):
    """A stream whose first bytes can be looked at before they are read. read: at most so many; none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._ahead = b""

    def look(self, many: int) -> bytes:
        """The next bytes, fewer only where the stream ends."""
        while len(self._ahead) < many and (more := self._read(many - len(self._ahead))):
            self._ahead += more
        return self._ahead[:many]

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: "memoryview | bytearray") -> int:  # type: ignore[override]
        """What fits; 0 at the end."""
        found = self._ahead or self._read(len(into))
        given, self._ahead = found[: len(into)], found[len(into) :]
        into[: len(given)] = given
        return len(given)


@dataclass(slots=True)
class Stream:
    """An opened file, unpacked. size: in bytes as it lies there, 0 when nobody knows. packed: it was gzip or Zstandard.

    broken: why nothing more of it can be unpacked; then the bytes end where it breaks.
    """

    name: str
    size: int
    ahead: Ahead
    tell: Callable[[], int]
    packed: bool = False
    broken: str | None = None

    def read(self, many: int) -> bytes:
        """At most so many bytes; none at the end."""
        return self.ahead.read(many) or b""


def check_whole(stream: Stream) -> None:
    """Raise FileUnreadableError where a stream broke off before anything could be made of it."""
    if stream.broken:
        raise FileUnreadableError(f"{stream.name}: {stream.broken}")


class _Packed(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


@contextmanager
def opened_stream(path: Path, name: str) -> Iterator[Stream]:
    """The bytes of a file, or with `-` of the standard input; gzip and Zstandard show by their first bytes.

    name: for people. Raises FileUnreadableError.
    """
    if path == STANDARD_INPUT:
        counted = _Counted(sys.stdin.buffer)
        yield _unpacked(name, 0, Ahead(counted.read), counted.tell)
        return
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror}") from error
    with file:
        yield _unpacked(name, path.stat().st_size, Ahead(lambda many: file.read(many) or b""), file.tell)


@dataclass(slots=True)
class _Counted:
    """A pipe, which does not tell where it stands."""

    file: BinaryIO
    count: int = 0

    def read(self, many: int) -> bytes:
        found = self.file.read1(many) if isinstance(self.file, io.BufferedReader) else self.file.read(many)
        self.count += len(found)
        return found

    def tell(self) -> int:
        return self.count


def _unpacked(name: str, size: int, raw: Ahead, tell: Callable[[], int]) -> Stream:
    first = raw.look(len(ZSTANDARD))
    if first.startswith(GZIP):
        packed: _Packed = gzip.GzipFile(fileobj=io.BufferedReader(raw, CHUNK))
        broken: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
    elif first == ZSTANDARD:
        zstd = optional_part(ZSTANDARD_MODULE)
        packed, broken = zstd.ZstdFile(io.BufferedReader(raw, CHUNK)), (EOFError, zstd.ZstdError)
    else:
        return Stream(name, size, raw, tell)

    def read(many: int) -> bytes:
        try:
            return packed.read1(many)
        except broken as error:
            stream.broken = f"the packed file cannot be unpacked any further: {error}"
            return b""

    stream = Stream(name, size, Ahead(read), tell, packed=True)
    return stream
