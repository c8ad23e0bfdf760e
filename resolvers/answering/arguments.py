"""Arguments made ready once: what a document says of them stays, and of a request only its variables are put in.

graphql-core coerces them anew for each request, a twentieth of the time of a profile by an identifier. Here that is
done where nothing can be amiss: a variable that is never null stands by itself or in input objects. The rest is
graphql-core's.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    Node,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    Visitor,
    get_argument_values,
    get_variable_values,
    is_required_input_field,
    visit,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, coerce_argument
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


# Values that are taken as they come, by the scalar that takes them.
AS_THEY_COME: Mapping[object, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
Values = VariableValues | list[GraphQLError]


def reading(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Callable[[Mapping[str, object]], Values]:
    """What `get_variable_values` answers of an operation of a valid document.

    Texts and truth values that are never null need no coercion, which takes graphql-core 5 µs each.
    """
    defined = operation.variable_definitions or ()
    signed = [get_variable_signature(schema, each) for each in defined]
    plain = [
        (each.name, each, AS_THEY_COME[each.type.of_type])
        for each in signed
        if not isinstance(each, GraphQLError)
        and isinstance(each.type, GraphQLNonNull)
        and each.type.of_type in AS_THEY_COME
        and each.default is None
    ]
    if len(plain) < len(signed):
        return lambda inputs: get_variable_values(schema, defined, dict(inputs))

    def read(inputs: Mapping[str, object]) -> Values:
        for name, _, kind in plain:
            if type(inputs.get(name)) is not kind:
                return get_variable_values(schema, defined, dict(inputs))
        sources = {name: VariableValueSource(signature, inputs[name]) for name, signature, _ in plain}
        return VariableValues(sources, {name: inputs[name] for name, _, _ in plain})

    return read


def variables_in(node: Node) -> set[str]:
    """The names of the variables that stand in a part of a document."""
    found = set[str]()

    class Variables(Visitor):
        def enter_variable(self, variable: VariableNode, *_: object) -> None:
            found.add(variable.name.value)

    visit(node, Variables())
    return found
