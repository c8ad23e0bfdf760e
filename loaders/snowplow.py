"""What Snowplow's trackers send (tracker protocol, tp2), as the messages that Segment's clients would have sent.

An event is a flat object of short names, each value a text. It becomes a message in Segment's form, so that limits,
clocks and identifiers mean the same everywhere: `uid` is the userId, `duid` (the tracker's own cookie) the anonymousId,
`eid` the message id, so an event that comes again is a repeat. `nuid`, the collector's cookie, ties together what every
site of a collector sees in one browser and is no identifier here (loaders/catalog/snowplow_web.toml says why); it is
kept in the context.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from identity.messages import EPOCH, Json, Message, Rejection, Warned
from loaders.errors import BodyInvalidError, BodyTooLargeError
from loaders.segment_http import BODY_LIMIT, BYTE_ORDER_MARK, ITEMS_LIMIT
from loaders.segment_messages import Sending, message_from, object_from
from loaders.sources import Source
from loaders.wire import UnreadableJsonError, bounded, json_value, text_of

Event = Mapping[str, Json]
Fields = dict[str, Json]


class _Payload(msgspec.Struct):
    """Events that came together, not read yet, so that a bad one cannot spoil the others."""

    data: list[msgspec.Raw]


PAYLOAD = msgspec.json.Decoder(_Payload)

PAGE: Mapping[str, str] = {"url": "url", "page": "title", "refr": "referrer"}
STRUCTURED: Mapping[str, str] = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
PING: Mapping[str, str] = {"pp_mix": "min_x", "pp_max": "max_x", "pp_miy": "min_y", "pp_may": "max_y"}
ORDER: Mapping[str, str] = {
    "tr_id": "order_id", "tr_tt": "total", "tr_tx": "tax", "tr_sh": "shipping", "tr_cu": "currency",
    "tr_af": "affiliation",
}  # fmt: skip
PRODUCT: Mapping[str, str] = {
    "ti_sk": "sku", "ti_nm": "name", "ti_ca": "category", "ti_pr": "price", "ti_qu": "quantity", "ti_cu": "currency",
}  # fmt: skip
# As the columns of its enriched events are called in loaders/catalog/snowplow_web.toml, where they stand there, too.
AROUND: Mapping[str, str] = {
    "aid": "app_id", "sid": "session_id", "nuid": "network_userid", "tnuid": "network_userid", "ua": "user_agent",
    "ip": "ip", "lang": "locale", "tz": "timezone", "res": "resolution", "vp": "viewport", "tna": "tracker_name",
    "tv": "tracker_version", "fp": "user_fingerprint",
}  # fmt: skip
NUMBERS = frozenset({"value", "total", "tax", "shipping", "price", "quantity", *PING.values()})
# Schemas, by their names, whose facts are identifiers: of the contexts that a mobile tracker attaches.
INSTALLATION, MOBILE = "client_session", "mobile_context"
NAMES: Mapping[str, str] = {"pp": "page_ping", "tr": "transaction", "ti": "transaction_item"}


def parse_payload(body: bytes, source: Source, now: datetime) -> tuple[Message | Rejection, ...]:
    """Each event of a payload, in order, as a Message or as the reason why it cannot be used. body: unpacked.

    Raises BodyInvalidError when the body is no JSON object with a list `data`, BodyTooLargeError above 100,000 events.
    """
    events = _events(body)
    return tuple(event_from(bytes(each), f"data[{number}]", source, now) for number, each in enumerate(events))


def sent_events(body: bytes, numbers: Sequence[int]) -> dict[int, str]:
    """The texts of some events of a payload that could be read, by their place in it, as far as they are kept."""
    events = _events(body)
    return {number: bounded(bytes(events[number])) for number in numbers}


def app_id_in(body: bytes) -> str | None:
    """The app id of the first event, which may be a write key; None where there is none or nothing can be read."""
    try:
        first = json_value(bytes(_events(body)[0]))
    except (BodyInvalidError, UnreadableJsonError, IndexError):
        return None
    return text_of(first.get("aid")) or None if isinstance(first, dict) else None


def payload_of(parameters: Mapping[str, str]) -> bytes:
    """The payload that an event in the parameters of an address (`/i?e=pv&…`) stands for."""
    return msgspec.json.encode({"data": [dict(parameters)]})


def _events(body: bytes) -> list[msgspec.Raw]:
    if len(body) > BODY_LIMIT:
        raise BodyTooLargeError("body", f"more than {BODY_LIMIT:,} bytes; send fewer events at once")
    try:
        events = PAYLOAD.decode(body.removeprefix(BYTE_ORDER_MARK)).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyInvalidError("body", f"expected a payload_data object with a list `data`: {error}") from error
    if len(events) > ITEMS_LIMIT:
        raise BodyTooLargeError("data", f"more than {ITEMS_LIMIT:,} events; send fewer at once")
    return events


def event_from(raw: bytes, place: str, source: Source, now: datetime) -> Message | Rejection:
    """The Message that an event's JSON text stands for, or why there is none; never raises, whatever the text is."""
    event = object_from(raw, place, "event")
    if isinstance(event, Rejection):
        return event
    try:
        described, entities = _described(event), _entities(event)
    except UnreadableJsonError as error:
        sentence = f"ue_px, ue_pr, cx or co is no self-describing JSON that can be read: {error}"
        return Rejection("not_json", place, sentence, text_of(event.get("eid")), bounded(raw))
    fields, warnings = _fields(event, described, entities)
    read = message_from(msgspec.json.encode(fields), place, Sending(source, now))
    if isinstance(read, Rejection):
        return replace(read, raw=bounded(raw))
    return replace(read, warnings=read.warnings + warnings)


def _described(event: Event) -> tuple[str, Fields] | None:
    """The schema's name and the facts of a self-describing event; None where the event is of another kind."""
    outer = _json_in(event, "ue_px", "ue_pr")
    inner = outer.get("data") if isinstance(outer, dict) else None
    return _entity(inner)


def _entities(event: Event) -> list[tuple[str, Fields]]:
    outer = _json_in(event, "cx", "co")
    inner = outer.get("data") if isinstance(outer, dict) else None
    found = (_entity(each) for each in inner) if isinstance(inner, list) else ()
    return [each for each in found if each is not None]


def _json_in(event: Event, packed: str, plain: str) -> Json:
    """A JSON value that stands in an event as base64, with or without padding, or as it is; None where there is none.

    Raises UnreadableJsonError.
    """
    text, encoded = text_of(event.get(plain)), text_of(event.get(packed))
    if text is None and encoded is None:
        return None
    try:
        read = base64.b64decode(_padded(encoded), b"-_") if encoded is not None else (text or "").encode()
    except (binascii.Error, ValueError) as error:
        raise UnreadableJsonError(str(error)) from error
    return json_value(read)


def _padded(encoded: str) -> bytes:
    text = encoded.strip().replace("+", "-").replace("/", "_").rstrip("=")
    return (text + "=" * (-len(text) % 4)).encode("utf-8", "replace")


def _entity(given: Json) -> tuple[str, Fields] | None:
    """`iglu:com.acme/add_to_cart/jsonschema/1-0-0` and its data as (`add_to_cart`, data)."""
    stated = given if isinstance(given, dict) else {}
    schema, data = text_of(stated.get("schema")), stated.get("data")
    if schema is None:
        return None
    parts = schema.removeprefix("iglu:").split("/")
    return parts[1] if len(parts) > 1 else schema, data if isinstance(data, dict) else {}


def _fields(
    event: Event, described: tuple[str, Fields] | None, entities: Sequence[tuple[str, Fields]]
) -> tuple[Fields, tuple[Warned, ...]]:
    """The event in Segment's form, and what was wrong in it."""
    kind, name, properties = _happening(event, described)
    times, warnings = _times(event)
    installation = next((facts.get("userId") for schema, facts in entities if schema == INSTALLATION), None)
    who: Fields = {"userId": event.get("uid") or None, "anonymousId": event.get("duid") or installation}
    around = _renamed(event, AROUND) | _sessions(event, entities)
    what: Fields = {"event" if kind == "track" else "name": name, "channel": event.get("p")}
    sent = {"type": kind, "messageId": event.get("eid"), **who, **what, **times, "properties": properties}
    return {**_present(sent), "context": {**around, **_hardware(entities)}}, warnings


def _happening(event: Event, described: tuple[str, Fields] | None) -> tuple[str, Json, Fields]:
    """The kind of message, the name of what happened, and its facts."""
    kind = text_of(event.get("e")) or ""
    page = _renamed(event, PAGE)
    if kind == "ue" and described is not None:
        return _described_happening(*described, page)
    match kind:
        case "pv":
            return "page", event.get("page"), page
        case "se":
            return "track", event.get("se_ac"), _renamed(event, STRUCTURED) | page
        case "tr":
            return "track", NAMES[kind], _renamed(event, ORDER) | page
        case "ti":
            order = _renamed(event, {"ti_id": "order_id"})
            return "track", NAMES[kind], {**order, "products": [_renamed(event, PRODUCT)], **page}
        case _:
            return "track", NAMES.get(kind, kind or None), _renamed(event, PING) | page


def _described_happening(schema: str, facts: Fields, page: Fields) -> tuple[str, Json, Fields]:
    if schema == "screen_view":
        return "screen", facts.get("name"), facts
    return "track", schema, page | facts


def _times(event: Event) -> tuple[Fields, tuple[Warned, ...]]:
    """When it happened: the true moment where somebody set it, else the device's with the moment it was sent."""
    read = {name: _moment(event.get(name)) for name in ("ttm", "dtm", "stm")}
    sentence = "this is no number of milliseconds since 1970; it is ignored"
    warnings = tuple(
        Warned("invalid_time", name, sentence)
        for name, moment in read.items()
        if moment is None and event.get(name) not in (None, "")
    )
    if read["ttm"] is not None:
        return {"timestamp": read["ttm"]}, warnings
    return {"originalTimestamp": read["dtm"], "sentAt": read["stm"]}, warnings


def _moment(value: Json) -> str | None:
    try:
        return (EPOCH + timedelta(milliseconds=int(text_of(value) or ""))).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def _sessions(event: Event, entities: Sequence[tuple[str, Fields]]) -> Fields:
    index = _number(event.get("vid"))
    contexts: list[Json] = [{"schema": schema, "data": facts} for schema, facts in entities]
    found: Fields = {"session_index": index, "contexts": contexts or None}
    return _present(found)


def _hardware(entities: Sequence[tuple[str, Fields]]) -> Fields:
    """The device of an app: what its maker, and what advertisers know it by."""
    facts = next((facts for schema, facts in entities if schema == MOBILE), {})
    advertising = facts.get("appleIdfa") or facts.get("androidIdfa")
    device = _present({"id": facts.get("appleIdfv"), "advertisingId": advertising, "model": facts.get("deviceModel")})
    return {"device": device} if device else {}


def _renamed(event: Event, names: Mapping[str, str]) -> Fields:
    found = {ours: event[theirs] for theirs, ours in names.items() if event.get(theirs) not in (None, "")}
    return {name: _number(value) if name in NUMBERS else value for name, value in found.items()}


def _number(value: Json) -> Json:
    """A number that was sent as text; what is none stays as it is."""
    text = text_of(value)
    if text is None:
        return value
    try:
        number = float(text)
    except ValueError:
        return value
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number if abs(number) < float("inf") else value


def _present(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None and value != ""}
