"""What is said of a thing, as texts, moments and amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from insight.things import Money, flag_in, moment_in, money_in, text_in


@pytest.mark.parametrize(
    ("told", "amount"),
    [("9.50", "9.50"), (9.5, "9.5"), (3, "3"), ("1e3", "1000")]
    + [(each, None) for each in ("about 9", "NaN", "1e999", True, "")],
)
def test_an_amount_is_a_decimal_text(told: Json, amount: str | None) -> None:
    assert money_in({"total": told, "currency": "GBP"}, "total") == (Money(amount, "GBP") if amount else None)


def test_the_first_fact_that_says_something_counts() -> None:
    assert text_in({"a": None, "b": ["x"], "c": 7}, "a", "b", "c") == "7"
    assert money_in({"revenue": 7}, "total", "revenue") == Money("7", None)


def test_a_moment_without_an_offset_is_utc_and_a_day_its_first() -> None:
    assert moment_in({"at": "2026-01-01"}, "at") == moment_in({"at": "2026-01-01T01:00:00+01:00"}, "at")
    assert moment_in({"at": "soon"}, "at", "else") is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_whatever_was_sent_is_read_or_passed_over(value: Json) -> None:
    facts = {"x": value}
    assert flag_in(facts, "x") in {None, True, False}
    money_in(facts, "x"), moment_in(facts, "x"), text_in(facts, "x")
