"""A plan answers exactly what graphql-core answers, and says nothing where graphql-core has an error to report."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
import pytest
from graphql import get_operation_ast, parse, validate
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from resolvers.answering import documents
from resolvers.answering.documents import Document, document_of, operation_in
from resolvers.answering.fields import CALLED, EXECUTABLE, OURS, PLAIN
from resolvers.answering.guarded import shown_to_viewer
from resolvers.answering.plans import answer_of, planned
from resolvers.answering.requests import Asked
from resolvers.asking import Asking
from resolvers.viewer import Viewer
from tests.resolvers.calling import caller, read
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

WHOLE = b"[]"  # no errors


@dataclass(frozen=True)
class Request:
    """One of several with a document. pii: whether personal data are shown to who sends it."""

    variables: Mapping[str, object]
    pii: bool = True


async def both(graph: Connection, text: str, *requests: Request) -> AsyncIterator[tuple[bytes, bytes | None]]:
    """Request by request, what graphql-core answers with its errors, and what a plan answers.

    The plans are those of one document: made when a request needs one that no earlier request has. A plan answers None
    where it leaves it to graphql-core.
    """
    me, document = caller(graph), parse(text)
    assert validate(EXECUTABLE, document) == []
    personal = Document(document, {}, frozenset({"Device.value"}))
    operation = get_operation_ast(document)
    assert operation
    plans = planned(document, operation)
    assert plans
    for each in requests:
        viewer = Viewer(me.scope, pii=each.pii)
        result = await shown_to_viewer(personal, Asked("", each.variables), Asking(viewer, me.world))
        errors = [error.formatted for error in result.errors or ()]
        data = await answer_of(plans, each.variables, Asking(viewer, me.world), guarded=not each.pii)
        core = orjson.dumps(result.data) + orjson.dumps(errors)
        yield core, None if data is None else orjson.dumps(data) + WHOLE


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
    "accounts { edges { node { role account { id name members { edges { node { profile { id } } } } } } } }",
    "sessions { edges { node { start names } } }",
    "sharedIdentifiers { edges { node { first identifier { value generic sharedWith { edges { node { id } } } } } } }",
    "history(first: 5) { edges { node { __typename at kind sentence } } }",
    "household { edges { node { shared { value } profile { id } } } }",
    "segments { name } suggestions { edges { node { score } } }",
    "interactions(first: 1000) { edges { node { id } } }",
    'trait(key: "email") { value } identifiers(after: "nonsense") { edges { cursor } }',
    "...Person @skip(if: $no)",
    "known @include(if: $yes) shared @skip(if: $no) @include(if: $yes)",
    "interactions(first: $many, order: $order, filter: $filter) { edges { node { id } } }",
    "interactions(filter: { types: [PAGE, $kind], names: $names }) { edges { node { id } } }",
    "trait(key: $key) { value } ... @skip(if: $no) { devices { value } }",
)
WAYS = (
    'profile(by: { id: "anna" })',
    'profile(by: { identifier: { namespace: "user_id", value: $user } })',
    'profile(by: { id: "nobody" })',
    "profile(by: $by)",
    "profile(by: { id: $must })",
    'node(id: "UHJvZmlsZTphbm5h") { __typename ... on Account { name } id ... on Profile',
    "node(id: $node) { id ... @include(if: $yes) { __typename } ... on Profile",
)
FRAGMENTS = "fragment Facts on Interaction { name source } fragment Person on Profile { known shared }"
DEFINED = {
    "no": "Boolean = true",
    "yes": "Boolean! = true",
    "many": "Int = 2",
    "user": 'String = "anna"',
    "must": "ID!",
    "node": 'ID = "UHJvZmlsZTphbm5h"',
    "by": 'ProfileLookup = { id: "ben" }',
    "types": "[InteractionType!] = [TRACK]",
    "kind": "InteractionType = PAGE",
    "names": "[String!]",
    "filter": "InteractionFilter",
    "order": "TimeOrder = NEWEST_FIRST",
    "key": 'String = "city"',
}
# What is sent of each, of the right type or not; what may be left out often is, so that its default counts.
SENT: Mapping[str, Sequence[object]] = {
    "no": [None, True, False],
    "yes": [None, True, False, "yes"],
    "many": [None, 1, 0, "two"],
    "user": [None, "ben", "nobody", 7],
    "must": [None, "anna"],
    "node": [None, "UHJvZmlsZTphbm5h", "anna"],
    "by": [None, {"id": "anna"}, {"id": None}, {}, {"identifier": {"namespace": "email", "value": "ben@fern.no"}}],
    "types": [None, [], "PAGE", ["PAGE", "TRACK"], ["PAGE", None], ["VISIT"]],
    "kind": [None, "PAGE", "VISIT"],
    "names": [None, [], ["Home", "Signed In"], "Home", [None]],
    "filter": [None, {}, {"types": None}, {"types": ["PAGE"], "names": ["Home"]}, {"start": "yesterday"}],
    "order": [None, "OLDEST_FIRST", "SIDEWAYS"],
    "key": [None, "email", ""],
}
ALWAYS = {"must": "anna"}
some_variables = st.builds(
    lambda right, told: right | told,
    st.just(ALWAYS),
    st.lists(st.sampled_from(sorted(SENT)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({each: st.sampled_from(SENT[each]) for each in names})
    ),
)
some_requests = st.lists(st.builds(Request, some_variables, st.booleans()), min_size=1, max_size=3)


def query(asked: Sequence[tuple[str, str]]) -> str:
    """An operation whose variables are those that are used, as a valid document has it; so with the fragments."""
    parts = [
        f"p{number}: {way} {{ {piece} }}{' }' if way.startswith('node') else ''}"
        for number, (way, piece) in enumerate(asked)
    ]
    used = 'used: profile(by: { id: "anna" }) { interactions { edges { node { ...Facts } } } ...Person }'
    body = f"{{ {' '.join(parts)} {used} again: __typename }}"
    variables = ", ".join(f"${each}: {kind}" for each, kind in DEFINED.items() if re.search(rf"\${each}\b", body))
    return f"query Q {f'({variables})' if variables else ''} {body} {FRAGMENTS}"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from(PIECES)), min_size=1, max_size=4), some_requests)
@example([(WAYS[0], "id known @skip(if: $no)")], [Request({"no": None})])
@example([(WAYS[0], "id known @skip(if: $no)")], [Request({}), Request({"no": None}), Request({"no": False})])
async def test_any_query_is_answered_the_same_by_each_request(
    graph: Connection, asked: list[tuple[str, str]], requests: list[Request]
) -> None:
    if not await graph.reader.rows("MATCH (p:Profile) RETURN p.id AS id"):  # else an earlier example's are there
        await family().write(graph.writer)
    async for core, plan in both(graph, query(asked), *requests):
        assert plan == (core if core.endswith(WHOLE) else None)


async def test_what_is_stored_wrongly_is_reported_by_graphql_core(graph: Connection) -> None:
    """A profile without a moment, and one whose moment no calendar has."""
    await family().write(graph.writer)
    await graph.writer.command("MATCH (p:Profile {id: 'anna'}) SET p.first_seen = 9000000000000000000, p.known = null")
    ((_, plan),) = [
        each async for each in both(graph, '{ profile(by: { id: "anna" }) { id shared firstSeen } }', Request({}))
    ]
    assert plan is None
    ((core, plan),) = [each async for each in both(graph, '{ profile(by: { id: "anna" }) { id known } }', Request({}))]
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
