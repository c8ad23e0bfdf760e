"""One version of the policy is in force, everywhere: the stored one, from the first start on."""

import pytest

from graph.connection import Connection
from graph.errors import PolicyApplyingError
from graph.failures import may_pass
from graph.ingestion import Status, commit_batch
from graph.pending import drain_pending
from graph.policies import PolicyHeld, State, follow, held_in, policy_at, versions_of
from identity.messages import micros
from identity.policy import Policy
from identity.policy_text import policy_from_toml
from selfsame.clock import mint
from tests.building import RECEIVED, default_policy, identify

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NOW = micros(RECEIVED)
SECOND = "MATCH (v:PolicyVersion {number: 1}) SET v.state = 'past' CREATE (:PolicyVersion $facts)"


def no_guests() -> Policy:
    """The default policy, but for one more blocked value."""
    return policy_from_toml(default_policy().text.replace("\npatterns = [", '\npatterns = ["u1", ', 1))


async def keep_second(graph: Connection, state: State) -> None:
    facts = {"number": 2, "text": no_guests().text, "hash": no_guests().hash, "state": state.value, "by": "ann"}
    async with graph.driver.session() as session:
        await (await session.run(SECOND, facts={**facts, "recorded_at": NOW + 1, "in_force_at": NOW + 1})).consume()


async def test_the_configured_policy_becomes_the_first_version_once(graph: Connection) -> None:
    first = await held_in(graph.reader, graph.writer, default_policy(), NOW)
    again = await held_in(graph.reader, graph.writer, no_guests(), NOW + 9)
    assert (first.number, again.number, again.policy.hash) == (1, 1, default_policy().hash)
    (version,) = await versions_of(graph.reader)
    assert (version.state, version.text, version.in_force_at) == (State.IN_FORCE, default_policy().text, NOW)


async def test_a_process_hears_of_another_version_with_its_next_batch_and_by_asking(graph: Connection) -> None:
    held = await held_in(graph.reader, graph.writer, default_policy(), NOW)
    other = PolicyHeld(held.policy, held.number)
    await keep_second(graph, State.IN_FORCE)
    (outcome,) = await commit_batch(graph.writer, [identify("u1", "a1")], held, mint, RECEIVED)
    assert [each.code for each in outcome.warnings] == ["blocked_identifier"]
    await follow(graph.reader, other)
    assert (held.number, other.number, held.policy.hash) == (2, 2, other.policy.hash)


async def test_while_a_version_is_applied_nothing_is_written_and_the_sender_may_come_again(graph: Connection) -> None:
    await held_in(graph.reader, graph.writer, default_policy(), NOW)
    await keep_second(graph, State.APPLYING)
    with pytest.raises(PolicyApplyingError, match="version 2 of the policy is being applied by ann") as caught:
        await commit_batch(graph.writer, [identify("u1", "a1")], default_policy(), mint, RECEIVED)
    assert may_pass(caught.value)
    assert await graph.reader.rows("MATCH (i:Identifier) RETURN i") == []


async def test_a_moment_has_the_policy_that_was_in_force_then(graph: Connection) -> None:
    await held_in(graph.reader, graph.writer, default_policy(), NOW)
    await keep_second(graph, State.IN_FORCE)
    found = [await policy_at(graph.reader, moment) for moment in (NOW - 1, NOW, NOW + 1)]
    assert [each and each.hash for each in found] == [None, default_policy().hash, no_guests().hash]


async def test_without_a_version_the_policy_handed_in_rules(graph: Connection) -> None:
    (outcome,) = await commit_batch(graph.writer, [identify("u1", "a1")], no_guests(), mint, RECEIVED)
    assert (outcome.status, len(outcome.warnings)) == (Status.COMMITTED, 1)
    assert await drain_pending(graph.writer, no_guests(), NOW) == 0
