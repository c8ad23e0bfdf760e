"""A merge by hand makes two people one, or is refused: it never takes anybody apart."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph import merging
from graph.conflicts import Conflict
from graph.connection import Connection
from graph.decisions import Outcome
from graph.errors import DecisionError
from graph.merging import Asked, merge_people, take_out
from graph.policies import held_of
from graph.rebuild import verify
from graph.suggestion_decisions import Outcome as Settling
from graph.suggestion_decisions import settle_people
from identity.evidence import Act, Reason
from identity.identifiers import IdentifierKey
from identity.messages import Message, micros
from identity.policy import OverActive
from tests.building import identify, track
from tests.graph.telling import Teller, telling
from tests.identity.histories import some_steps
from tests.identity.policies import small_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SOME = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
U1, U2, A1, A2 = map(
    IdentifierKey,
    ("user_id:u1", "user_id:u2", "anonymous_id:a1", "anonymous_id:a2"),
)


async def merged(teller: Teller, leaving: str, staying: str, *, override: bool = False) -> object:
    """What a merge by hand is answered with."""
    asked = Asked("ann", lambda: next(teller.mints), micros(teller.later()))
    ends = IdentifierKey(leaving), IdentifierKey(staying)
    return await merge_people(teller.graph.writer, *ends, asked, teller.policy, override=override)


async def people(teller: Teller) -> set[frozenset[str]]:
    return set(map(frozenset, (await teller.seen()).people))


@SOME
@given(some_steps, st.data())
async def test_a_merge_never_takes_anybody_apart(
    graph: Connection, steps: list[Message | Act], data: st.DataObject
) -> None:
    teller = await telling(graph)
    await teller.steps(steps)
    for override in (False, True):
        before = await people(teller)
        known = sorted(key for who in before for key in who)
        if len(known) < 2:
            return
        leaving, staying = data.draw(st.permutations(known))[:2]
        answer = await merged(teller, leaving, staying, override=override)
        after = await people(teller)
        assert all(any(who <= each for each in after) for who in before)
        assert any({leaving, staying} <= who for who in after) or after == before
        assert isinstance(answer, Outcome) or after == before
    assert await verify(graph.reader, teller.policy) == ()


async def test_devices_of_two_users_make_their_users_one_or_nobody(graph: Connection) -> None:
    teller = await telling(graph)
    await teller.steps([identify("u1", "a1", at=1), identify("u2", "a2", at=2)])
    before = await people(teller)
    assert await merged(teller, A2, A1) == Conflict(Reason.UNIQUE, ((U2, U1),))
    assert await people(teller) == before == {frozenset({U1, A1}), frozenset({U2, A2})}
    assert isinstance(await merged(teller, A2, A1, override=True), Outcome)
    assert await people(teller) == {frozenset({U1, U2, A1, A2})}


async def of_two_addresses_at_most(graph: Connection, *steps: Message) -> Teller:
    """A teller under a policy by which a person has two addresses at most."""
    policy = small_policy()
    email = replace(policy.namespaces["email"], active=2, over_active=OverActive.APART)
    teller = await telling(graph, replace(policy, namespaces={**policy.namespaces, "email": email}))
    await teller.steps(steps)
    return teller


async def test_a_limit_of_the_policy_refuses_a_merge_with_its_numbers(graph: Connection) -> None:
    told = [track("a1", email="e1@x.com", at=1), track("a1", email="e2@x.com", at=2), track("a2", email="e3@x.com")]
    teller = await of_two_addresses_at_most(graph, *told)
    answer = await merged(teller, A2, A1)
    assert isinstance(answer, Conflict)
    (limit,) = answer.limits
    assert (answer.reason, limit.namespace, limit.one, limit.other, limit.limit) == (Reason.LIMIT, "email", 1, 2, 2)
    assert len(await people(teller)) == 2


async def test_a_suggestion_that_a_limit_forbids_names_it(graph: Connection) -> None:
    told = [
        track("a1", email="e1@x.com"),
        track("a1", email="l.ee@gmail.com", at=1),
        track("a2", email="lee@gmail.com"),
    ]
    teller = await of_two_addresses_at_most(graph, *told)
    asked = Asked("ann", lambda: next(teller.mints), micros(teller.later()))
    pair = IdentifierKey("email:l.ee@gmail.com"), IdentifierKey("email:lee@gmail.com")
    settled = await settle_people(graph.reader, graph.writer, pair, asked, held_of(teller.policy), accept=True)
    assert (settled.outcome, settled.decision) == (Settling.FORBIDDEN, None)
    assert settled.conflict is not None
    assert (settled.conflict.reason, len(settled.conflict.limits)) == (Reason.LIMIT, 1)
    assert len(await people(teller)) == 2


async def test_more_pairs_than_can_be_decided_at_once_are_refused_with_what_to_do(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MOST_PAIRS", 1)
    teller = await telling(graph)
    await teller.steps([identify("u1", "a1", email="e1@x.com")])
    asked = Asked("ann", lambda: next(teller.mints), micros(teller.later()))
    with pytest.raises(
        DecisionError, match=r"1 identifiers out of 2 that stay is 2 pairs, and at most 1 .* take out fewer"
    ):
        await take_out(graph.writer, [U1], asked, teller.policy)
    assert len(await people(teller)) == 1
