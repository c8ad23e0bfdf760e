"""The functions of a mapping, each on what it reads and what it cannot read."""

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from loaders.errors import MappingInvalidError
from tests.loaders.mappings import IDENTIFIED, mapping, rejection, trait
from tests.loaders.test_segment_http import ANY_JSON


@pytest.mark.parametrize(
    ("value", "record", "wanted"),
    [
        ('"a.b"', {"a": {"b": 3}}, 3),
        ("\"lines[?sku=='x'].price | [0]\"", {"lines": [{"sku": "x", "price": 5}]}, 5),
        ('{ path = "a" }', {"a": [1]}, [1]),
        ('{ const = "gold" }', {}, "gold"),
        ("{ const = 0 }", {}, 0),
        ('{ first = ["a", "b"] }', {"a": None, "b": "x"}, "x"),
        ('{ first = ["a", "b"] }', {"a": "  ", "b": "x"}, "x"),
        ('{ first = ["a", "b"] }', {"a": 0, "b": "x"}, 0),
        ('{ first = ["a", "b"], zero_is_missing = true }', {"a": 0, "b": "x"}, "x"),
        ('{ first = ["a", "b"], placeholders = ["N/A"] }', {"a": "n/a ", "b": "x"}, "x"),
        ('{ first = ["a", { const = "z" }] }', {}, "z"),
        ('{ concat = ["a", "b"] }', {"a": "Ada ", "b": "Quill"}, "Ada Quill"),
        ('{ concat = ["a", "b"] }', {"a": "Ada", "b": None}, "Ada"),
        ('{ concat = ["a", "b"], separator = "/" }', {"a": 1, "b": True}, "1/true"),
        ('{ concat = ["a"] }', {}, None),
        ('{ template = "shop:{a.b}:{c}" }', {"a": {"b": 1}, "c": "x"}, "shop:1:x"),
        ('{ template = "shop:{a}" }', {"a": ""}, None),
        ('{ template = "shop:{a}" }', {}, None),
        ('{ parse_json = "a" }', {"a": '{"b":[1]}'}, {"b": [1]}),
        ('{ parse_json = "a", then = "b[0]" }', {"a": '{"b":[1]}'}, 1),
        ('{ sha256 = "a" }', {"a": " x "}, hashlib.sha256(b"x").hexdigest()),
        ('{ email = "a" }', {"a": " Ann@Bücher.DE "}, "ann@xn--bcher-kva.de"),
        ('{ phone = "a" }', {"a": "0113 496 0001"}, "+441134960001"),
        ('{ phone = "a", region = "DE" }', {"a": "030 901820"}, "+4930901820"),
        ('{ flag = "a" }', {"a": "Yes"}, True),
        ('{ flag = "a" }', {"a": 0}, False),
    ],
)
def test_a_function_makes_of_a_record(value: str, record: dict[str, Json], wanted: Json) -> None:
    assert trait(value, record) == (wanted, [])


@pytest.mark.parametrize(
    ("value", "given", "wanted"),
    [
        ('{ time = "a" }', "2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00+00:00"),
        ('{ time = "a" }', "2026-07-01 10:00:00.123", "2026-07-01T10:00:00.123000+00:00"),
        ('{ time = "a", zone = "Europe/London" }', "2026-07-01T10:00", "2026-07-01T09:00:00+00:00"),
        ('{ time = "a", format = "s" }', 1_700_000_000, "2023-11-14T22:13:20+00:00"),
        ('{ time = "a", format = "s" }', "1700000000.25", "2023-11-14T22:13:20.250000+00:00"),
        ('{ time = "a", format = "ms" }', 1_700_000_000_001, "2023-11-14T22:13:20.001000+00:00"),
        ('{ time = "a", format = "us" }', "1700000000000001", "2023-11-14T22:13:20.000001+00:00"),
        ('{ time = "a", format = "%d/%m/%Y %H:%M" }', "31/01/2026 18:00", "2026-01-31T18:00:00+00:00"),
        ('{ time = "a", format = "%d/%m/%Y", zone = "Asia/Tokyo" }', "31/01/2026", "2026-01-30T15:00:00+00:00"),
    ],
)
def test_a_time_is_read_as_the_mapping_names_it(value: str, given: Json, wanted: str) -> None:
    assert trait(value, {"a": given}) == (wanted, [])


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ('{ time = "a" }', "1700000000"),
        ('{ time = "a" }', "soon"),
        ('{ time = "a" }', {}),
        ('{ time = "a", format = "s" }', "2026-01-01"),
        ('{ time = "a", format = "s" }', 10**17),
        ('{ time = "a", format = "ms" }', True),
        ('{ time = "a", format = "%d/%m/%Y" }', "01/31/2026"),
    ],
)
def test_a_time_of_another_form_is_missing_with_a_warning(value: str, given: Json) -> None:
    assert trait(value, {"a": given}) == (None, ["invalid_time"])


@pytest.mark.parametrize(
    ("value", "record", "wanted"),
    [
        ('{ money = "a" }', {"a": "3600"}, "3600.00"),
        ('{ money = "a" }', {"a": 29.95}, "29.95"),
        ('{ money = "a" }', {"a": 0.1}, "0.10"),
        ('{ money = "a" }', {"a": "-5.5"}, "-5.50"),
        ('{ money = "a" }', {"a": "1.005"}, "1.005"),
        ('{ money = "a", currency = "c" }', {"a": "1200", "c": "JPY"}, "1200"),
        ('{ money = "a", currency = "c", minor = true }', {"a": 1999, "c": "gbp"}, "19.99"),
        ('{ money = "a", currency = "c", minor = true }', {"a": "1999", "c": "KWD"}, "1.999"),
        ('{ money = "a", currency = { const = "JPY" }, minor = true }', {"a": 5}, "5"),
        ('{ money = "a", currency = "c", minor = true, exponent = 2 }', {"a": 100, "c": "ISK"}, "1.00"),
        ('{ number = "a" }', {"a": "12"}, 12),
        ('{ number = "a" }', {"a": "12.5"}, 12.5),
        ('{ number = "a" }', {"a": 7}, 7),
    ],
)
def test_amounts_are_exact(value: str, record: dict[str, Json], wanted: Json) -> None:
    assert trait(value, record) == (wanted, [])


@pytest.mark.parametrize("function", ["money", "number", "flag", "email", "phone", "parse_json"])
@pytest.mark.parametrize("given", ["x,y", "1,234.50", "1e9", [1], {}])
def test_what_a_function_cannot_read_is_missing_with_a_warning(function: str, given: Json) -> None:
    assert trait(f'{{ {function} = "a" }}', {"a": given}) == (None, ["invalid_value"]) or (function, given) == (
        "parse_json",
        "1e9",
    )


@pytest.mark.parametrize("function", ["money", "number", "flag", "email", "phone", "parse_json", "time", "sha256"])
@pytest.mark.parametrize("given", ["", None])
def test_what_is_missing_stays_missing_without_a_warning(function: str, given: Json) -> None:
    assert trait(f'{{ {function} = "a" }}', {"a": given}) == (None, [])


FUNCTIONS = st.sampled_from(
    [f'{{ {name} = "a" }}' for name in
     ("path", "money", "number", "flag", "email", "phone", "parse_json", "time", "sha256")]
    + ['{ first = ["a"] }', '{ concat = ["a", "b"] }', '{ template = "{a}{b}" }', '{ time = "a", format = "ms" }',
       '{ money = "a", currency = "b", minor = true }', '{ parse_json = "a", then = "b" }']
)  # fmt: skip


@given(FUNCTIONS, ANY_JSON, ANY_JSON)
def test_no_value_breaks_a_function(value: str, a: Json, b: Json) -> None:
    trait(value, {"a": a, "b": b})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ('"a..b"', "no expression"),
        ('""', "no expression"),
        ('"!a.b"', "write `!\\(a.b\\)`"),
        (f'"{"a" * 501}"', "longer than 500"),
        ("{ }", "exactly one of"),
        ('{ path = "a", const = 1 }', "found path, const"),
        ("{ const = 2026-01-01 }", "write a text"),
        ('{ path = "a", zone = "UTC" }', "`path` takes no `zone`"),
        ('{ time = "a", zone = "Mars" }', "no time zone"),
        ('{ time = "a", format = "minutes" }', "iso, s, ms, us"),
        ('{ time = "a", format = "%Q" }', "iso, s, ms, us"),
        ('{ money = "a", minor = true }', "need a `currency`"),
        ("{ first = [] }", "empty list"),
        ('{ template = "{a" }', "brace"),
        ('{ tiem = "a" }', "unknown field `tiem`"),
        ("3", "Expected `str | object`"),
    ],
)
def test_a_value_that_means_nothing_is_refused_before_anything_is_read(value: str, why: str) -> None:
    text = f"{IDENTIFIED}\ntraits = {{ it = {value} }}\n"
    with pytest.raises(MappingInvalidError, match=why) as refused:
        mapping(text)
    assert str(refused.value).startswith("some.toml: ")


def test_an_expression_that_only_signs_make_deep_is_refused_or_read() -> None:
    with suppress(MappingInvalidError):
        trait(f'"{"!" * 499}a"', {"a": 1})


def test_an_expression_that_fails_on_one_record_rejects_that_one() -> None:
    for failing in ('"a[::0]"', '"length(a)"'):
        text = f"{IDENTIFIED}\ntraits = {{ it = {failing} }}\n"
        answer = rejection(text, {"id": "c1", "a": [1] if "::" in failing else None})
        assert (answer.code, answer.place) == ("not_mappable", "file.jsonl:7")
        assert "message[0].traits.it" in answer.sentence
