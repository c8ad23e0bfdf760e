"""A first mapping for a file, drafted by looking at it: each choice stands beside its reason, for somebody to judge.

Names are read as words (`createdAt` and `created_at` are the same two), values by their shape in the first records.
What is not recognised becomes a trait, or a property where the file tells of events; nothing is dropped unsaid.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from graph.runs import Form
from identity.messages import Json
from loaders.formats.records import FORMATS, Found, Line
from loaders.shapes import DATE, EMPTY, FLAG, LIST, NUMBER, TABLE, TEXT, TIME
from loaders.wire import UnreadableJsonError, json_value, text_of

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
PHONE = re.compile(r"\+?[\d ()./-]{7,20}\Z")
MOSTLY = 0.8  # of the values that are there
DISTINCT = 0.99
FEW = 50  # names of events that a source has at most

PHONE_WORDS = frozenset({"phone", "mobile", "tel", "telephone", "cell"})
TIME_WORDS = (
    "occurred",
    "event",
    "timestamp",
    "time",
    "updated",
    "modified",
    "created",
    "signup",
    "joined",
    "at",
    "date",
)
MONEY_WORDS = frozenset({"amount", "price", "total", "revenue", "value", "cost", "paid", "mrr", "arr"})
MINOR_WORDS = frozenset({"cents", "minor", "pence"})
ACCOUNT_WORDS = frozenset({"account", "company", "organisation", "organization", "org", "tenant", "workspace", "team"})
EVENT_WORDS = frozenset({"event", "action", "activity"})
MESSAGE_WORDS = frozenset({"message", "event", "insert", "request"})
PERSON_WORDS = frozenset({"contact", "customer", "person", "lead", "member", "subscriber", "client"})
# What names a person in words that need no declaration, by the words of the column.
KNOWN = {
    ("user", "id"): "user_id",
    ("userid",): "user_id",
    ("anonymous", "id"): "anonymous_id",
    ("distinct", "id"): "anonymous_id",
    ("visitor", "id"): "anonymous_id",
    ("client", "id"): "anonymous_id",
    ("cookie", "id"): "anonymous_id",
    ("device", "id"): "device_id",
    ("advertising", "id"): "advertising_id",
    ("push", "token"): "push_token",
}
# From when to when a number is taken for a moment: 2001 to 2100, in seconds.
EPOCH = (1_000_000_000, 4_102_444_800)
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it was looked at. words: of its name; values: that are there, as texts."""

    name: str
    kind: str
    words: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def path(self) -> str:
        """The expression that finds it, as a TOML text."""
        return _quoted(self.name if PLAIN_NAME.match(self.name) else json.dumps(self.name, ensure_ascii=False))

    @property
    def shown(self) -> str:
        """Its name in a comment, which is one line."""
        return _plain(self.name)

    @property
    def distinct(self) -> bool:
        """Whether hardly two records have the same value."""
        return bool(self.values) and len(set(self.values)) >= DISTINCT * len(self.values)

    def mostly(self, fits: Callable[[str], object]) -> bool:
        """Whether most of the values fit."""
        return bool(self.values) and sum(bool(fits(each)) for each in self.values) >= MOSTLY * len(self.values)


@dataclass(slots=True)
class _Draft:
    """The parts of the mapping as they are decided; what is left of `columns` is not decided yet."""

    source: str
    columns: dict[str, Column]
    identifiers: list[str] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    account: list[str] = field(default_factory=list)
    events: bool = False

    def take(self, column: Column) -> None:
        del self.columns[column.name]

    def first(self, fits: Callable[[Column], object]) -> Column | None:
        return next((each for each in self.columns.values() if fits(each)), None)


def _quoted(text: str) -> str:
    """A text of TOML: as JSON writes it, but for a sign that only JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    return UNPRINTABLE.sub(" ", text)


def suggested(name: str, form: Form, first: Sequence[Line]) -> str:
    """The text of a mapping for a file of this name. form, first: as its first records show it."""
    records = [line.content.value for line in first if isinstance(line.content, Found)]
    tables = [each for each in records if isinstance(each, dict)]
    columns = [_column(each, kind, tables) for each, kind in zip(form.columns, form.types, strict=True)]
    draft = _Draft(_source_name(name), {each.name: each for each in columns})
    empty = [each for each in columns if each.kind == EMPTY]
    for each in empty:
        draft.take(each)
    for step in (_event, _message_id, _people, _record_key, _account, _time):
        step(draft)
    return _written(draft, form, name, len(tables), _rest(draft), empty)


def _column(name: str, kind: str, records: Iterable[dict[str, Json]]) -> Column:
    values = (text_of(each.get(name)) for each in records)
    words = tuple(each.lower() for each in WORD.findall(name))
    return Column(name, kind, words, tuple(each.strip() for each in values if each and each.strip()))


def _source_name(name: str) -> str:
    stem = re.sub(r"[^a-z0-9_.-]+", "_", PurePath(name).name.partition(".")[0].lower()).strip("_.-")
    return (stem if stem[:1].isalpha() else f"source_{stem}".rstrip("_"))[:64]


def _event(draft: _Draft) -> None:
    """A column with few names of what happened makes the file one of events."""
    found = draft.first(
        lambda each: (
            each.kind == TEXT
            and EVENT_WORDS & {*each.words}
            and "id" not in each.words
            and len(set(each.values)) <= FEW
        )
    )
    if found is None:
        draft.message.append('kind = "identify"  # no column names what happened, so each record describes somebody')
        return
    draft.events = True
    draft.take(found)
    draft.message.append(f'kind = "track"  # `{found.shown}` names what happened, in {len(set(found.values))} words')
    draft.message.append(f"name = {found.path}")


def _message_id(draft: _Draft) -> None:
    found = draft.first(
        lambda each: each.distinct and (each.words in {("uuid",), ("guid",)} or _is_id(each, MESSAGE_WORDS))
    )
    if found is None:
        draft.message.append("# id: no column is a message's own id; the hash of the record stands for it")
        return
    draft.take(found)
    draft.message.append(f"id = {found.path}  # by its name a message's own id, and no two records share one")


def _is_id(column: Column, words: frozenset[str]) -> bool:
    return len(column.words) > 1 and column.words[-1] in {"id", "key", "no", "number"} and bool(words & {*column.words})


def _people(draft: _Draft) -> None:
    """Identifiers that have a namespace of their own already."""
    for column in tuple(draft.columns.values()):
        namespace, why = KNOWN.get(column.words), "by its name"
        if column.mostly(EMAIL.match):
            namespace, why = "email", "its values are addresses"
        elif PHONE_WORDS & {*column.words} and column.mostly(PHONE.match):
            namespace, why = "phone", "by its name, and its values have the digits of numbers"
        if namespace is not None:
            draft.take(column)
            draft.identifiers.append(_identifier(namespace, column, why))


def _identifier(namespace: str, column: Column, why: str, *, key: bool = False) -> str:
    flag = ", key = true" if key else ""
    return f'{{ namespace = "{namespace}", value = {column.path}{flag} }},  # `{column.shown}`: {why}'


def _record_key(draft: _Draft) -> None:
    """The source's own id of the record, or of the person it is about."""
    own = None if draft.events else draft.first(lambda each: each.words == ("id",) and each.distinct)
    found = own or draft.first(lambda each: _is_id(each, PERSON_WORDS) and each.kind in {NUMBER, TEXT})
    if found is None:
        return
    namespace = re.sub(r"[^a-z0-9_.]", "_", f"{draft.source}_contact")[:64]
    why = "no two records share one, so it is the record's own id" if found is own else "by its name a person's id"
    draft.take(found)
    draft.identifiers.insert(0, _identifier(namespace, found, why, key=True))
    draft.namespaces += [
        f"[namespaces.{namespace}]",
        'role = "Contact"',
        "unique = true  # one person has one; false for leads, carts and the like",
        "max_partners = 0",
    ]


def _account(draft: _Draft) -> None:
    found = draft.first(lambda each: _is_id(each, ACCOUNT_WORDS))
    if found is not None:
        draft.take(found)
        draft.account += [
            "[message.account]",
            f"value = {found.path}  # `{found.shown}`: by its name the id of an organisation",
        ]


def _time(draft: _Draft) -> None:
    """The message's own moment: of the columns that hold moments the one whose name says most of it."""
    moments = [each for each in draft.columns.values() if _moment(each)]
    ranked = sorted(moments, key=lambda each: min((_rank(word) for word in each.words), default=len(TIME_WORDS)))
    if not ranked:
        draft.message.append("# time: no column holds moments; messages are shown at their receipt")
        return
    draft.take(ranked[0])
    value, why = _moment(ranked[0]) or ("", "")
    draft.message.append(f"time = {value}  # `{ranked[0].shown}`: {why}")


def _rank(word: str) -> int:
    return TIME_WORDS.index(word) if word in TIME_WORDS else len(TIME_WORDS)


def _moment(column: Column) -> tuple[str, str] | None:
    """How a column is read as moments, and why; None where it holds none."""
    if column.kind in {DATE, TIME}:
        return (
            f"{{ time = {column.path} }}",
            "its values are dates" if column.kind == DATE else "its values are moments",
        )
    if column.kind != NUMBER or not {*TIME_WORDS, "ts", "epoch"} & {*column.words}:
        return None
    for unit, factor in UNITS.items():
        if column.mostly(lambda each, by=factor: EPOCH[0] <= float(each) / by <= EPOCH[1]):  # type: ignore[misc] # bound at once
            return f'{{ time = {column.path}, format = "{unit}" }}', f"numbers that are moments since 1970 in {unit}"
    return None


def _rest(draft: _Draft) -> list[str]:
    """A line for each column that names nobody and nothing."""
    currency = draft.first(lambda each: each.words[-1:] == ("currency",) or each.words == ("currency", "code"))
    taken: set[str] = set()
    return [_valued(each, currency, taken) for each in draft.columns.values()]


def _valued(column: Column, currency: Column | None, taken: set[str]) -> str:
    value, why = _value(column, currency)
    name = "_".join(column.words) or column.name
    while name in taken:
        name += "_"
    taken.add(name)
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
    return f"{key} = {value}" + (f"  # {why}" if why else "")


def _value(column: Column, currency: Column | None) -> tuple[str, str]:
    path, words = column.path, {*column.words}
    moment = _moment(column)
    if moment is not None:
        return moment
    if column.kind == NUMBER and (MONEY_WORDS | MINOR_WORDS) & words:
        return _money(column, currency, minor=bool(MINOR_WORDS & words))
    if column.kind == NUMBER:
        return f"{{ number = {path} }}", ""
    if column.kind == FLAG:
        return f"{{ flag = {path} }}", ""
    if column.kind == TEXT and column.mostly(_is_json):
        return f"{{ parse_json = {path} }}", "its values are JSON in a text"
    return path, "a list or a table, as it is" if column.kind in {LIST, TABLE} else ""


def _money(column: Column, currency: Column | None, *, minor: bool) -> tuple[str, str]:
    said = f", currency = {currency.path}" if currency else ', currency = { const = "EUR" }' if minor else ""
    why = f"money by its name, in the currency of `{currency.shown}`" if currency else "money by its name"
    if minor:
        why += "; in hundredths, by its name" + ("" if currency else "; name its currency")
    return f"{{ money = {column.path}{said}{', minor = true' if minor else ''} }}", why


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json_value(text.encode())
    except UnreadableJsonError:
        return False
    return True


def _written(draft: _Draft, form: Form, name: str, seen: int, rest: Sequence[str], empty: Sequence[Column]) -> str:
    format_ = [f'format = "{form.format}"'] if form.format in FORMATS else []
    head = [
        f"# Drafted from the first {seen:,} records of {_plain(name)}.",
        "# Judge each choice, then try the mapping with `selfsame load --dry-run`.",
        f'source = "{draft.source}"  # message ids are unique within it for ever: name the system, not the file',
        *format_,
        "",
    ]
    named = draft.identifiers or ["# no column names anybody: add at least one identifier"]
    rows = ["[[message]]", *draft.message, "identifiers = [", *(f"  {each}" for each in named), "]", ""]
    values = [f"[message.{'properties' if draft.events else 'traits'}]", *rest, ""] if rest else []
    left = [f"# empty so far, and left out: {', '.join(each.shown for each in empty)}", ""] if empty else []
    parts = [*head, *draft.namespaces, *([""] if draft.namespaces else []), *rows, *draft.account]
    parts += [""] if draft.account else []
    return "\n".join([*parts, *values, *left]).rstrip() + "\n"
