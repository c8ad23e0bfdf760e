"""Requests of a source that sends by itself: from what its sender signed to the records that a mapping reads.

A record is `{"body": …, "headers": {…}}`, with those headers alone that the mapping lists: what changes from one
delivery of the same thing to the next would make a repeat look like another message. As such a record it becomes a
dead letter, too, so that the mapping can read it again.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from identity.messages import Json, Rejection
from loaders.errors import BodyInvalidError
from loaders.expressions import EvaluationError, holds
from loaders.formats.records import Found
from loaders.mapping import SourceMapping
from loaders.rows import ROWS, rows_in
from loaders.segment_http import decoded_body
from loaders.signatures import Kind
from loaders.values import Value
from loaders.webhook_rules import Contact, Webhook
from loaders.wire import UnreadableJsonError, bounded, json_value, text_of

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FORM = "application/x-www-form-urlencoded"
FIELDS_LIMIT = 10_000
RECORDS_LIMIT = 10_000
ANSWER_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a request holds. headers: their names in small letters; body: as it was signed, perhaps packed."""

    headers: Mapping[str, str]
    body: bytes


def body_value(content: Content) -> Json:
    """The body as JSON, or a form as an object of texts; None where there is none.

    Raises UnreadableJsonError, BodyInvalidError where it cannot be unpacked or is too large then.
    """
    unpacked = decoded_body(content.body, content.headers.get("content-encoding", ""))
    body = unpacked.removeprefix(BYTE_ORDER_MARK).strip()
    if not body:
        return None
    form = content.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    return _form(body) if form and body[:1] not in b"{[" else json_value(body)


def _form(body: bytes) -> Json:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_LIMIT)
    except ValueError as error:
        raise UnreadableJsonError(f"no form that can be read: {error}") from error
    return dict(pairs)


def records_in(
    content: Content, mapping: SourceMapping, webhook: Webhook, place: str | None = None
) -> tuple[Found | Rejection, ...] | Rejection:
    """The records of a request, each with its place, or why there are none. Never raises.

    A key that was sent along in the body is taken out of it first: it shall stand in no graph and no dead letter.
    """
    place = place or f"webhook:{mapping.source.name}"
    headers: dict[str, Json] = dict(webhook.header_values(content.headers))
    raw = "" if webhook.scheme.kind is Kind.KEY_IN_BODY else bounded(content.body)
    try:
        body = _opened(body_value(content), webhook)
    except BodyInvalidError as error:
        return Rejection("not_unpackable", place, error.sentence, raw=raw)
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"the body cannot be read: {error}", raw=raw)
    if webhook is ROWS:
        return rows_in(body, place)
    whole: dict[str, Json] = {"body": body, "headers": headers}
    if webhook.records is None:
        return (_found(whole, place),)
    try:
        listed = _listed(webhook.records, whole)
    except EvaluationError as error:
        sentence = f"the mapping {mapping.file} cannot be applied: {error}"
        return Rejection("not_mappable", place, sentence, raw=bounded(_found(whole, place).raw))
    return tuple(_found({"body": each, "headers": headers}, f"{place}[{at}]") for at, each in enumerate(listed))


def _listed(records: Value, whole: Json) -> list[Json]:
    listed = records.read(whole, [])
    if not isinstance(listed, list) or len(listed) > RECORDS_LIMIT:
        raise EvaluationError(f"`webhook.records` finds no list of at most {RECORDS_LIMIT:,}")
    return listed


def _opened(body: Json, webhook: Webhook) -> Json:
    """The body without the sender's key, and with JSON where it says JSON in a text."""
    if webhook.scheme.kind is Kind.KEY_IN_BODY:
        _changed(body, webhook.scheme.path, None)
    for path in webhook.parse:
        text = _at(body, path)
        if isinstance(text, str):
            _changed(body, path, json_value(text.encode("utf-8", "replace")))
    return body


def _at(body: Json, path: Sequence[str]) -> Json:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _changed(body: Json, path: Sequence[str], value: Json) -> None:
    inner = _at(body, path[:-1])
    if isinstance(inner, dict) and path[-1] in inner:
        inner[path[-1]] = value


def _found(record: Json, place: str) -> Found:
    return Found(record, place, msgspec.json.encode(record).decode())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a first contact may be told by. body: None where it is none that can be read, or was not read."""

    method: str
    signed: bool
    query: Mapping[str, str]
    headers: Mapping[str, str | None]
    body: Json = None


def contact_for(asked: Asked, webhook: Webhook) -> Contact | None:
    """The first contact that a request is; None when it is none. Never raises."""
    return next((each for each in webhook.contacts if _is(each, asked)), None)


def _is(contact: Contact, asked: Asked) -> bool:
    if (contact.method, contact.signed) != (asked.method, asked.signed):
        return False
    try:
        return contact.when is None or holds(contact.when.read(_input(asked), []))
    except EvaluationError:
        return False


def answer_to(contact: Contact, asked: Asked, token: str | None) -> str | None:
    """The text that a first contact wants to hear, often empty; None when it does not know the token. Never raises.

    token: the one that was agreed on; where a contact has to show it and none was, nobody knows it.
    """
    if contact.token is not None:
        shown = _text(contact.token, asked)
        if not token or not hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode()):
            return None
    return "" if contact.answer is None else _text(contact.answer, asked)[:ANSWER_LIMIT]


def _text(value: Value, asked: Asked) -> str:
    try:
        return text_of(value.read(_input(asked), [])) or ""
    except EvaluationError:
        return ""


def _input(asked: Asked) -> Json:
    return {"query": dict(asked.query), "headers": dict(asked.headers), "body": asked.body}
