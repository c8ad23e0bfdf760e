"""What an operation costs is never less than the fields it answers, executed on a schema whose every page is full."""

from graphql import (
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLType,
    OperationDefinitionNode,
    execute_sync,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.limits import USUAL_LIST, cost_of, size_of
from tests.resolvers.answering.writing import SCHEMA, selections


def full(source: dict, info: GraphQLResolveInfo, **arguments: int | list) -> object:
    """Whatever a field answers: pages as long as was asked for, other lists of the usual length."""
    kind = info.return_type.of_type if isinstance(info.return_type, GraphQLNonNull) else info.return_type
    if not isinstance(kind, GraphQLList):
        return _one(kind, arguments)
    paged = info.field_name == "edges" and info.parent_type.name.endswith("Connection")
    long = source["first"] if paged else len(arguments.get("ids", ())) or USUAL_LIST
    return [_one(kind, arguments)] * long


def _one(kind: GraphQLType, arguments: dict) -> object:
    named = get_named_type(kind)
    if not is_leaf_type(named):
        return {"first": arguments.get("first", 1)}
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values.values())).value
    return {"Int": 1, "Float": 1.0, "Boolean": True}.get(named.name, "x")


def first_of(_: object, info: GraphQLResolveInfo, kind: GraphQLAbstractType) -> str:
    return info.schema.get_possible_types(kind)[0].name


def fields(answer: object) -> int:
    if isinstance(answer, dict):
        return len(answer) + sum(map(fields, answer.values()))
    return sum(map(fields, answer)) if isinstance(answer, list) else 0


@settings(max_examples=30)
@given(selections(SCHEMA.query_type), st.integers(1, 12), st.sampled_from([{}, {"usual": 4}]), st.booleans())
def test_no_operation_answers_more_fields_than_it_costs(
    selection: str, n: int, given_too: dict[str, int], yes: bool
) -> None:
    head = "query ($n: Int!, $usual: Int! = 7, $yes: Boolean!) { ...F __typename }"
    text = f"{head} fragment F on Query {{ {selection} }}"
    document, variables = parse(text), {"n": n, "yes": yes, **given_too}
    errors = [each.message for each in validate(SCHEMA, document) if "never used" not in each.message]
    assert errors == []
    operation, fragment = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert isinstance(fragment, FragmentDefinitionNode)
    cost = cost_of(size_of(operation, {"F": fragment}, EXECUTABLE), variables)
    assume(cost < 5_000)
    result = execute_sync(SCHEMA, document, variable_values=variables, field_resolver=full, type_resolver=first_of)
    assert result.errors is None
    assert fields(result.data) <= cost


def test_every_list_of_edges_is_a_page_with_a_size() -> None:
    """Its edges are counted by `first`, so what has edges must have that."""
    sizeless = [
        f"{kind.name}.{name}"
        for kind in SCHEMA.type_map.values()
        for name, field in getattr(kind, "fields", {}).items()
        if get_named_type(field.type).name.endswith("Connection") and "first" not in field.args
    ]
    assert sizeless == []
