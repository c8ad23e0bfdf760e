"""What is refused to somebody is null with an error at its path, and takes nothing around it away.

The fields are those of the schema, as far as they can be reached: a new one that may be refused and may not be null
fails here.
"""

from collections.abc import Collection, Iterator

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from graph.connection import Connection
from identity.messages import Json
from resolvers.answering.fields import EXECUTABLE
from resolvers.masking import Rule, rule_of
from resolvers.rows import IDENTIFIERS, KINDS, ROOTS
from resolvers.rows import REFUSED as REASONS
from tests.resolvers.calling import Caller, caller, read
from tests.resolvers.test_masking import FIELDS
from tests.resolvers.test_rows import FERN, neighbours
from tests.resolvers.test_rows import REFUSED as CUT

Field = tuple[str, str]
PERSONAL = frozenset(each for each in FIELDS if rule_of(*each) in (Rule.REFUSED, Rule.ARGUMENTS))
OTHERS_ROOTS = frozenset(
    (kind, name) for kind, name in FIELDS if kind in ("Query", "Subscription") and name not in ROOTS
)
SEEN = frozenset(
    ("Profile", "Account", "Order", "Deal", "Ticket", *IDENTIFIERS, *KINDS)
)  # what `node` leads to, of what a partner sees
ANNA = '{id: "anna"}'
# Where each field is asked: below the person, or at the root with what it needs.
WAYS = {
    "Profile": "%s",
    "Trait": "traits { name %s }",
    "Identifier": "identifiers { edges { node { id %s } } }",
    "Contact": "contacts { id %s }",
    "Device": "devices { id %s }",
    "ContactPoint": "contactPoints { id %s }",
}
GIVEN = {
    "profiles": '(search: "an")',
    "segmentPreview": '(definition: {trait: {name: "city", how: EQUALS, value: "Oslo"}})',
    "how": f"(profile: {ANNA})",
    "whySame": f"(a: {ANNA}, b: {ANNA})",
    "whyNot": f"(a: {ANNA}, b: {ANNA})",
    "connection": f"(from: {ANNA}, to: {ANNA})",
    "neighbourhood": '(of: {identifier: {namespace: "user_id", value: "anna"}})',
    "suggestions": "",
}


def reached(refused: Collection[Field], nodes: Collection[str] = ()) -> frozenset[Field]:
    """The fields that can be asked at all, behind none that is refused. nodes: what interfaces stand for."""
    found: set[Field] = set()
    assert EXECUTABLE.query_type is not None
    assert EXECUTABLE.subscription_type is not None
    waiting: list[GraphQLNamedType] = [EXECUTABLE.query_type, EXECUTABLE.subscription_type]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            waiting += [each for each in EXECUTABLE.get_possible_types(kind) if not nodes or each.name in nodes]
        if isinstance(kind, GraphQLInterfaceType | GraphQLObjectType):
            new = {(kind.name, name): field for name, field in kind.fields.items() if (kind.name, name) not in found}
            found |= new.keys()
            waiting += [get_named_type(field.type) for place, field in new.items() if place not in refused]
    return frozenset(found)


REFUSABLE = {
    "without `pii:read`": sorted(PERSONAL & reached(PERSONAL - {("Query", "profiles"), ("Query", "segmentPreview")})),
    "restricted to accounts": sorted((CUT & reached(CUT | OTHERS_ROOTS, SEEN)) - OTHERS_ROOTS),
}


@pytest.mark.parametrize("place", sorted({*REFUSABLE["without `pii:read`"], *REFUSABLE["restricted to accounts"]}))
def test_what_can_be_refused_may_be_null(place: Field) -> None:
    kind = EXECUTABLE.type_map[place[0]]
    assert isinstance(kind, GraphQLInterfaceType | GraphQLObjectType)
    assert not isinstance(kind.fields[place[1]].type, GraphQLNonNull)


def test_whatever_a_partner_is_refused_of_what_she_sees_has_its_reason() -> None:
    assert set(REFUSABLE["restricted to accounts"]) == REASONS.keys()


def asked(places: Collection[Field]) -> Iterator[str]:
    """A question for each field, with something beside it that nobody is refused."""
    for kind, name in places:
        field = EXECUTABLE.type_map[kind].fields[name]  # type: ignore[attr-defined]
        inner = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
        if kind == "Query":
            yield f"{{ {name}{GIVEN[name]}{inner} profile(by: {ANNA}) {{ id }} }}"
        elif kind in WAYS:
            yield f"{{ profile(by: {ANNA}) {{ id {WAYS[kind] % f'{name}{inner}'} }} }}"
        else:
            assert not isinstance(field.type, GraphQLNonNull)


def at(answer: Json, path: Collection[str | int]) -> Json:
    for each in path:
        assert answer is not None, path
        answer = answer[each]
    return answer


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_field_that_is_refused_is_null_by_itself_and_all_beside_it_is_answered(graph: Connection) -> None:
    await neighbours().write(graph.writer)
    world = caller(graph).world
    viewers = {
        "without `pii:read`": (Caller(world, pii=False), "pii_scope"),
        "restricted to accounts": (Caller(world, accounts=(FERN,)), "key_scope"),
    }
    for name, (me, code) in viewers.items():
        for question in asked(REFUSABLE[name]):
            answer = read(await me.post(question))
            assert answer["data"]["profile"]["id"], question
            assert {each["extensions"]["code"] for each in answer["errors"]} == {code}, question
            assert [at(answer["data"], each["path"]) for each in answer["errors"]] == [None] * len(answer["errors"])
