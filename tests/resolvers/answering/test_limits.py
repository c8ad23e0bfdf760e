"""What one request may ask: how deep, how long, how much."""

import pytest
from graphql import get_introspection_query, parse
from graphql.language import FragmentDefinitionNode, OperationDefinitionNode

from graph.connection import Connection
from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.limits import Size, size_of
from tests.resolvers.calling import caller, read

pytestmark = [pytest.mark.anyio]


def size(text: str) -> Size:
    definitions = parse(text).definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    (operation,) = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    return size_of(operation, fragments, EXECUTABLE)


@pytest.mark.parametrize(
    ("text", "depth", "cost"),
    [
        ("{ segments { name } }", 2, {(): 11}),
        ("{ profiles(first: 5) { edges { node { id known } } } }", 4, {(): 21}),
        ("{ profiles { edges { node { id } } } }", 4, {(): 61}),
        ("query ($n: Int!) { profiles(first: $n) { edges { cursor } } }", 3, {(): 1, ("n",): 2}),
        ("{ ...a } fragment a on Query { segments { ...b } } fragment b on Segment { name }", 2, {(): 11}),
        ('{ node(id: "x") { ... on Profile { devices { id } } } }', 3, {(): 12}),
        ("{ __schema { types { fields { args { name } } } } }", 1, {(): 1}),
    ],
)
def test_size_is_depth_and_the_number_of_fields_that_full_pages_would_have(text: str, depth: int, cost: dict) -> None:
    found = size(text)
    assert (found.depth, {names: number for names, number in found.cost.items() if number}) == (depth, cost)
    assert found.fixed == (cost[()] if set(cost) == {()} else None)


def test_fragments_inside_fragments_are_measured_once_each() -> None:
    """Two to the power of sixty fields are counted, not visited."""
    fragments = "".join(
        f" fragment f{number} on Profile {{ a: colleagues {{ edges {{ node {{ ...f{number + 1} }} }} }} "
        f"b: colleagues {{ edges {{ node {{ ...f{number + 1} }} }} }} }}"
        for number in range(60)
    )
    assert (
        size(f'{{ profile(by: {{ id: "x" }}) {{ ...f0 }} }}{fragments} fragment f60 on Profile {{ id }}').cost[()]
        > 2**60
    )


LONG = (
    "{ profiles(first: 100) { edges { node { interactions(first: 100) "
    "{ edges { node { id at name type source channel ownTime receivedAt } } } } } } }"
)
CROWDED = (
    "query ($n: Int!) { profiles(first: $n) { edges { node { colleagues(first: $n) { edges { node { "
    "colleagues(first: $n) { edges { cursor } } } } } } } } }"
)
DEEP = "colleagues { edges { node { " * 5 + "id" + " } } }" * 5


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        (f'{{ profile(by: {{ id: "x" }}) {{ {DEEP} }} }}', {}, "too_deep"),
        (
            "{ " + " ".join(f"a{number}: segments {{ name }}" for number in range(101)) + " }",
            {},
            "too_many_root_fields",
        ),
        ("{ " + "segments { name } " * 600 + " }", {}, "too_long"),
        (LONG, {}, "too_costly"),
        (CROWDED, {"n": 60}, "too_costly"),
        ("{" + "a{" * 600 + "id" + "}" * 601, {}, "too_deep"),
        (f"{{ node(id: {'[' * 900}{']' * 900}) {{ id }} }}", {}, "too_deep"),
        ("{ " + "segments { name } " * 400 + " }", {}, "too_long"),
        ("{ " + "a: segments { name } " * 190 + " }", {}, "too_long"),
        (f"{{ profiles(first: {'9' * 5000}) {{ edges {{ cursor }} }} }}", {}, "query_invalid"),
    ],
)
async def test_what_is_too_much_is_refused_before_anything_is_read(
    graph: Connection, query: str, variables: dict, code: str
) -> None:
    me = caller(graph)
    assert await me.refused(query, **variables) == code
    assert me.statements == []


@pytest.mark.neo4j
async def test_variables_may_not_be_nested_without_end(graph: Connection) -> None:
    asked: dict = {"all": []}
    for _ in range(100):
        asked = {"not": asked}
    query = "query ($asked: SegmentInput!) { segmentPreview(definition: $asked) { count } }"
    assert await caller(graph).refused(query, asked=asked) == "too_deep"


@pytest.mark.neo4j
async def test_introspection_stays_on_for_the_tools_of_front_ends(graph: Connection) -> None:
    query = get_introspection_query(descriptions=True, specified_by_url=True, input_value_deprecation=True)
    found = read(await caller(graph).post(query))
    assert "errors" not in found
    assert {"Profile", "Account", "Device"} <= {each["name"] for each in found["data"]["__schema"]["types"]}
