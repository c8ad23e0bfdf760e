"""Who has not `pii:read` is shown no value of a person, cannot guess one, and learns nothing from the time it takes."""

import base64
import re
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from graphql import GraphQLError, GraphQLInterfaceType, GraphQLObjectType, parse
from hypothesis import given
from hypothesis import strategies as st

from graph.connection import Connection
from resolvers.answering.documents import Document
from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.guarded import GUARDED, shown_to_viewer
from resolvers.answering.requests import Asked
from resolvers.asking import Asking
from resolvers.masking import HIDDEN, Rule, masked, personal_fields, rule_of, shape_of
from tests.resolvers.calling import Caller, caller, read
from tests.resolvers.people import family
from tests.resolvers.walking import everything_of

FIELDS = [
    (kind.name, name)
    for kind in EXECUTABLE.type_map.values()
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__")
    for name in kind.fields
]
REFUSED = frozenset(each for each in FIELDS if rule_of(*each) is Rule.REFUSED)
UNREAD = {Rule.SHAPE, Rule.NULL, Rule.WORDS, Rule.REFUSED, None}


@pytest.mark.parametrize(("kind", "name"), [each for each in FIELDS if rule_of(*each) in UNREAD])
def test_what_is_hidden_is_never_read(kind: str, name: str) -> None:
    def resolve(*_: object, **__: object) -> object:
        raise AssertionError("it was read")

    answer: object = None
    with suppress(GraphQLError):
        answer = masked(kind, name, resolve)("user_id:anna-the-first", None)
    assert answer in (None, HIDDEN, f"{HIDDEN}st")


def test_a_field_without_a_rule_is_refused() -> None:
    with pytest.raises(GraphQLError, match="personal data"):
        masked("Profile", "shoeSize", lambda *_: 38)(None, None)


def test_who_sees_all_is_answered_by_resolvers_that_know_of_no_rule() -> None:
    for kind, name in FIELDS:
        plain, guarded = (made.type_map[kind].fields[name].resolve for made in (EXECUTABLE, GUARDED))  # type: ignore[attr-defined]
        assert "_ruled" not in getattr(plain, "__qualname__", "")
        assert "_ruled" in guarded.__qualname__ or isinstance(EXECUTABLE.type_map[kind], GraphQLInterfaceType)


@given(st.text(min_size=1, max_size=40), st.sampled_from(["email", "phone", "user_id", "anonymous_id"]))
def test_a_shape_tells_two_characters_at_most(value: str, namespace: str) -> None:
    left = shape_of(namespace, value).replace(HIDDEN, "").replace("@", "")
    assert len(left) <= (1 if namespace == "email" else 2)
    assert shape_of(namespace, value) == shape_of(namespace, value)


@pytest.mark.parametrize(
    ("namespace", "value", "shape"),
    [
        ("email", "anna@fern.no", "a…@…"),
        ("phone", "+4799887766", "…66"),
        ("user_id", "anna", "…"),
        ("user_id", "anna-4711", "…11"),
    ],
)
def test_a_shape_tells_what_it_is_and_not_whose(namespace: str, value: str, shape: str) -> None:
    assert shape_of(namespace, value) == shape


PERSONAL = ("anna@fern.no", "Anna@Fern.no", "ben@fern.no", "B-1", "Oslo", "Bergen", "blocked userId: the")
ROOTS = """
profile(by: {identifier: {namespace: "user_id", value: "anna"}})
account(by: {key: {namespace: "account", value: "fern"}})
device(anonymousId: "a1")
identifier(by: {identifier: {namespace: "email", value: "anna@fern.no"}})
profiles
changes
segments
"""


async def everything(
    me: Caller, root: str, depth: int, refused: frozenset[tuple[str, str]] = frozenset()
) -> dict[str, object]:
    """All that can be asked below a root field, whatever it costs, without what is refused anyway."""
    name = root.partition("(")[0]
    kind = EXECUTABLE.query_type.fields[name].type  # type: ignore[union-attr]
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    document = parse(f"{{ {root} {everything_of(kind, depth, refused)} }}")  # type: ignore[arg-type]
    shown = Document(document, {}, personal_fields(document, EXECUTABLE))
    result = await shown_to_viewer(shown, Asked(""), Asking(me.viewer, me.world))
    return {"data": result.data, "errors": [each.formatted for each in result.errors or ()]}


def told(answer: object) -> str:
    """All texts in an answer, and what they hold where they are ids and cursors."""
    text = orjson.dumps(answer).decode()
    opaque = set(re.findall(r'"([A-Za-z0-9_-]{8,})"', text))
    return text + "".join(b64(each) for each in opaque)


def b64(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_whatever_is_asked_no_value_of_a_person_is_in_an_answer(graph: Connection) -> None:
    await family().write(graph.writer)
    for root in ROOTS.strip().splitlines():
        seen = told(await everything(Caller(caller(graph).world), root, 2))
        depth = 3 if root.startswith("profile(") else 2
        hidden = await everything(Caller(caller(graph).world, pii=False), root, depth, REFUSED)
        text = told(hidden)
        assert {each for each in PERSONAL if each in text} == set(), root
        assert hidden["errors"] == []
        assert root.startswith("segments") or len(text) > 200
        assert not root.startswith("profile(") or any(each in seen for each in PERSONAL)


async def hiding(graph: Connection) -> Caller:
    await family().write(graph.writer)
    return Caller(caller(graph).world, pii=False)


SEGMENT = 'segmentPreview(definition: {all: [{trait: {name: "city", how: STARTS_WITH, value: "O"}}]})'


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_nobody_is_found_by_guessing_but_by_a_whole_identifier(graph: Connection) -> None:
    me = await hiding(graph)
    for asked in (
        '{ profiles(search: "an") { edges { node { id } } } }',
        '{ profiles(filter: {traits: [{name: "city", value: "Oslo"}]}) { edges { node { id } } } }',
        f"{{ {SEGMENT} {{ count }} }}",
        '{ how(profile: {id: "anna"}) { sentence } }',
        "{ suggestions { edges { cursor } } }",
    ):
        me.statements.clear()
        answer = read(await me.post(asked))
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["pii_scope"]
        assert me.statements == []
    found = await me.ask(
        '{ profile(by: {identifier: {namespace: "email", value: "anna@fern.no"}}) { contactPoints { value } } }'
    )
    assert found == {"profile": {"contactPoints": [{"value": "a…@…"}]}}


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_trait_that_is_open_is_shown_and_people_are_found_by_it(graph: Connection) -> None:
    me = await hiding(graph)
    open_ = Caller(replace(me.world, open_traits=frozenset({"city"})), pii=False)
    shoe = f'{{ {SEGMENT} {{ count }} profiles(filter: {{traits: [{{name: "city", value: "Oslo"}}]}}) '
    found = await open_.ask(
        shoe + '{ edges { node { city: trait(key: "city") { value } shoe: trait(key: "shoe") { value } } } } }'
    )
    assert found["segmentPreview"] == {"count": 1}
    assert found["profiles"] == {"edges": [{"node": {"city": {"value": "Oslo"}, "shoe": {"value": None}}}]}


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_what_is_hidden_is_named_once_for_an_answer_and_never_read(graph: Connection) -> None:
    me = await hiding(graph)
    timeline = '{ profile(by: {id: "anna"}) { interactions { edges { node { id%s } } } } }'
    plain = read(await me.post(timeline % ""))
    statements = len(me.statements)
    me.statements.clear()
    asked = read(await me.post(timeline % " properties context"))
    assert len(me.statements) == statements
    assert "masked" not in plain["extensions"]
    assert asked["extensions"]["masked"] == ["Interaction.context", "Interaction.properties"]
    nodes = [each["node"] for each in asked["data"]["profile"]["interactions"]["edges"]]
    assert nodes
    assert all(each["properties"] is None for each in nodes)


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_pages_of_identifiers_go_on_where_they_ended_in_an_order_that_tells_nothing(graph: Connection) -> None:
    me = await hiding(graph)
    page = '{ profile(by: {id: "anna"}) { identifiers(first: 2%s) { edges { node { id } } pageInfo { endCursor } } } }'
    first = (await me.ask(page % ""))["profile"]["identifiers"]
    rest = (await me.ask(page % f', after: "{first["pageInfo"]["endCursor"]}"'))["profile"]["identifiers"]
    ids = [each["node"]["id"] for each in (*first["edges"], *rest["edges"])]
    assert len(ids) == len(set(ids)) == 4
