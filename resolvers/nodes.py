"""What every thing with an id has in common, and how types lower in the room speak of those above them."""

from collections.abc import Callable
from types import GenericAlias
from typing import Annotated, Any, ForwardRef, Optional

import strawberry
from graphql import GraphQLResolveInfo

from resolvers.asking import Asking
from resolvers.ids import global_id_of, type_name_of


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    """Anything with an id of its own. The types of the schema are views of the frozen values that graph/ answers."""

    global_id: strawberry.ID = strawberry.field(
        name="id", description="Opaque, unique among everything, valid for ever."
    )

    @classmethod
    def is_type_of(cls, value: object, info: GraphQLResolveInfo[Asking]) -> bool:
        """Whether a stored value is shown as this type."""
        return type_name_of(value, info.context.world.held.names) == cls.__name__

    @classmethod
    def resolve_type(cls, value: object, info: GraphQLResolveInfo[Asking], *_: object) -> str:
        """The type as which a stored value is shown."""
        return type_name_of(value, info.context.world.held.names)


def stands_for(kind: type) -> "classmethod[object, [object, object], bool]":
    """The `is_type_of` of a type in a union: whether a value is an answer of the kind that is shown as this type."""

    def is_type_of(_type: object, value: object, _info: object) -> bool:
        return isinstance(value, kind)

    return classmethod(is_type_of)


def shown(source: object, name: str) -> object:
    """A plain field of a stored value."""
    return global_id_of(source) if name == "global_id" else getattr(source, name)


def resolved(resolver: Callable[..., object], description: str) -> Any:  # noqa: ANN401 -- like dataclasses.field
    """A field whose resolver answers stored values; its annotation says as which types they are shown."""
    return strawberry.field(resolver=resolver, description=description)


def later(name: str, module: str) -> object:
    """A type that is defined further down or in a module above: the schema is a circle, the modules are not."""
    return Annotated[ForwardRef(name), strawberry.lazy(f"resolvers.{module}")]


def maybe(kind: object) -> object:
    """The nullable form of a type made at run time."""
    return Optional.__getitem__(kind)


def many(kind: object) -> object:
    """A list of a type made at run time."""
    return GenericAlias(list, (kind,))


PROFILE = later("Profile", "profiles")
