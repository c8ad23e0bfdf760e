"""Segments over GraphQL: previews, definitions kept by name, and who is in them."""

import pytest

from graph.connection import Connection
from graph.keys import Scope
from graph.segments import define_segment
from identity.messages import Json
from insight.segments import All, Comparison, TraitIs
from resolvers.ids import Noun, global_id
from tests.graph.world import START
from tests.resolvers.calling import Caller, caller, read
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PREVIEW = "query ($asked: SegmentInput!) { segmentPreview(definition: $asked) { count sample { id } } }"
SHOWN = "trait { name how value } interactions { type name atLeast atMost within { days between { start end } } }"
DEFINE = f"""
mutation ($name: String!, $asked: SegmentInput!) {{
  defineSegment(name: $name, definition: $asked) {{
    ... on SegmentDefined {{ segment {{
      id name usable createdAt
      definition {{ all {{ {SHOWN} any {{ {SHOWN} }} not {{ {SHOWN} }} }} {SHOWN} }}
    }} }}
    ... on Problem {{ code sentence }}
  }}
}}
"""
OSLO: dict[str, Json] = {"trait": {"name": "city", "how": "EQUALS", "value": "Oslo"}}
BUYERS: dict[str, Json] = {"interactions": {"name": "Order Completed", "atLeast": 1, "within": {"days": 30}}}
EVERY_KIND: dict[str, Json] = {
    "all": [
        {"any": [OSLO, {"trait": {"name": "city", "how": "IN", "value": ["Oslo", "Bergen"]}}]},
        {"not": BUYERS},
        {"interactions": {"type": "PAGE", "atMost": 3, "within": {"between": {"start": "2026-01-01T00:00:00Z"}}}},
        {"trait": {"name": "phone", "how": "EXISTS", "value": False}},
    ]
}


async def settled(graph: Connection, scope: Scope = Scope.READ) -> Caller:
    await family().write(graph.writer)
    return caller(graph, scope)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(OSLO, ["anna"]), ({"not": OSLO}, ["ben"]), (BUYERS, ["anna"]), (EVERY_KIND, ["ben"]), ({"any": []}, [])],
)
async def test_a_preview_counts_people_and_shows_some(graph: Connection, asked: Json, expected: list[str]) -> None:
    me = await settled(graph)
    assert (await me.ask(PREVIEW, asked=asked))["segmentPreview"] == {
        "count": len(expected),
        "sample": [{"id": global_id(Noun.PROFILE, who)} for who in expected],
    }


def as_input(shown: Json) -> Json:
    """What was answered without what is null: the input it came from. A window open at both ends is none."""
    if isinstance(shown, list):
        return [as_input(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    told = {name: as_input(value) for name, value in shown.items() if value is not None}
    return {name: value for name, value in told.items() if value != {"between": {}}}


async def test_a_definition_comes_back_as_it_was_given(graph: Connection) -> None:
    writer = await settled(graph, Scope.STEWARD)
    kept = (await writer.ask(DEFINE, name=" quiet ", asked=EVERY_KIND))["defineSegment"]["segment"]
    assert isinstance(kept, dict)
    assert (kept["name"], kept["usable"], as_input(kept["definition"])) == ("quiet", True, EVERY_KIND)
    again = await writer.ask(DEFINE, name="quiet", asked=as_input(kept["definition"]))
    assert again == {"defineSegment": {"segment": kept}}


async def test_kept_segments_are_listed_and_people_know_theirs(graph: Connection) -> None:
    await (await settled(graph, Scope.STEWARD)).ask(DEFINE, name="osloers", asked=OSLO)
    await caller(graph, Scope.STEWARD).ask(DEFINE, name="buyers", asked=BUYERS)
    me = caller(graph)
    assert await me.ask("{ segments { name } }") == {"segments": [{"name": "buyers"}, {"name": "osloers"}]}
    found = await me.ask(
        '{ a: profile(by: { id: "anna" }) { segments { name } } b: profile(by: { id: "ben" }) { segments { id } } }'
    )
    assert found == {"a": {"segments": [{"name": "buyers"}, {"name": "osloers"}]}, "b": {"segments": []}}
    node = await me.ask(
        "query ($id: ID!) { node(id: $id) { ... on Segment { name } } }", id=global_id(Noun.SEGMENT, "buyers")
    )
    assert node == {"node": {"name": "buyers"}}


async def test_a_kept_segment_whose_trait_the_policy_no_longer_names_holds_nobody(graph: Connection) -> None:
    me = await settled(graph)
    await define_segment(graph.writer, "old", TraitIs("shoe_size", Comparison.EXISTS, value=True), START)
    await graph.writer.command("CREATE (:Segment {name: 'newer', definition: '{}', created_at: 0, changed_at: 0})")
    found = await me.ask(
        '{ segments { name usable definition { trait { name } } } profile(by: { id: "anna" }) { segments { name } } }'
    )
    assert found["profile"] == {"segments": []}
    assert [(each["name"], each["usable"]) for each in found["segments"]] == [("newer", False), ("old", False)]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"trait": {"name": "shoe", "how": "EQUALS", "value": 1}}, ("unknown_trait", "definition.trait")),
        (
            {"all": [OSLO, {"not": {"trait": {"name": "x", "how": "EXISTS", "value": True}}}]},
            ("unknown_trait", "definition.all[1].not.trait"),
        ),
        ({"trait": {"name": "city", "how": "EQUALS", "value": {"a": 1}}}, ("wrong_type", "definition.trait")),
        ({"trait": {"name": "city", "how": "IN", "value": [[1]]}}, ("wrong_type", "definition.trait")),
        ({"trait": {"name": "city", "how": "CONTAINS", "value": 1}}, ("wrong_type", "definition.trait")),
        ({"interactions": {"name": "x"}}, ("no_limit", "definition.interactions")),
        ({"interactions": {"atLeast": -1}}, ("out_of_range", "definition.interactions")),
        ({"interactions": {"atLeast": 1, "within": {"days": 0}}}, ("out_of_range", "definition.interactions")),
        ({"any": [OSLO] * 101}, ("too_large", "definition")),
    ],
)
async def test_a_definition_that_cannot_be_used_says_where_and_why(
    graph: Connection, asked: Json, problem: tuple[str, str]
) -> None:
    me = await settled(graph)
    (error,) = read(await me.post(PREVIEW, asked=asked))["errors"]
    assert error["extensions"]["code"] == "segment_invalid"
    first = error["extensions"]["problems"][0]
    assert (first["code"], first["place"]) == problem
    assert error["message"] == f"{first['place']}: {first['sentence']}"


@pytest.mark.parametrize(
    "asked",
    [{}, {"all": [], "any": []}, {"trait": None}, {"not": None}, {"trait": {"name": "city", "how": "EQUALS"}}, 7],
)
async def test_a_definition_of_another_shape_is_no_variable(graph: Connection, asked: Json) -> None:
    assert await (await settled(graph)).refused(PREVIEW, asked=asked) == "variables_invalid"


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\u0007b"])
async def test_a_name_can_be_read(graph: Connection, name: str) -> None:
    assert await (await settled(graph, Scope.STEWARD)).problem(DEFINE, name=name, asked=OSLO) == "segment_name"


async def test_a_hundred_segments_are_enough(graph: Connection) -> None:
    writer = await settled(graph, Scope.STEWARD)
    for number in range(100):
        await define_segment(graph.writer, f"s{number}", All(()), START)
    assert await writer.problem(DEFINE, name="one more", asked=OSLO) == "too_many_segments"
