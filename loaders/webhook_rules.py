"""The `[webhook]` part of a mapping, compiled: how a source that sends by itself signs, and what its requests hold."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from loaders.errors import MappingInvalidError
from loaders.fetching import Fetch, checked_url
from loaders.mapping_text import ContactText, FetchText, SignatureText, WebhookText
from loaders.signatures import Kind, Scheme, signed_from
from loaders.values import Value

HEADER = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
ASKED_OF_A_RECORD = frozenset({"body", "headers"})
FETCHED = "fetched"
ASKED_OF_A_CONTACT = frozenset({"body", "headers", "query"})
Compile = Callable[[str, str], Value]


@dataclass(frozen=True, slots=True)
class Contact:
    """A first contact, which is answered and never a record. token: what must be the token that was agreed on."""

    method: str
    signed: bool
    when: Value | None
    token: Value | None
    answer: Value | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a mapping says of requests. headers: in small letters; parse: paths of names; records: a list in them.

    fetch: what records lack, which then stands in them as `fetched`.
    """

    scheme: Scheme
    headers: tuple[str, ...]
    parse: tuple[tuple[str, ...], ...]
    records: Value | None
    contacts: tuple[Contact, ...]
    fetch: Fetch | None = None

    def header_values(self, headers: Mapping[str, str]) -> dict[str, str | None]:
        """The headers that the mapping may ask for, by their names in expressions: X-Shop is `x_shop`."""
        return {expressed(name): headers.get(name) for name in self.headers}


def expressed(header: str) -> str:
    """The name of a header in an expression, which would have to quote a dash."""
    return header.replace("-", "_")


def webhook_from(text: WebhookText, value: Compile) -> Webhook:
    """The compiled part. value: compiles an expression at a place. Raises MappingInvalidError."""
    headers = tuple(_header(each, f"webhook.headers[{at}]") for at, each in enumerate(text.headers))
    return Webhook(
        scheme=_scheme(text.signature, "webhook.signature"),
        headers=headers,
        parse=tuple(tuple(each.split(".")) for each in text.parse),
        records=None if text.records is None else value(text.records, "webhook.records"),
        contacts=tuple(_contact(each, f"webhook.contact[{at}]", value) for at, each in enumerate(text.contact)),
        fetch=None if text.fetch is None else _fetch(text.fetch, value),
    )


def _fetch(text: FetchText, value: Compile) -> Fetch:
    when = None if text.when is None else value(text.when, "webhook.fetch.when")
    return Fetch(checked_url(text.url, "webhook.fetch.url"), value(text.id, "webhook.fetch.id"), when)


def check_asked(webhook: Webhook, asked: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Raise MappingInvalidError when an expression asks for more than a request's record has.

    asked: the place of each expression, and a path that it asks of the record.
    """
    known = {expressed(name) for name in webhook.headers}
    for place, path in asked:
        if path[0] == FETCHED and webhook.fetch is not None:
            continue
        if path[0] not in ASKED_OF_A_RECORD:
            raise MappingInvalidError(f"{place}: a webhook's path begins with body or headers, not with `{path[0]}`")
        if path[0] == "headers" and len(path) > 1 and path[1] not in known:
            raise MappingInvalidError(f"{place}: `{path[1]}` is none of the headers that webhook.headers lists")


def _scheme(text: SignatureText, place: str) -> Scheme:
    _check_parts(text, place)
    return Scheme(
        kind=text.kind,
        header=None if text.header is None else _header(text.header, f"{place}.header"),
        prefix=text.prefix,
        separator=text.separator,
        timestamp_prefix=text.timestamp_prefix,
        timestamp_header=None
        if text.timestamp_header is None
        else _header(text.timestamp_header, f"{place}.timestamp_header"),
        timestamp_unit=text.timestamp_unit,
        id_header=None if text.id_header is None else _header(text.id_header, f"{place}.id_header"),
        signed=signed_from(text.signed, f"{place}.signed"),
        algorithm=text.algorithm,
        encoding=text.encoding,
        key=text.key,
        key_prefix=text.key_prefix,
        tolerance=text.tolerance,
        path=tuple(text.path.split(".")) if text.path else (),
    )


def _check_parts(text: SignatureText, place: str) -> None:
    """What a kind cannot do without, and a time that would be told but not signed: anybody could renew it."""
    if text.kind in {Kind.HMAC, Kind.HEADER_TOKEN} and not text.header:
        raise MappingInvalidError(f"{place}: `{text.kind}` needs a `header`")
    if text.kind is Kind.KEY_IN_BODY and not text.path:
        raise MappingInvalidError(f"{place}: `{text.kind}` needs a `path` to the key in the body")
    if text.kind is not Kind.HMAC:
        return
    timed = text.timestamp_header is not None or text.timestamp_prefix is not None
    if timed != ("{timestamp}" in text.signed):
        raise MappingInvalidError(f"{place}: a time needs `{{timestamp}}` in `signed`, and the other way round")
    if ("{id}" in text.signed) != (text.id_header is not None):
        raise MappingInvalidError(f"{place}: `{{id}}` in `signed` needs an `id_header`, and the other way round")


def _header(name: str, place: str) -> str:
    if not HEADER.match(name):
        raise MappingInvalidError(f"{place}: `{name}` is no name of a header")
    return name.lower()


def _contact(text: ContactText, place: str, value: Compile) -> Contact:
    def maybe(expression: str | None, name: str) -> Value | None:
        if expression is None:
            return None
        made = value(expression, f"{place}.{name}")
        for path in made.names:
            if path[0] not in ASKED_OF_A_CONTACT:
                raise MappingInvalidError(f"{place}.{name}: a path begins with body, headers or query here")
        return made

    return Contact(
        text.method, text.signed, maybe(text.when, "when"), maybe(text.token, "token"), maybe(text.answer, "answer")
    )
