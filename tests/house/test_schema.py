"""schema.graphql is what the code prints, everything in it says what it is, and every code has its sentence."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType

from loaders.mapping_text import schema_text
from resolvers.answering.executing import EXECUTABLE
from resolvers.errors import MEANINGS, Code
from resolvers.schema import sdl
from selfsame.openapi import openapi_text
from tests.house.reading import ROOT


def test_the_schema_checked_in_is_the_one_the_code_prints() -> None:
    """`make schema` prints it; a changed name or type is told in the changelog."""
    assert (ROOT / "schema.graphql").read_text("utf-8") == sdl() + "\n"


def test_the_description_of_http_checked_in_is_the_one_the_code_prints() -> None:
    """`make schema` prints it."""
    assert (ROOT / "openapi.json").read_text("utf-8") == openapi_text()


def test_the_schema_of_mappings_is_the_one_the_code_prints() -> None:
    """`selfsame map schema` prints it."""
    assert (ROOT / "docs" / "mapping.schema.json").read_text("utf-8") == schema_text()


def described(kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    yield kind.name, kind.description
    match kind:
        case GraphQLObjectType() | GraphQLInterfaceType():
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                for argument, defined in field.args.items():
                    yield f"{kind.name}.{name}({argument})", defined.description
        case GraphQLInputObjectType():
            yield from ((f"{kind.name}.{name}", each.description) for name, each in kind.fields.items())
        case GraphQLEnumType():
            yield from ((f"{kind.name}.{name}", each.description) for name, each in kind.values.items())


OURS = [kind for name, kind in EXECUTABLE.type_map.items() if not name.startswith("__")]


@pytest.mark.parametrize("kind", OURS, ids=str)
def test_everything_in_the_schema_says_what_it_is(kind: GraphQLNamedType) -> None:
    assert [name for name, description in described(kind) if not description] == []


def test_every_code_has_its_sentence() -> None:
    assert set(MEANINGS) == set(Code)
