"""Stitching again what a change can reach gives what stitching everything gives."""

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act
from identity.messages import Message
from identity.policy import Policy
from identity.stitching import stitch
from tests.building import minting
from tests.identity.histories import some_decisions, some_overridden_history, some_steps
from tests.identity.memory import History, told
from tests.identity.policies import small_policy, some_policy


def fresh(policy: Policy | None = None) -> History:
    mint = minting()
    return History(policy or small_policy(), lambda: next(mint))


def told_afresh(messages: list[Message], policy: Policy | None = None) -> History:
    mint = minting()
    return told(messages, policy or small_policy(), lambda: next(mint))


@given(some_steps | some_overridden_history() | some_decisions(), some_policy | st.just(small_policy()))
def test_incremental_is_global_after_each_step(steps: list[Message | Act], policy: Policy) -> None:
    history = fresh(policy)
    for step in steps:
        if not isinstance(step, Act):
            history.receive([step])
        elif step.a in history.identifiers and step.b in history.identifiers:
            history.decide(step)
        found = stitch(history.evidence(), history.policy)
        refused = {link: reason for link, reason in history.verdicts.items() if reason is not None}
        assert history.clusters == found.clusters
        assert refused == found.refused
        assert history.generic == found.generic
