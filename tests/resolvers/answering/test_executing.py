"""The short way for plain fields answers what graphql-core answers, errors included."""

import orjson
import pytest
from graphql import parse
from graphql.execution import Executor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from resolvers.answering.executing import EXECUTABLE, PLAIN, LeanExecutor, executed
from resolvers.asking import Asking
from tests.resolvers.calling import caller
from tests.resolvers.people import family
from tests.serving import empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FIELDS = "id known shared pending firstSeen lastSeen __typename"
EVERYTHING = f"""
{{
  profile(by: {{ id: "anna" }}) {{
    {FIELDS} again: known
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
        result = await executed(parse(text), {}, None, Asking(me.viewer, me.world), executor)
        errors = [error.formatted for error in result.errors or ()]
        answers.append(orjson.dumps({"data": result.data, "errors": errors}))
    return answers


async def test_the_short_way_answers_the_same(graph: Connection) -> None:
    await family().write(graph.writer)
    one, other = await both(graph, EVERYTHING)
    assert one == other
    assert b'"errors":[]' in one


PIECES = (
    "id known firstSeen",
    "__typename lastSeen",
    "devices { value __typename firstSeen profile { id } }",
    "interactions(first: 3) { edges { cursor node { id at type name } } pageInfo { hasNextPage } }",
    "interactions(first: 2) { edges { node { at ...Facts } } }",
    "interactions { edges { node { when: at at @skip(if: $no) type @include(if: $no) channel } } }",
    "identifiers { edges { node { __typename value ... on Device { generic } ... on Contact { firstSeen } } } }",
    "accounts { role account { name } }",
    "sessions { edges { node { start names } } }",
    "sharedIdentifiers { first identifier { value generic } }",
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5, unique=True), st.booleans())
async def test_any_selection_is_answered_the_same(graph: Connection, pieces: list[str], no: bool) -> None:
    await empty(graph.writer)
    await family().write(graph.writer)
    shown = " ".join(f'p{number}: profile(by: {{ id: "anna" }}) {{ {piece} }}' for number, piece in enumerate(pieces))
    facts = "fragment Facts on Interaction { name source }"
    query = f"query Q($no: Boolean = {str(no).lower()}) {{ {shown} again: __typename }} {facts}"
    one, other = await both(graph, query)
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


def test_pages_go_the_short_way_and_what_has_a_resolver_does_not() -> None:
    assert {("Profile", "id"), ("PageView", "at"), ("Device", "generic"), ("InteractionEdge", "node")} <= set(PLAIN)
    assert not {("Profile", "devices"), ("Interaction", "properties"), ("IdentifierName", "value")} & set(PLAIN)
    assert "Profile" in EXECUTABLE.type_map
