"""Profiles against the real Neo4j: by identifier, by every id once handed out, in pages, by a text; their traits."""

import pytest

from graph.connection import Connection
from graph.profile_lists import Listing, ProfileFilter, profiles_found, profiles_page
from graph.profiles import observations_of, profiles_by_id, profiles_by_identifier
from graph.searching import lucene_query
from identity.identifiers import IdentifierKey, ProfileId
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def world() -> World:
    made = World().person(
        "anna", "user_id:anna", "email:anna@fern.no", name="Anna Fern", email="anna@fern.no", city="Oslo"
    )
    made.person("ben", "user_id:ben", name="Ben O'Fern-Berg", city="Bergen").person("c", "anonymous_id:c", known=False)
    return made.person("kiosk", "anonymous_id:kiosk", known=False, shared="values")


async def found(graph: Connection, text: str, wanted: ProfileFilter | None = None) -> list[str]:
    hits = await profiles_found(graph.reader, text, Listing(wanted or ProfileFilter()), None, 10)
    return [hit.profile.id for hit in hits]


async def test_an_identifier_leads_to_its_profile(graph: Connection) -> None:
    await world().write(graph.writer)
    keys = [IdentifierKey("email:anna@fern.no"), IdentifierKey("email:nobody@fern.no")]
    answer = await profiles_by_identifier(graph.reader, keys)
    assert {key: (each.id, each.known, each.shared) for key, each in answer.items()} == {keys[0]: ("anna", True, False)}


async def test_every_id_ever_handed_out_leads_to_todays_profile(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await profiles_by_id(graph.reader, [ProfileId("anna"), ProfileId("anna-1"), ProfileId("gone")])
    assert {asked: each.id for asked, each in answer.items()} == {"anna": "anna", "anna-1": "anna"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ProfileFilter(), ["anna", "ben", "c", "kiosk"]),
        (ProfileFilter(known=True), ["anna", "ben"]),
        (ProfileFilter(known=False, shared=False), ["c"]),
        (ProfileFilter(shared=True), ["kiosk"]),
        (ProfileFilter(traits=(("city", "Oslo"),)), ["anna"]),
        (ProfileFilter(known=True, traits=(("city", "Oslo"), ("name", "Ben"))), []),
    ],
)
async def test_pages_show_what_is_wanted(graph: Connection, wanted: ProfileFilter, expected: list[str]) -> None:
    await world().write(graph.writer)
    asked = Listing(wanted)
    first = (await profiles_page(graph.reader, asked, None, 1)).found
    rest = (await profiles_page(graph.reader, asked, (0, first[0].id if first else ""), 10)).found
    assert [each.id for each in (*first, *rest)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna", ["anna"]),
        ("ANNA FERN", ["anna"]),
        ("ann", ["anna"]),
        ("anna@fern.no", ["anna"]),
        ("anna@fe", ["anna"]),
        ("o'fern", ["ben"]),
        ("nobody", []),
        ("anna ben", []),
        ("***", []),
        ("NOT anna", []),
    ],
)
async def test_a_search_finds_every_word_whole_or_begun(graph: Connection, text: str, expected: list[str]) -> None:
    await world().write(graph.writer)
    assert await found(graph, text) == expected


@pytest.mark.parametrize(
    "text", ['a"b', "a\\", "(a", "a AND", "a:b", "/a/", "[a TO", "a~", "a^2", "a && b", "é*", "{a"]
)
async def test_signs_of_the_query_language_are_only_text(graph: Connection, text: str) -> None:
    assert await found(graph, text) == []


async def test_search_hits_page_by_score_and_id(graph: Connection) -> None:
    made = World()
    for number in range(5):
        made.person(f"p{number}", f"user_id:{number}", name="Kim")
    await made.write(graph.writer)
    first = await profiles_found(graph.reader, "kim", Listing(), None, 2)
    rest = await profiles_found(graph.reader, "kim", Listing(), (first[-1].score, first[-1].profile.id), 9)
    assert [hit.profile.id for hit in (*first, *rest)] == ["p0", "p1", "p2", "p3", "p4"]


def test_a_word_is_asked_whole_and_as_a_beginning() -> None:
    assert lucene_query("Anna a@B.c") == '("Anna" OR (anna*)) AND ("a@B.c" OR ("a" AND b.c*))'


async def test_a_search_respects_the_filter(graph: Connection) -> None:
    await world().write(graph.writer)
    assert await found(graph, "b", ProfileFilter(traits=(("city", "Bergen"),))) == ["ben"]
    assert await found(graph, "b", ProfileFilter(traits=(("city", "Oslo"),))) == []


async def test_observations_of_all_identifiers_are_read(graph: Connection) -> None:
    made = world().observed("email:anna@fern.no", "sizes", [1, {"a": None}], source="crm", message="crm:1", at=7)
    await made.write(graph.writer)
    answer = await observations_of(graph.reader, [ProfileId("anna"), ProfileId("c")])
    assert {(each.trait, str(each.value), each.source) for each in answer[ProfileId("anna")]} == {
        ("name", "Anna Fern", "web"),
        ("email", "anna@fern.no", "web"),
        ("city", "Oslo", "web"),
        ("sizes", "[1, {'a': None}]", "crm"),
    }
    assert ProfileId("c") not in answer
