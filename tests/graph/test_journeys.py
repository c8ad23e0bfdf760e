"""Sessions against the real Neo4j, also where one reading does not hold the page."""

import pytest

from graph import journeys
from graph.connection import Connection
from graph.interactions import TimeOrder
from graph.journeys import journeys_of
from identity.identifiers import ProfileId
from tests.graph.world import MINUTE, START, World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
ANNA = ProfileId("anna")


def world() -> World:
    made = World().person("anna", "user_id:anna").person("ben", "user_id:ben").person("cy", "user_id:cy")
    for minute in (0, 10, 20, 100, 120, 300):
        made.did("user_id:anna", minute, "Signed In" if minute == 100 else "Product Viewed")
    return made.did("user_id:ben", 7, None)


async def spans(
    graph: Connection, before: int | None, first: int, order: TimeOrder = TimeOrder.NEWEST
) -> list[tuple[float, float, int]]:
    found = await journeys_of(graph.reader, [(ANNA, before)], first, 30, order)
    return [
        ((each.start - START) / MINUTE, (each.end - START) / MINUTE, each.count)
        for each in found.get((ANNA, before), ())
    ]


@pytest.mark.parametrize("at_once", [1, 2, 250])
async def test_sessions_come_in_both_orders_and_whole(
    graph: Connection, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """The size of a reading is turned down, so that a page takes several."""
    monkeypatch.setattr(journeys, "MOMENTS_AT_ONCE", at_once)
    await world().write(graph.writer)
    assert await spans(graph, None, 2) == [(300, 300, 1), (100, 120, 2)]
    assert await spans(graph, START + 100 * MINUTE, 2) == [(0, 20, 3)]
    assert await spans(graph, START, 2) == []
    assert await spans(graph, None, 2, TimeOrder.OLDEST) == [(0, 20, 3), (100, 120, 2)]
    assert await spans(graph, START + 20 * MINUTE, 2, TimeOrder.OLDEST) == [(100, 120, 2), (300, 300, 1)]
    assert await spans(graph, START + 300 * MINUTE, 2, TimeOrder.OLDEST) == []


async def test_each_profile_has_its_own(graph: Connection) -> None:
    await world().write(graph.writer)
    found = await journeys_of(graph.reader, [(ANNA, None), (ProfileId("ben"), None), (ProfileId("cy"), None)], 5, 30)
    assert {profile: [each.names for each in all_] for (profile, _), all_ in found.items()} == {
        "anna": [("Product Viewed",), ("Signed In", "Product Viewed"), ("Product Viewed",)],
        "ben": [("track",)],
    }
