"""Arguments made ready are what graphql-core makes of them, or the same refusal."""

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_argument_values,
    get_operation_ast,
    parse,
    validate,
    visit,
)
from graphql.execution.values import VariableValues, get_variable_values

from resolvers.answering.arguments import filling
from resolvers.answering.fields import EXECUTABLE

CASES = [
    ('query($v: String!) { profile(by: {identifier: {namespace: "email", value: $v}}) { id } }', {"v": "a@b.example"}),
    (
        "query($i: IdentifierLookup!) { profile(by: {identifier: $i}) { id } }",
        {"i": {"namespace": "email", "value": "x"}},
    ),
    ("query($by: ProfileLookup!, $at: DateTime) { profile(by: $by, asOf: $at) { id } }", {"by": {"id": "anna"}}),
    (
        "query($by: ProfileLookup!, $at: DateTime!) { profile(by: $by, asOf: $at) { id } }",
        {"by": {"id": "anna"}, "at": "2026-01-01T00:00:00Z"},
    ),
    ("query($n: Int!) { profiles(first: $n, filter: {known: true}) { edges { node { id } } } }", {"n": 3}),
    ("query($n: Int = 4) { profiles(first: $n) { edges { node { id } } } }", {}),
    ("query($known: Boolean!) { profiles(filter: {known: $known}) { edges { node { id } } } }", {"known": False}),
    ("query($known: Boolean) { profiles(filter: {known: $known}) { edges { node { id } } } }", {"known": None}),
    (
        'query($v: JSON!) {segmentPreview(definition: {any: [{trait: {name: "city", how: IN, value: $v}}]}) {count}}',
        {"v": "Oslo"},
    ),
    ('query($id: ID!) { nodes(ids: [$id, "b"]) { id } node(id: $id) { id } }', {"id": "a"}),
    (
        '{ profile(by: {id: "anna"}) { interactions(first: 2, filter: {types: [PAGE, TRACK]}) { edges { cursor } } } }',
        {},
    ),
]


def fields(text: str) -> list[tuple[object, FieldNode]]:
    document, info = parse(text), TypeInfo(EXECUTABLE)
    assert validate(EXECUTABLE, document) == []
    found: list[tuple[object, FieldNode]] = []

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            found.append((info.get_field_def(), node))

    visit(document, TypeInfoVisitor(info, Fields()))
    return found


def values_of(operation: OperationDefinitionNode, sent: dict[str, object]) -> VariableValues:
    values = get_variable_values(EXECUTABLE, operation.variable_definitions or (), sent)
    assert isinstance(values, VariableValues), values
    return values


@pytest.mark.parametrize(("text", "sent"), CASES, ids=[text[:60] for text, _ in CASES])
def test_arguments_are_those_of_graphql_core(text: str, sent: dict[str, object]) -> None:
    operation = get_operation_ast(parse(text))
    assert operation
    values = values_of(operation, sent)
    for defined, node in fields(text):
        assert filling(defined, node, operation)(values) == get_argument_values(defined, node, values)


def test_what_graphql_core_refuses_is_refused() -> None:
    text = 'query($at: DateTime) { profile(by: {id: "anna"}, asOf: "yesterday") { id } }'
    operation = get_operation_ast(parse(text))
    assert operation
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    defined = EXECUTABLE.query_type.fields["profile"]
    with pytest.raises(GraphQLError):
        filling(defined, node, operation)(values_of(operation, {}))
