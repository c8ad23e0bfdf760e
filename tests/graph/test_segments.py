"""A compiled segment means what its definition means: random people and definitions, on the real Neo4j."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.segments import define_segment, memberships_in, preview, stored_segments
from identity.identifiers import ProfileId
from insight.segments import (
    MICROS_PER_DAY,
    All,
    Between,
    Comparison,
    Counted,
    Definition,
    Happening,
    Person,
    Recent,
    TraitIs,
    matches,
)
from tests.graph.world import START, World
from tests.insight.definitions import DEFINITIONS, HAPPENINGS, NAMES, NOW, TRAITS

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PEOPLE = st.lists(st.builds(Person, TRAITS, HAPPENINGS), min_size=1, max_size=4)
TABLET = "anonymous_id:tablet"
CLEAR = "MATCH (n:Profile|Identifier|Interaction|Observation|Segment) DETACH DELETE n"


def written(people: Sequence[Person]) -> World:
    """Each person has two identifiers that take turns; a tablet that nobody owns does everything, too."""
    made = World().person("tablet", TABLET, shared="values", known=False)
    for number, person in enumerate(people):
        keys = (f"user_id:{number}", f"anonymous_id:{number}")
        made.person(f"p{number}", *keys)
        made.rows["profiles"][-1].update({f"t_{name}": value for name, value in person.traits.items()})
        for turn, each in enumerate(person.interactions):
            happened(made, keys[turn % 2], each, f"{number}-{turn}")
    return made


def happened(made: World, actor: str, happening: Happening, id_: str) -> None:
    made.did(actor, 0, happening.name, f"web:{id_}", at=happening.at, type=happening.type)


# An example costs half a second, most of it to plan a statement that is new; `prove` asks for ten times as many.
@settings(
    max_examples=max(25, settings.default.max_examples // 12),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(PEOPLE, st.lists(DEFINITIONS, min_size=1, max_size=10))
@example([Person({"city": "\uff41"})], [TraitIs("city", Comparison.GREATER, "\U0001f6d2")])
@example([Person({"city": 2**53 + 1})], [TraitIs("city", Comparison.EQUALS, float(2**53))])
async def test_a_compiled_segment_means_what_its_definition_means(
    graph: Connection, people: list[Person], definitions: list[Definition]
) -> None:
    await graph.writer.command(CLEAR)
    await written(people).write(graph.writer)
    numbered = {str(number): each for number, each in enumerate(definitions)}
    ids = [ProfileId(f"p{number}") for number in range(len(people))]
    found = await memberships_in(graph.reader, ids, numbered, NAMES, NOW)
    for id_, person in zip(ids, people, strict=True):
        assert found[id_] == tuple(name for name, each in numbered.items() if matches(each, person, NOW))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, DEFINITIONS)
@example([Person({})], All(()))
async def test_a_preview_counts_and_shows_the_people_that_match(
    graph: Connection, people: list[Person], definition: Definition
) -> None:
    await graph.writer.command(CLEAR)
    await written(people).write(graph.writer)
    expected = [f"p{number}" for number, person in enumerate(people) if matches(definition, person, NOW)]
    found = await preview(graph.reader, definition, NAMES, NOW, 2)
    assert (found.count, [each.id for each in found.sample]) == (len(expected), expected[:2])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 60), max_size=12), st.integers(0, 6), st.integers(0, 60), st.integers(0, 60))
async def test_what_a_person_did_on_a_shared_device_counts_inside_her_spans(
    graph: Connection, minutes: list[int], least: int, start: int, end: int
) -> None:
    """Her spans are from 10 to 20, from 20 to 30 and from 40 to 50; what others did there is not hers."""
    await graph.writer.command(CLEAR)
    made = World().person("anna", "user_id:anna").person("tablet", TABLET, shared="values")
    made.shares("anna", TABLET, (10, 20), (20, 30), (40, 50))
    for number, minute in enumerate(minutes):
        made.did(TABLET, minute, id=f"web:{number}")
    await made.write(graph.writer)
    mine = [minute for minute in minutes if 10 <= minute <= 30 or 40 <= minute <= 50]
    person = Person({}, [Happening(START + minute * 60_000_000, "track", "Product Viewed") for minute in mine])
    window = Between(START + start * 60_000_000, START + end * 60_000_000)
    definition = Counted(window, name="Product Viewed", at_least=least)
    found = await memberships_in(graph.reader, [ProfileId("anna")], {"x": definition}, (), NOW)
    assert found == {"anna": ("x",) if matches(definition, person, NOW) else ()}


async def test_a_shared_profile_is_in_no_segment(graph: Connection) -> None:
    await written([]).write(graph.writer)
    assert await memberships_in(graph.reader, [ProfileId("tablet")], {"x": All(())}, (), NOW) == {"tablet": ()}
    assert (await preview(graph.reader, All(()), (), NOW, 5)).count == 0


async def test_a_name_that_the_policy_does_not_name_never_reaches_the_database(graph: Connection) -> None:
    for name in ("shoe", "a` = 1 OR true //"):
        with pytest.raises(ValueError, match="is no named trait"):
            await preview(graph.reader, TraitIs(name, Comparison.EQUALS, 1), ["city", "a` = 1 OR true //"], NOW, 5)


async def test_a_segment_is_kept_by_name_and_replaced(graph: Connection) -> None:
    await graph.writer.command(CLEAR)
    old, new = TraitIs("city", Comparison.EQUALS, "Oslo"), Counted(Recent(3), at_least=1)
    await define_segment(graph.writer, "b", old, NOW)
    await define_segment(graph.writer, "a", old, NOW)
    await define_segment(graph.writer, "b", new, NOW + 1)
    found = await stored_segments(graph.reader)
    assert [(each.name, each.definition, each.created_at - NOW, each.changed_at - NOW) for each in found] == [
        ("a", old, 0, 0),
        ("b", new, 0, 1),
    ]


async def test_a_hundred_segments_are_enough(graph: Connection) -> None:
    await graph.writer.command(CLEAR)
    for number in range(100):
        await define_segment(graph.writer, f"s{number}", All(()), NOW)
    assert await define_segment(graph.writer, "one more", All(()), NOW) is None
    assert await define_segment(graph.writer, "s7", All(()), NOW + MICROS_PER_DAY) is not None
    assert len(await stored_segments(graph.reader)) == 100


async def test_a_stored_text_that_cannot_be_read_is_no_definition(graph: Connection) -> None:
    await graph.writer.command(CLEAR)
    await graph.writer.command("CREATE (:Segment {name: 'x', definition: '{}', created_at: 0, changed_at: 0})")
    assert [each.definition for each in await stored_segments(graph.reader)] == [None]
