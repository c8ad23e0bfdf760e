"""`verify` tells every damage of the views, and `rebuild` repairs it without changing an id."""

import pytest
from hypothesis import given

from graph.audit import Cause, CauseKind
from graph.connection import Connection
from graph.rebuild import rebuild, verify
from identity.evidence import Act, ActKind
from identity.messages import AccountStatement, Authority, Message, MessageKind
from tests.building import act, identify, message, track
from tests.graph.telling import Teller, telling
from tests.graph.test_any_order_on_neo4j import FEW
from tests.identity.histories import some_steps

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

DAMAGES = {
    "profiles deleted": "MATCH (p:Profile) WITH p ORDER BY p.id LIMIT 2 DETACH DELETE p",
    "a profile too many": "CREATE (:Profile {id: 'nobody', known: true, shared: false})",
    "links judged the other way": (
        "MATCH ()-[l:LINKED]->() SET l.accepted = NOT l.accepted, l.reason = CASE WHEN l.accepted THEN 'size' END"
    ),
    "links not judged": "MATCH ()-[l:LINKED]->() REMOVE l.accepted, l.reason",
    "manual links taken away": "MATCH ()-[l:LINKED {kind: 'manual'}]->() DELETE l",
    "nobody generic": "MATCH (i:Identifier) WHERE i.generic IS NOT NULL SET i.generic = null",
    "somebody generic": "MATCH (i:Identifier {key: 'user_id:u1'}) SET i.generic = 'values', i.uses = '[]'",
    "traits changed": "MATCH (p:Profile) SET p.t_name = 'Nobody'",
    "moments changed": "MATCH (p:Profile) SET p.first_seen = 1, p.last_seen = 2",
    "known and shared swapped": "MATCH (p:Profile) SET p.known = p.shared, p.shared = p.known",
    "sharing taken away": "MATCH ()-[s:SHARED_BY]->() DELETE s",
    "sharing with everybody": "MATCH (i:Identifier), (p:Profile) MERGE (i)-[s:SHARED_BY]->(p) SET s.first = 0",
    "sharing that no index finds": "MATCH ()-[s:SHARED_BY]->() SET s.what = null",
    "memberships that no index finds": "MATCH ()-[m:MEMBER_OF]->() SET m.who = null",
    "uses forgotten": "MATCH (i:Device) SET i.uses = null",
    "identifiers moved": (
        "MATCH (p:Profile) WITH p ORDER BY p.id LIMIT 1 MATCH (i:Identifier)-[r:IDENTIFIES]->(:Profile) "
        "DELETE r CREATE (i)-[:IDENTIFIES]->(p)"
    ),
    "identifiers on two profiles": (
        "MATCH (p:Profile) WITH p ORDER BY p.id LIMIT 1 MATCH (i:Identifier) CREATE (i)-[:IDENTIFIES]->(p)"
    ),
    "waiting for nothing": "MATCH (i:Identifier)-[:IDENTIFIES]->(p:Profile) SET i.pending = true, p.pending = true",
    "a cycle accepted": "MATCH ()-[r:PART_OF]->() SET r.accepted = true, r.reason = null",
}


def part_of(child: str, parent: str, at: float) -> Message:
    about = AccountStatement(f"account:{child}", parent=f"account:{parent}")
    return message(MessageKind.GROUP, [("user_id", "u1")], at=at, account=about)


HISTORY: tuple[Message | Act, ...] = (
    identify("u1", "a1", at=1, traits={"name": "Ann"}),
    track("a1", at=2),
    identify("u2", "a1", at=9, email="e@x.com", traits={"name": "Bob"}),
    identify("u3", "a3", at=9, email="e@x.com", authority=Authority.VERIFIED),
    identify("u4", "a4", at=9),
    act(ActKind.SAME, "user_id:u3", "anonymous_id:a4", at=10),
    part_of("a", "b", 1),
    part_of("b", "a", 2),
)


async def a_small_world(graph: Connection) -> Teller:
    teller = await telling(graph)
    await teller.steps(HISTORY)
    assert await verify(graph.reader, teller.policy) == ()
    return teller


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_damage_is_told_and_repaired(graph: Connection, damage: str) -> None:
    teller = await a_small_world(graph)
    before = await teller.seen()
    await graph.writer.command(damage)
    assert await verify(graph.reader, teller.policy)
    await rebuild(graph.reader, graph.writer, teller.policy, Cause(CauseKind.REBUILD), 1)
    after = await teller.seen()
    assert await verify(graph.reader, teller.policy) == ()
    assert (after, after.ids) == (before, before.ids)


async def test_a_difference_names_what_of_whom_stored_and_expected(graph: Connection) -> None:
    teller = await a_small_world(graph)
    await graph.writer.command("MATCH (p:Profile {t_name: 'Ann'}) SET p.t_name = 'Nobody'")
    (found,) = await verify(graph.reader, teller.policy)
    assert (found.what, found.stored, found.expected) == ("t_name", "'Nobody'", "'Ann'")


@FEW
@given(some_steps)
async def test_views_taken_away_whole_are_rebuilt_with_the_same_ids(
    graph: Connection, steps: list[Message | Act]
) -> None:
    teller = await telling(graph)
    await teller.steps(steps)
    before = await teller.seen()
    await graph.writer.command("MATCH (p:Profile) DETACH DELETE p")
    await graph.writer.command("MATCH (i:Identifier) REMOVE i.generic, i.uses")
    await graph.writer.command("MATCH ()-[l:LINKED]->() REMOVE l.accepted, l.reason")
    assert await rebuild(graph.reader, graph.writer, teller.policy, Cause(CauseKind.REBUILD), 1) == len(before.people)
    after = await teller.seen()
    assert (after, after.ids) == (before, before.ids)
    assert await verify(graph.reader, teller.policy) == ()
