"""Any text as a mapping file or an expression: it can be used, or an error names the file, the place and the reason."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from loaders.errors import MappingInvalidError
from loaders.expressions import EvaluationError, ExpressionInvalidError, expression
from loaders.formats.records import Found
from loaders.mapping import CATALOG, mapping_from_toml
from loaders.mapping_text import schema_text
from loaders.translating import translated
from tests.loaders.segment import NOW
from tests.loaders.test_segment_http import ANY_JSON

# JMESPath's own, of literals without quotes that old expressions have.
pytestmark = [pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")]
ROOT = Path(__file__).resolve().parents[2]
FILES = [*sorted(CATALOG.glob("*.toml")), *sorted((ROOT / "docs" / "examples").rglob("*.toml"))]
TEXTS = [each.read_text("utf-8") for each in FILES]
# What stands in mappings, so that what is made up comes past the first check.
WORDS = sorted(set(schema_text().replace('"', " ").replace("$", " ").split()) | {"email", "item.id", "a[?b].c", "{a}"})
LETTERS = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = (
    st.sampled_from(WORDS) | LETTERS | st.booleans() | st.integers(-(2**70), 2**70) | st.floats()
    | st.sampled_from([date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)])
)  # fmt: skip
NAMES = st.sampled_from(WORDS) | LETTERS
TOML = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
EXPRESSIONS = st.lists(
    st.sampled_from(
        [*"[]{}()*?.,:|&!@`'\"<=>-0129 \\", "a", "b", "[?", "[]", "`1`", "'x'", "length(", "sort_by(", "&a"]
    ),
    max_size=14,
).map("".join)


def toml(value: object) -> str:
    """A value as TOML writes it, whatever Python knows of it."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{toml(str(name))} = {toml(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(each if each.isalnum() else f"\\U{ord(each):08X}" for each in value) + '"'
        case date():
            return value.isoformat()
        case _:
            return str(value)


def used(text: str, record: Json = None) -> None:
    """Read a text as a mapping, and where it is one, a record by it; all else is an error that says where and why."""
    try:
        made = mapping_from_toml(text, "some.toml")
    except MappingInvalidError as error:
        said = str(error)
    else:
        translated(Found(record, "file:1", "raw"), made, NOW)
        return
    assert said.startswith("some.toml: ")
    assert len(said) > len("some.toml: ")


@given(st.text(st.characters(codec="utf-8")) | TOML.map(toml), ANY_JSON)
def test_any_text_is_a_mapping_or_an_error(text: str, record: Json) -> None:
    used(text, record)


@given(st.sampled_from(TEXTS), st.data())
def test_a_mapping_with_one_part_changed_is_a_mapping_or_an_error(text: str, data: st.DataObject) -> None:
    """At a place of the file something else stands, or nothing, or it stands under another name."""
    tables: list[dict[str, object] | list[object]] = [tomllib.loads(text)]
    read = tables[0]
    for each in tables:
        tables += [
            inner for inner in (each.values() if isinstance(each, dict) else each) if isinstance(inner, dict | list)
        ]
    table = data.draw(st.sampled_from([each for each in tables if each]))
    if isinstance(table, dict):
        name = data.draw(st.sampled_from(sorted(table)))
        value = table.pop(name)
        table.update(data.draw(st.sampled_from([{}, {name: data.draw(TOML)}, {data.draw(NAMES): value}])))
    else:
        table[data.draw(st.integers(0, len(table) - 1))] = data.draw(TOML)
    assert isinstance(read, dict)
    used("".join(f"{toml(name)} = {toml(value)}\n" for name, value in read.items()), data.draw(ANY_JSON))


@given(st.sampled_from(TEXTS), st.integers(0, 5_000), st.integers(0, 40), LETTERS)
def test_a_mapping_that_is_cut_or_overwritten_is_a_mapping_or_an_error(
    text: str, start: int, many: int, new: str
) -> None:
    start %= len(text)
    used(text[:start] + new + text[start + many :])


IDENTIFY = '[[message]]\nkind = "identify"\n'
TRAIT = f'source = "crm"\n{IDENTIFY}[message.traits]\nit = '
HOSTILE = {
    "digits": "source = " + "9" * 5_000,
    "brackets": "source = " + "[" * 5_000,
    "dots": "a" + ".a" * 2_000 + " = 1",
    "hexadecimal": "source = 0x" + "f" * 400,
    "no day": "x = 9999-99-99",
    "exponent": TRAIT + '{ money = "a", exponent = 999999999999999999999999999999 }',
    "path": TRAIT + '{ time = "a", zone = "../../etc/passwd" }',
    "nul": f'source = "crm"\nzone = "\\u0000"\n{IDENTIFY}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mapping_is_an_error(text: str) -> None:
    with pytest.raises(MappingInvalidError, match=r"^some\.toml: ."):
        mapping_from_toml(text, "some.toml")


@given(EXPRESSIONS | st.text(), ANY_JSON)
def test_any_text_is_an_expression_or_an_error_and_any_record_has_a_value_or_an_error(text: str, record: Json) -> None:
    with suppress(ExpressionInvalidError, EvaluationError):
        expression(text).search(record)
