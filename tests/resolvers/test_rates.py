"""How often and how much may be asked."""

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from resolvers.rates import Meter, Rate, Rates, full

TWO = Rates(Rate(2, 4), Rate(100, 6_000))


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def refusal(meter: Meter, *, cost: int | None = None) -> GraphQLError | None:
    try:
        meter.ask() if cost is None else meter.spend(cost)
    except GraphQLError as error:
        return error
    return None


@given(
    st.floats(0.1, 100),
    st.floats(1, 50),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 5)), max_size=60),
)
def test_in_no_stretch_of_time_more_is_taken_than_the_rate_and_the_burst(
    per_second: float, at_once: float, asked: list[tuple[float, int]]
) -> None:
    bucket, at, taken = full(Rate(per_second, at_once), 0), 0.0, []
    for pause, amount in asked:
        at += pause
        if amount <= at_once and not bucket.take(amount, at):
            taken.append((at, amount))
    for first, (began, _) in enumerate(taken):
        total = 0
        for ended, amount in taken[first:]:
            total += amount
            assert total <= at_once + per_second * (ended - began) + 1e-6


@given(st.floats(0.1, 100), st.floats(1, 50), st.lists(st.integers(1, 80), max_size=40))
def test_who_waits_as_long_as_was_said_is_let_in(per_second: float, at_once: float, asked: list[int]) -> None:
    bucket, at = full(Rate(per_second, at_once), 0), 0.0
    for amount in asked:
        at += bucket.take(amount, at) + 1e-6
        if waits := bucket.take(amount, at):
            assert not bucket.take(amount, at + waits + 1e-6)


def test_a_question_above_the_rate_is_told_when_it_may_come_again() -> None:
    clock = Clock()
    meter = Meter(TWO, clock)
    assert [refusal(meter) for _ in range(4)] == [None] * 4
    refused = refusal(meter)
    assert refused is not None
    assert refused.extensions == {"code": "rate_limited", "retryAfter": 1}
    clock.at = 0.5
    assert refusal(meter) is None


def test_a_refused_question_costs_nothing() -> None:
    clock = Clock()
    meter = Meter(TWO, clock)
    with pytest.raises(GraphQLError):
        meter.ask(4) or meter.ask(1)
    clock.at = 2.0
    meter.ask(4)


def test_one_dear_question_is_let_in_by_itself_and_waited_for_afterwards() -> None:
    clock = Clock()
    meter = Meter(TWO, clock)
    assert refusal(meter, cost=9_000) is None
    refused = refusal(meter, cost=1)
    assert refused is not None
    assert (refused.extensions or {})["retryAfter"] == 31


def test_the_headers_say_what_is_left_and_when_all_of_it_is() -> None:
    meter = Meter(TWO, Clock())
    meter.ask()
    meter.spend(61)
    assert dict(meter.headers()) == {
        b"ratelimit-policy": b'"questions";q=4;w=2, "cost";q=6000;w=60;qu="cost"',
        b"ratelimit": b'"questions";r=3;t=1, "cost";r=5939;t=1',
    }


def test_without_a_limit_nothing_is_said_or_refused() -> None:
    meter = Meter(Rates())
    meter.ask(10**9)
    meter.spend(10**9)
    assert meter.headers() == ()
