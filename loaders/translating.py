"""One record of a source and its mapping: the Messages it gives, or why it gives none."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from identity.messages import About, AccountStatement, Json, Message, Rejection, Sighting, Warned
from identity.policy import NAMESPACE_PATTERN
from identity.requests import Asked
from identity.survivorship import canonical
from loaders.expressions import EvaluationError, holds
from loaders.formats.records import Found
from loaders.mapping import AboutRule, AccountRule, IdentifierRule, MessageRule, SourceMapping
from loaders.moments import shown_moment
from loaders.values import Value
from loaders.wire import bounded, text_of

KEY_LIMIT = 512  # bytes; Neo4j indexes no text longer than 8 KB
FAN_OUT_LIMIT = 1_000
UNSIGNED = "a request about somebody's data, which counts only where its source signed it"
NOTHING = "the mapping has no message for it"


@dataclass(frozen=True, slots=True)
class Translated:
    """What a record gives; skipped: why it was passed over. asked: what it asks to have done with somebody's data."""

    messages: tuple[Message, ...] = ()
    asked: tuple[Asked, ...] = ()
    rejection: Rejection | None = None
    skipped: str | None = None


def translated(found: Found, mapping: SourceMapping, now: datetime) -> Translated:
    """The Messages that a record gives under a mapping; equal records give equal ones. Never raises.

    A record gives all of its messages or none: where one cannot be made, the record is rejected as a whole.
    """
    try:
        for skip in mapping.skips:
            if holds(skip.when.read(found.value, [])):
                return Translated(skipped=skip.because)
        messages, asked = tuple(_messages(found, mapping, now)), tuple(_asked(found, mapping))
    except EvaluationError as error:
        return _rejected(found, "not_mappable", f"the mapping {mapping.file} cannot be applied: {error}")
    except _NobodyError:
        return _rejected(found, "no_identifier", f"no identifier that {mapping.file} names has a value")
    return Translated(messages, asked) if messages or asked else Translated(skipped=NOTHING)


def translated_message(read: Message | Rejection) -> Translated:
    """What a record gives that is a message itself."""
    return Translated(rejection=read) if isinstance(read, Rejection) else Translated((read,))


def of_a_file(read: Translated) -> Translated:
    """What a record gives that nobody signed: what it asks for is not heard."""
    if not read.asked:
        return read
    return Translated(read.messages) if read.messages else Translated(skipped=UNSIGNED)


def _rejected(found: Found, code: str, sentence: str) -> Translated:
    return Translated(rejection=Rejection(code, found.place, sentence, raw=bounded(found.raw)))


def _asked(found: Found, mapping: SourceMapping) -> Iterator[Asked]:
    """What a record asks for. One that does not say whose data it means cannot be kept for anybody: it is rejected."""
    for rule in mapping.requests:
        if not holds(rule.when.read(found.value, [])):
            continue
        id_, value = (text_of(each.read(found.value, [])) or "" for each in (rule.id, rule.value))
        if not id_.strip() or not value.strip() or max(len(id_.encode()), len(value.encode())) > KEY_LIMIT:
            raise EvaluationError("a request has no id, or does not say whose data it is about")
        yield Asked(mapping.source.name, id_, rule.wish, rule.namespace, value, rule.whole)


class _NobodyError(Exception):
    """A message would name nobody."""


def _messages(found: Found, mapping: SourceMapping, now: datetime) -> Iterator[Message]:
    record = canonical(found.value)
    for number, rule in enumerate(mapping.rules):
        if rule.when is not None and not holds(rule.when.read(found.value, [])):
            continue
        for index, given in enumerate(_inputs(rule.each, found.value, found.value)):
            digest = hashlib.sha256(f"{number}:{index}:{record}".encode()).hexdigest()
            made = _Translation(given, found.value, rule, mapping, [], _stand_in(found, number, index) or digest)
            yield made.message(digest, now)


def _stand_in(found: Found, number: int, index: int) -> str | None:
    """The id of a message that its rule gives none: the record's own, told apart where a record gives several."""
    return found.id if found.id is None or (number, index) == (0, 0) else f"{found.id}:{number}:{index}"


def _inputs(each: Value | None, given: Json, root: Json) -> Iterator[Json]:
    """What a rule is evaluated on: the record itself, or each element of a list together with the record."""
    if each is None:
        yield given
        return
    listed = each.read(given, [])
    if listed is None:
        return
    if not isinstance(listed, list):
        raise EvaluationError("`each` found something that is no list")
    if len(listed) > FAN_OUT_LIMIT:
        raise EvaluationError(f"`each` found more than {FAN_OUT_LIMIT:,} elements")
    for index, item in enumerate(listed):
        yield {"item": item, "root": root, "index": index}


@dataclass(frozen=True, slots=True)
class _Translation:
    """One message in the making. given: what its rule is evaluated on; stand_in: its id where it has no own."""

    given: Json
    root: Json
    rule: MessageRule
    mapping: SourceMapping
    warnings: list[Warned]
    stand_in: str

    def message(self, digest: str, now: datetime) -> Message:
        rule, source = self.rule, self.mapping.source
        account = None if rule.account is None else self._account(rule.account)
        sightings = self._sightings()
        about = tuple(thing for each in rule.about for thing in self._things(each))
        if not sightings and not self._describes(account, about):
            raise _NobodyError
        own = self._own_time()
        return Message(
            source=source.name,
            message_id=self._id(),
            kind=rule.kind,
            received_at=now,
            at=shown_moment(own, now),
            own_time=own,
            sightings=sightings,
            digest=digest,
            name=self._text(rule.name, "name"),
            channel=self._text(rule.channel, "channel") or self.mapping.channel,
            previous_id=self._text(rule.previous_id, "previous_id"),
            traits=self._values(rule.traits),
            properties=self._values(rule.properties),
            context=self._values(rule.context),
            account=account,
            about=about,
            authority=source.authority,
            region=source.region,
            warnings=tuple(self.warnings),
        )

    def _describes(self, account: AccountStatement | None, about: Sequence[About]) -> bool:
        """Whether it tells of an organisation, or of things, and is to name nobody."""
        if account is not None:
            return not account.member
        return not self.rule.identifiers and bool(about)

    def _read(self, value: Value | None) -> Json:
        return None if value is None else value.read(self.given, self.warnings)

    def _values(self, values: Mapping[str, Value], given: Json = None) -> dict[str, Json]:
        read = ((name, each.read(given or self.given, self.warnings)) for name, each in values.items())
        return {name: value for name, value in read if value is not None}

    def _text(self, value: Value | None, place: str) -> str | None:
        text = text_of(self._read(value))
        if text is not None and len(text.encode()) > KEY_LIMIT:
            self.warnings.append(Warned("too_long", place, f"this is longer than {KEY_LIMIT} bytes; it was cut"))
            return text.encode()[:KEY_LIMIT].decode("utf-8", "ignore")
        return text or None

    def _id(self) -> str:
        if self.rule.id is None:
            return self.stand_in
        text = text_of(self._read(self.rule.id))
        if text is not None and text.strip() and len(text.encode()) <= KEY_LIMIT:
            return text
        sentence = "the id is missing, empty or too long; the record's hash, or its place in a stream, stands in for it"
        self.warnings.append(Warned("invalid_message_id", "id", sentence))
        return self.stand_in

    def _own_time(self) -> datetime | None:
        read = self._read(self.rule.time)
        return datetime.fromisoformat(read) if isinstance(read, str) else None

    def _sightings(self) -> tuple[Sighting, ...]:
        seen = (self._sighting(each) for each in self.rule.identifiers)
        return tuple({(each.namespace, each.value): each for each in seen if each is not None}.values())

    def _sighting(self, rule: IdentifierRule) -> Sighting | None:
        if rule.when is not None and not holds(self._read(rule.when)):
            return None
        value = self._read(rule.value)
        if value is None or value == "":
            return None
        text, namespace = text_of(value), (text_of(self._read(rule.namespace)) or "").lower()
        if text is not None and NAMESPACE_PATTERN.match(namespace):
            return Sighting(namespace, text, rule.shown, rule.authority, rule.key, rule.retired)
        sentence = "this is no text, or its namespace is none; it is ignored as an identifier"
        self.warnings.append(Warned("invalid_identifier", rule.shown, sentence))
        return None

    def _account(self, rule: AccountRule) -> AccountStatement | None:
        key = self._key(rule.namespace, self._read(rule.value))
        if key is None:
            return None
        parent = self._key(rule.namespace, self._read(rule.parent))
        return AccountStatement(
            key, self._values(rule.traits), rule.member, self._text(rule.role, "account.role"), parent
        )

    def _key(self, scope: str, value: Json) -> str | None:
        text = (text_of(value) or "").strip()
        return f"{scope}:{text}" if text and len(text.encode()) <= KEY_LIMIT else None

    def _things(self, rule: AboutRule) -> Iterator[About]:
        for given in _inputs(rule.each, self.given, self.root):
            if rule.when is not None and not holds(rule.when.read(given, self.warnings)):
                continue
            key = self._key(rule.scope, rule.id.read(given, self.warnings))
            if key is not None:
                account = None if rule.account is None else text_of(rule.account.read(given, self.warnings))
                yield About(rule.subject, key, self._values(rule.facts, given), account)
