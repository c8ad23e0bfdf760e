"""Documents written from the schema: arguments of every type, and random selections."""

from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

from resolvers.schema import sdl

# As it is printed: there the types know which of them are one-of.
SCHEMA = build_schema(sdl())

FIXED = {"Int": "1", "Float": "1.0", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"', "Date": '"2026-01-01"'}


def quoted(text: str) -> str:
    """A text as GraphQL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(kind: GraphQLInputType, text: str, turn: int = 0, depth: int = 0) -> str:
    """A value of a type in which every text is `text`. turn: which field of a one-of is chosen."""
    match kind:
        case GraphQLNonNull():
            return literal(kind.of_type, text, turn, depth)
        case GraphQLList():
            return f"[{literal(kind.of_type, text, turn, depth)}]"
        case GraphQLEnumType():
            return next(iter(kind.values))
        case GraphQLInputObjectType():
            return "{" + ", ".join(_given(kind, text, turn, depth)) + "}"
    return FIXED.get(kind.name, quoted(text))


def _given(kind: GraphQLInputObjectType, text: str, turn: int, depth: int) -> Iterator[str]:
    fields = list(kind.fields.items())
    if kind.is_one_of:
        fields = [fields[turn % len(fields)]] if depth < 3 else fields[-1:]
    for name, field in fields:
        if kind.is_one_of or depth < 3 or _required(field):
            yield f"{name}: {literal(field.type, text, turn, depth + 1)}"


def _required(defined: GraphQLInputField | GraphQLArgument) -> bool:
    if isinstance(defined, GraphQLArgument):
        return is_required_argument(defined)
    return is_required_input_field(defined)


def call(name: str, field: GraphQLField, text: str, turn: int = 0, *, everything: bool = True) -> str:
    """A field with its arguments; of what it answers the names of the types."""
    given = [
        f"{each}: {literal(argument.type, text, turn)}"
        for each, argument in field.args.items()
        if everything or _required(argument)
    ]
    arguments = f"({', '.join(given)})" if given else ""
    return name + arguments + ("" if is_leaf_type(get_named_type(field.type)) else " { __typename }")


@st.composite
def selections(draw: st.DrawFn, kind: object, depth: int = 3) -> str:
    """A random selection of a type, with aliases, pages, fragments, and fields that are skipped or included."""
    if not isinstance(kind, GraphQLObjectType):
        chosen = draw(st.sampled_from(SCHEMA.get_possible_types(kind)))  # type: ignore[arg-type]
        return f"__typename ... on {chosen.name} {{ {draw(selections(chosen, depth))} }}"
    parts = []
    for number, name in enumerate(draw(st.lists(st.sampled_from(sorted(kind.fields)), min_size=1, max_size=3))):
        field = kind.fields[name]
        inner = get_named_type(field.type)
        if depth == 0 and not is_leaf_type(inner):
            continue
        given = [
            f"{each}: {literal(a.type, 'x')}" for each, a in field.args.items() if _required(a) and each != "first"
        ]
        if "first" in field.args:
            given += draw(st.sampled_from([[], ["first: 3"], ["first: $n"], ["first: $usual"]]))
        arguments = f"({', '.join(given)})" if given else ""
        directive = draw(st.sampled_from(["", "", " @include(if: $yes)", " @skip(if: $yes)"]))
        below = "" if is_leaf_type(inner) else f" {{ {draw(selections(inner, depth - 1))} }}"
        parts.append(f"a{depth}{number}{name}: {name}{arguments}{directive}{below}")
    return " ".join(parts) or "__typename"
