"""Every field that changes something says which right it needs; no scope has a right by accident."""

import pytest
from graphql import GraphQLError

from graph.connection import Connection
from graph.keys import Scope
from graph.merging import holds_override
from resolvers.answering.fields import EXECUTABLE
from resolvers.permissions import NEEDED, RIGHTS, Right, check_access
from resolvers.viewer import Viewer
from tests.resolvers.calling import caller

FIELDS = {"Query": EXECUTABLE.query_type, "Mutation": EXECUTABLE.mutation_type}


def test_every_mutation_names_its_right_and_no_right_is_for_a_field_that_is_not_there() -> None:
    queries, mutations = (set(kind.fields) if kind else set() for kind in FIELDS.values())
    assert mutations <= NEEDED.keys() <= queries | mutations


def test_only_an_admin_overrides_and_erases_and_a_sender_asks_nothing() -> None:
    assert {scope for scope in Scope if Right.OVERRIDE in RIGHTS[scope]} == {Scope.ADMIN}
    assert {scope for scope in Scope if Right.ERASE in RIGHTS[scope]} == {Scope.ADMIN}
    assert {scope for scope in Scope if Right.TELL in RIGHTS[scope]} == {Scope.ADMIN}
    assert RIGHTS[Scope.WRITE] == set()


SCOPES = [*Scope]
ROOTS = [(kind, name) for kind, made in FIELDS.items() for name in (made.fields if made else ())]


@pytest.mark.parametrize("scope", SCOPES)
def test_of_every_root_field_a_scope_is_given_or_refused_what_its_rights_say(scope: Scope) -> None:
    """The matrix of docs/access.md: `--pii` and `--account` are tested where their rules are."""
    given = {name for _, name in ROOTS if NEEDED.get(name, Right.ASK) in RIGHTS[scope]}
    viewer = Viewer(scope)
    for _, name in ROOTS:
        if name in given:
            check_access([name], viewer)
            continue
        with pytest.raises(GraphQLError) as error:
            check_access([name], viewer)
        assert (error.value.extensions or {})["code"] == "key_scope"
    queries, mutations = (set(kind.fields) if kind else set() for kind in FIELDS.values())
    assert {
        Scope.WRITE: given == set(),
        Scope.READ: given <= queries,
        Scope.STEWARD: (queries | mutations) - given
        == {"erase", "unsuppress"} | {name for name, right in NEEDED.items() if right is Right.TELL},
        Scope.ADMIN: given == queries | mutations,
    }[scope]


@pytest.mark.parametrize("asked", ["__typename", "__schema", "__type"])
def test_a_writing_key_is_not_even_told_the_schema(asked: str) -> None:
    with pytest.raises(GraphQLError):
        check_access([asked], Viewer(Scope.WRITE))


UNDO = 'mutation { undoDecision(decision: "x") { ... on Problem { code sentence } } }'
HIDDEN = 'mutation { ...all } fragment all on Mutation { ... { undoDecision(decision: "x") { __typename } } }'
MERGE = """
mutation {
  mergeProfiles(from: {id: "a"}, into: {id: "b"}, override: true) { ... on Forbidden { code sentence } }
}
"""
PREVIEW = 'query { unmergePreview(what: {identifiers: [{namespace: "user_id", value: "u1"}]}) { __typename } }'


@pytest.mark.neo4j
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scope", "query"),
    [(Scope.READ, UNDO), (Scope.WRITE, UNDO), (Scope.READ, HIDDEN), (Scope.READ, PREVIEW)],
)
async def test_who_has_not_the_right_is_refused(graph: Connection, scope: Scope, query: str) -> None:
    assert await caller(graph, scope).refused(query) == "key_scope"


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_that_a_steward_may_not_override_is_data(graph: Connection) -> None:
    assert await caller(graph, Scope.STEWARD).problem(MERGE) == "key_scope"


ACTS = """
UNWIND [['o', 'override', null], ['u', 'undo', 'o'], ['s', 'same', null]] AS each
CREATE (:Act {
  id: each[0], kind: each[1], undoes: each[2], a: 'user_id:a', b: 'user_id:b', at: 1, by: 'ann', decision: each[0]
})
"""


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_steward_undoes_no_override_nor_the_undo_of_one(graph: Connection) -> None:
    await graph.writer.command(ACTS)
    assert {decision: await holds_override(graph.reader, decision) for decision in "ousx"} == {
        "o": True,
        "u": True,
        "s": False,
        "x": False,
    }
    for decision in "ou":
        assert await caller(graph, Scope.STEWARD).problem(UNDO.replace('"x"', f'"{decision}"')) == "key_scope"
