"""Settings that need reading of their own in the graph: aliases that override, and a least authority."""

from dataclasses import replace

import pytest

from graph.connection import Connection
from graph.ingestion import commit_batch
from graph.rebuild import verify
from identity.erasure import Mode
from identity.messages import Authority, Message
from identity.policy import KindRules, Policy
from tests.building import RECEIVED, alias, default_policy, identify, track
from tests.graph.erasing import HASHING, erased
from tests.graph.telling import telling

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def steered(**kinds: KindRules) -> Policy:
    return replace(default_policy(), kinds=kinds)


async def people(graph: Connection, policy: Policy, *steps: Message) -> set[frozenset[str]]:
    """The people after the last step; after each one, what is stored is what all the evidence gives."""
    teller = await telling(graph, policy)
    for number, step in enumerate(steps):
        await teller.steps([step])
        assert await verify(graph.reader, policy) == (), f"after step {number}"
    return {frozenset(keys) for keys in (await teller.seen()).people}


async def test_t12_an_alias_overrides_whatever_came_first_and_what_both_share_is_theirs(graph: Connection) -> None:
    policy = steered(alias=KindRules(overrides_from=Authority.CLAIMED))
    steps = [
        identify("u1", email="e@x.com", at=1),
        identify("u3", "a3", at=1),
        alias("u1", "u2", at=3),
        identify("u2", email="e@x.com", at=2),
        alias("u2", "u3", at=5),
        identify("u3", email="e@x.com", at=6),
    ]
    everybody = frozenset({"user_id:u1", "user_id:u2", "user_id:u3", "email:e@x.com", "anonymous_id:a3"})
    assert await people(graph, policy, *steps) == {everybody}
    assert await people(graph, policy, *reversed(steps)) == {everybody}


async def test_t62_a_replay_brings_back_what_was_deleted_but_not_what_is_suppressed(graph: Connection) -> None:
    policy = replace(default_policy(), replay_stays_out=False)
    archive = [identify("u1", "a1", at=1), identify("u2", "a2", at=2)]
    teller = await telling(graph, policy)
    await teller.tell(archive)
    await erased(graph, "user_id:u1")
    await erased(graph, "user_id:u2", Mode.SUPPRESS_AND_DELETE)
    await commit_batch(graph.writer, archive, policy, lambda: next(teller.mints), RECEIVED, hashing=HASHING)
    assert set((await teller.seen()).people) == {("anonymous_id:a1", "user_id:u1")}
    assert await verify(graph.reader, policy) == ()


async def test_a_claimed_link_waits_for_more_authority_even_around_a_hub(graph: Connection) -> None:
    policy = steered(cooccur=KindRules(minimum_authority=Authority.VERIFIED))
    claimed = [identify("u1", f"a{number}", email="hub@x.com", at=number) for number in range(3)]
    apart = await people(graph, policy, *claimed)
    assert apart == {
        frozenset({key}) for key in ("user_id:u1", "email:hub@x.com", *(f"anonymous_id:a{n}" for n in range(3)))
    }
    verified = identify("u1", "a1", email="hub@x.com", at=9, authority=Authority.VERIFIED)
    joined = await people(graph, policy, *claimed, verified, track("a2", at=10))
    assert frozenset({"user_id:u1", "anonymous_id:a1", "email:hub@x.com"}) in joined
