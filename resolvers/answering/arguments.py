"""Arguments made ready once: what a document says of them stays, and of a request only its variables are put in.

graphql-core coerces them anew for each request, a twentieth of the time of a profile by an identifier. Here that is
done where nothing can be amiss: a variable that is never null stands by itself or in input objects. The rest is
graphql-core's.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    Node,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    Visitor,
    get_argument_values,
    is_required_input_field,
    visit,
)
from graphql.execution.values import VariableValues, coerce_argument
from graphql.utilities import coerce_input_literal
from graphql.utilities.coerce_input_value import coerce_default_value

Given = dict[str, object]
Fill = Callable[[Mapping[str, object]], object]


class UnsureError(Exception):
    """Something that is left to graphql-core. Never leaves this module."""


def filling(
    defined: GraphQLField, node: FieldNode, operation: OperationDefinitionNode
) -> Callable[[VariableValues], Given]:
    """What `get_argument_values` answers of a field of a valid operation. It raises what that raises."""
    never_null = frozenset(
        each.variable.name.value
        for each in operation.variable_definitions or ()
        if isinstance(each.type, NonNullTypeNode)
    )
    constant: Given = {}
    fills: list[tuple[str, Fill]] = []
    given = {each.name.value: each for each in node.arguments or ()}
    try:
        for name, argument in defined.args.items():
            said = given.get(name)
            if said is not None and variables_in(said.value):
                fills.append((argument.out_name or name, _fill(said.value, argument.type, never_null)))
            else:
                coerce_argument(constant, node, name, argument, said, None, None)
    except (UnsureError, GraphQLError):
        return lambda variables: get_argument_values(defined, node, variables)
    if not fills:
        return lambda _variables: constant
    return lambda variables: constant | {name: fill(variables.coerced) for name, fill in fills}


def _fill(value: ValueNode, kind: GraphQLInputType, never_null: frozenset[str]) -> Fill:
    if isinstance(value, VariableNode):
        if value.name.value not in never_null:
            raise UnsureError
        return itemgetter(value.name.value)
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if not isinstance(inner, GraphQLInputObjectType) or not isinstance(value, ObjectValueNode):
        raise UnsureError
    return _filled(value, inner, never_null)


def _filled(value: ObjectValueNode, kind: GraphQLInputObjectType, never_null: frozenset[str]) -> Fill:
    given = {each.name.value: each.value for each in value.fields}
    if kind.is_one_of and len(given) != 1:
        raise UnsureError
    constant: Given = {}
    fills: list[tuple[str, Fill]] = []
    for name, field in kind.fields.items():
        out = field.out_name or name
        if name in given and variables_in(given[name]):
            fills.append((out, _fill(given[name], field.type, never_null)))
            continue
        if name not in given and is_required_input_field(field):
            raise UnsureError
        said = coerce_input_literal(given[name], field.type) if name in given else coerce_default_value(field)
        if said is not Undefined:
            constant[out] = said
        elif name in given:
            raise UnsureError
    made = kind.out_type
    return lambda variables: made(constant | {name: fill(variables) for name, fill in fills})


def variables_in(node: Node) -> set[str]:
    """The names of the variables that stand in a part of a document."""
    found = set[str]()

    class Variables(Visitor):
        def enter_variable(self, variable: VariableNode, *_: object) -> None:
            found.add(variable.name.value)

    visit(node, Variables())
    return found
