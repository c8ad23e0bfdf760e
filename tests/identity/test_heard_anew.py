"""A history heard by another policy: what is touched, and what it comes to, is all that there is to correct."""

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Kind, hear
from identity.policy import Policy
from tests.building import minting
from tests.identity.heard_anew import (
    Recorded,
    corrected,
    reheard,
    some_other_policy,
    some_records,
    stored,
    touched_by,
)
from tests.identity.memory import told


@given(some_records, some_other_policy, some_other_policy, st.data())
def test_stored_evidence_with_what_is_heard_otherwise_is_the_evidence_heard_from_scratch(
    records: list[Recorded], old: Policy, new: Policy, data: st.DataObject
) -> None:
    known = stored(records, old)
    totals = reheard(data.draw(st.permutations(records)), old, new, known)
    assert corrected(known, totals, new) == stored(records, new)


@given(some_records, some_other_policy)
def test_what_is_stored_is_what_a_history_knows_that_is_told_message_by_message(
    records: list[Recorded], policy: Policy
) -> None:
    mint = minting()
    history = told([each.message for each in records], policy, lambda: next(mint))
    let_in = [each for each in records if hear(each.message, policy).actor is not None]  # the others are rejected
    found = stored(let_in, policy)
    assert history.identifiers.keys() == found.identifiers.keys()
    assert history.sighted == {key for key, (each, _) in found.identifiers.items() if each.sighted}
    heard = {id_: link for id_, link in history.links.items() if id_.kind is not Kind.DERIVED}
    assert heard == {id_: whole for id_, (_, whole) in found.links.items()}


@given(some_records, some_other_policy)
def test_a_policy_touches_nothing_of_what_was_heard_by_itself(records: list[Recorded], policy: Policy) -> None:
    touched = touched_by(policy, policy, [each.message for each in records])
    assert (touched.interactions, touched.heirs, touched.successors) == ({}, {}, {})
    assert touched.identifiers | touched.links | touched.observations | touched.members == set()
