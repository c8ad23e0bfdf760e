"""Rows put aside in files and read back in parts, so that what a history says need not fit in memory at once.

Rows that belong together are given the same number and so meet in the same part (Grace hash join, Kitsuregawa 1983).
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import msgspec

T = TypeVar("T")
PARTS = 64
BLOCK = 256  # rows encoded at once; for each of them alone it took four times as long
LENGTH = 4


class Spill(Generic[T]):
    """Rows of one type, with a file for each part that has many; a part comes back in the order of putting aside."""

    def __init__(self, folder: Path, name: str, of: type[T], parts: int = PARTS) -> None:
        self._name = folder / name
        self._waiting: list[list[T]] = [[] for _ in range(parts)]
        self._files: dict[int, BinaryIO] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[of])  # type: ignore[valid-type]  # the type is a value here

    def add(self, place: int, row: T) -> None:
        """Put a row aside. place: rows with the same one come back in the same part."""
        part = place % len(self._waiting)
        waiting = self._waiting[part]
        waiting.append(row)
        if len(waiting) == BLOCK:
            self._write(part, self._encoder.encode(waiting))
            waiting.clear()

    def parts(self) -> Iterator[Iterator[T]]:
        """All rows, a part at a time; each part must be read to its end before the next."""
        for part, waiting in enumerate(self._waiting):
            yield chain(self._read(part), waiting)

    def close(self) -> None:
        """Forget all rows. May run twice."""
        for each in self._files.values():
            each.close()
            Path(each.name).unlink(missing_ok=True)
        self._files.clear()
        self._waiting = [[] for _ in self._waiting]

    def _write(self, part: int, block: bytes) -> None:
        file = self._files.get(part)
        if file is None:
            file = self._files[part] = Path(f"{self._name}-{part:02}.rows").open("w+b")  # noqa: SIM115 - `close` ends it
        file.write(len(block).to_bytes(LENGTH, "little") + block)

    def _read(self, part: int) -> Iterator[T]:
        file = self._files.get(part)
        if file is None:
            return
        file.seek(0)
        while size := file.read(LENGTH):
            yield from self._decoder.decode(file.read(int.from_bytes(size, "little")))
