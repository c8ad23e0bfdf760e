"""Timelines and sessions over GraphQL."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import Caller, caller
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
FROM_GOOGLE = '{"campaign":{"name":"spring","source":"google","medium":"cpc"}}'


async def of_anna(graph: Connection, selected: str) -> dict:
    await family().write(graph.writer)
    return await asked(caller(graph), selected)


async def asked(me: Caller, selected: str) -> dict:
    found = (await me.ask(f'{{ profile(by: {{ id: "anna" }}) {{ {selected} }} }}'))["profile"]
    assert isinstance(found, dict)
    return found


def names(page: dict) -> list[str]:
    return [edge["node"]["name"] for edge in page["edges"]]


async def test_a_timeline_comes_newest_first_with_what_she_did_on_a_shared_device(graph: Connection) -> None:
    found = await of_anna(graph, "interactions { edges { node { name } } pageInfo { hasNextPage } }")
    assert names(found["interactions"]) == ["Order Completed", "Product Viewed", "Signed In", "Home"]
    assert found["interactions"]["pageInfo"] == {"hasNextPage": False}


PAGE = "interactions(first: %d%s) { edges { node { name } } pageInfo { hasNextPage endCursor } }"


@pytest.mark.parametrize("size", [1, 2, 3, 4])
async def test_pages_of_any_size_are_the_whole_timeline(graph: Connection, size: int) -> None:
    await family().write(graph.writer)
    me, seen, after = caller(graph), [], ""
    while True:
        page = (await asked(me, PAGE % (size, after)))["interactions"]
        seen += names(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    assert seen == ["Order Completed", "Product Viewed", "Signed In", "Home"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("types: [PAGE]", ["Home"]),
        ('names: ["Signed In", "Home"]', ["Signed In", "Home"]),
        ('start: "2026-01-01T02:02:00+02:00", end: "2026-01-01T00:15:00Z"', ["Product Viewed", "Signed In"]),
        ('types: [TRACK], names: ["Home"]', []),
    ],
)
async def test_a_filter_chooses_interactions(graph: Connection, wanted: str, expected: list[str]) -> None:
    found = await of_anna(graph, f"interactions(filter: {{ {wanted} }}) {{ edges {{ node {{ name }} }} }}")
    assert names(found["interactions"]) == expected


async def test_an_interaction_tells_all_that_was_sent(graph: Connection) -> None:
    found = await of_anna(
        graph,
        "interactions(first: 1) { edges { node { id at ownTime receivedAt type name channel source actor { "
        "namespace value identifier { __typename } profile { known } } properties traits context "
        "identifiers { namespace value place } warnings { code place sentence } } } }",
    )
    assert found["interactions"]["edges"][0]["node"] == {
        "id": global_id(Noun.INTERACTION, "web:4"),
        "at": "2026-01-01T01:30:00Z",
        "ownTime": "2026-01-01T01:30:00Z",
        "receivedAt": "2026-01-01T01:30:00Z",
        "type": "TRACK",
        "name": "Order Completed",
        "channel": "web",
        "source": "web",
        "actor": {
            "namespace": "anonymous_id",
            "value": "a2",
            "identifier": {"__typename": "Device"},
            "profile": {"known": True},
        },
        "properties": None,
        "traits": {"city": "Oslo"},
        "context": {"page": {"path": "/"}},
        "identifiers": [{"namespace": "email", "value": " Anna@Fern.no ", "place": "traits.email"}],
        "warnings": [{"code": "blocked", "place": "userId", "sentence": "the value is a placeholder"}],
    }


async def test_sessions_end_after_the_idle_minutes_of_the_policy(graph: Connection) -> None:
    found = await of_anna(graph, "sessions { edges { node { start end count names } } }")
    assert [edge["node"] for edge in found["sessions"]["edges"]] == [
        {
            "start": "2026-01-01T01:30:00Z",
            "end": "2026-01-01T01:30:00Z",
            "count": 1,
            "names": ["Order Completed"],
        },
        {
            "start": "2026-01-01T00:01:00Z",
            "end": "2026-01-01T00:15:00Z",
            "count": 3,
            "names": ["Home", "Signed In", "Product Viewed"],
        },
    ]


async def test_sessions_come_in_pages(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    page = "sessions(first: 1%s) { edges { node { count } } pageInfo { hasNextPage endCursor } }"
    first = (await asked(me, page % ""))["sessions"]
    rest = (await asked(me, page % f', after: "{first["pageInfo"]["endCursor"]}"'))["sessions"]
    assert [edge["node"]["count"] for edge in (*first["edges"], *rest["edges"])] == [1, 3]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_journey_says_from_where_she_came_in_each_session(graph: Connection) -> None:
    made = family().did("anonymous_id:a1", 300, "Home", id="web:9", type="page", context=FROM_GOOGLE)
    await made.did("anonymous_id:a1", 301, "Shop", id="web:10", type="page", context=FROM_GOOGLE).write(graph.writer)
    found = await asked(
        caller(graph),
        "journey(first: 2) { edges { node { interactions(first: 1) { edges { node { name } } "
        "pageInfo { hasNextPage } } } } pageInfo { hasNextPage } "
        "touchpoints { channel source medium campaign referrer interaction { name } } }",
    )
    nothing = {"source": None, "medium": None, "campaign": None, "referrer": None}
    paid = {"source": "google", "medium": "cpc", "campaign": "spring", "referrer": None}
    assert found["journey"]["touchpoints"] == [
        {"channel": "DIRECT", **nothing, "interaction": {"name": "Order Completed"}},
        {"channel": "PAID_SEARCH", **paid, "interaction": {"name": "Home"}},
    ]
    pages = [edge["node"]["interactions"] for edge in found["journey"]["edges"]]
    assert [(names(page), page["pageInfo"]["hasNextPage"]) for page in pages] == [
        (["Home"], True),
        (["Order Completed"], False),
    ]
    assert found["journey"]["pageInfo"] == {"hasNextPage": True}
    first = await asked(
        caller(graph),
        "journey(order: OLDEST_FIRST) { touchpoints { interaction { name } } "
        "edges { node { interactions(order: NEWEST_FIRST, first: 2) { edges { node { name } } } } } }",
    )
    journey = first["journey"]
    assert [each["interaction"]["name"] for each in journey["touchpoints"]] == ["Home", "Order Completed", "Home"]
    assert [names(edge["node"]["interactions"]) for edge in journey["edges"]] == [
        ["Product Viewed", "Signed In"],
        ["Order Completed"],
        ["Shop", "Home"],
    ]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ('start: "yesterday"', "bad_date"),
        ('start: "2026-01-01"', "bad_date"),
        ('end: "2026-01-01T00:00:00"', "bad_date"),
        ("end: 7", "bad_date"),
        (f"names: {['a'] * 21}".replace("'", '"'), "too_many_values"),
    ],
)
async def test_a_filter_that_cannot_be_used_says_why(graph: Connection, wanted: str, code: str) -> None:
    query = f'{{ profile(by: {{ id: "anna" }}) {{ interactions(filter: {{ {wanted} }}) {{ edges {{ cursor }} }} }} }}'
    await family().write(graph.writer)
    assert await caller(graph).refused(query) == code


async def test_a_bad_date_in_a_variable_says_why(graph: Connection) -> None:
    query = (
        'query ($f: InteractionFilter) { profile(by: { id: "x" }) { interactions(filter: $f) { edges { cursor } } } }'
    )
    assert await caller(graph).refused(query, f={"start": "2026-02-30T00:00:00Z"}) == "bad_date"
