"""The short way for plain leaves answers what graphql-core answers, errors included."""

import orjson
import pytest
from graphql import parse
from graphql.execution import Executor

from graph.connection import Connection
from graph.profiles import Profile
from resolvers.asking import Asking
from resolvers.executing import EXECUTABLE, LEAVES, LeanExecutor, executed
from resolvers.viewer import Viewer
from tests.resolvers.calling import caller
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PLAIN = "id known shared pending firstSeen lastSeen __typename"
EVERYTHING = f"""
{{
  profile(by: {{ id: "anna" }}) {{
    {PLAIN} again: known
    identifiers {{
      edges {{ cursor node {{ id namespace value generic sharedBy firstSeen }} }} pageInfo {{ hasNextPage endCursor }}
    }}
    interactions {{ edges {{ node {{ id at ownTime type name channel source actor {{ value }} properties traits }} }} }}
    accounts {{ role since account {{ id name domain traits }} }}
    sessions {{ edges {{ node {{ start end count names }} }} }}
    sharedIdentifiers {{ first last identifier {{ generic }} }}
  }}
  whySame(a: {{ id: "anna" }}, b: {{ id: "ben" }}) {{ same refused {{ authority reason firstSeen }} }}
}}
"""


async def both(graph: Connection, text: str) -> list[bytes]:
    answers = []
    for executor in (Executor, LeanExecutor):
        me = caller(graph)
        result = await executed(parse(text), {}, None, Asking(Viewer(me.scope), me.world), executor)
        errors = [error.formatted for error in result.errors or ()]
        answers.append(orjson.dumps({"data": result.data, "errors": errors}))
    return answers


async def test_the_short_way_answers_the_same(graph: Connection) -> None:
    await family().write(graph.writer)
    one, other = await both(graph, EVERYTHING)
    assert one == other
    assert b'"errors":[]' in one


async def test_the_short_way_reports_the_same_errors(graph: Connection) -> None:
    """A profile without a moment, and one whose moment no calendar has."""
    await family().write(graph.writer)
    await graph.writer.command("MATCH (p:Profile {id: 'anna'}) SET p.first_seen = 9000000000000000000, p.known = null")
    one, other = await both(graph, '{ profile(by: { id: "anna" }) { id shared firstSeen } }')
    assert one == other
    one, other = await both(graph, '{ profile(by: { id: "anna" }) { id known } }')
    assert one == other
    assert b"Cannot return null for non-nullable field Profile.known" in one


def test_five_of_six_fields_go_the_short_way() -> None:
    assert {("Profile", "id"), ("Interaction", "at"), ("Device", "generic")} <= set(LEAVES)
    assert not {("Profile", "devices"), ("Interaction", "properties"), ("Interaction", "actor")} & set(LEAVES)
    known = Profile("x", known=True, shared=False, first_seen=0, last_seen=0, pending=False)  # type: ignore[arg-type]
    assert LEAVES["Profile", "firstSeen"](known) == "1970-01-01T00:00:00Z"
    assert "Profile" in EXECUTABLE.type_map
