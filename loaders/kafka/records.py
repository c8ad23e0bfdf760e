"""The records of a stream as lines: JSON values, for a mapping of files as they are, for one of webhooks as bodies."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from identity.messages import EARLIEST_SURE, Rejection
from loaders.formats.records import Found, Line, Passed
from loaders.kafka.partitions import Arrived
from loaders.mapping import SourceMapping
from loaders.webhook_rules import Webhook
from loaders.webhooks import Content, records_in
from loaders.wire import UnreadableJsonError, bounded, json_value

VALUE_LIMIT = 1024 * 1024
# What serializers of a schema registry write first, with the number of the schema behind it; in JSON it cannot stand.
REGISTERED, HEADER_BYTES = b"\0", 5
DELETION = Passed("a deletion of its key, which has no value")
EMPTY = Passed("the list that the mapping looks for in it is empty")

Content_ = Found | Rejection | Passed


def lines_of(records: Sequence[Arrived], mapping: SourceMapping | None, now: datetime, *, after: int = 0) -> list[Line]:
    """The lines of some records, counted on; each record gives at least one. after: how many there were before."""
    found = (each for record in records for each in _contents(record, mapping, now))
    return [Line(number, number, each) for number, each in enumerate(found, after + 1)]


def _contents(record: Arrived, mapping: SourceMapping | None, now: datetime) -> Iterator[Content_]:
    if record.value is None:
        yield DELETION
    elif len(record.value) > VALUE_LIMIT:
        sentence = f"the record has {len(record.value):,} bytes; the limit is {VALUE_LIMIT:,}"
        yield Rejection("line_too_long", record.place, sentence, raw=bounded(record.value))
    elif mapping is not None and mapping.webhook is not None:
        yield from _heard(record, mapping, mapping.webhook)
    else:
        yield _value(record, record.value, now)


def _value(record: Arrived, value: bytes, now: datetime) -> Content_:
    text = value[HEADER_BYTES:] if value.startswith(REGISTERED) else value
    try:
        raw = text.decode()
    except UnicodeDecodeError as error:
        sentence = f"byte 0x{text[error.start]:02x} at {error.start} is not UTF-8; records must be JSON"
        return Rejection("broken_encoding", record.place, sentence, raw=bounded(value))
    try:
        return Found(json_value(text), record.place, raw, record.place, _stamp(record, now))
    except UnreadableJsonError as error:
        return Rejection("not_json", record.place, f"this is no JSON that can be read: {error}", raw=bounded(raw))


def _stamp(record: Arrived, now: datetime) -> datetime | None:
    """When the record was taken in, as far as that can be believed."""
    return record.at if record.at is not None and EARLIEST_SURE <= record.at <= now else None


def _heard(record: Arrived, mapping: SourceMapping, webhook: Webhook) -> Iterator[Content_]:
    """What a webhook was sent and somebody passed on; who may write to the topic is believed, no signature is asked."""
    found = records_in(Content(record.headers, record.value or b""), mapping, webhook, record.place)
    if isinstance(found, Rejection):
        yield found
        return
    if not found:
        yield EMPTY
    for at, each in enumerate(found):
        place = record.place if webhook.records is None else f"{record.place}:{at}"
        yield replace(each, place=place, id=place) if isinstance(each, Found) else each
