"""Who goes which way: identifiers that came together have one lane, the rest is shared out."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loaders.lanes import Lanes
from tests.building import track

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


def lane(lanes: Lanes, *cookies: str, waiting: tuple[int, int] = (0, 0)) -> int:
    return lanes.of(track(cookies[0], user=cookies[1] if len(cookies) > 1 else None), waiting)


def test_who_is_new_goes_where_fewest_wait() -> None:
    lanes = Lanes()
    assert [lane(lanes, "a", waiting=(3, 2)), lane(lanes, "b", waiting=(1, 2))] == [1, 0]


def test_who_was_there_goes_the_same_way_however_many_wait() -> None:
    lanes = Lanes()
    assert [lane(lanes, "a", waiting=each) for each in ((1, 0), (0, 9), (9, 0))] == [1, 1, 1]


@given(PAIRS)
def test_all_that_ever_came_together_has_one_lane(pairs: list[tuple[int, int]]) -> None:
    lanes = Lanes()
    for cookie, user in pairs:
        lane(lanes, f"a{cookie}", f"u{user}", waiting=(cookie, user))
    for cookie, user in pairs:
        assert lane(lanes, f"a{cookie}") == lane(lanes, f"a{cookie}", f"u{user}", waiting=(0, 1))


def test_strangers_are_shared_out_evenly() -> None:
    lanes, waiting = Lanes(), [0, 0]
    for number in range(100):
        waiting[lanes.of(track(f"a{number}"), waiting)] += 1
    assert waiting == [50, 50]


def test_what_is_known_is_bounded() -> None:
    lanes = Lanes(most=10)
    first = lane(lanes, "a", waiting=(1, 0))
    found = Counter(lane(lanes, f"b{number}") for number in range(11))
    assert (first, found[0], lane(lanes, "a", waiting=(0, 1))) == (1, 11, 0)
