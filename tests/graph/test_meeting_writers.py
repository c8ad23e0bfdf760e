"""Writers that meet: whatever waits for what, the people are those of the same messages one by one."""

from random import Random

import anyio
import pytest
from hypothesis import given

from graph.connection import Connection
from graph.rebuild import verify
from identity.evidence import sha256_of
from identity.messages import Message, MessageKind
from tests.building import alias, identify, message, track
from tests.graph.telling import Seen, in_batches, telling, told
from tests.graph.test_any_order_on_neo4j import FEW
from tests.identity.histories import some_history

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

HASH = ("email_sha256", sha256_of("e@x.com"))


async def told_at_once(graph: Connection, messages: list[Message], before: list[Message] | None = None) -> Seen:
    """What the graph makes of messages that are all committed at the same time, each by itself."""
    teller = await telling(graph)
    for each in before or []:
        await teller.tell([each])
    async with anyio.create_task_group() as writers:
        for each in messages:
            writers.start_soon(teller.tell, [each])
    assert await verify(graph.reader, teller.policy) == ()
    return await teller.seen()


@FEW
@given(some_history.map(lambda history: history[:5]))
async def test_messages_at_once_give_what_they_give_one_by_one(graph: Connection, messages: list[Message]) -> None:
    assert await told_at_once(graph, messages) == await told(graph, in_batches(messages, 1))


async def test_an_alias_and_its_user_id_made_at_once_find_each_other(graph: Connection) -> None:
    for number in range(3):
        said = [alias(f"x{number}", f"u{number}", at=1), identify(f"x{number}", f"a{number}", at=2)]
        assert await told_at_once(graph, said) == await told(graph, in_batches(said, 1))


async def test_an_address_and_its_hash_made_at_once_find_each_other(graph: Connection) -> None:
    said = [identify("u1", email="e@x.com", at=1), message(MessageKind.TRACK, [HASH, ("anonymous_id", "a1")], at=1)]
    for _ in range(3):
        assert await told_at_once(graph, said) == await told(graph, in_batches(said, 1))


async def test_an_address_and_its_hash_used_at_once_by_two_users_are_both_generic(graph: Connection) -> None:
    first = [identify("u1", at=1), identify("u2", at=1), message(MessageKind.TRACK, [("email", "e@x.com"), HASH], at=1)]
    said = [identify("u1", email="e@x.com", at=2), message(MessageKind.IDENTIFY, [("user_id", "u2"), HASH], at=2)]
    for _ in range(3):
        seen = await told_at_once(graph, said, first)
        assert seen.generic == {"email:e@x.com": "values", f"email_sha256:{HASH[1]}": "values"}


async def test_writers_that_meet_at_the_same_people_wait_and_never_for_each_other(
    graph: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever of a person is locked first, all lock in one order; the driver tells of each deadlock that it met."""
    random, teller = Random(7), await telling(graph)
    people = [(f"u{who}", f"a{who}-{which}") for who in range(8) for which in range(3)]
    await teller.tell([identify(user, cookie, at=1) for user, cookie in people])
    batches = [
        [track(random.choice(people)[1], id=f"m{batch}-{number}", at=2) for number in range(12)] for batch in range(40)
    ]
    waiting = iter(batches)

    async def write() -> None:
        for each in waiting:
            await teller.tell(each)

    with caplog.at_level("WARNING", "neo4j"):
        async with anyio.create_task_group() as writers:
            for _ in range(4):
                writers.start_soon(write)
    assert "Deadlock" not in caplog.text
    assert await verify(graph.reader, teller.policy) == ()
