"""How the texts of a file are encoded: as it is named, or as its first bytes show."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace

import charset_normalizer

from loaders.errors import FileUnreadableError

DEFAULT = "utf-8-sig"
MARKS = (
    (codecs.BOM_UTF8, DEFAULT),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BOTH_WAYS = tuple(mark for mark, name in MARKS if name != DEFAULT)
WITH_MARK = frozenset({"utf-16", "utf-32"})
ASCII_PROBE = 'a,";\t|\n'
EVIDENCE_LEAST = 16  # bytes beyond ASCII; fewer say too little to guess from, and a wrong guess spoils names
EVIDENCE_MOST = 32_768  # bytes; what they cannot show, more will not
MARK = "\udcff"


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text's encoding. transcoded: a line break in it is no byte of its own, so that it is turned to UTF-8 first.

    remark: for people, where it was guessed.
    """

    name: str
    transcoded: bool = False
    remark: str | None = None


def encoding_of(sample: bytes, named: str | None, file: str) -> Encoding:
    """The encoding of a file that begins with these bytes. Raises FileUnreadableError for one that nobody knows.

    What begins like UTF-8 is UTF-8, whatever comes later: a wrong byte in it is then one bad record. Where no line
    beyond ASCII is UTF-8 and there are enough of them, charset-normalizer says what they are most likely to be.
    """
    if named is not None:
        return _known(named, file, sample)
    for mark, name in MARKS:
        if sample.startswith(mark):
            return Encoding(name, name != DEFAULT)
    if len(sample) >= 4 and sample[:4:2] == b"\0\0" and all(sample[1:4:2]):
        return Encoding("utf-16-be", transcoded=True)
    if len(sample) >= 4 and sample[1:4:2] == b"\0\0" and all(sample[:4:2]):
        return Encoding("utf-16-le", transcoded=True)
    return _guessed(sample) or Encoding(DEFAULT)


def _known(named: str, file: str, sample: bytes) -> Encoding:
    if named.lower().replace("_", "-") in WITH_MARK and not sample.startswith(BOTH_WAYS):
        named += "-le"  # what most programs mean by it
    try:
        codecs.getincrementaldecoder(named)
        fits = ASCII_PROBE.encode(named).removeprefix(codecs.BOM_UTF8) == ASCII_PROBE.encode("ascii")
    except (LookupError, UnicodeError) as error:
        raise FileUnreadableError(f"{file}: the encoding `{named}` is not known; convert the file to UTF-8") from error
    return Encoding(named, transcoded=not fits)


def _guessed(sample: bytes) -> Encoding | None:
    lines = [each for each in sample.split(b"\n")[:-1] if not each.isascii()]
    beyond = sum(not 0 < byte < 128 for each in lines for byte in each)
    if beyond < EVIDENCE_LEAST or any(_is_utf8(each) for each in lines):
        return None
    best = charset_normalizer.from_bytes(b"\n".join(lines)[:EVIDENCE_MOST]).best()
    if best is None:
        return None
    remark = f"read as {best.encoding}, which its text looks like; --encoding names another"
    return replace(_known(best.encoding, "", sample), remark=remark)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def in_utf8(read: Callable[[int], bytes], encoding: str) -> Callable[[int], bytes]:
    """A text turned to UTF-8 on the way; what its encoding does not know becomes 0xff, which UTF-8 never has."""
    decoder = codecs.getincrementaldecoder(encoding)("selfsame.marked")

    def more(many: int) -> bytes:
        while found := read(many):
            if text := decoder.decode(found):
                return text.encode("utf-8", "surrogateescape")
        return decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")

    return more


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 -- it is registered for decoding alone
    return MARK, error.end


codecs.register_error("selfsame.marked", _marked)
