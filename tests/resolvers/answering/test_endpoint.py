"""/graphql over HTTP: what it reads, which status and type it answers, who may do what, and a database that is away."""

from dataclasses import replace

import orjson
import pytest
from starlette.responses import Response

from graph.connection import Connection, Reader, Row
from graph.errors import DatabaseAwayError
from graph.keys import Scope
from resolvers.answering.requests import BODY_LIMIT
from resolvers.viewer import Bounds
from tests.resolvers.calling import Caller, caller, read
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NEW, OLD = "application/graphql-response+json", "application/json"
KNOWN = '{ profile(by: { id: "anna" }) { known } }'
DEFINE = (
    'mutation { defineSegment(name: "all", definition: { all: [] }) { ... on SegmentDefined { segment { name } } } }'
)


def code(answer: Response) -> str:
    return read(answer)["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", OLD), (f"{NEW}, {OLD};q=0.9", NEW), (NEW.title(), NEW), (OLD, OLD), ("text/html", OLD), ("", OLD)],
)
async def test_the_client_chooses_the_type_of_the_answer(graph: Connection, accept: str, kind: str) -> None:
    await family().write(graph.writer)
    answer = await caller(graph).post(KNOWN, accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert read(answer)["data"] == {"profile": {"known": True}}


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ profile(", "syntax"),
        ("{ nothing }", "query_invalid"),
        ("query A { segments { name } } query B { segments { name } }", "query_invalid"),
        ("query ($id: ID!) { node(id: $id) { id } }", "variables_invalid"),
        ("fragment f on Profile { id }", "query_invalid"),
    ],
)
async def test_what_cannot_be_executed_is_400_or_200_by_the_type_asked_for(
    graph: Connection, accept: str, query: str, expected: str
) -> None:
    answer = await caller(graph).post(query, accept=accept)
    assert (answer.status_code, code(answer)) == (400 if accept == NEW else 200, expected)
    assert "data" not in read(answer)


@pytest.mark.parametrize(
    ("by", "asked"),
    [
        ("{}", {}),
        ("{ id: null }", {"id": None}),
        (
            '{ id: "a", identifier: { namespace: "user_id", value: "b" } }',
            {"id": "a", "identifier": {"namespace": "user_id", "value": "b"}},
        ),
    ],
)
async def test_of_a_one_of_exactly_one_is_given(graph: Connection, by: str, asked: dict) -> None:
    assert await caller(graph).refused(f"{{ profile(by: {by}) {{ id }} }}") == "query_invalid"
    query = "query ($by: ProfileLookup!) { profile(by: $by) { id } }"
    assert await caller(graph).refused(query, by=asked) == "variables_invalid"


async def test_an_error_in_one_field_leaves_the_others(graph: Connection) -> None:
    await family().write(graph.writer)
    answer = await caller(graph).post('{ ok: profile(by: { id: "anna" }) { known } bad: node(id: "x") { id } }')
    assert answer.status_code == 200
    assert read(answer)["data"] == {"ok": {"known": True}, "bad": None}
    assert (code(answer), read(answer)["errors"][0]["path"]) == ("bad_id", ["bad"])


@pytest.mark.parametrize(
    ("body", "kind", "status", "expected"),
    [
        (b"{", OLD, 400, "body_invalid"),
        (b"\xff", OLD, 400, "body_invalid"),
        (b"[]", OLD, 400, "body_invalid"),
        (b"{}", OLD, 400, "body_invalid"),
        (b'{"query": " "}', OLD, 400, "body_invalid"),
        (b'{"query": "{ a }", "variables": []}', OLD, 400, "body_invalid"),
        (b'{"query": "{ a }", "operationName": 1}', OLD, 400, "body_invalid"),
        (b'{"query": "{ a }", "extensions": "x"}', OLD, 400, "body_invalid"),
        (b'{"query": "{ a }", "extensions": [1]}', OLD, 400, "body_invalid"),
        (b'{"query": "{ a }"}', "application/x-www-form-urlencoded", 415, "content_type"),
        (b'{"query": "{ a }"}', "", 415, "content_type"),
        (b" " * (BODY_LIMIT + 1), OLD, 413, "body_too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_says_why(
    graph: Connection, body: bytes, kind: str, status: int, expected: str
) -> None:
    answer = await caller(graph).send(body, kind, accept=OLD)
    assert (answer.status_code, code(answer)) == (status, expected)


async def test_a_content_type_may_name_its_charset(graph: Connection) -> None:
    answer = await caller(graph).send(
        orjson.dumps({"query": "{ segments { name } }"}), "Application/JSON; charset=utf-8"
    )
    assert answer.status_code == 200


async def test_a_query_may_come_by_get(graph: Connection) -> None:
    await family().write(graph.writer)
    query = "query A($id: ID!) { profile(by: { id: $id }) { known } } query B { segments { name } }"
    answer = await caller(graph).get(query=query, variables='{"id": "anna"}', operationName="A")
    assert read(answer)["data"] == {"profile": {"known": True}}
    assert answer.headers["cache-control"] == "no-store"
    for name in ("variables", "extensions"):
        unreadable = await caller(graph).get(query=query, **{name: "{"})
        assert (unreadable.status_code, code(unreadable)) == (400, "body_invalid")
    assert (await caller(graph).get()).status_code == 400


async def test_a_mutation_may_not_come_by_get(graph: Connection) -> None:
    answer = await caller(graph, Scope.STEWARD).get(query=DEFINE)
    assert (answer.status_code, code(answer), answer.headers["allow"]) == (405, "method", "POST")
    assert await caller(graph).ask("{ segments { name } }") == {"segments": []}


@pytest.mark.parametrize(("scope", "query"), [(Scope.READ, DEFINE), (Scope.WRITE, KNOWN), (Scope.WRITE, DEFINE)])
async def test_a_key_does_what_its_scope_says(graph: Connection, scope: Scope, query: str) -> None:
    answer = await caller(graph, scope).post(query)
    assert (answer.status_code, code(answer)) == (403, "key_scope")
    assert await caller(graph).ask("{ segments { name } }") == {"segments": []}


async def test_a_stewards_key_may_change(graph: Connection) -> None:
    assert await caller(graph, Scope.STEWARD).ask(DEFINE) == {"defineSegment": {"segment": {"name": "all"}}}


class AwayReader(Reader):
    """A Reader whose Neo4j is away."""

    async def rows(self, statement: str, **parameters: object) -> list[Row]:  # noqa: ARG002
        raise DatabaseAwayError("connection refused at 10.0.0.7")


class BrokenReader(Reader):
    """A Reader with a fault in it."""

    async def rows(self, statement: str, **parameters: object) -> list[Row]:  # noqa: ARG002
        raise KeyError("secret")


def with_reader(graph: Connection, kind: type[Reader]) -> Caller:
    me = caller(graph)
    return replace(me, world=replace(me.world, reader=kind(graph.driver, "neo4j", graph.reader.bookmarked)))


@pytest.mark.parametrize("accept", [NEW, OLD])
async def test_a_database_that_is_away_is_503_and_says_when_to_come_again(graph: Connection, accept: str) -> None:
    answer = await with_reader(graph, AwayReader).post(KNOWN, accept=accept)
    assert (answer.status_code, code(answer), answer.headers["retry-after"]) == (503, "database_away", "1")
    assert b"10.0.0.7" not in answer.body


async def test_a_fault_tells_the_caller_nothing_of_the_inside(graph: Connection) -> None:
    answer = await with_reader(graph, BrokenReader).post(KNOWN)
    assert (answer.status_code, code(answer)) == (200, "unexpected")
    assert b"secret" not in answer.body


async def test_of_several_mutations_what_is_done_is_told_beside_what_has_to_wait(graph: Connection) -> None:
    """The first writes; what the second reads first is away."""
    me = replace(with_reader(graph, AwayReader), scope=Scope.ADMIN)
    answer = await me.post(
        f'mutation {{ {DEFINE[11:-2]} clearTrait(profile: {{ id: "anna" }}, key: "name") {{ __typename }} }}'
    )
    assert (answer.status_code, code(answer)) == (200, "database_away")
    assert read(answer)["data"] == {"defineSegment": {"segment": {"name": "all"}}, "clearTrait": None}
    assert read(answer)["errors"][0]["path"] == ["clearTrait"]
    alone = await me.post('mutation { clearTrait(profile: { id: "anna" }, key: "name") { __typename } }')
    assert (alone.status_code, code(alone), "data" in read(alone)) == (503, "database_away", False)


COST = {"requested": 2, "allowed": 100_000}


async def test_every_answer_says_what_it_cost_and_what_is_allowed(graph: Connection) -> None:
    me = caller(graph)
    assert read(await me.post(KNOWN))["extensions"] == {"cost": COST}
    poor = replace(me, bounds=Bounds(cost=1))
    answer = await poor.post(KNOWN)
    assert (code(answer), read(answer)["extensions"]) == ("too_costly", {"cost": COST | {"allowed": 1}})


async def test_a_list_of_questions_is_answered_in_its_order(graph: Connection) -> None:
    await family().write(graph.writer)
    asked = [{"query": KNOWN}, {"query": "{ nothing }"}, {"query": "{ segments { name } }"}]
    answer = await caller(graph).send(orjson.dumps(asked))
    one, two, three = orjson.loads(bytes(answer.body))
    assert (answer.status_code, one["data"], three["data"]) == (200, {"profile": {"known": True}}, {"segments": []})
    assert two["errors"][0]["extensions"]["code"] == "query_invalid"


async def test_what_a_list_costs_together_is_what_one_may_cost(graph: Connection) -> None:
    me = replace(caller(graph), bounds=Bounds(cost=3))
    answer = await me.send(orjson.dumps([{"query": KNOWN}] * 2))
    assert (code(answer), read(answer)["extensions"]["cost"]) == ("too_costly", {"requested": 4, "allowed": 3})
    assert me.statements == []


@pytest.mark.parametrize(("most", "number"), [(10, 11), (1, 1), (1, 2)])
async def test_a_list_that_is_too_long_or_not_wanted_is_refused_whole(
    graph: Connection, most: int, number: int
) -> None:
    me = replace(caller(graph), bounds=Bounds(operations=most))
    answer = await me.send(orjson.dumps([{"query": KNOWN}] * number), accept=NEW)
    assert (answer.status_code, code(answer)) == (400, "too_many_operations")
    assert me.statements == []
