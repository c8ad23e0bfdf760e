"""The rule on columns gives what the rule on values gives."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act
from identity.messages import Authority, Message, MessageKind
from identity.policy import Policy
from identity.recomputing import NOWHERE, Columns
from identity.stitching import Evidence
from tests.building import alias, default_policy, identify, message, track
from tests.identity.columns import Told, agreed, columns_of, told_by_columns, told_by_values
from tests.identity.histories import some_overridden_history, some_steps
from tests.identity.memory import history_of
from tests.identity.policies import some_policy


@given(some_steps | some_overridden_history(), some_policy, st.sampled_from([2, 3, 5, 1_000]))
def test_a_history_in_columns_is_stitched_as_the_rule_says(
    steps: list[Message | Act], some: Policy, limit: int
) -> None:
    policy = replace(some, profile_limit=limit)
    evidence = history_of(*steps, policy=policy).evidence()
    assert told_by_columns(columns_of(evidence), evidence.acts, policy) == told_by_values(evidence, policy)


def some_evidence() -> Evidence:
    """Two aliases that name what they were before, a link said twice and one of an unsure time."""
    verified = message(
        MessageKind.IDENTIFY, [("user_id", "u2"), ("phone", "+491712345678")], authority=Authority.VERIFIED
    )
    return history_of(
        identify("u1", "a1", at=3),
        identify("u1", "a1", at=9),
        alias("a2", "u1", at=4),
        track("a3", email="e@x.com", at=None),
        verified,
        alias("u1", "u2", at=6),
    ).evidence()


def test_columns_hold_all_of_a_link_that_the_rule_looks_at() -> None:
    evidence = some_evidence()
    columns = columns_of(evidence)
    source, said = NOWHERE
    held = [columns.link(number) for number in range(len(evidence.links))]
    assert held == [
        replace(each, last_seen=each.first_seen, count=1, source=source, message=said) for each in evidence.links
    ]
    assert {each.previous for each in held} == {None, "a2", "u1"}
    assert [columns.id_of(number) for number in range(len(held))] == [each.id for each in evidence.links]


def test_columns_hold_what_an_identifier_is_minted_with() -> None:
    evidence = some_evidence()
    columns = columns_of(evidence)
    known = list(evidence.identifiers.values())
    held = zip(columns.keys, columns.mints, columns.minted_at, strict=True)
    assert list(held) == [(each.key, each.mint, each.minted_at) for each in known]
    assert columns.numbers == {each.key: number for number, each in enumerate(known)}


def test_an_empty_history_has_nobody() -> None:
    assert told_by_columns(Columns(), (), default_policy()) == Told([], {}, {})
    assert agreed(Evidence({}, ()), default_policy()).people == []
