"""What was decided by hand can be taken back, and taken back again: then it is as it was."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act, ActId, ActKind
from identity.messages import Message, MessageKind
from identity.stitching import not_undone, standing_of
from tests.building import act, identify, message, track
from tests.identity.histories import CONTACTS, DEVICES, EMAILS, USERS, some_act, some_decisions
from tests.identity.memory import History, history_of, people, people_of

EVERYBODY = USERS + CONTACTS + EMAILS + DEVICES
KINDS = [ActKind.SAME, ActKind.DIFFERENT, ActKind.OVERRIDE]


def undo(of: Act, number: int) -> Act:
    return act(ActKind.UNDO, of.a, of.b, at=100.0 + number, id=f"undo {number}", undoes=of.id)


def state(history: History) -> tuple[object, ...]:
    return people(history.clusters.values()), history.verdicts, history.generic, set(history.clusters)


@given(some_decisions(), some_act())
def test_an_act_that_is_taken_back_was_never_there_and_taking_that_back_restores_it(
    steps: list[Message | Act], last: Act
) -> None:
    known = [message(MessageKind.TRACK, [each], id=f"first {each}") for each in EVERYBODY]
    last = replace(last, id=ActId("last"), at=10**17)
    back = replace(undo(last, 1), at=10**17 + 1)
    again = replace(undo(back, 2), at=10**17 + 2)
    assert state(history_of(*known, *steps, last, back)) == state(history_of(*known, *steps))
    assert state(history_of(*known, *steps, last, back, again)) == state(history_of(*known, *steps, last))


@pytest.mark.parametrize("kind", KINDS)
@given(times=st.integers(0, 5))
def test_taking_back_again_and_again_ends_with_the_last_word(kind: ActKind, times: int) -> None:
    chain = [act(kind, "user_id:u1", "user_id:u2", at=1.0)]
    for number in range(times):
        chain.append(undo(chain[-1], number))
    assert bool(not_undone(chain)) is (times % 2 == 0)


def test_an_unmerge_that_is_taken_back_leaves_the_merge_by_hand_that_it_ended() -> None:
    merge = act(ActKind.SAME, "user_id:u1", "anonymous_id:a1", at=1)
    apart = act(ActKind.DIFFERENT, "anonymous_id:a1", "user_id:u1", at=2)
    history = history_of(identify("u1"), track("a1"), merge)
    one = people_of(history)
    history.decide(apart)
    assert people_of(history) != one
    history.decide(undo(apart, 1))
    assert people_of(history) == one


def test_an_undo_that_is_older_than_an_act_does_not_touch_it() -> None:
    late = act(ActKind.DIFFERENT, "user_id:u1", "anonymous_id:a1", at=9)
    early = act(ActKind.UNDO, "user_id:u1", "anonymous_id:a1", at=1, undoes=late.id)
    assert standing_of([late, early]).different == {("anonymous_id:a1", "user_id:u1")}
