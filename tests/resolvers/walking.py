"""Documents that ask for everything: made from the schema, so that a new field is in them by itself."""

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
)

from resolvers.answering.fields import EXECUTABLE

# What is given where an argument is required, by its name.
GIVEN = {"key": '"city"'}
PLUMBING = ("Connection", "Edge")


def everything_of(kind: GraphQLNamedType, depth: int, refused: frozenset[tuple[str, str]] = frozenset()) -> str:
    """A selection of all fields of a type, so many levels deep; pages and their edges are no levels.

    refused: left out, since an error where no null may stand takes away what is around it.
    """
    if isinstance(kind, GraphQLUnionType):
        return f"{{ __typename {' '.join(_of_kind(each, depth, refused) for each in kind.types)} }}"
    if isinstance(kind, GraphQLInterfaceType):
        kinds = EXECUTABLE.get_possible_types(kind)
        return f"{{ __typename {' '.join(_of_kind(each, depth, refused) for each in kinds)} }}"
    assert isinstance(kind, GraphQLObjectType)
    fields = (_field(kind.name, name, field, depth, refused) for name, field in kind.fields.items())
    return f"{{ __typename {' '.join(filter(None, fields))} }}"


def _of_kind(kind: GraphQLObjectType, depth: int, refused: frozenset[tuple[str, str]]) -> str:
    return f"... on {kind.name} {everything_of(kind, depth, refused)}"


def _field(kind: str, name: str, field: GraphQLField, depth: int, refused: frozenset[tuple[str, str]]) -> str:
    """An alias of its own, since types of one interface have fields of one name and several types."""
    inner = get_named_type(field.type)
    is_leaf = not isinstance(inner, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
    left = depth if inner.name.endswith(PLUMBING) else depth - 1
    if (kind, name) in refused or (not is_leaf and left <= 0):
        return ""
    needed = [argument for argument, defined in field.args.items() if is_required_argument(defined)]
    values = ", ".join(f"{argument}: {GIVEN[argument]}" for argument in needed)
    asked = f"{kind}_{name}: {name}{f'({values})' if values else ''}"
    return asked if is_leaf else f"{asked} {everything_of(inner, left, refused)}"
