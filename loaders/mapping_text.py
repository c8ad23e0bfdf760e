"""A mapping as its TOML file writes it, typed; what the parts mean is said in docs/mappings.md."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from identity.messages import MessageKind, Subject
from identity.policy import Normaliser, Role
from identity.requests import Wish
from insight.interactions import Word
from loaders.errors import MappingInvalidError
from loaders.signatures import Algorithm, Encoding, KeyEncoding, Kind, Unit

WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
PLACE = re.compile(r"\$\((\w+)\)")
Limit = Annotated[int, Meta(ge=0)]


class FunctionText(Struct, frozen=True, forbid_unknown_fields=True):
    """A value by a function: exactly one of the first group of keys, with those of the second that it takes."""

    path: "ValueText | UnsetType" = UNSET
    const: Any = UNSET
    first: "list[ValueText] | UnsetType" = UNSET
    concat: "list[ValueText] | UnsetType" = UNSET
    template: str | UnsetType = UNSET
    time: "ValueText | UnsetType" = UNSET
    money: "ValueText | UnsetType" = UNSET
    number: "ValueText | UnsetType" = UNSET
    flag: "ValueText | UnsetType" = UNSET
    email: "ValueText | UnsetType" = UNSET
    phone: "ValueText | UnsetType" = UNSET
    parse_json: "ValueText | UnsetType" = UNSET
    split: "ValueText | UnsetType" = UNSET
    sha256: "ValueText | UnsetType" = UNSET
    salesforce_id: "ValueText | UnsetType" = UNSET

    separator: str | UnsetType = UNSET
    placeholders: list[str] | UnsetType = UNSET
    zero_is_missing: bool | UnsetType = UNSET
    format: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    currency: "ValueText | UnsetType" = UNSET
    minor: bool | UnsetType = UNSET
    exponent: Annotated[int, Meta(ge=0, le=6)] | UnsetType = UNSET
    exponents: "dict[str, Annotated[int, Meta(ge=0, le=6)]] | UnsetType" = UNSET
    region: str | UnsetType = UNSET
    then: str | UnsetType = UNSET


ValueText = str | FunctionText


class NamespaceText(Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a namespace that a mapping declares; 0 is no limit."""

    role: Role
    priority: Annotated[int, Meta(ge=0, le=99)] = 1
    unique: bool = False
    max_partners: Limit = 0
    generic_above: Limit = 1
    active: Limit = 0
    active_days: Limit = 0
    normaliser: Normaliser = Normaliser.TEXT


class SkipText(Struct, frozen=True, forbid_unknown_fields=True):
    """Records that are passed over, and why."""

    when: str
    because: str


class IdentifierText(Struct, frozen=True, forbid_unknown_fields=True):
    """An identifier of the actor. key: it is a key of the record itself; retired: the source merged its record away."""

    namespace: str
    value: ValueText
    when: str | None = None
    key: bool = False
    retired: bool = False
    authority: str | None = None


class AccountText(Struct, frozen=True, forbid_unknown_fields=True):
    """What a record says of an organisation. member: whether the actor belongs to it."""

    value: ValueText
    namespace: str = "account"
    member: bool = True
    role: ValueText | None = None
    parent: ValueText | None = None
    traits: dict[str, ValueText] = {}


class AboutText(Struct, frozen=True, forbid_unknown_fields=True):
    """A thing that the interaction is about, or with `each` several. scope: the source in whose words its id is."""

    subject: Subject
    id: ValueText
    scope: str | None = None
    each: ValueText | None = None
    when: str | None = None
    facts: dict[str, ValueText] = {}
    account: ValueText | None = None


class MessageText(Struct, frozen=True, forbid_unknown_fields=True):
    """One message that a record, or with `each` every element of a list in it, gives."""

    kind: MessageKind
    when: str | None = None
    each: ValueText | None = None
    id: ValueText | None = None
    time: ValueText | None = None
    name: ValueText | None = None
    channel: ValueText | None = None
    previous_id: ValueText | None = None
    identifiers: list[IdentifierText] = []
    traits: dict[str, ValueText] = {}
    properties: dict[str, ValueText] = {}
    context: dict[str, ValueText] = {}
    account: AccountText | None = None
    about: list[AboutText] = []


class RequestText(Struct, frozen=True, forbid_unknown_fields=True):
    """A request about somebody's data that a record is. whole: about every record whose value begins so."""

    wish: Wish
    when: str
    id: ValueText
    namespace: str
    value: ValueText
    whole: bool = False


class TableText(Struct, frozen=True, forbid_unknown_fields=True):
    """What to read from a database: a table or a query, and the column by which a load goes on where it stopped."""

    table: str | None = None
    query: str | None = None
    key: str | None = None


class SignatureText(Struct, frozen=True, forbid_unknown_fields=True):
    """How the requests of a webhook are signed."""

    kind: Kind = Kind.HMAC
    header: str | None = None
    prefix: str = ""
    separator: Annotated[str, Meta(min_length=1)] | None = None
    timestamp_prefix: str | None = None
    timestamp_header: str | None = None
    timestamp_unit: Unit = Unit.SECONDS
    id_header: str | None = None
    signed: str = "{body}"
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    key: KeyEncoding = KeyEncoding.TEXT
    key_prefix: str = ""
    tolerance: Annotated[int, Meta(ge=1, le=86_400)] = 300
    path: str | None = None


class ContactText(Struct, frozen=True, forbid_unknown_fields=True):
    """A vendor's first contact. token: where it shows the token that was agreed on; answer: what it wants to hear."""

    method: Literal["GET", "HEAD", "POST"] = "POST"
    signed: bool = False
    when: str | None = None
    token: str | None = None
    answer: str | None = None


class FetchText(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request only names, and where its vendor tells it. url: with `{id}`, for the text that `id` finds."""

    url: str
    id: str
    when: str | None = None


class WebhookText(Struct, frozen=True, forbid_unknown_fields=True):
    """How a source that sends by itself is heard.

    headers: those that expressions may ask for. parse: places in the body where JSON stands in a text. records: where
    the body holds several. fetch: what its records lack.
    """

    signature: SignatureText
    headers: list[str] = []
    parse: list[str] = []
    records: str | None = None
    contact: list[ContactText] = []
    fetch: FetchText | None = None


class MappingText(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file."""

    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
    message: Annotated[list[MessageText], Meta(min_length=1)]
    format: str | None = None
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None
    sql: TableText | None = None
    authority: str = "imported"
    region: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None
    zone: str = "UTC"
    channel: str | None = None
    given: dict[str, str] = {}
    namespaces: dict[str, NamespaceText] = {}
    kinds: dict[Word, Annotated[list[str], Meta(max_length=100)]] = {}
    skip: list[SkipText] = []
    request: list[RequestText] = []
    webhook: WebhookText | None = None


def schema_text() -> str:
    """The JSON Schema of mapping files, for the completion and the checks of editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(MappingText)}
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=2).decode() + "\n"


def mapping_text(read: object) -> MappingText:
    """The typed mapping of what a TOML file holds. Raises msgspec.ValidationError with the place and the reason."""
    return msgspec.convert(read, MappingText)


class Local(Struct, frozen=True):
    """What is said of a source where it is used, and goes before what its mapping says.

    given: the values of the names that the mapping wants to be given.
    """

    source: str | None = None
    region: str | None = None
    zone: str | None = None
    given: Mapping[str, str] = {}


def filled(read: Mapping[str, Any], given: Mapping[str, str]) -> object:
    """What a TOML file holds, with the values that it wants to be given in the places of `$(NAME)`.

    Raises MappingInvalidError when one is missing, not wanted, or could be more than a word inside an expression.
    """
    wanted = read.get("given")
    names = wanted if isinstance(wanted, dict) else {}
    for name, value in given.items():
        if name not in names:
            raise MappingInvalidError(f"given: `{name}` is none of what this mapping wants to be given")
        if not WORD.match(value):
            raise MappingInvalidError(f"given: `{name}` may have letters, digits, `_`, `.` and `-`, at most 64")
    for name, what in names.items():
        if name not in given:
            raise MappingInvalidError(f"say `--with {name}=…`: {what}")
    return _filled(read, given) if given else read


def _filled(value: object, given: Mapping[str, str]) -> object:
    match value:
        case dict():
            return {name: _filled(each, given) for name, each in value.items()}
        case list():
            return [_filled(each, given) for each in value]
        case str():
            return PLACE.sub(lambda found: given.get(found[1], found[0]), value)
        case _:
            return value


def adapted(text: MappingText, local: Local) -> MappingText:
    """The mapping as it is used; under another source's name the namespaces that it declares after itself follow.

    So two accounts at one vendor are two sources, and an id of one is never taken for the other's.
    """
    text = replace(text, region=local.region or text.region, zone=local.zone or text.zone)
    source = local.source
    if source is None or source == text.source:
        return text
    own = {name: _own(name, text.source, source) for name in text.namespaces}
    return replace(
        text,
        source=source,
        namespaces={own[name]: each for name, each in text.namespaces.items()},
        message=[_message_renamed(each, own) for each in text.message],
        request=[replace(each, namespace=own.get(each.namespace, each.namespace)) for each in text.request],
    )


def _own(name: str, before: str, after: str) -> str:
    named_after = name == before or name.startswith((f"{before}_", f"{before}."))
    return after.replace("-", "_") + name[len(before) :] if named_after else name


def _message_renamed(text: MessageText, own: dict[str, str]) -> MessageText:
    identifiers = [replace(each, namespace=own.get(each.namespace, each.namespace)) for each in text.identifiers]
    account = text.account and replace(text.account, namespace=own.get(text.account.namespace, text.account.namespace))
    return replace(text, identifiers=identifiers, account=account)
