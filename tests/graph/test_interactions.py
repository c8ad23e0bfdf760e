"""Timelines against the real Neo4j: whose interactions they hold, in which order, and what a page costs."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.interactions import (
    TIMELINE,
    TIMELINE_OLDEST,
    Ask,
    Interaction,
    InteractionFilter,
    TimeOrder,
    interactions_by_id,
    payloads_of,
    timelines_of,
    timelines_of_types,
)
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


SEEN, SIGNED = "Product Viewed", "Signed In"
FILTERS = (
    InteractionFilter(),
    InteractionFilter(names=(SEEN, SIGNED)),
    InteractionFilter(names=(SEEN, *"abcde")),
    InteractionFilter(types=("page",)),
    InteractionFilter(types=("page", "track"), start=START + MINUTE, end=START + 2 * MINUTE),
)


def several() -> World:
    """Several interactions of several actors in one moment, of two names and types, told apart by their ids."""
    made = World().person("anna", "user_id:anna", "anonymous_id:a")
    for number in range(12):
        actor, name, type_ = [("user_id:anna", SEEN, "track"), ("anonymous_id:a", SIGNED, "page")][number % 2]
        made.did(actor, number // 5, name, id=f"web:{number:02d}", type=type_)
    return made


async def page(
    graph: Connection, after: tuple[int, str] | None, size: int, wanted: InteractionFilter, order: TimeOrder
) -> Sequence[Interaction]:
    ask = Ask(ANNA, after)
    if wanted.types and not wanted.names:
        return (await timelines_of_types(graph.reader, [ask], size, wanted, order))[ask].found
    return (await timelines_of(graph.reader, [ask], size, wanted, order)).get(ask, ())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 7), wanted=st.sampled_from(FILTERS), order=st.sampled_from(TimeOrder))
async def test_pages_of_any_size_are_the_whole_timeline_in_either_order(
    graph: Connection, size: int, wanted: InteractionFilter, order: TimeOrder
) -> None:
    await graph.writer.command("MATCH (n:Profile|Identifier|Interaction) DETACH DELETE n")
    made = several()
    await made.write(graph.writer)
    seen: list[str] = []
    after = None
    while found := await page(graph, after, size, wanted, order):
        seen += [each.id for each in found]
        after = (found[-1].at, found[-1].id)
    expected = sorted((row["at"], row["id"]) for row in made.rows["interactions"] if _is_wanted(row, wanted))
    assert seen == [id_ for _, id_ in (expected if order is TimeOrder.OLDEST else reversed(expected))]


def _is_wanted(row: dict[str, object], wanted: InteractionFilter) -> bool:
    low, high = wanted.start or START, wanted.end or START + 60 * MINUTE
    return (
        (not wanted.names or row["name"] in wanted.names)
        and (not wanted.types or row["type"] in wanted.types)
        and low <= int(str(row["at"])) <= high
    )


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
    oldest = await hits(graph, TIMELINE_OLDEST, asked=[{**place, "profile": "anna"}], **{**common, "end": 2**62})
    assert (timeline < 200, portrait < 220, oldest < 200) == (True, True, True), (timeline, portrait, oldest)


RARE = "MATCH (i:Interaction {id: $id}) SET i.type = 'page'"


async def test_who_asks_for_a_type_that_is_rare_is_told_where_to_go_on(graph: Connection) -> None:
    await (
        World()
        .person("anna", "user_id:anna", "anonymous_id:a")
        .did("anonymous_id:a", 0, type="page")
        .write(graph.writer)
    )
    await graph.writer.command(HISTORY, many=10_500)
    await graph.writer.command(RARE, id="web:400")
    wanted, ask = InteractionFilter(types=("page",)), Ask(ANNA)
    first = (await timelines_of_types(graph.reader, [ask], 5, wanted))[ask]
    assert ([each.actor for each in first.found], first.end) == (["anonymous_id:a"], (501, "web:501"))
    ask = Ask(ANNA, first.end)
    second = (await timelines_of_types(graph.reader, [ask], 5, wanted))[ask]
    assert ([each.id for each in second.found], second.end) == (["web:400"], None)
    ask = Ask(ANNA)
    up = (await timelines_of_types(graph.reader, [ask], 5, wanted, TimeOrder.OLDEST))[ask]
    assert ([each.id for each in up.found], up.end) == (["web:400"], (10_000, "web:10000"))


async def test_a_repeat_that_differs_is_flagged_whether_or_not_it_came_with_the_first(graph: Connection) -> None:
    teller = await telling(graph)
    await teller.tell([track("a1", id="m1", name="One"), track("a1", id="m1", name="Two")])
    await teller.tell([track("a1", id="m1", name="Three"), track("a1", id="m1", name="One")])
    rows = await graph.reader.rows("MATCH (i:Interaction) RETURN i.name AS name, i.repeated_differently AS times")
    assert rows == [{"name": "One", "times": 2}]
