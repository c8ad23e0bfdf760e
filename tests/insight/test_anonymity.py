"""How few people a number may be about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.anonymity import FLOOR, told, told_parts


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, None), (19, None), (20, 20), (21, 21)])
def test_a_number_below_the_floor_is_not_told_but_nobody_is(count: int, shown: int | None) -> None:
    assert told(count) == shown


@given(st.integers(0, 60), st.integers(0, 60))
def test_nothing_that_is_told_lets_a_small_number_be_reckoned(part: int, rest: int) -> None:
    """The whole may be told beside the parts: then a hidden part must not be the difference."""
    shown = told_parts(part, rest)
    whole = told(part + rest)
    for one, other in ((part, shown[1]), (rest, shown[0])):
        if 0 < one < FLOOR and whole is not None:
            assert other is None
