"""A region too large for the transaction that touches it waits, and is stitched in the background as if it had not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.connection import Connection
from graph.pending import drain_pending
from graph.rebuild import verify
from identity.evidence import Act
from identity.messages import Authority, Message, MessageKind
from identity.policy import KindRules
from tests.building import identify, message, track
from tests.graph.telling import Seen, Teller, telling, with_region_limit
from tests.graph.test_any_order_on_neo4j import FEW
from tests.identity.histories import DEVICES, some_overridden_history, some_steps

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


async def drained(teller: Teller) -> int:
    return await drain_pending(teller.graph.writer, teller.policy, 0)


async def at_once(graph: Connection, steps: list[Message | Act]) -> Seen:
    teller = await telling(graph)
    await teller.steps(steps)
    return await teller.seen()


async def test_people_of_a_large_region_say_that_they_wait(graph: Connection) -> None:
    teller = await telling(graph, with_region_limit(2))
    await teller.steps([identify("u1", "a1", at=1), identify("u1", "a2", at=2)])
    seen = await teller.seen()
    assert {keys: shown.get("pending") for keys, shown in seen.people.items()} == {
        ("anonymous_id:a1", "user_id:u1"): True,
        ("anonymous_id:a2",): True,
    }
    assert {each.what for each in await verify(graph.reader, teller.policy)} >= {"pending", "profile", "link"}


async def test_what_waited_is_stitched_and_nothing_waits(graph: Connection) -> None:
    teller = await telling(graph, with_region_limit(2))
    await teller.steps([identify("u1", "a1", at=1), identify("u1", "a2", at=2)])
    assert await drained(teller) == 2
    assert list((await teller.seen()).people) == [("anonymous_id:a1", "anonymous_id:a2", "user_id:u1")]
    assert await drained(teller) == 0


async def test_strangers_in_the_same_batch_wait_too_and_are_joined_by_the_drain(graph: Connection) -> None:
    teller = await telling(graph, with_region_limit(2))
    await teller.steps([identify("u1", "a1", at=1)])
    await teller.tell([track("a1", user="u1", email="e1@x.com", at=2), identify("u2", "a2", at=2)])
    await drained(teller)
    assert ("anonymous_id:a2", "user_id:u2") in (await teller.seen()).people
    assert await verify(graph.reader, teller.policy) == ()


async def test_what_two_shared_things_said_while_they_waited_is_judged_by_the_drain(graph: Connection) -> None:
    """A link between two generic identifiers, neither of which turns when the region is stitched."""
    teller = await telling(graph, with_region_limit(100))
    await teller.steps([identify(f"u{number}", f"a{each}", at=1) for number in (1, 2) for each in (1, 2)])
    teller.policy = with_region_limit(2)
    await teller.tell([track("a1", email="e@x.com", at=2), message(MessageKind.TRACK, DEVICES[1:3], at=3)])
    assert await drained(teller) > 0
    assert await verify(graph.reader, teller.policy) == ()


async def test_what_gained_authority_while_it_waited_is_accepted_by_the_drain(graph: Connection) -> None:
    policy = replace(with_region_limit(100), kinds={"cooccur": KindRules(minimum_authority=Authority.VERIFIED)})
    teller = await telling(graph, policy)
    await teller.steps([identify("u1", "a1", at=1)])
    teller.policy = replace(policy, region_limit=1)
    await teller.tell([identify("u1", "a1", at=2, authority=Authority.VERIFIED)])
    assert await drained(teller) > 0
    assert list((await teller.seen()).people) == [("anonymous_id:a1", "user_id:u1")]
    assert await verify(graph.reader, teller.policy) == ()


async def test_uses_of_a_busy_device_are_told_apart_in_the_background(graph: Connection) -> None:
    """A kiosk: no message on it pays for reading more than 5,000 others."""
    teller = await telling(graph)
    await teller.steps([identify("u1", "kiosk", at=1), identify("u2", "kiosk", at=2)])
    for start in range(0, 5_000, 1_000):
        await teller.tell(
            [track("kiosk", at=3 + number / 1000, id=str(number)) for number in range(start, start + 1_000)]
        )
    assert {each.what for each in await verify(graph.reader, teller.policy)} == {"pending", "uses", "sharing"}
    assert await drained(teller) == 1
    assert await verify(graph.reader, teller.policy) == ()


@FEW
@given(some_steps | some_overridden_history(), st.integers(1, 6))
async def test_deferred_and_drained_is_stitched_at_once(
    graph: Connection, steps: list[Message | Act], limit: int
) -> None:
    teller = await telling(graph, with_region_limit(limit))
    await teller.steps(steps)
    await drained(teller)
    assert await verify(graph.reader, teller.policy) == ()
    assert await teller.seen() == await at_once(graph, steps)


@FEW
@given(some_steps, st.integers(1, 6), st.integers(2, 5))
async def test_draining_now_and_then_ends_the_same(
    graph: Connection, steps: list[Message | Act], limit: int, pause: int
) -> None:
    teller = await telling(graph, with_region_limit(limit))
    for start in range(0, len(steps), pause):
        await teller.steps(steps[start : start + pause])
        await drained(teller)
        assert await verify(graph.reader, teller.policy) == ()
