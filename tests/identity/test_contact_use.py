"""A contact point that moves from one person to another: from each first sighting to the next person's."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from identity.contact_use import spans_by_time
from identity.device_use import FOREVER
from identity.identifiers import ProfileId

FIRSTS = st.dictionaries(st.sampled_from("abcdefg").map(ProfileId), st.integers(0, 9))


def spans(**first: int) -> dict[str, list[int]]:
    return {**spans_by_time({ProfileId(person): at for person, at in first.items()})}


def test_a_number_that_moves_is_each_ones_until_the_next_is_seen_with_it() -> None:
    assert spans(u1=10, u2=500) == {"u1": [10, 499], "u2": [500, FOREVER]}


def test_of_two_who_are_first_seen_at_one_moment_nobody_can_tell() -> None:
    assert spans(u1=10, u2=20, u3=20, u4=30) == {"u1": [10, 19], "u4": [30, FOREVER]}


@given(FIRSTS)
def test_spans_never_overlap_and_begin_with_their_persons_first_sighting(first: dict[ProfileId, int]) -> None:
    found = spans_by_time(first)
    assert all(span[0] == first[person] for person, span in found.items())
    ordered = sorted(found.values())
    assert all(one[1] < other[0] for one, other in pairwise(ordered))
