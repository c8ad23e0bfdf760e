"""No field answers the past with the present, and what is answered costs so many statements, whoever it is."""

import pytest
from graphql import GraphQLError

from graph.connection import Connection
from resolvers.answering.fields import CALLED, EXECUTABLE, PLAIN
from resolvers.past import ANSWERED, PastKey
from tests.resolvers.calling import caller
from tests.resolvers.people import family

FIELDS = [(kind, name) for kind in ANSWERED for name in EXECUTABLE.type_map[kind].fields]
REFUSING = [(kind, name) for kind, name in FIELDS if name not in ANSWERED[kind]]


@pytest.mark.parametrize(("kind", "name"), REFUSING, ids=map(".".join, REFUSING))
def test_a_field_whose_past_nobody_kept_refuses(kind: str, name: str) -> None:
    read, called = PLAIN.get((kind, name)), CALLED.get((kind, name))
    ways = [EXECUTABLE.type_map[kind].fields[name].resolve, called, read and (lambda source, _info: read(source))]
    for resolve in filter(None, ways):
        with pytest.raises(GraphQLError) as refusal:
            resolve(PastKey("user_id:u1"), None)
        assert refusal.value.extensions == {"code": "not_of_the_past", "field": f"{kind}.{name}"}


def test_what_is_answered_are_fields_of_the_schema() -> None:
    assert {(kind, name) for kind, names in ANSWERED.items() for name in names} <= set(FIELDS)


EVERYTHING = """
query ($by: ProfileLookup!, $then: DateTime, $happened: DateTime) {
  profile(by: $by, asOf: $then, effectiveAt: $happened) {
    id known shared pending firstSeen lastSeen redirectedFrom
    identifiers { edges { node { namespace value firstSeen generic } } }
    devices { id } contacts { id } contactPoints { id }
    traits { name value } city: trait(key: "city") { value sentence } shoe: trait(key: "shoe") { value source }
    interactions { edges { node { at name actor { value } } } }
    accounts { totalCount edges { cursor node { role source since lastSeen account { value } history { role } } } }
    history { edges { node { kind } } }
  }
}
"""
WHO, POLICY, TRAITS, TIMELINE, ACCOUNTS, HISTORY = 4, 1, 1, 1, 2, 1


@pytest.mark.anyio
@pytest.mark.neo4j
@pytest.mark.parametrize("name", ["anna", "ben"])
async def test_the_past_of_anybody_costs_as_many_statements(graph: Connection, name: str) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    found = await me.ask(EVERYTHING, by={"id": name}, then="2027-01-01T00:00:00Z")
    assert found["profile"]["id"]
    assert len(me.statements) == WHO + POLICY + TRAITS + TIMELINE + ACCOUNTS + HISTORY
    me.statements.clear()
    await me.ask(EVERYTHING, by={"id": name}, happened="2027-01-01T00:00:00Z")
    assert len(me.statements) == WHO + 1 + TRAITS + TIMELINE + ACCOUNTS + HISTORY


TRAITS_OF = """
query ($by: ProfileLookup!, $then: DateTime) {
  one: profile(by: $by, asOf: $then) { %s accounts { edges { node { role } } } }
  same: profile(by: $by, asOf: $then) { %s accounts { edges { node { role } } } }
}
"""


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_what_was_said_of_a_past_profile_is_read_once_however_many_fields_ask(graph: Connection) -> None:
    await family().write(graph.writer)
    for many in (1, 5):
        me = caller(graph)
        fields = " ".join(f'f{number}: trait(key: "city") {{ value }}' for number in range(many))
        found = await me.ask(TRAITS_OF % (fields, fields), by={"id": "anna"}, then="2027-01-01T00:00:00Z")
        assert found["one"]["f0"] == {"value": "Oslo"}
        assert found["one"] == found["same"]
        assert len(me.statements) == 2 * WHO + POLICY + TRAITS + ACCOUNTS
