"""The physical lines of a text: each with its number and its end, and why it can be no record where it is broken."""

import io
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from identity.messages import Rejection
from loaders.formats.encodings import Encoding, in_utf8
from loaders.formats.streams import CHUNK, Ahead, Stream
from loaders.wire import bounded

LINE_LIMIT = 1024 * 1024  # bytes
BROKEN = re.compile(r"[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class TextLine:
    """One physical line. text: bytes that the encoding does not know stand as lone surrogates. end: in the file."""

    number: int
    text: str
    end: int
    whole: bool = True


@dataclass(slots=True)
class TextLines:
    """The physical lines of a stream; those that are put back come again first."""

    stream: Stream
    encoding: Encoding
    number: int = 0
    end: int = 0
    back: deque[TextLine] = field(default_factory=deque)
    file: io.BufferedReader = field(init=False)

    def __post_init__(self) -> None:
        read = self.stream.ahead
        if self.encoding.transcoded:
            read = Ahead(in_utf8(self.stream.read, self.encoding.name))
        self.file = io.BufferedReader(read, CHUNK)

    def next(self) -> TextLine | None:
        """The next line, or None at the end; of a line that is too long only the beginning."""
        if self.back:
            return self.back.popleft()
        raw = self.file.readline(LINE_LIMIT)
        if not raw:
            return None
        self.end += len(raw)
        whole = len(raw) < LINE_LIMIT or raw.endswith(b"\n")
        if not whole:
            self._pass_over()
        self.number += 1
        return TextLine(self.number, raw.decode(self._codec(), "surrogateescape"), self._end(), whole)

    def _codec(self) -> str:
        if self.encoding.transcoded:
            return "utf-8-sig" if self.number == 1 else "utf-8"
        return self.encoding.name if self.number == 1 else self.encoding.name.removesuffix("-sig")

    def _end(self) -> int:
        return self.stream.tell() if self.stream.packed or self.encoding.transcoded else self.end

    def _pass_over(self) -> None:
        while raw := self.file.readline(LINE_LIMIT):
            self.end += len(raw)
            if raw.endswith(b"\n"):
                return

    def put_back(self, lines: Sequence[TextLine]) -> None:
        """Let these lines come again."""
        self.back.extendleft(reversed(lines))

    def place(self, number: int) -> str:
        """Where a line stands, for people."""
        return f"{self.stream.name}:{number}"

    def broken(self, line: TextLine) -> Rejection | None:
        """Why a line cannot be a record, whatever stands in it."""
        place = self.place(line.number)
        if not line.whole:
            sentence = f"the line is longer than {LINE_LIMIT:,} bytes"
            return Rejection("line_too_long", place, sentence, raw=bounded(line.text))
        if self.stream.broken and not line.text.endswith("\n"):
            return Rejection("broken_archive", place, self.stream.broken, raw=bounded(mended(line.text)))
        found = BROKEN.search(line.text)
        return self._broken_encoding(line.text, found.start(), place) if found else None

    def _broken_encoding(self, text: str, at: int, place: str) -> Rejection:
        byte = ord(text[at]) - 0xDC00
        encoding = self.encoding.name.removesuffix("-sig")
        what = "a character" if self.encoding.transcoded else f"byte 0x{byte:02x} at character {at + 1}"
        sentence = f"{what} is not {encoding}; convert it, or name the file's encoding"
        return Rejection("broken_encoding", place, sentence, raw=bounded(mended(text)))

    def cut(self) -> Rejection | None:
        """At the end: that the file goes on, but cannot be unpacked."""
        if self.stream.broken is None:
            return None
        sentence = f"what follows after line {self.number:,} is lost: {self.stream.broken}"
        return Rejection("broken_archive", self.place(self.number + 1), sentence)


def mended(text: str) -> str:
    """A text without what its encoding does not know, as it is shown."""
    return BROKEN.sub("\ufffd", text.rstrip("\r\n"))
