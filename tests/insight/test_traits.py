"""Why a trait shows what it shows, for each strategy, and what else was said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from identity.policy import Policy, Strategy, Trait
from identity.survivorship import Observation, surviving
from insight.traits import ExplainedTrait, explained_traits
from tests.building import default_policy

DAY = 86_400_000_000
JANUARY = 20_454 * DAY


def said(value: Json, day: int, source: str = "web", *, sure: bool = True, count: int = 1) -> Observation:
    at = JANUARY + day * DAY
    return Observation("x", value, source, at, f"{source}:{day}", sure, at, f"{source}:{day}", count)


def by(strategy: Strategy = Strategy.LAST, *ranked: str) -> Policy:
    return replace(default_policy(), traits={"x": Trait(name="x", strategy=strategy)}, source_rank=ranked)


def why(*observations: Observation, policy: Policy | None = None) -> ExplainedTrait:
    return explained_traits(observations, policy or by())["x"]


T52 = said("A", 5, "crm"), said("B", 9, "web"), said("C", 7, "crm")


def test_a_better_ranked_source_is_named_before_those_it_beats() -> None:
    found = why(*T52, policy=by(Strategy.LAST, "crm", "web"))
    assert (found.value, found.rank) == ("C", 1)
    assert found.sentence == "crm said so on 2026-01-08, and the policy believes crm before web."
    assert [each.value for each in found.others] == ["B", "A"]


@pytest.mark.parametrize(
    ("strategy", "value", "sentence"),
    [
        (Strategy.LAST, "B", "web said so on 2026-01-10, the latest of all that was said."),
        (Strategy.FIRST, "A", "crm said so first, on 2026-01-06, the first of all that was said."),
        (Strategy.MAX, "C", "It is the largest of 3 values; crm said so on 2026-01-08."),
        (Strategy.MOST_FREQUENT, "B", "It was said most often of 3 values, in 1 message."),
        (
            Strategy.UNION,
            ["A", "B", "C"],
            "It is all that was said, 3 values together; web said the latest on 2026-01-10.",
        ),
    ],
)
def test_each_strategy_says_why(strategy: Strategy, value: Json, sentence: str) -> None:
    found = why(*T52, policy=by(strategy))
    assert (found.value, found.strategy, found.sentence) == (value, strategy, sentence)


def test_a_value_that_nobody_contradicts_is_told_as_such() -> None:
    assert why(said("", 1)).sentence == "web said so on 2026-01-02, and nobody said anything else."
    assert why(said("a", 1, sure=False)).at is None


def test_what_was_deleted_is_told_with_what_it_was() -> None:
    found = why(said("a", 1), said(None, 2))
    assert (found.value, found.source, [each.value for each in found.others]) == (None, "web", ["a"])
    assert found.sentence == "web deleted it on 2026-01-03, and nothing else stands."


def test_what_was_set_by_hand_comes_before_all_sources() -> None:
    by_hand = why(said("crm", 9, "crm"), said("hand", 1, "manual"), policy=by(Strategy.MAX, "crm"))
    assert (by_hand.value, by_hand.source) == ("hand", "manual")
    assert by_hand.sentence == "It was set by hand on 2026-01-02, and what is set by hand comes before all sources."
    gone = why(said("crm", 9, "crm"), said(None, 1, "manual"))
    assert (gone.value, gone.sentence) == (None, "Somebody deleted it on 2026-01-02, and nothing else stands.")


some_said = st.builds(
    said,
    st.sampled_from(["a", "b", None, 3, ""]),
    st.integers(1, 4),
    st.sampled_from(["web", "crm", "manual"]),
    sure=st.booleans(),
)


@given(st.lists(some_said, min_size=1, max_size=6, unique=True), st.sampled_from(Strategy), st.data())
def test_what_is_shown_is_what_survives_and_nothing_is_lost(
    observations: list[Observation], strategy: Strategy, data: st.DataObject
) -> None:
    policy = by(strategy, "crm")
    found, kept = why(*observations, policy=policy), surviving(observations, policy)
    assert found.value == (kept["x"].value if "x" in kept else None)
    assert set(observations) - set(found.others) <= {each for each in observations if each.message == found.message}
    assert why(*data.draw(st.permutations(observations)), policy=policy) == found
