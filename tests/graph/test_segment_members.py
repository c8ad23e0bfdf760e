"""Who is in which segment: entered once and left once, through what happens, time, merges, splits and definitions."""

from dataclasses import dataclass, field

import anyio
import pytest

from graph import owing, segment_members
from graph.connection import Connection
from graph.deliveries import deliveries
from graph.endpoints import Endpoint, EndpointState, Topic, keep_endpoint
from graph.feed import entries_after, feed_bounds, number_entries
from graph.owing import owe
from graph.policies import PolicyHeld
from graph.rebuild import verify
from graph.segment_members import SWEPT_EVERY, Place, keep_members, members_in
from graph.segments import define_segment, preview, remove_segment, stored_segments
from identity.evidence import ActKind
from identity.messages import micros
from insight.segments import All, Comparison, Counted, Definition, Not, Recent, TraitIs
from tests.building import act, after, alias, default_policy, identify, track
from tests.graph.erasing import erased
from tests.graph.telling import Teller, telling
from tests.resolvers.calling import caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NOW = micros(after(60))
DAY = 86_400_000_000
OSLO = TraitIs("city", Comparison.EQUALS, "Oslo")
BUYERS = Counted(Recent(30), name="Order Completed", at_least=1)
HISTORY = """
MATCH (i:Identifier)-[was:WAS_IN]->(segment:Segment)
RETURN i.key AS key, segment.name AS name, was.entered AS entered, was.left AS left
ORDER BY key, name, entered
"""


@dataclass
class Followed:
    """A history whose segments are followed, and who was said to enter and leave them."""

    teller: Teller
    now: int = NOW
    read: int = 0
    inside: dict[str, set[str]] = field(default_factory=dict)

    @property
    def graph(self) -> Connection:
        return self.teller.graph

    async def keep(self) -> None:
        await keep_members(self.graph, PolicyHeld(self.teller.policy), self.now)

    async def define(self, name: str, definition: Definition) -> None:
        assert await define_segment(self.graph.writer, name, definition, self.now)

    async def people(self) -> dict[str, int]:
        """How many are in each segment: by what is stored, by what was told, and by asking everybody, alike."""
        await number_entries(self.graph)
        await self.keep()
        await number_entries(self.graph)
        await self._hear()
        found = {}
        for each in await stored_segments(self.graph.reader):
            assert each.key
            assert each.definition
            place = Place(each.key)
            members = (await members_in(self.graph.reader, [place], 100)).get(place, ())
            asked = await preview(self.graph.reader, each.definition, self.teller.policy.traits, self.now, 100)
            assert {who.who for who in members} == {who.id for who in asked.sample} == self.inside.get(each.key, set())
            assert all(who.who == who.profile.id for who in members)
            found[each.name] = asked.count
        return found

    async def _hear(self) -> None:
        """Nobody enters who is in, nobody leaves who is not."""
        while some := await entries_after(self.graph.reader, self.read):
            for each in some:
                if each.segment is not None:
                    inside = self.inside.setdefault(each.segment, set())
                    assert inside.isdisjoint(each.entered)
                    assert inside.issuperset(each.left)
                    inside |= {*each.entered}
                    inside -= {*each.left}
            self.read = some[-1].seq


async def followed(graph: Connection) -> Followed:
    return Followed(await telling(graph, default_policy()))


async def test_people_enter_and_leave_by_what_happens_and_by_time(graph: Connection) -> None:
    history = await followed(graph)
    await history.teller.tell([identify("u1", "a1", traits={"city": "Oslo"}, at=0), track("a9", at=0)])
    await history.define("osloers", OSLO)
    await history.define("buyers", BUYERS)
    await history.define("quiet", Not(BUYERS))
    assert await history.people() == {"buyers": 0, "osloers": 1, "quiet": 2}
    await history.teller.tell([track("a1", name="Order Completed", at=1)])
    assert await history.people() == {"buyers": 1, "osloers": 1, "quiet": 1}
    before = (await feed_bounds(graph.reader)).last
    assert await history.people() == {"buyers": 1, "osloers": 1, "quiet": 1}
    assert (await feed_bounds(graph.reader)).last == before
    history.now += 31 * DAY
    assert await history.people() == {"buyers": 0, "osloers": 1, "quiet": 2}
    rows = [tuple(row.values()) for row in await graph.reader.rows(HISTORY)]
    assert ("user_id:u1", "buyers", NOW, NOW + 31 * DAY) in rows
    assert [row[1] for row in rows if row[3] is None and row[0] == "user_id:u1"] == ["osloers", "quiet"]
    assert history.now - NOW > SWEPT_EVERY
    assert await verify(graph.reader, history.teller.policy) == ()


async def test_memberships_go_with_anchors_through_merges_splits_and_erasures(graph: Connection) -> None:
    history = await followed(graph)
    await history.define("osloers", OSLO)
    oslo = {"city": "Oslo"}
    await history.teller.tell(
        [identify("u1", "a1", traits=oslo), identify(None, "a2", email="e2@x.com", traits=oslo, at=1)]
    )
    assert await history.people() == {"osloers": 2}
    await history.teller.decide(act(ActKind.SAME, "user_id:u1", "email:e2@x.com", at=5))
    assert await history.people() == {"osloers": 1}
    await history.teller.decide(act(ActKind.DIFFERENT, "user_id:u1", "email:e2@x.com", at=6))
    assert await history.people() == {"osloers": 2}
    await history.teller.tell([alias("a1", "u3", at=7), identify("u4", "a1", traits={"city": "Bergen"}, at=8)])
    await history.people()
    await erased(graph, "email:e2@x.com")
    await history.people()
    assert not [row for row in await graph.reader.rows(HISTORY) if row["key"] == "email:e2@x.com"]


async def test_another_definition_is_held_against_everybody(graph: Connection) -> None:
    history = await followed(graph)
    await history.teller.tell([identify("u1", "a1", traits={"city": "Oslo"}), identify("u2", "a2", at=1)])
    await history.define("some", OSLO)
    assert await history.people() == {"some": 1}
    await history.define("some", Not(OSLO))
    assert await history.people() == {"some": 1}
    await history.define("some", TraitIs("city", Comparison.EXISTS, value=True))
    await history.define("all", All(()))
    assert await history.people() == {"all": 2, "some": 1}


async def test_several_processes_tell_once(graph: Connection) -> None:
    history = await followed(graph)
    await history.define("osloers", OSLO)
    for number in range(2):
        await history.teller.tell([identify(f"u{number}", f"a{number}", traits={"city": "Oslo"}, at=number)])
        await number_entries(graph)
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(history.keep)
    assert await history.people() == {"osloers": 2}
    assert len(await graph.reader.rows(HISTORY)) == 2


async def test_a_page_is_as_small_as_it_has_to_be(graph: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.segment_members.AT_ONCE", 2)
    history = await followed(graph)
    city = [{"city": "Oslo"}, {"city": "Bergen"}]
    await history.teller.tell([identify(f"u{each}", traits=city[each % 2], at=each) for each in range(9)])
    await history.define("osloers", OSLO)
    assert await history.people() == {"osloers": 5}
    await history.define("osloers", Not(OSLO))
    assert await history.people() == {"osloers": 4}


MEMBERS = """
query ($after: String) {
  segments {
    members(first: 1, after: $after) {
      pageInfo { endCursor hasNextPage }
      edges { node { entered profile { id } } }
    }
  }
}
"""


async def test_who_is_in_is_listed_page_by_page(graph: Connection) -> None:
    history = await followed(graph)
    await history.teller.tell([identify(f"u{each}", f"a{each}", at=each) for each in range(2)])
    await history.define("all", All(()))
    me = caller(graph)
    await history.keep()
    after_, seen = None, []
    for more in (True, False):
        (found,) = (await me.ask(MEMBERS, after=after_))["segments"]
        page = found["members"]
        assert page["pageInfo"]["hasNextPage"] is more
        after_ = page["pageInfo"]["endCursor"]
        seen += [edge["node"]["profile"]["id"] for edge in page["edges"]]
    assert len(set(seen)) == 2


async def test_who_is_in_a_removed_segment_leaves_it_a_page_at_a_time(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_members, "AT_ONCE", 2)
    history = await followed(graph)
    await history.define("osloers", OSLO)
    await history.teller.tell([identify(f"u{n}", f"a{n}", traits={"city": "Oslo"}, at=n) for n in range(5)])
    for _ in range(5):
        await history.keep()
    assert await history.people() == {"osloers": 5}
    await keep_endpoint(graph.writer, Endpoint("e1", "http://x", tuple(Topic), "", 0, EndpointState.PAUSED))
    start = (await feed_bounds(graph.reader)).last
    assert await remove_segment(graph.writer, "osloers")
    await history.define("osloers", Not(OSLO))
    assert await history.people() == {"osloers": 0}
    told = [each for each in await entries_after(graph.reader, start) if each.segment]
    assert [(len(each.left), each.removed) for each in told if each.left or each.removed] == [
        (2, False), (2, False), (1, True),
    ]  # fmt: skip
    assert history.inside[told[0].segment or ""] == set()
    assert await graph.reader.rows("MATCH (s:RemovedSegment) RETURN s") == []
    monkeypatch.setattr(owing, "OWED_AT_ONCE", 1)
    owed_by_then = []
    while await owe(graph):
        owed_by_then.append(len(await deliveries(graph.reader, "e1", 10)))
    assert [each for each in dict.fromkeys(owed_by_then) if each] == [1, 2, 4]
    owed = [each.type for each in reversed(await deliveries(graph.reader, "e1", 10))]
    assert owed == ["segment.left", "segment.left", "segment.left", "segment.removed"]


async def test_steps_at_the_same_moment_are_told_in_their_order(graph: Connection) -> None:
    """Whether she enters or leaves last decides who a list holds; numbers follow the moments of what is told."""
    history = await followed(graph)
    await history.define("osloers", OSLO)
    await history.people()
    for at in range(6):
        await history.teller.tell([identify("u1", "a1", traits={"city": ("Oslo", "Bergen")[at % 2]}, at=at)])
        await number_entries_of_others(graph)
        await history.keep()
    assert await history.people() == {"osloers": 0}


async def number_entries_of_others(graph: Connection) -> None:
    """Number what was told to the segments, and leave for later what they told: as if it had all been at once."""
    await graph.writer.command("MATCH (e:Unsequenced) WHERE e.segment IS NOT NULL REMOVE e:Unsequenced SET e:Later")
    await number_entries(graph)
    await graph.writer.command("MATCH (e:Later) REMOVE e:Later SET e:Unsequenced")


async def test_when_no_segment_is_left_nothing_of_the_feed_is_kept_for_one(graph: Connection) -> None:
    history = await followed(graph)
    await history.define("osloers", OSLO)
    await history.people()
    assert await remove_segment(graph.writer, "osloers")
    assert await history.people() == {}
    assert await graph.reader.rows("MATCH (p:FeedPosition {name: 'segments'}) RETURN p") == []
    assert await keep_members(graph, PolicyHeld(history.teller.policy), history.now) == 0
