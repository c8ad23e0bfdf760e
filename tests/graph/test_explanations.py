"""Explanations against the real Neo4j: the path between two identifiers, or what was refused between two people."""

import pytest

from graph.connection import Connection
from graph.explanations import explained
from identity.identifiers import IdentifierKey
from insight.explanations import Explanation
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def world() -> World:
    made = World().person("anna", "user_id:anna", "email:a@fern.no", "anonymous_id:a", "anonymous_id:b")
    made.person("ben", "user_id:ben", "anonymous_id:c").person("cy", "user_id:cy")
    made.person("home", "email:home@fern.no", known=False, shared="values")
    made.linked("user_id:anna", "email:a@fern.no").linked("email:a@fern.no", "anonymous_id:a", kind="alias")
    made.linked("user_id:anna", "anonymous_id:b").linked("anonymous_id:a", "anonymous_id:c", reason="unique")
    return made.linked("user_id:anna", "email:home@fern.no", reason="generic").linked(
        "user_id:ben", "email:home@fern.no", reason="generic"
    )


async def why(graph: Connection, a: str, b: str) -> Explanation:
    await world().write(graph.writer)
    return await explained(graph.reader, IdentifierKey(a), IdentifierKey(b))


async def test_the_shortest_path_of_accepted_links_says_why_they_are_one(graph: Connection) -> None:
    answer = await why(graph, "anonymous_id:a", "anonymous_id:b")
    assert answer.same
    assert [(each.a, each.b, each.kind.word) for each in answer.path] == [
        ("anonymous_id:a", "email:a@fern.no", "alias"),
        ("email:a@fern.no", "user_id:anna", "cooccur"),
        ("anonymous_id:b", "user_id:anna", "cooccur"),
    ]


async def test_refused_links_and_what_two_people_share_say_why_they_are_not(graph: Connection) -> None:
    answer = await why(graph, "user_id:ben", "email:a@fern.no")
    assert not answer.same
    assert [(each.a, each.b, each.reason, each.generic) for each in answer.refused] == [
        ("anonymous_id:a", "anonymous_id:c", "unique", ()),
        ("email:home@fern.no", "user_id:anna", "generic", ("email:home@fern.no",)),
        ("email:home@fern.no", "user_id:ben", "generic", ("email:home@fern.no",)),
    ]


async def test_strangers_have_nothing_between_them(graph: Connection) -> None:
    answer = await why(graph, "user_id:cy", "user_id:anna")
    assert (answer.same, answer.path, answer.refused, answer.missing) == (False, (), (), ())


async def test_one_identifier_is_itself_and_an_unknown_one_is_named(graph: Connection) -> None:
    known, unknown = IdentifierKey("user_id:cy"), IdentifierKey("user_id:cx")
    assert (await why(graph, known, known)).same
    assert (await explained(graph.reader, unknown, known)).missing == (unknown,)
    assert (await explained(graph.reader, unknown, unknown)).missing == (unknown, unknown)
