"""Documents and variables made to fell a service: each is refused by its own code, and none takes long to refuse."""

import sys
from collections.abc import Callable
from itertools import product
from typing import cast

import orjson
import pytest
from graphql import GraphQLError, GraphQLObjectType
from graphql.execution.values import VariableValues

from graph.connection import Connection
from graph.keys import Scope
from resolvers.answering.crowds import check_variables
from resolvers.answering.documents import Document, read_document
from resolvers.answering.limits import check_size, cost_of
from resolvers.answering.plans import MOST_PLANS, Planned, _made, answer_of
from resolvers.asking import Asking
from resolvers.viewer import Bounds
from tests.resolvers.answering.writing import SCHEMA, call
from tests.resolvers.calling import caller, read
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio]

# How many functions of Python may be called until a refusal: some 50 ms on the machine that it was set on.
MOST_CALLS = 150_000


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python it calls: what time it takes, on any machine however busy."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def many(number: int, piece: str) -> str:
    return " ".join(piece.replace("#", str(each)) for each in range(number))


CYCLE = "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{(n + 1) % 90} }}" for n in range(90))
BOMB = "{ ...f0 } " + " ".join(
    f"fragment f{n} on Query {{ a#: __typename ...f{n + 1} ...f{n + 1} }}".replace("#", str(n)) for n in range(60)
)
COLLEAGUES = "fragment f# on Profile { colleagues { edges { node { ...f@ } } } }"
PAGES = '{ profile(by: { id: "x" }) { ...f0 } } ' + " ".join(
    COLLEAGUES.replace("#", str(n)).replace("@", str(n + 1)) for n in range(3)
)
INTROSPECTION = "{ __schema { types { " + "fields { type { " * 12 + "name" + " } }" * 12 + " } } }"

DOCUMENTS = {
    "alias flood at the root": ("{ " + many(150, "a#: __typename") + " }", "too_many_root_fields"),
    "alias flood inside": ('{ profile(by: { id: "x" }) { ' + many(600, "a#: id") + " } }", "too_many_aliases"),
    "one name again and again": ("{ " + "segments { name } " * 600 + " }", "too_long"),
    "fragments in a circle": (CYCLE, "query_invalid"),
    "a fragment of itself": ("{ ...a } fragment a on Query { ...a }", "query_invalid"),
    "fragments that double": (BOMB + " fragment f60 on Query { segments { name } }", "too_many_root_fields"),
    "fragments of pages": (
        PAGES + " fragment f3 on Profile { colleagues(first: 100) { edges { cursor } } }", "too_costly"
    ),
    "a flood of fragments": ("{ ...f0 } " + many(150, "fragment f# on Query { __typename }"), "too_long"),
    "directives at one place": ("{ segments " + "@skip(if: false) " * 200 + "{ name } }", "too_many_directives"),
    "directives that nobody knows": ("{ segments " + "@a " * 900 + "{ name } }", "too_many_directives"),
    "directives everywhere": (
        "{ segments { " + many(101, "name @include(if: true)") + " } }", "too_many_directives"
    ),
    "fields in fields": ("{ " + "a { " * 600 + "id" + " }" * 601, "too_deep"),
    "fragments in fragments": ("{ " + "... { " * 400 + "__typename" + " }" * 401, "too_deep"),
    "lists in lists": ("{ node(id: " + "[" * 100 + "]" * 100 + ") { id } }", "too_deep"),
    "lists without end": ("{ node(id: " + "[" * 1_500 + ") { id } }", "too_deep"),
    "a long list": ("{ nodes(ids: [" + '"a" ' * 2_500 + "]) { id } }", "too_long"),
    "variables without end": ("query (" + many(600, "$a#: Int") + ") { segments { name } }", "too_long"),
    "names that nobody knows": ("{ " + many(900, "z#") + " }", "query_invalid"),
    "operations without end": (many(250, "query A# { segments { name } }"), "too_long"),
    "a long text": ('{ node(id: "' + "a" * 900_000 + '") { id } }', "too_long"),
    "a long comment": ("#" + "a" * 900_000 + "\n{ segments { name } }", "too_long"),
    "nothing at length": (" " * 900_000 + "{ segments { name } }", "too_long"),
    "introspection of itself": (INTROSPECTION, "query_invalid"),
    "introspection by aliases": ("{ " + many(105, "a#: __schema { types { name } }") + " }", "too_many_root_fields"),
}  # fmt: skip


def code_of(text: str) -> str:
    found = read_document(text)
    try:
        if isinstance(found, list):
            return str((found[0].extensions or {})["code"])
        (operation,) = found.operations.values()
        check_size(operation.size)
        return "too_costly" if cost_of(operation.size, {}) > Bounds().cost else "answered"
    except GraphQLError as error:
        return str((error.extensions or {})["code"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_attack_is_refused_by_its_code_and_soon(name: str) -> None:
    text, code = DOCUMENTS[name]
    assert code_of(text) == code
    assert calls(lambda: code_of(text)) < MOST_CALLS


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"ids": ["a"] * 400_000}, "too_many_values"),
        ({str(number): 1 for number in range(6_000)}, "too_many_values"),
        ({"text": "a" * 900_000}, "too_many_values"),
        ({"asked": {"inside": ["a" * 70_000]}}, "too_many_values"),
        ({"deep": orjson.loads("[" * 500 + "]" * 500)}, "too_deep"),
        ({"wide": [[[[1] * 10] * 10] * 10] * 10}, "too_many_values"),
    ],
)
def test_variables_without_end_are_refused_soon(variables: dict, code: str) -> None:
    def refused() -> None:
        with pytest.raises(GraphQLError) as raised:
            check_variables(variables)
        assert (raised.value.extensions or {})["code"] == code

    assert calls(refused) < MOST_CALLS


def test_what_front_ends_send_is_let_through() -> None:
    """A screen with a hundred aliases, some directives and fragments."""
    text = (
        "query Q($yes: Boolean!) { "
        + many(30, 'p#: profile(by: { id: "#" }) { ...F name: trait(key: "name") { value } }')
        + " } fragment F on Profile { id known @include(if: $yes) shared @skip(if: $yes) }"
    )  # fmt: skip
    assert isinstance(read_document(text), Document)


HOSTILE = (
    "'}) DETACH DELETE n CREATE (:Injected) //",
    '"}) MATCH (n) SET n.injected = 1 //',
    "`) SET n:Injected //",
    "$p} CALL () { CREATE (:Injected) } RETURN 1 //",
    "\\u0027}) CREATE (:Injected) WITH 1 AS one MATCH (n) DETACH DELETE n //",
)

# Everything there is of the people; what a mutation may write stands beside them.
PEOPLE = """
MATCH (n:Identifier|Profile|Interaction|Account)
RETURN sum(CASE WHEN n:Profile THEN 1 ELSE 0 END) AS profiles, count(n) AS nodes,
  sum(CASE WHEN n.injected IS NULL THEN 0 ELSE 1 END) AS marked
"""


@pytest.mark.neo4j
async def test_no_text_of_any_argument_becomes_cypher(graph: Connection) -> None:
    await family().write(graph.writer)
    before = await graph.reader.rows(PEOPLE)
    me = caller(graph, Scope.ADMIN)
    for text in attempts():
        answer = read(await me.post(text))
        codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
        assert not codes & {"unexpected", "syntax", "query_invalid", "too_long"}, (text, answer)
    assert await graph.reader.rows(PEOPLE) == before
    assert await graph.reader.rows("MATCH (n:Injected) RETURN n LIMIT 1") == []


def attempts() -> list[str]:
    """Every field that takes arguments, every text of them hostile; the fields of people on real people."""
    query, mutation = SCHEMA.query_type, SCHEMA.mutation_type
    assert query
    assert mutation
    asked = []
    for number, text in enumerate(HOSTILE):
        for root, word in ((query, "query"), (mutation, "mutation")):
            asked += [
                f"{word} {{ {call(name, field, text, number)} }}" for name, field in root.fields.items() if field.args
            ]
        for kind in SCHEMA.type_map.values():
            if isinstance(kind, GraphQLObjectType) and kind not in {query, mutation}:
                calls = [call(name, each, text, number) for name, each in kind.fields.items() if each.args]
                asked += [_of_anna(kind, f"a{place}: {each}") for place, each in enumerate(calls)]
    return [each for each in asked if each]


def _of_anna(kind: GraphQLObjectType, selection: str) -> str:
    if kind.name == "Profile":
        return f'{{ profile(by: {{ id: "anna" }}) {{ {selection} }} }}'
    if kind.name == "Account":
        return (
            f'{{ profile(by: {{ id: "anna" }}) {{ accounts {{ edges {{ node {{ account {{ {selection} }} }} }} }} }} }}'
        )
    return ""


SPREAD = (
    "{ " + many(50, 'a#: profile(by: { id: "x" }) { ...P }') + " } fragment P on Profile { "
    + many(15, 't#: trait(key: "k#") { ...T }') + " } fragment T on Trait { name value sentence othersCount }"
)  # fmt: skip
SWITCHED = "query ($a: Boolean!, $b: Boolean!, $c: Boolean!) { " + " ".join(
    f"{each}: __typename @skip(if: ${each})" for each in "abc"
) + " }"  # fmt: skip


def plans_of(text: str) -> Planned:
    document = read_document(text)
    assert isinstance(document, Document)
    (operation,) = document.operations.values()
    assert operation.plans is not None
    return operation.plans


def test_a_small_text_that_means_thousands_of_fields_is_worth_no_plan() -> None:
    """A fragment is compiled wherever it is spread: this took a second, in which nobody was answered, and 20 MB."""
    made: list[object] = []
    assert calls(lambda: made.append(_made(plans_of(SPREAD), VariableValues({}, {}), guarded=False))) < MOST_CALLS
    assert made == [None]


async def test_an_operation_keeps_few_plans_however_it_is_switched() -> None:
    plans, asking = plans_of(SWITCHED), cast("Asking", None)
    for switches in product([True, False], repeat=3):
        variables = dict(zip("abc", switches, strict=True))
        data = await answer_of(plans, variables, asking)
        assert data in (None, {each: "Query" for each, left_out in variables.items() if not left_out})
    assert len(plans.plans) == MOST_PLANS
