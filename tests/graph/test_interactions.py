"""Timelines against the real Neo4j: whose interactions they hold, in which order, and what a page costs."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.interactions import TIMELINE, Ask, InteractionFilter, interactions_by_id, payloads_of, timelines_of
from graph.portraits import PORTRAITS_BY_IDENTIFIER, portraits_by_id, portraits_by_identifier
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId
from tests.building import track
from tests.graph.telling import telling
from tests.graph.world import MINUTE, START, World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
ANNA, BEN, KIOSK = ProfileId("anna"), ProfileId("ben"), ProfileId("kiosk")
TABLET = "anonymous_id:tablet"


def world() -> World:
    """Anna and Ben share a tablet: hers from minute 10 to 20 and from 40 to 50, his from 30 to 35."""
    made = World().person("anna", "user_id:anna", "anonymous_id:a").person("ben", "user_id:ben")
    made.person("kiosk", TABLET, known=False, shared="values")
    made.shares("anna", TABLET, (10, 20), (40, 50)).shares("ben", TABLET, (30, 35))
    for minute in (5, 10, 15, 20, 25, 30, 35, 38, 40, 50, 55):
        made.did(TABLET, minute)
    return (
        made.did("user_id:anna", 12, "Signed In")
        .did("anonymous_id:a", 60, type="page")
        .did("user_id:ben", 1, "Signed In")
    )


async def minutes(graph: Connection, profile: ProfileId, wanted: InteractionFilter | None = None) -> Sequence[float]:
    found = await timelines_of(graph.reader, [Ask(profile)], 100, wanted or InteractionFilter())
    return [(each.at - START) / MINUTE for each in found.get(Ask(profile), ())]


async def test_a_person_has_her_own_interactions_and_those_inside_her_spans(graph: Connection) -> None:
    await world().write(graph.writer)
    assert await minutes(graph, ANNA) == [60, 50, 40, 20, 15, 12, 10]
    assert await minutes(graph, BEN) == [35, 30, 1]


async def test_a_shared_device_keeps_what_lies_outside_all_spans(graph: Connection) -> None:
    await world().write(graph.writer)
    assert await minutes(graph, KIOSK) == [55, 38, 25, 5]


async def test_spans_that_touch_give_their_common_moment_once(graph: Connection) -> None:
    made = World().person("anna", "user_id:anna").person("kiosk", TABLET, shared="values")
    made.shares("anna", TABLET, (10, 20), (20, 30)).did(TABLET, 20).did(TABLET, 31)
    await made.write(graph.writer)
    assert await minutes(graph, ANNA) == [20]
    assert await minutes(graph, KIOSK) == [31]


async def test_a_filter_chooses_by_type_name_and_window(graph: Connection) -> None:
    await world().write(graph.writer)
    window = InteractionFilter(start=START + 12 * MINUTE, end=START + 40 * MINUTE)
    assert await minutes(graph, ANNA, InteractionFilter(types=("page", "screen"))) == [60]
    assert await minutes(graph, ANNA, InteractionFilter(names=("Signed In", "Nothing"))) == [12]
    assert await minutes(graph, ANNA, window) == [40, 20, 15, 12]
    assert (
        await minutes(graph, ANNA, InteractionFilter(("track",), ("Product Viewed",), window.start))
        == [60, 50, 40, 20, 15][1:]
    )


async def test_an_unknown_profile_has_no_timeline(graph: Connection) -> None:
    assert await timelines_of(graph.reader, [Ask(ProfileId("nobody"))], 5) == {}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 7), names=st.sampled_from([(), ("Product Viewed", "Signed In")]))
async def test_pages_of_any_size_are_the_whole_timeline(graph: Connection, size: int, names: tuple[str, ...]) -> None:
    """Several interactions of several actors in one moment are told apart by their ids."""
    made = World().person("anna", "user_id:anna", "anonymous_id:a")
    for number in range(12):
        made.did(("user_id:anna", "anonymous_id:a")[number % 2], number // 5, id=f"web:{number:02d}")
    await graph.writer.command("MATCH (n:Profile|Identifier|Interaction) DETACH DELETE n")
    await made.write(graph.writer)
    seen: list[str] = []
    after = None
    while page := (await timelines_of(graph.reader, [Ask(ANNA, after)], size, InteractionFilter(names=names))).get(
        Ask(ANNA, after)
    ):
        seen += [each.id for each in page]
        after = (page[-1].at, page[-1].id)
    expected = sorted(((number // 5, f"web:{number:02d}") for number in range(12)), reverse=True)
    assert seen == [id_ for _, id_ in expected]


async def test_a_portrait_is_profile_identifiers_and_first_page(graph: Connection) -> None:
    await world().write(graph.writer)
    key = IdentifierKey("anonymous_id:a")
    portrait = (await portraits_by_identifier(graph.reader, [key, IdentifierKey("user_id:nobody")], 3))[key]
    by_id = await portraits_by_id(graph.reader, [ProfileId("anna-1")], 3)
    timeline = await timelines_of(graph.reader, [Ask(ANNA)], 3)
    assert (portrait.profile.id, [each.key for each in portrait.identifiers]) == ("anna", ["user_id:anna", key])
    assert portrait.newest == timeline[Ask(ANNA)]
    assert by_id == {"anna-1": portrait}


async def test_a_person_without_interactions_has_a_portrait(graph: Connection) -> None:
    await World().person("anna", "user_id:anna").write(graph.writer)
    found = await portraits_by_id(graph.reader, [ANNA], 0)
    assert (found[ANNA].profile.id, found[ANNA].newest) == ("anna", ())


async def test_interactions_and_their_payloads_are_found_by_id(graph: Connection) -> None:
    await (
        World()
        .person("anna", "user_id:anna")
        .did("user_id:anna", 1, id="web:1", properties='{"a":1}')
        .write(graph.writer)
    )
    ids = [MessageId("web:1"), MessageId("web:2")]
    assert [each.name for each in (await interactions_by_id(graph.reader, ids)).values()] == ["Product Viewed"]
    assert {id_: each.properties for id_, each in (await payloads_of(graph.reader, ids)).items()} == {
        "web:1": '{"a":1}'
    }


async def hits(graph: Connection, statement: str, **parameters: object) -> int:
    async with graph.driver.session() as session:
        result = await session.run(f"PROFILE {statement}", parameters)
        profile = (await result.consume()).profile
    assert profile is not None
    return total(profile)


def total(operator: dict[str, object]) -> int:
    children = operator.get("children", [])
    hits_here = operator.get("dbHits", 0)
    assert isinstance(children, list)
    assert isinstance(hits_here, int)
    return hits_here + sum(map(total, children))


# Whatever reads them all shows at ten thousand, too: it would cost fifty times what is allowed.
MANY = 100_000 if settings.get_current_profile_name() == "prove" else 10_000
HISTORY = """
UNWIND range(1, $many) AS number
CREATE (:Interaction {
  id: 'web:' + number, actor: 'user_id:anna', at: number, received_at: number, type: 'track', name: 'Product Viewed',
  channel: 'web', source: 'web'
})
"""


async def test_a_page_of_a_long_history_costs_its_page(graph: Connection) -> None:
    await World().person("anna", "user_id:anna").write(graph.writer)
    await graph.writer.command(HISTORY, many=MANY)
    place = {"number": 0, "at": MANY // 2, "id": f"web:{MANY // 2}"}
    common = {"first": 20, "types": [], "names": [], "start": 0}
    timeline = await hits(graph, TIMELINE, asked=[{**place, "profile": "anna"}], **common)
    portrait = await hits(graph, PORTRAITS_BY_IDENTIFIER, asked=[{**place, "key": "user_id:anna"}], **common)
    assert (timeline < 200, portrait < 220) == (True, True), (timeline, portrait)


async def test_a_repeat_that_differs_is_flagged_whether_or_not_it_came_with_the_first(graph: Connection) -> None:
    teller = await telling(graph)
    await teller.tell([track("a1", id="m1", name="One"), track("a1", id="m1", name="Two")])
    await teller.tell([track("a1", id="m1", name="Three"), track("a1", id="m1", name="One")])
    rows = await graph.reader.rows("MATCH (i:Interaction) RETURN i.name AS name, i.repeated_differently AS times")
    assert rows == [{"name": "One", "times": 2}]
