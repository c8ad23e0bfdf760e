"""Bodies in the shape of Segment's HTTP API, as Segment's and RudderStack's clients send them.

The write key may stand in the header, in the body, or both: the header counts where there is one, and the body's key
is then not looked at.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from identity.messages import Json, Message, Rejection
from loaders.errors import BodyInvalidError, BodyTooLargeError
from loaders.segment_messages import Sending, message_from
from loaders.sources import Source
from loaders.wire import UnreadableJsonError, bounded, json_value, mended_surrogates

BODY_LIMIT = 5 * 1024 * 1024
ITEMS_LIMIT = 100_000

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
GZIP_MEMBERS_LIMIT = 100
PLAIN_OR_GZIP = frozenset({"", "identity", "gzip", "x-gzip"})


class _Batch(msgspec.Struct):
    """A batch whose messages are not read yet, so that a bad one cannot spoil the others."""

    batch: list[msgspec.Raw]
    sent_at: msgspec.Raw = msgspec.field(name="sentAt", default_factory=lambda: msgspec.Raw(b"null"))
    context: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))


class _Keyed(msgspec.Struct):
    write_key: msgspec.Raw = msgspec.field(name="writeKey", default_factory=lambda: msgspec.Raw(b"null"))


BATCH = msgspec.json.Decoder(_Batch)
KEYED = msgspec.json.Decoder(_Keyed)


def decoded_body(raw: bytes, content_encoding: str = "") -> bytes:
    """A request's body without its compression.

    What is gzip shows by its first bytes, whatever the headers say: RudderStack's Node client sends gzipped JSON as a
    form, and a proxy may unpack without saying so. Raises BodyTooLargeError above 5 MB, packed or not,
    BodyInvalidError for a broken or unknown compression.
    """
    if content_encoding.strip().lower() not in PLAIN_OR_GZIP:
        raise BodyInvalidError("Content-Encoding", f"`{content_encoding}` is not known; send gzip or plain JSON")
    _check_size(raw)
    return _unpacked(raw) if raw.startswith(GZIP_MAGIC) else raw


def _check_size(body: bytes) -> None:
    if len(body) > BODY_LIMIT:
        raise BodyTooLargeError("body", f"more than {BODY_LIMIT:,} bytes; send fewer messages at once")


def _unpacked(raw: bytes) -> bytes:
    body = b""
    for _ in range(GZIP_MEMBERS_LIMIT):
        inflating = zlib.decompressobj(wbits=31)
        try:
            body += inflating.decompress(raw, BODY_LIMIT + 1 - len(body))
        except zlib.error as error:
            raise BodyInvalidError("body", f"this is no gzip that can be unpacked: {error}") from error
        _check_size(body)
        if not inflating.eof:
            raise BodyInvalidError("body", "the gzip ends too early")
        raw = inflating.unused_data
        if not raw:
            return body
    raise BodyInvalidError("body", f"the gzip has more than {GZIP_MEMBERS_LIMIT} members")


def write_key_in(body: bytes) -> str | None:
    """The write key that a body carries; None where it carries none or cannot be read. body: unpacked."""
    try:
        given = json_value(bytes(KEYED.decode(body.removeprefix(BYTE_ORDER_MARK)).write_key))
    except (msgspec.MsgspecError, UnicodeDecodeError, UnreadableJsonError, RecursionError):
        return None
    return given if isinstance(given, str) and given else None


def parse_batch(body: bytes, source: Source, now: datetime) -> tuple[Message | Rejection, ...]:
    """Each message of a batch, in order, as a Message or as the reason why it cannot be used. body: unpacked.

    Raises BodyInvalidError when the body is no JSON object with a list `batch`, or is nested about 1,000 levels deep;
    BodyTooLargeError above 5 MB or 100,000 messages. Pure; 30,000 messages a second.
    """
    _check_size(body)
    read = _batch(body.removeprefix(BYTE_ORDER_MARK))
    if len(read.batch) > ITEMS_LIMIT:
        raise BodyTooLargeError("batch", f"more than {ITEMS_LIMIT:,} messages; send fewer at once")
    context = _lenient(read.context)
    sending = Sending(source, now, _lenient(read.sent_at), context=context if isinstance(context, Mapping) else {})
    return tuple(message_from(bytes(each), f"batch[{number}]", sending) for number, each in enumerate(read.batch))


def sent_texts(body: bytes, numbers: Sequence[int]) -> dict[int, str]:
    """The texts of some messages of a batch that could be read, by their place in it, as far as they are kept."""
    batch = _batch(body.removeprefix(BYTE_ORDER_MARK)).batch
    return {number: bounded(bytes(batch[number])) for number in numbers}


def _batch(body: bytes) -> _Batch:
    try:
        return BATCH.decode(body)
    except msgspec.ValidationError as error:
        raise BodyInvalidError("body", f"expected an object with a list `batch`: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = mended_surrogates(body)
        if mended == body:
            raise BodyInvalidError("body", f"this is no JSON that can be read: {error}") from error
        return _batch(mended)
    except RecursionError as error:
        raise BodyInvalidError("body", "nested too deeply") from error


def _lenient(raw: msgspec.Raw) -> Json:
    try:
        return json_value(bytes(raw))
    except UnreadableJsonError:
        return None


def parse_single(kind: str, body: bytes, source: Source, now: datetime) -> Message | Rejection:
    """The message of a single call, whose kind its address says (`identify`, `track` …). body: unpacked.

    Raises BodyTooLargeError above 5 MB, BodyInvalidError when the body is no JSON object.
    """
    _check_size(body)
    sending = Sending(source, now, kind=kind)
    read = message_from(body.removeprefix(BYTE_ORDER_MARK), "body", sending)
    if isinstance(read, Rejection) and read.code in {"not_json", "not_an_object"}:
        raise BodyInvalidError("body", read.sentence)
    return read
