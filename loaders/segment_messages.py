"""One Segment-shaped message: from its JSON text to a Message, or to the reason why it cannot be used.

Which identifiers are read where is design.md §9, as the table IDENTIFIERS below. Values stay as they were sent: the
policy normalises and blocks them later, so that another policy can be applied to the same history.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from identity.messages import (
    About,
    AccountStatement,
    Authority,
    Json,
    Message,
    MessageKind,
    Rejection,
    Sighting,
    Warned,
)
from identity.policy import NAMESPACE_PATTERN
from identity.survivorship import canonical
from insight.consent import preferences_in
from loaders.moments import iso_moment, shown_moment
from loaders.purchases import PRODUCTS_LIMIT, products_in, things_of
from loaders.signed_users import Belief, vouched_in
from loaders.sources import Source
from loaders.wire import UnreadableJsonError, bounded, json_value, text_of

MESSAGE_LIMIT = 32 * 1024
KEY_LIMIT = 512  # bytes; Neo4j indexes no text longer than 8 KB
EXTERNAL_IDS_LIMIT = 50

KINDS: Mapping[str, MessageKind] = {kind.value: kind for kind in MessageKind}
# What an SDK changes when it sends a message again.
PER_SEND = ("sentAt", "writeKey", "_metadata")

Path = tuple[str, ...]
# By the object in which they stand: the names there, and as what they are read.
IDENTIFIERS: tuple[tuple[Path, tuple[tuple[str, str], ...]], ...] = (
    ((), (("userId", "user_id"), ("anonymousId", "anonymous_id"))),
    (("properties",), (("email", "email"), ("phone", "phone"))),
    (("context", "traits"), (("user_id", "user_id"), ("email", "email"), ("phone", "phone"))),
    (("context", "device"), (("id", "device_id"), ("advertisingId", "advertising_id"), ("token", "push_token"))),
)
# A group's traits are the account's; its email is nobody's.
TRAITS = (("traits",), (("user_id", "user_id"), ("email", "email"), ("phone", "phone")))
HASHED = {("email", "sha256"): "email_sha256"}
SIGNATURE = "userSignature"  # in the context; never kept, since it is as good as a password of the user
# The clock of a sender who names her own `timestamp` is wrong from here on; what is less may be the way of the message.
NOTICEABLE = timedelta(minutes=1)
# What somebody says of another id or of an organisation, no signature of her own id vouches for.
OF_OTHERS = frozenset({MessageKind.ALIAS, MessageKind.GROUP})
SPACE = re.compile(r"\s*\Z")


@dataclass(frozen=True, slots=True)
class Sending:
    """What a message shares with those it was sent with.

    sent_at: of the whole body, as sent. kind: where the address says it, not the message. context: of a whole batch.
    stand_in: the id of a message that has no own, else its hash. first_at: when somebody before us took it in.
    """

    source: Source
    received_at: datetime
    sent_at: Json = None
    kind: str | None = None
    context: Mapping[str, Json] = field(default_factory=dict)
    stand_in: str | None = None
    first_at: datetime | None = None


@dataclass(slots=True)
class _Item:
    """A message as JSON, and what was found wrong in it on the way."""

    fields: dict[str, Json]
    warnings: list[Warned] = field(default_factory=list)

    def warn(self, code: str, place: str, sentence: str) -> None:
        self.warnings.append(Warned(code, place, sentence))

    def at(self, path: Path) -> Json:
        value: Json = self.fields
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def object_at(self, *path: str) -> dict[str, Json]:
        value = self.at(path)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.warn("not_an_object", ".".join(path), "this is no object; it is ignored")
        return {}

    def text_at(self, name: str) -> str | None:
        value = self.fields.get(name)
        text = text_of(value)
        if text is None and value is not None:
            self.warn("not_a_text", name, "this is no text; it is ignored")
        if text is not None and len(text.encode()) > KEY_LIMIT:
            self.warn("too_long", name, f"this is longer than {KEY_LIMIT} bytes; it was cut")
            return text.encode()[:KEY_LIMIT].decode("utf-8", "ignore")
        return text or None


def message_from(raw: bytes, place: str, sending: Sending) -> Message | Rejection:
    """The Message that a JSON text stands for, or why there is none; never raises, whatever the text is.

    place: where the text stood (`batch[3]`, `file.jsonl:17`), for the answer.
    """
    read = object_from(raw, place)
    if isinstance(read, Rejection):
        return read
    if sending.context:
        own = read.get("context")
        read["context"] = {**sending.context, **(own if isinstance(own, dict) else {})}
    kind = _kind(read, raw, place, sending)
    if isinstance(kind, Rejection):
        return kind
    item = _Item(read)
    belief = _belief(item, sending)
    sightings = _sightings(item, kind, belief)
    if not sightings:
        return _rejection("no_identifier", place, NO_IDENTIFIER, read, raw)
    return _message(item, kind, sightings, belief, sending)


NO_IDENTIFIER = (
    "the message names nobody; send at least one of userId, anonymousId, traits.email, traits.phone, "
    "context.device.id or context.externalIds"
)


def object_from(raw: bytes, place: str, noun: str = "message") -> dict[str, Json] | Rejection:
    """The object that a JSON text of at most 32 KB stands for, or why there is none. noun: what senders call it."""
    if len(raw) > MESSAGE_LIMIT:
        sentence = f"the {noun} has {len(raw):,} bytes; the limit is {MESSAGE_LIMIT:,}, so send less in one {noun}"
        return Rejection("too_large", place, sentence, raw=bounded(raw))
    try:
        read = json_value(raw)
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"the {noun} is no JSON that can be read: {error}", raw=bounded(raw))
    if isinstance(read, dict):
        return read
    article = "an" if noun[0] in "aeiou" else "a"
    return Rejection("not_an_object", place, f"{article} {noun} must be a JSON object", raw=bounded(raw))


def _rejection(code: str, place: str, sentence: str, read: dict[str, Json], raw: bytes) -> Rejection:
    return Rejection(code, place, sentence, text_of(read.get("messageId")), bounded(raw))


def _kind(read: dict[str, Json], raw: bytes, place: str, sending: Sending) -> MessageKind | Rejection:
    said = sending.kind if sending.kind is not None else read.get("type")
    kind = KINDS.get(said) if isinstance(said, str) else None
    if kind is not None:
        return kind
    shown = "missing" if said is None else f"`{str(said)[:40]}`"
    sentence = f"the type is {shown}; it must be one of {', '.join(KINDS)}"
    return _rejection("unknown_type", f"{place}.type", sentence, read, raw)


def _belief(item: _Item, sending: Sending) -> Belief:
    """How far the message is believed; its signature is taken out."""
    context = item.fields.get("context")
    if not isinstance(context, dict) or SIGNATURE not in context:
        return Belief(sending.source)
    item.fields["context"] = {name: value for name, value in context.items() if name != SIGNATURE}
    given, user_id = context[SIGNATURE], text_of(item.fields.get("userId"))
    if user_id is None or given is None or not sending.source.user_secrets:
        return Belief(sending.source)
    secrets = sending.source.user_secrets
    vouched = vouched_in(given, user_id, secrets, sending.received_at) if isinstance(given, str) else frozenset()
    if not vouched:
        sentence = "this is no signature of this userId, or it is out of date; the message counts as unsigned"
        item.warn("invalid_signature", f"context.{SIGNATURE}", sentence)
    return Belief(sending.source, vouched)


def _sightings(item: _Item, kind: MessageKind, belief: Belief) -> tuple[Sighting, ...]:
    found: dict[tuple[str, str], Sighting] = {}
    for path, names in IDENTIFIERS if kind is MessageKind.GROUP else (*IDENTIFIERS, TRAITS):
        given = item.at(path)
        stated = given if isinstance(given, dict) else {}
        for name, namespace in names:
            value = stated.get(name)
            if value is None:
                continue
            place = ".".join((*path, name))
            text = text_of(value)
            if text is None:
                item.warn("invalid_identifier", place, f"this is no text; it is ignored as {namespace}")
            else:
                found.setdefault((namespace, text), Sighting(namespace, text, place, belief.of(namespace, text)))
    for each in _external(item, belief):
        found.setdefault((each.namespace, each.value), each)
    return tuple(found.values())


def _external(item: _Item, belief: Belief) -> list[Sighting]:
    given = item.at(("context", "externalIds"))
    if given is None:
        return []
    if not isinstance(given, list):
        item.warn("invalid_identifier", "context.externalIds", "this is no list; it is ignored")
        return []
    if len(given) > EXTERNAL_IDS_LIMIT:
        item.warn("too_many", "context.externalIds", f"only the first {EXTERNAL_IDS_LIMIT} are read")
    read = (_external_id(item, number, each, belief) for number, each in enumerate(given[:EXTERNAL_IDS_LIMIT]))
    return [each for each in read if each is not None]


def _external_id(item: _Item, number: int, given: Json, belief: Belief) -> Sighting | None:
    place = f"context.externalIds[{number}]"
    stated = given if isinstance(given, dict) else {}
    text, namespace = text_of(stated.get("id")), _external_namespace(stated)
    if text is not None and namespace is not None:
        return Sighting(namespace, text, place, belief.of(namespace, text))
    sentence = (
        "an external id needs an `id`, a `type` that matches [a-z][a-z0-9_.]{0,63}, no `collection` but `users` "
        "and no `encoding` but `none`; it is ignored"
    )
    item.warn("invalid_external_id", place, sentence)
    return None


def _external_namespace(stated: Mapping[str, Json]) -> str | None:
    type_, collection, encoding = stated.get("type"), stated.get("collection"), stated.get("encoding")
    if not isinstance(type_, str) or collection not in (None, "users"):
        return None
    name = type_.lower()
    if encoding not in (None, "none"):
        return HASHED.get((name, encoding)) if isinstance(encoding, str) else None
    return name if NAMESPACE_PATTERN.match(name) else None


def _message(
    item: _Item, kind: MessageKind, sightings: tuple[Sighting, ...], belief: Belief, sending: Sending
) -> Message:
    traits, properties, context = item.object_at("traits"), item.object_at("properties"), item.object_at("context")
    digest = _digest(item.fields)
    own, skew = _own_time(item, sending)
    agreed = _agreed(item, context)
    if kind is MessageKind.IDENTIFY:
        traits = {**item.object_at("context", "traits"), **traits}
    return Message(
        source=sending.source.name,
        message_id=_message_id(item, sending.stand_in or digest),
        kind=kind,
        received_at=sending.received_at,
        at=shown_moment(own, sending.received_at, skew),
        own_time=own,
        sightings=sightings,
        digest=digest,
        name=_name(item, kind),
        channel=item.text_at("channel"),
        previous_id=_previous_id(item) if kind is MessageKind.ALIAS else None,
        traits=agreed if kind is MessageKind.GROUP else {**agreed, **traits},
        properties=_with_category(item, kind, properties),
        context=context,
        account=_account(item, traits) if kind is MessageKind.GROUP else None,
        about=_about(item, properties, sending.source) if kind is MessageKind.TRACK else (),
        authority=_authority(kind, sightings, belief),
        region=sending.source.region,
        warnings=tuple(item.warnings),
    )


def _agreed(item: _Item, context: dict[str, Json]) -> dict[str, Json]:
    """What the message says of consent, as traits of whom it is about."""
    agreed = preferences_in(context)
    said = item.at(("context", "consent", "categoryPreferences"))
    if said is not None and not (isinstance(said, dict) and len(said) == len(agreed)):
        sentence = "each category needs a name of at most 100 bytes and true or false, 100 of them at most"
        item.warn("invalid_consent", "context.consent.categoryPreferences", f"{sentence}; the others are ignored")
    return agreed


def _authority(kind: MessageKind, sightings: tuple[Sighting, ...], belief: Belief) -> Authority:
    """How far the message as a whole is believed."""
    source = belief.source
    if source.authority >= Authority.VERIFIED:
        return source.authority
    if belief.vouched and kind not in OF_OTHERS:
        return Authority.VERIFIED
    unproven = any(each.authority is Authority.UNVERIFIED for each in sightings)
    return Authority.UNVERIFIED if unproven or (source.requires_signature and kind in OF_OTHERS) else source.authority


def _digest(fields: Mapping[str, Json]) -> str:
    kept = {name: value for name, value in fields.items() if name not in PER_SEND}
    return hashlib.sha256(canonical(kept).encode()).hexdigest()


def _message_id(item: _Item, stand_in: str) -> str:
    given = item.fields.get("messageId")
    if given is None:
        return stand_in
    text = text_of(given)
    if text is None or SPACE.match(text) or len(text.encode()) > KEY_LIMIT:
        sentence = f"this is empty, no text or longer than {KEY_LIMIT} bytes; the hash of the message stands in for it"
        item.warn("invalid_message_id", "messageId", sentence)
        return stand_in
    return text


def _own_time(item: _Item, sending: Sending) -> tuple[datetime | None, timedelta]:
    """The message's own time, and how far its sender's clock is behind ours."""
    original = _moment(item, "originalTimestamp", item.fields.get("originalTimestamp"))
    if original is not None:
        return original, _skew(item, sending)
    own, skew = _moment(item, "timestamp", item.fields.get("timestamp")), _skew(item, sending)
    return own, skew if abs(skew) > NOTICEABLE else timedelta()


def _skew(item: _Item, sending: Sending) -> timedelta:
    """How far the sender's clock is behind the one that received the message first: in an archive, another's."""
    given = item.fields.get("sentAt")
    sent = _moment(item, "sentAt", sending.sent_at if given is None else given)
    if sent is None:
        return timedelta()
    first = _moment(item, "receivedAt", item.fields.get("receivedAt")) if given is not None else None
    return (first or sending.first_at or sending.received_at) - sent


def _moment(item: _Item, place: str, value: Json) -> datetime | None:
    if value is None:
        return None
    try:
        return iso_moment(value) if isinstance(value, str) else _no_moment()
    except ValueError:
        item.warn("invalid_time", place, "this is no ISO 8601 time such as 2026-01-31T12:00:00Z; it is ignored")
        return None


def _no_moment() -> datetime:
    raise ValueError


def _name(item: _Item, kind: MessageKind) -> str | None:
    match kind:
        case MessageKind.TRACK:
            name = item.text_at("event")
            if name is None:
                item.warn("no_event_name", "event", "a track message should say what happened; it is kept without")
            return name
        case MessageKind.PAGE | MessageKind.SCREEN:
            return item.text_at("name") or item.text_at("category")
        case _:
            return None


def _with_category(item: _Item, kind: MessageKind, properties: dict[str, Json]) -> dict[str, Json]:
    category = item.fields.get("category")
    if kind not in {MessageKind.PAGE, MessageKind.SCREEN} or category is None or "category" in properties:
        return properties
    return {**properties, "category": category}


def _previous_id(item: _Item) -> str | None:
    previous = text_of(item.fields.get("previousId"))
    if previous is None:
        item.warn("no_previous_id", "previousId", "an alias needs the id that was used before; it links nothing")
    return previous


def _about(item: _Item, properties: dict[str, Json], source: Source) -> tuple[About, ...]:
    if len(products_in(properties)) > PRODUCTS_LIMIT:
        item.warn("too_many", "properties.products", f"only the first {PRODUCTS_LIMIT} become products")
    return things_of(properties, source.name)


def _account(item: _Item, traits: dict[str, Json]) -> AccountStatement | None:
    given = text_of(item.fields.get("groupId"))
    key = given.strip() if given else ""
    if not key or len(key.encode()) > KEY_LIMIT:
        sentence = f"this is missing, empty, no text or longer than {KEY_LIMIT} bytes; the message names no account"
        item.warn("no_group_id", "groupId", sentence)
        return None
    return AccountStatement(f"account:{key}", traits)
