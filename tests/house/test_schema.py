"""schema.graphql is what the code prints, everything in it says what it is, and every code has its sentence."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType

from loaders.mapping_text import schema_text
from resolvers.answering.fields import EXECUTABLE
from resolvers.errors import MEANINGS, Code
from resolvers.masking import FIELDS, rule_of
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


def test_every_field_has_a_rule_for_who_may_not_see_personal_data_and_no_rule_is_left_over() -> None:
    """A new field gets one in resolvers/masking.py: docs/access.md says which."""
    objects = [
        each
        for each in EXECUTABLE.type_map.values()
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType) and not each.name.startswith("__")
    ]
    fields = {(kind.name, name) for kind in objects for name in kind.fields}
    assert {each for each in fields if rule_of(*each) is None} == set()
    assert {(kind, name) for kind, names in FIELDS.items() for name in names} <= fields


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
