"""Placement in the past, against a diary that is kept step by step."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Kind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Authority
from identity.past import (
    Anchoring,
    Moving,
    PastLink,
    Step,
    Turning,
    anchor_of,
    connected,
    first_seen_at,
    generic_at,
    held_at,
    place_at,
    step_at,
)
from identity.policy import Role

A, B, C = (IdentifierKey(f"anonymous_id:{letter}") for letter in "abc")
some_places = st.lists(st.sampled_from([ProfileId("p"), ProfileId("q"), ProfileId("r")]), min_size=1, max_size=12)


@given(some_places, st.permutations(range(12)))
def test_an_identifier_belonged_where_a_diary_says(places: list[ProfileId], order: list[int]) -> None:
    """One entry a day: where it was that day. Of the log only the moves are kept, in whatever order."""
    moves = [
        Moving(day, f"change {day}", before, after)
        for day, (before, after) in enumerate(pairwise(places), start=1)
        if before != after
    ]
    shuffled = [moves[place] for place in order if place < len(moves)]
    assert [place_at(places[-1], shuffled, day) for day in range(len(places))] == places


def test_of_two_moves_at_one_moment_the_later_change_counts() -> None:
    moves = [Moving(5, "2", ProfileId("q"), ProfileId("r")), Moving(5, "1", ProfileId("p"), ProfileId("q"))]
    assert [place_at(ProfileId("r"), moves, moment) for moment in (4, 5)] == ["p", "r"]


@given(st.lists(st.sampled_from([None, "values", "partners"]), max_size=8))
def test_an_identifier_was_generic_when_a_diary_says(later: list[str | None]) -> None:
    """It begins as anybody's; the log keeps its turns alone."""
    days = [None, *later]
    turns = [
        Turning(day, str(day), after) for day, (before, after) in enumerate(pairwise(days), start=1) if before != after
    ]
    assert [generic_at(days[-1], turns, day) for day in range(len(days))] == days


some_pairs = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(0, 9)), max_size=10)


@given(some_pairs, st.integers(0, 9))
def test_a_part_is_what_can_be_reached(pairs: list[tuple[str, str, int]], moment: int) -> None:
    links = [(IdentifierKey(a), IdentifierKey(b)) for a, b, first in pairs if first <= moment]
    reached = {IdentifierKey("a")}
    while more := {end for link in links if reached & set(link) for end in link} - reached:
        reached |= more
    assert connected(IdentifierKey("a"), [IdentifierKey(each) for each in "abcdef"], links) == reached


def test_a_link_to_somebody_else_reaches_nobody() -> None:
    assert connected(A, [A, B], [(A, C), (C, B)]) == {A}


def test_a_link_stood_as_its_last_step_by_then_says() -> None:
    one, other = Step(10, 7, Authority.CLAIMED), Step(20, 3, Authority.VERIFIED)
    link = PastLink(A, B, Kind.COOCCUR, (one, other))
    assert [step_at(link, moment) for moment in (9, 10, 19, 20)] == [None, one, one, other]
    assert [first_seen_at(A, {A: [link]}, acted, moment) for moment, acted in ((9, []), (10, []), (20, [2]))] == [
        None,
        7,
        2,
    ]


@pytest.mark.parametrize(
    ("recorded", "happened", "held"), [(9, 9, False), (10, 6, False), (10, 7, False), (20, 2, False), (20, 3, True)]
)
def test_a_link_ties_from_its_first_sighting_on_once_it_is_said_with_authority(
    recorded: int, happened: int, held: bool
) -> None:
    link = PastLink(A, B, Kind.COOCCUR, (Step(10, 7, Authority.CLAIMED), Step(20, 3, Authority.VERIFIED)))
    assert held_at(link, recorded, happened, {Kind.COOCCUR: Authority.VERIFIED}) is held
    assert held_at(link, recorded, happened, {}) is (recorded >= 10 and happened >= (3 if recorded == 20 else 7))


def test_what_is_true_by_arithmetic_or_by_hand_is_no_sighting() -> None:
    links = [PastLink(A, B, kind, (Step(1, 1, Authority.MANUAL),)) for kind in (Kind.DERIVED, Kind.MANUAL)]
    assert first_seen_at(A, {A: links}, [5], 9) == 5


def test_a_contact_gives_the_id_before_what_was_minted_earlier() -> None:
    device = Anchoring(A, "device", 1, Role.DEVICE)
    contacts = [Anchoring(key, mint, at, Role.CONTACT) for key, mint, at in ((B, "later", 3), (C, "first", 2))]
    assert anchor_of([device, *contacts]) == "first"
    assert anchor_of([device]) == "device"


def test_what_the_log_knows_no_turn_of_is_what_it_is() -> None:
    assert generic_at("values", [], 5) == "values"


@pytest.mark.parametrize(("acted", "first"), [([], None), ([5], 5), ([5, 3], 3)])
def test_what_has_no_link_was_first_seen_when_it_acted(acted: list[int], first: int | None) -> None:
    assert first_seen_at(A, {}, acted, 9) == first
