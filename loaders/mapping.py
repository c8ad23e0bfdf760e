"""Mappings: a TOML file that says how the records of one source become Messages.

What a mapping may say is told in docs/mappings.md. It is compiled and checked as a whole before the first record is
read; after that nothing in it can fail but on one record at a time, which is then rejected alone (translating.py).
"""

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from identity.evidence import PREVIOUS_MEANS
from identity.messages import Authority, MessageKind, SourceName, Subject
from identity.policy import NAMESPACE_PATTERN, Namespace
from identity.requests import Wish
from insight.interactions import named_kinds
from loaders.errors import MappingInvalidError
from loaders.formats.records import FORMATS, Reading, Selection, selected
from loaders.mapping_text import (
    AboutText,
    AccountText,
    IdentifierText,
    Local,
    MappingText,
    MessageText,
    NamespaceText,
    RequestText,
    ValueText,
    adapted,
    filled,
    mapping_text,
)
from loaders.signatures import Kind
from loaders.sources import Source
from loaders.values import Defaults, Value, template_from, time_from, value_from, zone_named
from loaders.webhook_rules import Webhook, check_asked, webhook_from

CATALOG = Path(__file__).with_name("catalog")
AUTHORITIES = {each.word: each for each in Authority if Authority.CLAIMED <= each < Authority.MANUAL}
HERE = Local()
SIGNING = frozenset({Kind.HMAC, Kind.JWT_RS256})
FAN_OUT_NAMES = frozenset({"item", "root", "index"})


@dataclass(frozen=True, slots=True)
class Skip:
    """Records to pass over."""

    when: Value
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRule:
    """An identifier of the actor. shown: where it stands, for people."""

    namespace: Value
    value: Value
    when: Value | None
    key: bool
    retired: bool
    authority: Authority
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRule:
    """An organisation. namespace: the first half of its key and of its parent's."""

    namespace: str
    value: Value
    member: bool
    role: Value | None
    parent: Value | None
    traits: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutRule:
    """A thing, or one for each element. scope: the first half of its key."""

    subject: Subject
    id: Value
    scope: str
    each: Value | None
    when: Value | None
    facts: Mapping[str, Value]
    account: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRule:
    """One message of a record, or one for each element."""

    kind: MessageKind
    when: Value | None
    each: Value | None
    id: Value | None
    time: Value | None
    name: Value | None
    channel: Value | None
    previous_id: Value | None
    identifiers: tuple[IdentifierRule, ...]
    traits: Mapping[str, Value]
    properties: Mapping[str, Value]
    context: Mapping[str, Value]
    account: AccountRule | None
    about: tuple[AboutRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRule:
    """A request about somebody's data. whole: about all whose value begins so."""

    wish: Wish
    when: Value
    id: Value
    namespace: str
    value: Value
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """A compiled mapping.

    file: its name, for messages to people. reading: how the records' files are read, where it says so; table: what is
    read from a database. asked: the places in the mapping and the columns they ask for. sha256: of its text and what it
    was given. webhook: how it sends by itself. given: as `name=value`.
    """

    file: str
    source: Source
    reading: Reading
    table: Selection | None
    channel: str | None
    skips: tuple[Skip, ...]
    rules: tuple[MessageRule, ...]
    requests: tuple[RequestRule, ...]
    asked: tuple[tuple[str, str], ...]
    sha256: str
    webhook: Webhook | None = None
    given: tuple[str, ...] = ()


def mapping_named(name: str, local: Local = HERE) -> SourceMapping:
    """The mapping at a path, or the one of the catalogue with this name. Raises MappingInvalidError.

    local: what goes before what the file says.
    """
    path = Path(name)
    if not path.is_file() and path.name == name:
        path = CATALOG / f"{name.removesuffix('.toml')}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        known = ", ".join(sorted(each.stem for each in CATALOG.glob("*.toml")))
        raise MappingInvalidError(f"{name}: no such file, and the catalogue has only {known}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MappingInvalidError(f"{name}: cannot be read: {error}") from error
    return mapping_from_toml(text, path.name, local)


def mapping_from_toml(text: str, file: str, local: Local = HERE) -> SourceMapping:
    """The mapping that a TOML text describes. file: its name, for the error; local: what goes before it.

    Raises MappingInvalidError with the file, the line or the key, and the reason.
    """
    try:
        read = adapted(mapping_text(filled(tomllib.loads(text), local.given)), local)
        return _compiled(read, f"{text}{''.join(given_as(local.given))}", file, given_as(local.given))
    except (ValueError, msgspec.ValidationError, MappingInvalidError, RecursionError) as error:
        # A ValueError is most often no TOML; a number of more than 4,300 digits is another one.
        raise MappingInvalidError(f"{file}: {error}") from error


def given_as(given: Mapping[str, str]) -> tuple[str, ...]:
    """What a mapping was given, as it is said: `name=value`."""
    return tuple(f"{name}={value}" for name, value in sorted(given.items()))


def check_columns(mapping: SourceMapping, columns: Collection[str]) -> None:
    """Raise MappingInvalidError when the mapping asks for a column that a file does not have."""
    unknown = [(place, name) for place, name in mapping.asked if name not in columns]
    if unknown:
        place, name = unknown[0]
        raise MappingInvalidError(
            f"{mapping.file}: {place}: the file has no column `{name}`; its columns are {', '.join(columns)}"
        )


def _compiled(text: MappingText, raw: str, file: str, given: tuple[str, ...]) -> SourceMapping:
    compiler = _Compiler(
        Defaults(zone_named(text.zone, "zone"), text.region), text.source, _authority(text.authority, "authority")
    )
    if text.format is not None and text.format not in FORMATS:
        raise MappingInvalidError(f"format: `{text.format}` is none of {', '.join(FORMATS)}")
    skips = tuple(
        Skip(compiler.value(each.when, f"skip[{at}].when"), each.because) for at, each in enumerate(text.skip)
    )
    rules = tuple(compiler.message(each, f"message[{at}]") for at, each in enumerate(text.message))
    requests = tuple(compiler.request(each, f"request[{at}]", text) for at, each in enumerate(text.request))
    return SourceMapping(
        file=file,
        source=Source(
            name=SourceName(text.source),
            authority=compiler.authority,
            region=text.region,
            namespaces=tuple(_namespace(name, each) for name, each in sorted(text.namespaces.items())),
            kinds=named_kinds(text.kinds),
        ),
        reading=Reading(text.format, text.delimiter, text.encoding, text.sheet, text.records),
        table=None if text.sql is None else selected(text.sql.table, text.sql.query, text.sql.key),
        channel=text.channel,
        skips=skips,
        rules=rules,
        requests=requests,
        asked=tuple((place, path[0]) for place, path in compiler.asked),
        sha256=hashlib.sha256(raw.encode()).hexdigest(),
        webhook=_webhook(text, compiler),
        given=given,
    )


def _webhook(text: MappingText, compiler: "_Compiler") -> Webhook | None:
    """How the source sends by itself, once all that the mapping asks for is known."""
    if text.webhook is None:
        return None
    webhook = webhook_from(text.webhook, lambda each, place: value_from(each, place, compiler.defaults))
    check_asked(webhook, compiler.asked)
    return webhook


def _authority(name: str, place: str) -> Authority:
    if name not in AUTHORITIES:
        raise MappingInvalidError(f"{place}: `{name}` is none of {', '.join(AUTHORITIES)}")
    return AUTHORITIES[name]


def _namespace(name: str, text: NamespaceText) -> Namespace:
    _check_namespace(name, f"namespaces.{name}")
    return Namespace(
        name=name,
        role=text.role,
        priority=text.priority,
        unique=text.unique,
        max_partners=text.max_partners or None,
        generic_above=text.generic_above or None,
        active=text.active or None,
        active_days=text.active_days or None,
        normaliser=text.normaliser,
    )


def _check_namespace(name: str, place: str) -> None:
    if not NAMESPACE_PATTERN.match(name):
        raise MappingInvalidError(f"{place}: `{name}` must match [a-z][a-z0-9_.]{{0,63}}")


@dataclass(slots=True)
class _Compiler:
    """Compiles the parts of one mapping and notes which paths of a record they ask for."""

    defaults: Defaults
    source: str
    authority: Authority
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def value(self, text: ValueText, place: str, *, fanned: bool = False) -> Value:
        return self._noted(value_from(text, place, self.defaults), place, fanned=fanned)

    def maybe(self, text: ValueText | None, place: str, *, fanned: bool = False) -> Value | None:
        return None if text is None else self.value(text, place, fanned=fanned)

    def named(self, texts: Mapping[str, ValueText], place: str, *, fanned: bool) -> Mapping[str, Value]:
        return {name: self.value(each, f"{place}.{name}", fanned=fanned) for name, each in texts.items()}

    def _noted(self, value: Value, place: str, *, fanned: bool) -> Value:
        for path in sorted(value.names):
            if not fanned:
                self.asked.append((place, path))
            elif path[0] not in FAN_OUT_NAMES:
                raise MappingInvalidError(
                    f"{place}: under `each` a path begins with item, root or index, not with `{path[0]}`"
                )
            elif path[0] == "root" and len(path) > 1:
                self.asked.append((place, path[1:]))
        return value

    def message(self, text: MessageText, place: str) -> MessageRule:
        fanned = text.each is not None
        time = None if text.time is None else time_from(text.time, f"{place}.time", self.defaults)
        return MessageRule(
            kind=text.kind,
            when=self.maybe(text.when, f"{place}.when"),
            each=self.maybe(text.each, f"{place}.each"),
            id=self.maybe(text.id, f"{place}.id", fanned=fanned),
            time=None if time is None else self._noted(time, f"{place}.time", fanned=fanned),
            name=self.maybe(text.name, f"{place}.name", fanned=fanned),
            channel=self.maybe(text.channel, f"{place}.channel", fanned=fanned),
            previous_id=self.maybe(text.previous_id, f"{place}.previous_id", fanned=fanned),
            identifiers=tuple(
                self._identifier(each, f"{place}.identifiers[{at}]", fanned=fanned)
                for at, each in enumerate(text.identifiers)
            ),
            traits=self.named(text.traits, f"{place}.traits", fanned=fanned),
            properties=self.named(text.properties, f"{place}.properties", fanned=fanned),
            context=self.named(text.context, f"{place}.context", fanned=fanned),
            account=None if text.account is None else self._account(text.account, f"{place}.account", fanned=fanned),
            about=tuple(self._about(each, f"{place}.about[{at}]", fanned=fanned) for at, each in enumerate(text.about)),
        )

    def request(self, text: RequestText, place: str, whole: MappingText) -> RequestRule:
        """Only what is signed may ask, and only of the source's own records: an erasure cannot be taken back."""
        if whole.webhook is None or whole.webhook.signature.kind not in SIGNING:
            raise MappingInvalidError(f"{place}: only a webhook whose body is signed may ask for that")
        if text.namespace not in whole.namespaces:
            raise MappingInvalidError(f"{place}.namespace: `{text.namespace}` is none that this mapping declares")
        return RequestRule(
            wish=text.wish,
            when=self.value(text.when, f"{place}.when"),
            id=self.value(text.id, f"{place}.id"),
            namespace=text.namespace,
            value=self.value(text.value, f"{place}.value"),
            whole=text.whole,
        )

    def _identifier(self, text: IdentifierText, place: str, *, fanned: bool) -> IdentifierRule:
        if "{" not in text.namespace:
            _check_namespace(text.namespace, f"{place}.namespace")
        if text.retired and ("{" in text.namespace or text.namespace in PREVIOUS_MEANS):
            raise MappingInvalidError(f"{place}.retired: tell a merge of user ids by an alias with `previous_id`")
        namespace = template_from(text.namespace, f"{place}.namespace")
        return IdentifierRule(
            namespace=self._noted(namespace, f"{place}.namespace", fanned=fanned),
            value=self.value(text.value, f"{place}.value", fanned=fanned),
            when=self.maybe(text.when, f"{place}.when", fanned=fanned),
            key=text.key,
            retired=text.retired,
            authority=self.authority if text.authority is None else _authority(text.authority, f"{place}.authority"),
            shown=text.value if isinstance(text.value, str) else text.namespace,
        )

    def _account(self, text: AccountText, place: str, *, fanned: bool) -> AccountRule:
        _check_namespace(text.namespace, f"{place}.namespace")
        return AccountRule(
            namespace=text.namespace,
            value=self.value(text.value, f"{place}.value", fanned=fanned),
            member=text.member,
            role=self.maybe(text.role, f"{place}.role", fanned=fanned),
            parent=self.maybe(text.parent, f"{place}.parent", fanned=fanned),
            traits=self.named(text.traits, f"{place}.traits", fanned=fanned),
        )

    def _about(self, text: AboutText, place: str, *, fanned: bool) -> AboutRule:
        inner = fanned or text.each is not None
        return AboutRule(
            subject=text.subject,
            id=self.value(text.id, f"{place}.id", fanned=inner),
            scope=text.scope or self.source,
            each=self.maybe(text.each, f"{place}.each", fanned=fanned),
            when=self.maybe(text.when, f"{place}.when", fanned=inner),
            facts=self.named(text.facts, f"{place}.facts", fanned=inner),
            account=self.maybe(text.account, f"{place}.account", fanned=inner),
        )
