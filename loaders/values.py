"""The functions of a mapping: closed, typed, without side effects; each wraps values that JMESPath found.

A value that is missing stays missing through every function, so that a record without a phone has no phone. What a
function cannot read is missing too, with a warning, and the rest of the record is kept.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import UNSET

from identity.identifiers import Blocked, normalise
from identity.messages import Json, Warned, moment
from identity.policy import Namespace, Normaliser, Policy, Role
from loaders.errors import MappingInvalidError
from loaders.expressions import EvaluationError, ExpressionInvalidError, expression
from loaders.mapping_text import FunctionText, ValueText
from loaders.moments import in_utc, iso_moment
from loaders.wire import UnreadableJsonError, json_value, text_of

Read = Callable[[Json, list[Warned]], Json]

EPOCH_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
DECIMAL = re.compile(r"[+-]?\d{1,18}(\.\d{1,9})?\Z")
# Currencies whose minor unit is no hundredth (ISO 4217); Stripe keeps ISK at hundredths, so a mapping can say it.
NO_MINOR_UNITS = frozenset(
    {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF",
        "XPF",
    }
)  # fmt: skip
THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
SALESFORCE_SHORT = 15
SALESFORCE_BITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TEMPLATE_PART = re.compile(r"\{([^{}]*)\}")


def _contact_point(name: str, normaliser: Normaliser) -> Namespace:
    return Namespace(name=name, role=Role.CONTACT_POINT, priority=2, normaliser=normaliser)


# Traits are written as identity writes identifiers; nothing is blocked, since a trait joins nobody.
AS_IDENTITY = Policy(
    version="mapping",
    namespaces={
        "email": _contact_point("email", Normaliser.EMAIL),
        "phone": _contact_point("phone", Normaliser.PHONE),
    },
    traits={},
    blocked_values=frozenset(),
    blocked_patterns=(),
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the whole mapping says for values that do not. zone: for times without one; region: for phones."""

    zone: tzinfo = UTC
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A compiled value. names: the paths it asks of its input, one or two names deep."""

    names: frozenset[tuple[str, ...]]
    read: Read


def value_from(text: ValueText, place: str, defaults: Defaults) -> Value:
    """The value that a mapping describes. Raises MappingInvalidError with the place and the reason."""
    if isinstance(text, str):
        return _path(text, place)
    given = {name: getattr(text, name) for name in text.__struct_fields__ if getattr(text, name) is not UNSET}
    named = [name for name in FUNCTIONS if name in given]
    if len(named) != 1:
        shown = ", ".join(named) or "none"
        raise MappingInvalidError(f"{place}: exactly one of {', '.join(FUNCTIONS)} is needed, found {shown}")
    function = FUNCTIONS[named[0]]
    for name in given.keys() - {named[0]} - function.arguments:
        raise MappingInvalidError(f"{place}: `{named[0]}` takes no `{name}`")
    return function.make(_Call(text, place, defaults))


def time_from(text: ValueText, place: str, defaults: Defaults) -> Value:
    """The time that a mapping describes; what is not told to be a time is read as ISO 8601."""
    if isinstance(text, FunctionText) and text.time is not UNSET:
        return value_from(text, place, defaults)
    return value_from(FunctionText(time=text), place, defaults)


@dataclass(frozen=True, slots=True)
class _Call:
    text: FunctionText
    place: str
    defaults: Defaults

    def inner(self, name: str) -> Value:
        return value_from(getattr(self.text, name), f"{self.place}.{name}", self.defaults)

    def each(self, name: str) -> list[Value]:
        given = getattr(self.text, name)
        if not given:
            raise MappingInvalidError(f"{self.place}.{name}: an empty list says nothing")
        return [value_from(each, f"{self.place}.{name}[{at}]", self.defaults) for at, each in enumerate(given)]

    def converted(self, name: str, convert: Callable[[Json], Json], code: str = "invalid_value") -> Value:
        """A value that turns another one; what it cannot turn (ValueError) is missing, with a warning."""
        inner, place = self.inner(name), self.place

        def read(record: Json, warnings: list[Warned]) -> Json:
            value = inner.read(record, warnings)
            if value is None or value == "":
                return None
            try:
                return convert(value)
            except ValueError as error:
                warnings.append(Warned(code, place, f"{_shown(value)} {error}; it is left out"))
                return None

        return Value(inner.names, read)


def _shown(value: Json) -> str:
    return f"`{str(value)[:60]}`"


def _path(text: str, place: str) -> Value:
    try:
        found = expression(text)
    except ExpressionInvalidError as error:
        raise MappingInvalidError(f"{place}: `{text[:80]}` is no expression: {error}") from error

    def read(record: Json, _warnings: list[Warned]) -> Json:
        try:
            return found.search(record)
        except EvaluationError as error:
            raise EvaluationError(f"{place}: {error}") from error

    return Value(found.names, read)


def _const(call: _Call) -> Value:
    value = call.text.const
    if not isinstance(value, str | int | float | bool | list | dict):
        raise MappingInvalidError(f"{call.place}.const: write a text, a number, a truth value, a list or a table")
    return Value(frozenset(), lambda _record, _warnings: value)


def _first(call: _Call) -> Value:
    values = call.each("first")
    placeholders = frozenset(each.casefold() for each in call.text.placeholders or ())
    zero = bool(call.text.zero_is_missing)

    def read(record: Json, warnings: list[Warned]) -> Json:
        found = (each.read(record, warnings) for each in values)
        return next((each for each in found if not _missing(each, placeholders, zero)), None)

    return Value(_names(values), read)


def _missing(value: Json, placeholders: Collection[str], zero: bool) -> bool:
    text = text_of(value)
    if text is None:
        return value is None
    return not text.strip() or text.strip().casefold() in placeholders or (zero and text.strip() in {"0", "false"})


def _names(values: Sequence[Value]) -> frozenset[tuple[str, ...]]:
    return frozenset(chain.from_iterable(each.names for each in values))


def _concat(call: _Call) -> Value:
    values = call.each("concat")
    separator = " " if call.text.separator is UNSET else call.text.separator

    def read(record: Json, warnings: list[Warned]) -> Json:
        texts = ((text_of(each.read(record, warnings)) or "").strip() for each in values)
        return separator.join(text for text in texts if text) or None

    return Value(_names(values), read)


def _template(call: _Call) -> Value:
    return template_from(str(call.text.template), f"{call.place}.template")


def template_from(text: str, place: str) -> Value:
    """A text with `{expressions}` in it; missing when one of them is missing or empty. Raises MappingInvalidError."""
    literals = TEMPLATE_PART.split(text)[::2]
    values = [_path(part, place) for part in TEMPLATE_PART.findall(text)]
    if any(brace in literal for literal in literals for brace in "{}"):
        raise MappingInvalidError(f"{place}: a brace is not closed, or stands inside another")

    def read(record: Json, warnings: list[Warned]) -> Json:
        parts = [text_of(each.read(record, warnings)) for each in values]
        if not all(parts):
            return None
        return "".join(chain.from_iterable(zip(literals, [*(str(part) for part in parts), ""], strict=True)))

    return Value(_names(values), read)


def _time(call: _Call) -> Value:
    format_ = "iso" if call.text.format is UNSET else call.text.format
    zone = call.defaults.zone if call.text.zone is UNSET else zone_named(call.text.zone, call.place)
    if format_ in EPOCH_UNITS:
        return call.converted("time", lambda value: _epoch(value, EPOCH_UNITS[format_]), "invalid_time")
    if format_ == "iso":
        return call.converted("time", lambda value: iso_moment(_text(value), zone).isoformat(), "invalid_time")
    _check_pattern(format_, f"{call.place}.format")
    return call.converted("time", lambda value: _patterned(_text(value), format_, zone), "invalid_time")


def _check_pattern(pattern: str, place: str) -> None:
    try:
        datetime.strptime("", pattern)  # noqa: DTZ007 -- only the pattern is tried
    except ValueError as error:
        if "%" not in pattern or "does not match" not in str(error):
            raise MappingInvalidError(f"{place}: iso, s, ms, us or a pattern such as %d/%m/%Y %H:%M") from error


def zone_named(name: str, place: str) -> tzinfo:
    """The time zone with a name such as Europe/London. Raises MappingInvalidError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MappingInvalidError(f"{place}: `{name}` is no time zone such as Europe/London") from error


def _patterned(text: str, pattern: str, zone: tzinfo) -> str:
    return in_utc(datetime.strptime(text, pattern), zone).isoformat()  # noqa: DTZ007 -- in_utc gives the zone


def _epoch(value: Json, micros_per_unit: int) -> str:
    try:
        return moment(int(_decimal(value) * micros_per_unit)).isoformat()
    except (OverflowError, OSError) as error:
        raise ValueError("is no time that a calendar reaches") from error


def _text(value: Json) -> str:
    text = text_of(value)
    if text is None:
        raise ValueError("is no text")
    return text.strip()


def _decimal(value: Json) -> Decimal:
    """Exact: a JSON number goes through the shortest text that stands for it, never through float arithmetic."""
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else _text(value)
    if not DECIMAL.match(text):
        raise ValueError("is no decimal number such as 1234.50")
    return Decimal(text)


def _money(call: _Call) -> Value:
    """The amount as a decimal text with the places of its currency; minor: it is told in pence.

    exponents: the places of currencies in which the source departs from ISO 4217.
    """
    currency = None if call.text.currency is UNSET else call.inner("currency")
    fixed = None if call.text.exponent is UNSET else call.text.exponent
    own = {} if call.text.exponents is UNSET else {name.upper(): each for name, each in call.text.exponents.items()}
    minor, amount, place = (
        bool(call.text.minor),
        call.converted("money", lambda value: str(_decimal(value))),
        call.place,
    )
    if minor and currency is None and fixed is None:
        raise MappingInvalidError(f"{place}: minor units need a `currency` or an `exponent`")

    def read(record: Json, warnings: list[Warned]) -> Json:
        value = amount.read(record, warnings)
        named = text_of(currency.read(record, warnings)) if currency is not None else None
        if value is None:
            return None
        return _amount(Decimal(str(value)), _exponent(fixed, named, own), minor)

    return Value(_names([amount, *([currency] if currency else [])]), read)


def _exponent(fixed: int | None, currency: str | None, own: Mapping[str, int]) -> int:
    """The decimal places of a currency; own: where the source counts otherwise than ISO 4217."""
    if fixed is not None:
        return fixed
    code = (currency or "").strip().upper()
    if code in own:
        return own[code]
    return 0 if code in NO_MINOR_UNITS else 3 if code in THOUSANDTHS else 2


def _amount(value: Decimal, exponent: int, minor: bool) -> str:
    scaled = value.scaleb(-exponent) if minor else value
    smallest = Decimal(1).scaleb(-exponent)
    return format(scaled.quantize(smallest) if scaled == scaled.quantize(smallest) else scaled.normalize(), "f")


def _number(call: _Call) -> Value:
    return call.converted("number", _as_number)


def _as_number(value: Json) -> Json:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    read = _decimal(value)
    return int(read) if read == read.to_integral_value() and "." not in str(read) else float(read)


def _flag(call: _Call) -> Value:
    return call.converted("flag", _as_flag)


def _as_flag(value: Json) -> Json:
    found = FLAGS.get(_text(value).lower())
    if found is None:
        raise ValueError("is none of true, false, yes, no, 1, 0")
    return found


def _email(call: _Call) -> Value:
    return call.converted("email", lambda value: _as_identity("email", value, None))


def _phone(call: _Call) -> Value:
    region = call.defaults.region if call.text.region is UNSET else call.text.region
    return call.converted("phone", lambda value: _as_identity("phone", value, region))


def _as_identity(namespace: str, value: Json, region: str | None) -> str:
    read = normalise(namespace, _text(value), AS_IDENTITY, region)
    if isinstance(read, Blocked):
        raise ValueError(f"cannot be used: {read.sentence}")  # noqa: TRY004 -- the value is wrong, not its type
    return read.value


def _parse_json(call: _Call) -> Value:
    return _then(call, call.converted("parse_json", _as_json))


def _then(call: _Call, inner: Value) -> Value:
    """What the expression of a call's `then` finds in a value."""
    if call.text.then is UNSET:
        return inner
    then = _path(call.text.then, f"{call.place}.then")

    def read(record: Json, warnings: list[Warned]) -> Json:
        value = inner.read(record, warnings)
        return None if value is None else then.read(value, warnings)

    return Value(inner.names, read)


def _as_json(value: Json) -> Json:
    try:
        return json_value(_text(value).encode())
    except UnreadableJsonError as error:
        raise ValueError(f"is no JSON: {error}") from error


def _split(call: _Call) -> Value:
    separator = ";" if call.text.separator is UNSET else call.text.separator
    if not separator:
        raise MappingInvalidError(f"{call.place}.separator: it must not be empty")
    parts = call.converted(
        "split", lambda value: [part for each in _text(value).split(separator) if (part := each.strip())]
    )
    return _then(call, parts)


def _sha256(call: _Call) -> Value:
    return call.converted("sha256", lambda value: hashlib.sha256(_text(value).encode()).hexdigest())


def _salesforce_id(call: _Call) -> Value:
    return call.converted("salesforce_id", _as_salesforce_id)


def _as_salesforce_id(value: Json) -> str:
    """An id of 15 characters, in which case counts, with the three that say which of them are capitals.

    Each of the three stands for five characters: bit n is set where the nth is a capital.
    """
    text = _text(value)
    if len(text) != SALESFORCE_SHORT or not (text.isascii() and text.isalnum()):
        return text
    parts = [text[at : at + 5] for at in range(0, SALESFORCE_SHORT, 5)]
    return text + "".join(SALESFORCE_BITS[sum(each.isupper() << at for at, each in enumerate(part))] for part in parts)


@dataclass(frozen=True, slots=True)
class _Function:
    make: Callable[[_Call], Value]
    arguments: frozenset[str] = frozenset()


FUNCTIONS: Mapping[str, _Function] = {
    "path": _Function(lambda call: call.inner("path")),
    "const": _Function(_const),
    "first": _Function(_first, frozenset({"placeholders", "zero_is_missing"})),
    "concat": _Function(_concat, frozenset({"separator"})),
    "template": _Function(_template),
    "time": _Function(_time, frozenset({"format", "zone"})),
    "money": _Function(_money, frozenset({"currency", "minor", "exponent", "exponents"})),
    "number": _Function(_number),
    "flag": _Function(_flag),
    "email": _Function(_email),
    "phone": _Function(_phone, frozenset({"region"})),
    "parse_json": _Function(_parse_json, frozenset({"then"})),
    "split": _Function(_split, frozenset({"separator", "then"})),
    "sha256": _Function(_sha256),
    "salesforce_id": _Function(_salesforce_id),
}
