"""A plan answers exactly what graphql-core answers, and says nothing where graphql-core has an error to report."""

import orjson
import pytest
from graphql import get_operation_ast, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from resolvers.answering import documents
from resolvers.answering.documents import Document, document_of, operation_in
from resolvers.answering.fields import CALLED, OURS, PLAIN
from resolvers.answering.guarded import shown_to_viewer
from resolvers.answering.plans import answer_of, planned
from resolvers.answering.requests import Asked
from resolvers.asking import Asking
from resolvers.viewer import Viewer
from tests.resolvers.calling import caller, read
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

WHOLE = b"[]"  # no errors


async def both(graph: Connection, text: str, *, pii: bool = True, **variables: object) -> tuple[bytes, bytes | None]:
    """What graphql-core answers with its errors, and what a plan answers; None where it leaves it to graphql-core."""
    me, document = caller(graph), parse(text)
    viewer = Viewer(me.scope, pii=pii)
    personal = Document(document, {}, frozenset({"Device.value"}))
    result = await shown_to_viewer(personal, Asked("", variables), Asking(viewer, me.world))
    errors = [error.formatted for error in result.errors or ()]
    operation = get_operation_ast(document)
    assert operation
    plans = planned(document, operation)
    assert plans
    data = await answer_of(plans, variables, Asking(viewer, me.world), guarded=not pii)
    core = orjson.dumps(result.data) + orjson.dumps(errors)
    return core, None if data is None else orjson.dumps(data) + WHOLE


PIECES = (
    "id known firstSeen",
    "__typename lastSeen pending",
    "devices { value __typename firstSeen profile { id devices { id } } }",
    "contacts { value profile { known redirectedFrom } } known",
    "interactions(first: 3) { edges { cursor node { __typename id at type name } } pageInfo { endCursor } }",
    "interactions(first: $many) { edges { node { at ...Facts properties actor { value profile { id } } } } }",
    "interactions { edges { node { when: at at @skip(if: $no) ... @include(if: $no) { channel context } } } }",
    "interactions(filter: { types: $types }) { edges { node { type } } }",
    "identifiers { edges { node { __typename value ... on Device { generic } ... on Contact { firstSeen } } } }",
    "accounts { role account { id name members { edges { node { profile { id } } } } } }",
    "sessions { edges { node { start names } } }",
    "sharedIdentifiers { first identifier { value generic sharedWith { edges { node { id } } } } }",
    "history(first: 5) { edges { node { __typename at kind sentence } } }",
    "household { edges { node { shared { value } profile { id } } } }",
    "segments { name } suggestions { edges { node { score } } }",
    "interactions(first: 1000) { edges { node { id } } }",
    'trait(key: "email") { value } identifiers(after: "nonsense") { edges { cursor } }',
    "...Person @skip(if: $no)",
)
WAYS = (
    'profile(by: { id: "anna" })',
    'profile(by: { identifier: { namespace: "user_id", value: $user } })',
    'profile(by: { id: "nobody" })',
    'node(id: "UHJvZmlsZTphbm5h") { __typename ... on Account { name } id ... on Profile',
)
FRAGMENTS = "fragment Facts on Interaction { name source } fragment Person on Profile { known shared }"
VARIABLES = '$no: Boolean = true, $many: Int = 2, $user: String = "anna", $types: [InteractionType!] = [TRACK]'


def query(asked: list[tuple[str, str]]) -> str:
    parts = [
        f"p{number}: {way} {{ {piece} }}{' }' if way.startswith('node') else ''}"
        for number, (way, piece) in enumerate(asked)
    ]
    # each fragment and variable is used, as a valid document has it
    used = 'used: profile(by: { id: "anna" }) { interactions(first: $many) { edges { node { ...Facts } } } ...Person }'
    return f"query Q({VARIABLES}) {{ {' '.join(parts)} {used} again: __typename }} {FRAGMENTS}"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from(PIECES)), min_size=1, max_size=5),
    st.fixed_dictionaries({}, optional={"no": st.booleans(), "many": st.sampled_from([1, 2, 0, "two"])}),
    st.booleans(),
)
async def test_any_query_is_answered_the_same(
    graph: Connection, asked: list[tuple[str, str]], variables: dict[str, object], pii: bool
) -> None:
    if not await graph.reader.rows("MATCH (p:Profile) RETURN p.id AS id"):  # else an earlier example's are there
        await family().write(graph.writer)
    core, plan = await both(graph, query(asked), pii=pii, **variables)
    assert plan == (core if core.endswith(WHOLE) else None)


async def test_what_is_stored_wrongly_is_reported_by_graphql_core(graph: Connection) -> None:
    """A profile without a moment, and one whose moment no calendar has."""
    await family().write(graph.writer)
    await graph.writer.command("MATCH (p:Profile {id: 'anna'}) SET p.first_seen = 9000000000000000000, p.known = null")
    core, plan = await both(graph, '{ profile(by: { id: "anna" }) { id shared firstSeen } }')
    assert plan is None
    core, plan = await both(graph, '{ profile(by: { id: "anna" }) { id known } }')
    assert plan is None
    assert b"Cannot return null for non-nullable field Profile.known" in core


async def test_a_plan_asks_no_statement_more_and_its_errors_cost_none_twice(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    for text in (
        '{ profile(by: { id: "anna" }) { id devices { profile { id } } interactions { edges { node { id } } } } }',
        '{ profile(by: { id: "anna" }) { id devices { value } interactions(first: 0) { edges { node { id } } } } }',
    ):
        asked = []
        for _ in range(3):
            me.statements.clear()
            await me.post(text)
            asked.append(len(me.statements))
        assert len(set(asked)) == 1, text


async def test_a_document_has_a_plan_from_its_second_request_on(graph: Connection) -> None:
    await family().write(graph.writer)
    text = '{ profile(by: { id: "anna" }) { id known } again: profile(by: { id: "anna" }) { id } }'
    document = document_of(text)
    assert not isinstance(document, list)
    plans = operation_in(document, None).plans
    assert plans
    first = read(await caller(graph).post(text))
    assert plans.plans == {}
    assert read(await caller(graph).post(text)) == first
    assert list(plans.plans) == [(False,)]


def test_what_is_remembered_of_documents_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 80)
    texts = [f"{{ segments {{ name again{number}: id }} }}" for number in range(3)]
    first, second = document_of(texts[0]), document_of(texts[1])
    assert document_of(texts[0]) is first
    document_of(texts[2])
    assert texts[1] not in documents.KNOWN
    assert document_of(texts[1]) is not second
    assert sum(map(len, documents.KNOWN)) <= 80


async def test_a_plan_remembers_nothing_of_the_request_that_it_was_made_in(graph: Connection) -> None:
    await family().write(graph.writer)
    document = parse(
        "query($user: String!, $no: Boolean!) {"
        ' profile(by: { identifier: { namespace: "user_id", value: $user } }) { id known @skip(if: $no) } }'
    )
    operation = get_operation_ast(document)
    assert operation
    plans = planned(document, operation)
    assert plans
    me = caller(graph)
    await answer_of(plans, {"user": "anna", "no": True}, Asking(Viewer(me.scope), me.world))
    assert list(plans.plans) == [(False, True)]
    other = await answer_of(plans, {"user": "nobody", "no": True}, Asking(Viewer(me.scope), me.world))
    assert other == {"profile": None}


def test_mutations_have_no_plan_and_every_field_of_the_schema_is_read_or_called() -> None:
    document = parse('mutation { clearTrait(profile: { id: "anna" }, key: "email") { __typename } }')
    operation = get_operation_ast(document)
    assert operation
    assert planned(document, operation) is None
    assert set(PLAIN) | set(CALLED) == set(OURS)
