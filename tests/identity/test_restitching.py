"""Stitching again what a change can reach gives what stitching everything gives."""

from dataclasses import replace

from hypothesis import given

from identity.evidence import Act
from identity.messages import Message
from identity.policy import Namespace, Policy, Role, Shared
from identity.stitching import stitch
from tests.building import default_policy, minting
from tests.identity.histories import some_decisions, some_overridden_history, some_steps
from tests.identity.memory import History, told

CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)


def small_policy() -> Policy:
    """The default policy with limits so low that random histories reach them, and shared addresses told by time."""
    policy = default_policy().with_namespaces([CRM])
    email = replace(policy.namespaces["email"], max_partners=4, shared=Shared.BY_TIME)
    return replace(policy, namespaces={**policy.namespaces, "email": email}, profile_limit=5)


def fresh() -> History:
    mint = minting()
    return History(small_policy(), lambda: next(mint))


def told_afresh(messages: list[Message]) -> History:
    mint = minting()
    return told(messages, small_policy(), lambda: next(mint))


@given(some_steps | some_overridden_history() | some_decisions())
def test_incremental_is_global_after_each_step(steps: list[Message | Act]) -> None:
    history = fresh()
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
