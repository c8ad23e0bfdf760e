"""Documents by hash and by id, and what is refused where only those may be asked. What clients expect: docs/http.md."""

from collections.abc import Mapping
from hashlib import sha256

import orjson
import pytest
from graphql import GraphQLError

from graph.keys import Scope
from resolvers.answering import trusted
from resolvers.answering.documents import KNOWN, document_of
from resolvers.answering.endpoint import RefusedError, prepared
from resolvers.answering.requests import asked_from
from resolvers.answering.trusted import SENT, trusted_from
from resolvers.viewer import Bounds, Trusted, Viewer

GET = "query Get($id: ID!) { node(id: $id) { id } }"
OTHER = "{ __typename }"
APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}
OPEN = Bounds()


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apq(hashed: str, query: str | None = None) -> dict[str, object]:
    told: dict[str, object] = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed}}}
    return told | ({"query": query} if query else {})


def trusting(manifest: Mapping[str, object]) -> Trusted:
    found = trusted_from(orjson.dumps(manifest))
    assert isinstance(found, Trusted), found
    return found


def code(sent: Mapping[str, object], bounds: Bounds = OPEN) -> str | None:
    try:
        prepared(asked_from({"variables": {"id": "a"}, **sent}), Viewer(Scope.READ, bounds=bounds))
    except RefusedError as error:
        return str((error.errors[0].extensions or {})["code"])
    except GraphQLError as error:
        return str((error.extensions or {})["code"])
    return None


@pytest.fixture(autouse=True)
def forgetful() -> None:
    SENT.clear()


def test_a_hash_is_unknown_until_its_document_came_with_it() -> None:
    assert code(apq(digest(GET))) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(apq(digest(GET), GET)) is None
    assert code(apq(digest(GET))) is None


def test_an_unknown_hash_is_told_by_the_message_that_clients_look_for() -> None:
    with pytest.raises(RefusedError) as caught:
        prepared(asked_from(apq(digest(GET))), Viewer(Scope.READ))
    assert caught.value.errors[0].message == "PersistedQueryNotFound"


def test_a_document_under_the_hash_of_another_is_neither_answered_nor_remembered() -> None:
    assert code(apq(digest(GET), OTHER)) == "hash_wrong"
    assert code(apq(digest(GET))) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_document_that_is_wrong_is_not_remembered() -> None:
    assert code(apq(digest("{nonsense}"), "{nonsense}")) == "query_invalid"
    assert not SENT


def test_what_is_remembered_by_hash_stays_below_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusted, "MOST_CHARACTERS", 100)
    for number in range(20):
        text = f"{{ a{number}: __typename }}"
        assert code(apq(digest(text), text)) is None
        assert sum(map(len, SENT.values())) <= 100
    assert code(apq(digest(text))) is None


@pytest.mark.parametrize(
    "told", [{"version": 2, "sha256Hash": "a"}, {"version": 1}, {"version": 1, "sha256Hash": 7}, "a"]
)
def test_a_persisted_query_of_another_form_is_a_body_that_cannot_be_used(told: object) -> None:
    assert code({"extensions": {"persistedQuery": told}}) == "body_invalid"


@pytest.mark.parametrize(
    "manifest",
    [
        {**APOLLO, "operations": [{"id": "get-1", "name": "Get", "type": "query", "body": GET}]},
        {"get-1": GET},
    ],
)
@pytest.mark.parametrize(
    "sent",
    [
        {"documentId": "get-1"},
        {"documentId": f"sha256:{digest(GET)}"},
        {"id": "get-1"},
        {"doc_id": "get-1"},
        {"query": GET},
        apq("get-1"),
        apq("get-1", GET),
        apq(digest(GET)),
    ],
)
def test_a_trusted_document_is_asked_by_each_name_that_clients_send(
    manifest: Mapping[str, object], sent: Mapping[str, object]
) -> None:
    for only in (True, False):
        assert code(sent, Bounds(trusted=trusting(manifest), documents_only=only)) is None


@pytest.mark.parametrize(
    "sent", [{"query": OTHER}, {"documentId": "none"}, apq(digest(OTHER)), apq(digest(OTHER), OTHER)]
)
def test_where_only_trusted_documents_may_be_asked_nothing_else_is(sent: Mapping[str, object]) -> None:
    code(apq(digest(OTHER), OTHER))  # remembered for others
    assert code(sent, Bounds(trusted=trusting({"get-1": GET}), documents_only=True)) == "document_not_trusted"


def test_a_trusted_document_is_never_forgotten() -> None:
    trusting({"get-1": GET})
    first = document_of(GET)
    KNOWN.clear()
    assert document_of(GET) is first


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"[]", "the file is no JSON object"),
        (b"{", "it is no manifest of documents"),
        (orjson.dumps({"operations": []}), "`format` and `version`"),
        (orjson.dumps({**APOLLO, "operations": [{"id": "a"}]}), "no `id` or no `body`"),
        (orjson.dumps({"a": 1}), "the document of `a` is no text"),
        (orjson.dumps({"good": GET, "bad": "{ nonsense }"}), "`bad`: Cannot query field 'nonsense'"),
        (
            orjson.dumps({**APOLLO, "operations": [{"id": "1", "name": "Bad", "body": "{"}]}),
            "`Bad`: Syntax Error",
        ),
    ],
)
def test_what_is_wrong_in_a_manifest_is_told_with_its_entry(manifest: bytes, told: str) -> None:
    problems = trusted_from(manifest)
    assert isinstance(problems, list)
    assert told in problems[0]


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ ... { a: __type(name: "Profile") { name } } }']
)
def test_where_introspection_is_off_the_schema_is_told_by_no_way(query: str) -> None:
    closed = Bounds(introspection=False)
    assert code({"query": query}, closed) == "introspection_off"
    assert code({"query": query}) is None
    assert code({"query": OTHER}, closed) is None


def test_where_introspection_is_off_errors_propose_no_names() -> None:
    messages = []
    for bounds in (OPEN, Bounds(introspection=False)):
        with pytest.raises(RefusedError) as caught:
            prepared(asked_from({"query": "{ profilez { id } }"}), Viewer(Scope.READ, bounds=bounds))
        messages.append(caught.value.errors[0].message)
    assert "Did you mean" in messages[0]
    assert messages[1] == messages[0].partition(" Did you mean")[0]
