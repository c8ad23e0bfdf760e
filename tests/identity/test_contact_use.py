"""A contact point that moves from one person to another: from each first sighting to the next person's."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.contact_use import spans_by_time, told_by_time
from identity.device_use import FOREVER
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy, Shared
from identity.stitching import Generic
from tests.building import default_policy

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


def shared_by(shared: Shared) -> Policy:
    """The default policy, where a phone number of several people is shared in this way."""
    policy = default_policy()
    phone = replace(policy.namespaces["phone"], shared=shared)
    return replace(policy, namespaces={**policy.namespaces, "phone": phone})


@pytest.mark.parametrize("why", [None, *Generic])
def test_a_number_is_told_by_time_where_it_is_several_peoples_and_the_policy_says_so(why: Generic | None) -> None:
    number, address = IdentifierKey("phone:+491712345678"), IdentifierKey("email:ann@x.com")
    assert told_by_time(number, why, shared_by(Shared.BY_TIME)) is (why is Generic.VALUES)
    assert not told_by_time(number, why, shared_by(Shared.OWN))
    assert not told_by_time(address, why, shared_by(Shared.BY_TIME))
