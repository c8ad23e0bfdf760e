"""Laws of stitching on random histories, in the pure core."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act
from identity.messages import Message
from identity.policy import Namespace, Policy, Role
from identity.stitching import stitch
from tests.building import default_policy, minting
from tests.identity.histories import some_history, some_steps
from tests.identity.memory import History, people, told

CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)


def small_policy() -> Policy:
    """The default policy with limits so low that random histories reach them."""
    policy = default_policy().with_namespaces([CRM])
    email = replace(policy.namespaces["email"], max_partners=4)
    return replace(policy, namespaces={**policy.namespaces, "email": email}, profile_limit=5)


def fresh() -> History:
    mint = minting()
    return History(small_policy(), lambda: next(mint))


def told_afresh(messages: list[Message]) -> History:
    mint = minting()
    return told(messages, small_policy(), lambda: next(mint))


@given(some_steps)
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


@given(some_history, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_people_and_refusals(messages: list[Message], random: Random) -> None:
    shuffled = list(messages)
    random.shuffle(shuffled)
    one, other = told_afresh(messages), told_afresh(shuffled)
    assert people(one.clusters.values()) == people(other.clusters.values())
    assert one.verdicts == other.verdicts
    assert one.generic == other.generic


@given(some_history, st.integers(1, 5))
def test_any_batching_gives_the_same_people(messages: list[Message], size: int) -> None:
    batched = fresh()
    for start in range(0, len(messages), size):
        batched.receive(messages[start : start + size])
    one_by_one = told_afresh(messages)
    assert people(batched.clusters.values()) == people(one_by_one.clusters.values())
    assert batched.verdicts == one_by_one.verdicts


@given(some_history)
def test_twice_is_once(messages: list[Message]) -> None:
    once, twice = told_afresh(messages), told_afresh([*messages, *messages])
    assert (once.clusters, once.verdicts, once.links) == (twice.clusters, twice.verdicts, twice.links)
