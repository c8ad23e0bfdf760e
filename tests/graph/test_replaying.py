"""A stored interaction becomes the message it was, as far as any policy can hear, and is heard by another."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.applying import apply
from graph.connection import Connection
from graph.ingestion import commit_batch
from graph.recording import interaction_facts
from graph.replaying import message_from, replayed
from identity.evidence import Heard, hear
from identity.messages import AccountStatement, Message, MessageKind, SourceName
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from selfsame.clock import mint
from tests.building import RECEIVED, default_policy, message, track
from tests.graph.test_policy_changes import changing, written
from tests.identity.histories import some_message
from tests.identity.policies import small_policy

FAXES = """
[namespaces.fax]
role = "ContactPoint"
priority = 3
"""

some_account = st.none() | st.builds(
    AccountStatement,
    st.sampled_from(["account:a", "account:b"]),
    traits=st.dictionaries(st.sampled_from(["name", "size"]), st.sampled_from(["x", 3, None]), max_size=2),
    member=st.booleans(),
    role=st.none() | st.just("admin"),
    parent=st.none() | st.just("account:p"),
)


@st.composite
def some_full_message(draw: st.DrawFn) -> Message:
    """A message with everything that hearing looks at."""
    said = draw(some_message())
    sightings = tuple(replace(each, record_key=draw(st.booleans())) for each in said.sightings)
    return replace(
        said,
        source=SourceName(draw(st.sampled_from(["web", "crm:eu"]))),
        sightings=sightings,
        account=draw(some_account),
        region=draw(st.none() | st.just("DE")),
        at=said.at + timedelta(microseconds=draw(st.integers(0, 999_999))),
    )


def told_of(heard: Heard) -> Heard:
    """What was heard, apart from what hearing does not look at."""
    return replace(heard, message=heard.message.account)  # type: ignore[arg-type]  # only for a comparison


@given(some_full_message())
def test_what_is_heard_of_a_stored_message_is_what_was_heard_of_it(message: Message) -> None:
    policy = default_policy()
    heard = hear(message, policy)
    again = hear(message_from(interaction_facts(heard, 0)), policy)
    assert told_of(again) == told_of(heard)
    assert again.message.id == message.id


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_the_interactions_that_name_whom_is_asked_for_come_back(graph: Connection) -> None:
    messages = [track(f"a{number}", id=str(number)) for number in range(3)]
    await commit_batch(graph.writer, messages, default_policy(), mint, RECEIVED)
    found = [each async for each in replayed(graph.reader, lambda said: said.sightings[0].value != "a1")]
    assert [each.message.message_id for each in found] == ["0", "2"]


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_what_a_policy_calls_a_contact_point_is_one_also_where_its_messages_say_nothing_else(
    graph: Connection,
) -> None:
    change = await changing(graph)
    await change.teller.tell([message(MessageKind.IDENTIFY, [("user_id", "u1"), ("fax", "+49 30 1")])])
    assert await change.count("(:Identifier:Contact {namespace: 'fax'})") == 1
    await apply(graph, policy_from_toml(policy_text(written(small_policy())) + FAXES), change.applier())
    assert await change.count("(:Identifier:ContactPoint {namespace: 'fax'})") == 1
    assert await change.count("(:Identifier:Contact {namespace: 'fax'})") == 0
