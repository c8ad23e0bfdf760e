"""The schema as it is executed, without what Strawberry puts between a field and a plain attribute or a resolver.

Strawberry's own resolver of a plain field is five calls deep, and a page of twenty interactions has 160 of them.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING
from functools import cache
from operator import attrgetter
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.types import get_object_definition, has_object_definition
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from resolvers.ids import global_id_of
from resolvers.nodes import Node
from resolvers.past import tensed
from resolvers.schema import schema

Resolve = Callable[..., object]
Read = Callable[[Any], object]
Place = tuple[str, str]  # a type and one of its fields
NAMES = schema.config.name_converter


def lean(made: GraphQLSchema) -> GraphQLSchema:
    """A schema whose resolvers are called as directly as can be."""
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLInputObjectType) and "strawberry-definition" in kind.extensions:
            kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of  # which it prints and does not tell
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                ours = _ours(field.extensions)
                resolve = _plain(ours) if ours.is_basic_field else field.resolve
                if resolve is not None:
                    field.resolve = tensed(kind.name, name, resolve)
    return made


def _ours(extensions: Mapping[str, Any]) -> StrawberryField:
    field: StrawberryField = extensions["strawberry-definition"]
    return field


def _plain(ours: StrawberryField) -> Resolve:
    read = _reading(ours)
    return lambda source, _info: read(source)


def _reading(ours: StrawberryField) -> Read:
    return global_id_of if ours.python_name == "global_id" else attrgetter(ours.python_name)


EXECUTABLE = lean(schema._schema)  # noqa: SLF001 -- Strawberry has no public name for it


OURS: Mapping[Place, StrawberryField] = {
    (kind.name, name): _ours(field.extensions)
    for kind in EXECUTABLE.type_map.values()
    if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
    for name, field in kind.fields.items()
}


def _read(place: Place, ours: StrawberryField) -> Read:
    if _is_free(place, ours):
        return _reading(ours)
    guarded = tensed(*place, _plain(ours))
    return lambda source: guarded(source, None)


def _is_free(place: Place, ours: StrawberryField) -> bool:
    """Whether it is answered of the past as well."""
    plain = _plain(ours)
    return tensed(*place, plain) is plain


# The interfaces whose values `type_name_of` knows by themselves.
NODES = frozenset(
    kind.name
    for kind in EXECUTABLE.type_map.values()
    if isinstance(kind, GraphQLInterfaceType) and issubclass(kind.extensions["strawberry-definition"].origin, Node)
)

# The attribute of the stored value that a field is, where it is one and nothing else.
ATTRIBUTES: Mapping[Place, str] = {
    place: ours.python_name
    for place, ours in OURS.items()
    if ours.is_basic_field and ours.python_name != "global_id" and _is_free(place, ours)
}

# How to read each field that is an attribute of the stored value.
PLAIN: Mapping[Place, Read] = {place: _read(place, ours) for place, ours in OURS.items() if ours.is_basic_field}


def _called(ours: StrawberryField) -> Resolve:
    """A resolver's own function, given a source, an Info, and what `converted` makes of the arguments."""
    base = ours.base_resolver
    assert base is not None  # noqa: S101 -- a field without one is plain
    function = base.wrapped_func
    parent = base.parent_parameter.name if base.parent_parameter else None
    info_name = base.info_parameter.name if base.info_parameter else None
    assert callable(function)  # noqa: S101 -- a function, as they all are here

    def call(source: object, info: object, **arguments: object) -> object:
        if parent is not None:
            arguments[parent] = source
        if info_name is not None:
            arguments[info_name] = info
        return function(**arguments)

    return call


# The resolver of each other field, by its own function.
CALLED: Mapping[Place, Resolve] = {
    place: tensed(*place, _called(ours)) for place, ours in OURS.items() if not ours.is_basic_field
}


Convert = Callable[[Any], object]


def converting(ours: StrawberryField) -> Callable[[Mapping[str, object]], dict[str, object]]:
    """What makes the arguments of a resolver's own function of those that graphql-core coerced.

    As Strawberry's `convert_arguments` does, which finds out anew, for each value, of what type it is to be.
    """
    named = [(NAMES.from_argument(each), each.python_name, _typed(each.type)) for each in ours.arguments]
    return lambda given: {ours: convert(given[name]) for name, ours, convert in named if name in given}


def _typed(kind: object) -> Convert:
    return _converter(kind)


@cache
def _converter(kind: Hashable) -> Convert:
    match kind:
        case StrawberryOptional(of_type=inner):
            some = _typed(inner)
            return lambda value: None if value is None else some(value)
        case StrawberryList(of_type=inner):
            item = _typed(inner)
            return lambda values: [item(value) for value in values]
        case LazyType():
            return _typed(kind.resolve_type())
    if has_object_definition(kind):
        return lambda value: kind(**_filled(kind, value))
    return lambda value: value


def _filled(kind: type, value: Mapping[str, object]) -> dict[str, object]:
    missing, named = _inputs(kind)
    return missing | {ours: convert(value[name]) for name, ours, convert in named if name in value}


@cache
def _inputs(kind: type) -> tuple[dict[str, object], Sequence[tuple[str, str, Convert]]]:
    """Of an input type: the fields that are null where they are not given, and how each is read. It may hold itself."""
    definition = get_object_definition(kind, strict=True)
    missing: dict[str, object] = {
        each.python_name: None
        for each in definition.fields
        if each.default_value is MISSING and each.default_factory is MISSING
    }
    named = [
        (NAMES.from_field(each), each.python_name, _typed(each.resolve_type(type_definition=definition)))
        for each in definition.fields
    ]
    return missing, named
