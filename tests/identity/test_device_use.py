"""Who used a shared device when (cases T17 to T24)."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.device_use import BEGINNING, FOREVER, Happening, Use, uses_of
from identity.identifiers import IdentifierKey
from identity.policy import DeviceRule
from tests.building import default_policy

MINUTE = 60_000_000
PERSONS = st.lists(st.sampled_from(["user_id:u1", "user_id:u2", "email:e"]), max_size=2, unique=True)
NAMES = st.sampled_from([None, "Viewed", "Signed Out"])


def at(minute: float, *persons: str, name: str | None = None, id: str = "") -> Happening:  # noqa: A002 -- the field
    keys = tuple(map(IdentifierKey, persons))
    return Happening(round(minute * MINUTE), id or f"m{minute:09.3f}{persons}", name, keys)


def used(
    *happenings: Happening, generic: frozenset[str] = frozenset(), rule: DeviceRule = DeviceRule.BY_TIME
) -> list[tuple[str, float, float]]:
    """Person, first and last minute of each use; the beginning of time is minute 0."""
    policy = replace(default_policy(), device_rule=rule)
    uses = uses_of(happenings, frozenset(map(IdentifierKey, generic)), policy)
    return [(each.person, each.start / MINUTE, each.end / MINUTE) for each in uses]


SOMETHING = st.lists(
    st.builds(
        lambda minute, persons, name, number: at(minute, *persons, name=name, id=f"m{number}"),
        st.integers(1, 90),
        PERSONS,
        NAMES,
        st.integers(0, 10**6),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)


def test_t17_two_users_on_one_device_follow_each_other() -> None:
    assert used(at(1, "u1"), at(2, "u2")) == [("u1", 0, 1), ("u2", 2, 2)]


def test_t18_what_came_before_the_first_login_and_soon_after_is_the_first_persons() -> None:
    assert used(at(1), at(2, "u1"), at(3), at(4, "u2")) == [("u1", 0, 3), ("u2", 4, 4)]


def test_t19_after_an_idle_gap_the_device_is_nobodys() -> None:
    assert used(at(1, "u1"), at(60, "u2"), at(300)) == [("u1", 0, 1), ("u2", 60, 60)]


def test_t20_a_later_login_does_not_leap_over_the_gap() -> None:
    assert used(at(1, "u1"), at(60, "u2"), at(300), at(360, "u1")) == [("u1", 0, 1), ("u2", 60, 60), ("u1", 360, 360)]


def test_t20_the_idle_time_counts_from_the_last_thing_that_happened() -> None:
    assert used(at(1, "u1"), at(25), at(50), at(80), at(111)) == [("u1", 0, 80)]


def test_t23_fifty_users_of_a_kiosk_have_a_use_each() -> None:
    found = used(*(at(number, f"u{number}") for number in range(1, 51)))
    assert [person for person, _, _ in found] == [f"u{number}" for number in range(1, 51)]


def test_t24_a_logout_ends_the_use() -> None:
    found = used(at(1, "u1"), at(2, name="Signed Out"), at(3), at(4, "u2"))
    assert found == [("u1", 0, 2), ("u2", 4, 4)]


def test_t24_after_a_logout_the_same_person_may_come_back() -> None:
    assert used(at(1, "u1"), at(2, name="Logged Out"), at(3), at(4, "u1")) == [("u1", 0, 2), ("u1", 4, 4)]


def test_exactly_the_idle_time_is_no_gap() -> None:
    assert used(at(1, "u1"), at(31)) == [("u1", 0, 31)]
    (use,) = uses_of([at(1, "u1"), replace(at(31), at=31 * MINUTE + 1)], (), default_policy())
    assert use.end == 1 * MINUTE


def test_a_generic_identifier_is_no_login() -> None:
    assert used(at(1, "e"), at(2, "e", "u1"), generic=frozenset({"e"})) == [("u1", 0, 2)]


def test_of_several_identifiers_the_strongest_logs_in() -> None:
    assert used(at(1, "u1", "e")) == [("u1", 0, 1)]


def test_of_two_logins_at_one_moment_the_last_by_id_counts() -> None:
    assert used(at(1, "u1", id="b"), at(1, "u2", id="a")) == [("u1", 0, 1)]


def test_without_a_login_the_device_is_nobodys() -> None:
    assert used(at(1), at(2, name="Signed Out")) == []


@pytest.mark.parametrize(("rule", "person"), [(DeviceRule.LAST_AUTHENTICATED, "u2"), (DeviceRule.FIRST_ONLY, "u1")])
def test_under_the_simple_rules_one_person_has_it_all(rule: DeviceRule, person: str) -> None:
    assert used(at(1, "u1"), at(60, "u2"), rule=rule) == [(person, BEGINNING, FOREVER / MINUTE)]


def test_who_never_guesses_says_nothing() -> None:
    assert used(at(1, "u1"), rule=DeviceRule.NEVER_GUESS) == []


@given(st.data(), SOMETHING)
def test_the_order_in_which_things_are_told_does_not_matter(data: st.DataObject, happenings: list[Happening]) -> None:
    shuffled = data.draw(st.permutations(happenings))
    assert uses_of(happenings, (), default_policy()) == uses_of(shuffled, (), default_policy())


@given(SOMETHING)
def test_uses_follow_each_other_without_overlap(happenings: list[Happening]) -> None:
    uses: tuple[Use, ...] = uses_of(happenings, (), default_policy())
    assert all(each.start <= each.end for each in uses)
    assert all(one.end < other.start for one, other in pairwise(uses))


@given(SOMETHING, SOMETHING)
def test_history_does_not_move_to_who_logs_in_later(happenings: list[Happening], more: list[Happening]) -> None:
    """What a day on the device looked like stays when somebody uses it an hour after its end."""
    later = [replace(each, at=each.at + 200 * MINUTE, id=f"later {each.id}") for each in more]
    before = uses_of(happenings, (), default_policy())
    if before:
        assert uses_of([*happenings, *later], (), default_policy())[: len(before)] == before
