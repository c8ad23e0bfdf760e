"""Which of the observed values a profile shows, strategy by strategy."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json
from identity.policy import Policy, Strategy, Trait
from identity.survivorship import MANUAL, Observation, canonical, joined, surviving
from tests.building import default_policy


def observed(
    value: Json, at: int, source: str = "web", *, message: str = "", sure: bool = True, count: int = 1
) -> Observation:
    return Observation("x", value, source, at, message or f"m{at}", sure, at, message or f"m{at}", count)


def by(strategy: Strategy, *ranked: str) -> Policy:
    return replace(default_policy(), traits={"x": Trait(name="x", strategy=strategy)}, source_rank=ranked)


def shown(*observations: Observation, policy: Policy | None = None) -> Json:
    found = surviving(observations, policy or by(Strategy.LAST))
    return found["x"].value if "x" in found else "absent"


def test_t53_the_latest_by_event_time_is_shown_whatever_arrived_first() -> None:
    assert shown(observed("new", 9), observed("old", 5)) == shown(observed("old", 5), observed("new", 9)) == "new"


def test_t52_a_better_ranked_source_is_shown_though_it_spoke_earlier() -> None:
    said = observed("A", 5, "crm"), observed("B", 9, "web"), observed("C", 7, "crm")
    assert shown(*said, policy=by(Strategy.LAST, "crm", "web")) == "C"
    assert shown(*said) == "B"


def test_at_one_moment_the_larger_message_id_is_shown() -> None:
    assert shown(observed("a", 5, message="m1"), observed("b", 5, message="m2")) == "b"


def test_an_unsure_time_counts_as_older_than_every_sure_one() -> None:
    assert shown(observed("sure", 1), observed("unsure", 9, sure=False)) == "sure"


def test_t53_null_deletes_and_an_empty_text_stays() -> None:
    assert shown(observed("a", 1), observed(None, 2)) == "absent"
    assert shown(observed("a", 1), observed("", 2)) == ""


def test_null_deletes_the_value_of_its_own_source_alone() -> None:
    assert shown(observed("crm", 1, "crm"), observed("web", 2), observed(None, 3)) == "crm"


def test_what_was_said_after_a_null_is_shown() -> None:
    assert shown(observed("a", 1), observed(None, 2), observed("b", 3)) == "b"


def test_the_first_is_shown_where_the_policy_says_so() -> None:
    assert shown(observed("late", 9), observed("early", 2), policy=by(Strategy.FIRST)) == "early"


def test_the_first_of_the_best_ranked_source_is_shown() -> None:
    said = observed("web", 1), observed("crm", 5, "crm"), observed("crm later", 7, "crm")
    assert shown(*said, policy=by(Strategy.FIRST, "crm")) == "crm"


@pytest.mark.parametrize(
    ("values", "most"), [([3, 10, 2], 10), ([3, "10"], 3), (["a", "b"], "b"), ([True, False], True)]
)
def test_the_largest_is_shown_numbers_before_texts(values: list[Json], most: Json) -> None:
    assert shown(*(observed(each, at) for at, each in enumerate(values)), policy=by(Strategy.MAX)) == most


def test_a_number_below_zero_is_larger_than_every_text() -> None:
    assert shown(observed(-5, 1), observed("z", 2), policy=by(Strategy.MAX)) == -5


def test_what_came_twice_is_counted_twice() -> None:
    assert joined(observed("a", 1, count=2), observed("a", 2, count=3)).count == 5


def test_the_most_frequent_is_shown_over_all_sources() -> None:
    said = observed("a", 9, count=2), observed("b", 1, count=1), observed("b", 2, "crm", count=2)
    assert shown(*said, policy=by(Strategy.MOST_FREQUENT)) == "b"


def test_of_two_equally_frequent_the_latest_is_shown() -> None:
    assert shown(observed("a", 9), observed("b", 1), policy=by(Strategy.MOST_FREQUENT)) == "a"


def test_the_union_holds_each_value_once_in_a_fixed_order() -> None:
    said = observed(["b", "a"], 1), observed("c", 2), observed(["a"], 3, "crm")
    assert (
        shown(*said, policy=by(Strategy.UNION)) == shown(*reversed(said), policy=by(Strategy.UNION)) == ["a", "b", "c"]
    )


@pytest.mark.parametrize("strategy", Strategy)
def test_what_was_set_by_hand_outranks_all_else_under_every_strategy(strategy: Strategy) -> None:
    said = observed(99, 9), observed(7, 2, MANUAL), observed(5, 1, MANUAL), observed(99, 3, "crm")
    assert shown(*said, policy=by(strategy, "crm")) == 7


@pytest.mark.parametrize("strategy", Strategy)
def test_a_null_by_hand_deletes_what_all_sources_say(strategy: Strategy) -> None:
    said = observed("a", 9), observed("b", 1, MANUAL), observed(None, 2, MANUAL)
    assert shown(*said, policy=by(strategy, "web")) == "absent"


def test_what_was_set_by_hand_after_a_null_is_shown() -> None:
    assert shown(observed(None, 2, MANUAL), observed("c", 3, MANUAL), observed("a", 9)) == "c"


def test_each_trait_survives_by_itself() -> None:
    name, city = observed("Ann", 1), replace(observed("Oslo", 2), trait="city")
    assert {key: each.value for key, each in surviving([name, city], default_policy()).items()} == {
        "x": "Ann",
        "city": "Oslo",
    }


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical({"b": [1, None], "a": "ü"}) == '{"a":"ü","b":[1,null]}'


def test_two_spellings_of_one_trait_in_one_message_show_the_same_first_value_in_any_order() -> None:
    said = [observed("b", 0, "crm", message="m1"), observed("a", 0, "crm", message="m1")]
    assert shown(*said, policy=by(Strategy.FIRST, "crm")) == shown(*reversed(said), policy=by(Strategy.FIRST, "crm"))


OBSERVATIONS = st.lists(
    st.builds(
        lambda value, at, source, number, sure: observed(value, at, source, message=f"m{number}", sure=sure),
        st.sampled_from(["a", "b", None, 3, ["a", "z"]]),
        st.integers(0, 9),
        st.sampled_from(["web", "crm", MANUAL]),
        st.integers(0, 10**6),
        st.booleans(),
    ),
    max_size=10,
)


@given(st.data(), st.sampled_from(Strategy), OBSERVATIONS)
def test_the_order_of_arrival_never_matters(data: st.DataObject, strategy: Strategy, said: list[Observation]) -> None:
    policy = by(strategy, "crm")
    assert surviving(said, policy) == surviving(data.draw(st.permutations(said)), policy)


@given(OBSERVATIONS, st.sampled_from(Strategy))
def test_repeats_that_are_aggregated_show_the_same_value(said: list[Observation], strategy: Strategy) -> None:
    together: dict[str, Observation] = {}
    for each in said:
        key = canonical([each.source, each.value])
        together[key] = joined(together[key], each) if key in together else each
    policy = by(strategy, "crm")
    assert shown(*together.values(), policy=policy) == shown(*said, policy=policy)


@given(OBSERVATIONS.filter(lambda said: len(said) >= 3))
def test_aggregation_does_not_look_at_the_order(said: list[Observation]) -> None:
    one, two, three = (replace(each, value="a", source="web") for each in said[:3])
    assert joined(one, two) == joined(two, one)
    assert joined(joined(one, two), three) == joined(one, joined(two, three))


def test_two_aggregates_begin_with_the_earlier_and_end_with_the_later() -> None:
    early, late = observed("a", 1, message="m8"), observed("a", 4, message="m2")
    assert joined(late, early) == replace(late, first_at=1, first_message="m8", count=2)


@pytest.mark.parametrize(
    ("web", "crm"),
    [
        (observed("sure", 1), observed("unsure", 9, "crm", sure=False)),
        (observed("a", 5, message="m2"), observed("b", 5, "crm", message="m1")),
        (observed("b", 5, message="m1"), observed("a", 5, "crm", message="m1")),
    ],
    ids=["sure", "the larger id", "the larger value"],
)
def test_of_two_sources_of_one_rank_the_later_is_shown(web: Observation, crm: Observation) -> None:
    assert shown(web, crm) == shown(crm, web) == web.value


@pytest.mark.parametrize("strategy", [Strategy.LAST, Strategy.MOST_FREQUENT])
def test_two_spellings_of_one_trait_in_one_message_show_the_same_last_value_in_any_order(strategy: Strategy) -> None:
    said = [observed("b", 0, message="m1"), observed("a", 0, message="m1")]
    assert shown(*said, policy=by(strategy)) == shown(*reversed(said), policy=by(strategy)) == "b"


def test_of_two_first_sightings_at_one_moment_the_sure_one_is_shown() -> None:
    said = [observed("a", 5, "crm", message="m1", sure=False), observed("a", 5, message="m1")]
    assert surviving(said, by(Strategy.FIRST))["x"].sure
    assert surviving(said[::-1], by(Strategy.FIRST))["x"].sure
