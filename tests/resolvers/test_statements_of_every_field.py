"""Every field that the schema has under a list of people costs as many statements for many of them as for few.

The documents are made from the schema, so a new field is counted by itself; what each costs is told in
test_batching.py.
"""

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from graph.connection import Connection
from resolvers.answering.fields import EXECUTABLE
from resolvers.viewer import Bounds
from tests.resolvers.calling import Caller, caller
from tests.resolvers.people import crowd

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FEW, MANY = 2, 12
PLUMBING = ("Connection", "Edge", "Household", "Suggestions", "Journey")
LEVELS = 2


def selections(kind: GraphQLNamedType, levels: int) -> Iterator[str]:
    """What can be asked of a type, so many levels deep, each branch by itself; the first has all of its own values."""
    if isinstance(kind, GraphQLInterfaceType):
        for each in EXECUTABLE.get_possible_types(kind):
            yield from (f"__typename ... on {each.name} {{ {inner} }}" for inner in selections(each, levels))
        return
    assert isinstance(kind, GraphQLObjectType)
    plain = [_named(name, field) for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))]
    if not kind.name.endswith("Edge"):
        yield " ".join(["__typename", *plain])
    left = levels if kind.name.endswith(PLUMBING) else levels - 1
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if not is_leaf_type(inner) and left > 0 and inner.name != "PageInfo":
            yield from (f"{_named(name, field)} {{ {each} }}" for each in selections(inner, left))


def _named(name: str, field: GraphQLField) -> str:
    needed = ", ".join(f'{argument}: "city"' for argument, each in field.args.items() if is_required_argument(each))
    return f"{name}({needed})" if needed else name


async def statements(graph: Connection, selected: str, size: int) -> int:
    """How many statements something costs, asked of so many people."""
    me = caller(graph)
    wide = Caller(me.world, me.scope, Bounds(cost=10_000_000))
    page = f"profiles(first: {size}, filter: {{ shared: false }}) {{ edges {{ node {{ {selected} }} }} }}"
    assert len((await wide.ask(f"{{ {page} }}"))["profiles"]["edges"]) == size
    return len(me.statements)


async def test_a_field_costs_as_much_of_many_people_as_of_few(graph: Connection) -> None:
    await crowd(MANY).write(graph.writer)
    asked = list(selections(EXECUTABLE.type_map["Profile"], LEVELS))
    assert len(asked) > len(EXECUTABLE.type_map["Profile"].fields)
    costs = {each: [await statements(graph, each, size) for size in (FEW, MANY)] for each in asked}
    assert {each: both for each, both in costs.items() if both[0] != both[1]} == {}
