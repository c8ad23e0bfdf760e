"""JSON as strangers send it: what a text may hold that Python reads and the graph cannot keep."""

import re

import msgspec

from identity.messages import Json

DEPTH_LIMIT = 64  # orjson writes no more than 254 levels; nothing that people send comes near either
RAW_LIMIT = 65_536

INT64 = range(-(2**63), 2**63)
DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
LONG_NUMBER = b"0" * 19  # in a text all digits of which are nought: found seven times as fast as by an expression
# Every escape of a string, so that the second half of `\\ud800` is not taken for one.
ESCAPE = re.compile(
    rb"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class UnreadableJsonError(ValueError):
    """A text is no JSON that can be kept; the text says why, and where it stands in bytes."""


def json_value(text: bytes) -> Json:
    """The value a JSON text stands for.

    Half a surrogate pair becomes U+FFFD, a whole number beyond 64 bits the text of its digits; of a key that comes
    twice the last one stands. Raises UnreadableJsonError, also for more than 64 levels.
    """
    value = _decoded(text)
    if text.count(b"[") + text.count(b"{") > DEPTH_LIMIT and _deeper(value, DEPTH_LIMIT):
        raise UnreadableJsonError(f"nested deeper than {DEPTH_LIMIT} levels")
    return _kept(value) if LONG_NUMBER in text.translate(DIGITS) else value


def _decoded(text: bytes) -> Json:
    try:
        read: Json = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        mended = mended_surrogates(text)
        if mended == text:
            raise UnreadableJsonError(str(error)) from error
        return _decoded(mended)
    except RecursionError as error:
        raise UnreadableJsonError(f"nested deeper than {DEPTH_LIMIT} levels") from error
    return read


def mended_surrogates(text: bytes) -> bytes:
    r"""A JSON text with U+FFFD for each escape that is half a surrogate pair, as JavaScript writes a cut-off emoji."""
    return ESCAPE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], text)


def _deeper(value: Json, levels: int) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list):
        return False
    return levels == 0 or any(_deeper(each, levels - 1) for each in inner)


def _kept(value: Json) -> Json:
    match value:
        case dict():
            return {name: _kept(each) for name, each in value.items()}
        case list():
            return [_kept(each) for each in value]
        case bool():
            return value
        case int():
            return value if value in INT64 else str(value)
        case _:
            return value


def text_of(value: Json) -> str | None:
    """A scalar as the text of an identifier: 42 and 42.0 are `42`, true is `true`; None for null, lists and objects."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case _:
            return None


def bounded(raw: bytes | str) -> str:
    """The text of a record that could not be used, as far as it is kept."""
    text = raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace")
    return text.decode("utf-8", "replace") if len(text) <= RAW_LIMIT else text[:RAW_LIMIT].decode("utf-8", "ignore")


def was_cut(raw: str) -> bool:
    """Whether a kept text may be the beginning of a longer one."""
    return len(raw.encode()) > RAW_LIMIT - 4  # the longest character has four bytes, and is never kept by half
