import itertools

from hypothesis import given
from hypothesis import strategies as st

from insight.journeys import MICROS_PER_MINUTE, Moment, Session, sessions_of

MOMENTS = st.lists(
    st.builds(
        Moment,
        at=st.integers(0, 200).map(lambda minutes: minutes * MICROS_PER_MINUTE),
        id=st.uuids().map(str),
        name=st.sampled_from(["Product Viewed", "Signed In", None]),
        type=st.sampled_from(["track", "page"]),
    )
)


def moment(minute: int, name: str | None = "Product Viewed") -> Moment:
    return Moment(minute * MICROS_PER_MINUTE, f"web:{minute}", name, "track")


def test_nothing_gives_no_session() -> None:
    assert sessions_of([], 30) == ()


def test_a_pause_of_thirty_minutes_keeps_a_session_and_a_longer_one_ends_it() -> None:
    found = sessions_of([moment(0), moment(30), moment(61)], 30)
    assert [(each.start // MICROS_PER_MINUTE, each.end // MICROS_PER_MINUTE) for each in found] == [(61, 61), (0, 30)]


def test_names_stand_once_in_the_order_of_their_first_time_and_types_stand_in_for_missing_ones() -> None:
    found = sessions_of([moment(3), moment(1, "Signed In"), moment(2), moment(4, None)], 30)
    expected = Session(1 * MICROS_PER_MINUTE, 4 * MICROS_PER_MINUTE, 4, ("Signed In", "Product Viewed", "track"))
    assert found == (expected,)


@given(MOMENTS, st.randoms())
def test_the_order_of_the_moments_never_matters(moments: list[Moment], random: object) -> None:
    shuffled = sorted(moments, key=lambda _: random.random())  # type: ignore[attr-defined]  # Hypothesis' own Random
    assert sessions_of(shuffled, 30) == sessions_of(moments, 30)


@given(MOMENTS, st.integers(1, 60))
def test_every_interaction_is_in_one_session_and_sessions_are_far_apart(moments: list[Moment], idle: int) -> None:
    found = sessions_of(moments, idle)
    assert sum(each.count for each in found) == len(moments)
    gaps = [later.start - earlier.end for later, earlier in itertools.pairwise(found)]
    assert all(gap > idle * MICROS_PER_MINUTE for gap in gaps)
