"""Decisions that can mean nothing, through GraphQL: each is told by a code and a sentence, and nothing is written."""

import json

import pytest

from graph.connection import Connection
from identity.messages import Json
from resolvers.paging import cursor_of
from tests.graph.whole import everything, settled
from tests.walks.sending import identify, track
from tests.walks.service import Company, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MERGE = """
mutation ($from: ProfileLookup!, $into: ProfileLookup!, $override: Boolean = false, $note: String) {
  mergeProfiles(from: $from, into: $into, override: $override, note: $note) { ...problem }
}
"""
UNMERGE = "mutation ($what: UnmergeInput!) { unmerge(what: $what) { ...problem } }"
UNDO = "mutation ($decision: ID!) { undoDecision(decision: $decision) { ...problem } }"
ERASE = "mutation ($by: ProfileLookup!) { erase(by: $by) { ...problem } }"
ACCOUNTS = """
mutation ($account: AccountLookup!, $into: AccountLookup!, $note: String) {
  mergeAccounts(account: $account, into: $into, note: $note) { ...problem }
}
"""
ACCEPT = "mutation ($id: ID!) { acceptSuggestion(suggestion: $id) { ...problem } }"
DISMISS = ACCEPT.replace("acceptSuggestion", "dismissSuggestion")
UNSUPPRESS = "mutation ($who: IdentifierLookup!) { unsuppress(identifier: $who) { ...problem } }"
CLEAR = "mutation ($by: ProfileLookup!, $key: String!) { clearTrait(profile: $by, key: $key) { ...problem } }"
UNMERGE_ACCOUNTS = ACCOUNTS.replace("mergeAccounts", "unmergeAccounts")
TRAIT = """
mutation ($by: ProfileLookup!, $key: String!, $to: JSON) {
  setTrait(profile: $by, key: $key, value: $to) { ...problem }
}
"""
ANSWER = """
fragment problem on Problem { __typename code sentence }
"""


def named(value: str, namespace: str = "user_id") -> dict[str, Json]:
    return {"identifier": {"namespace": namespace, "value": value}}


def pair(a: dict[str, Json], b: dict[str, Json]) -> dict[str, Json]:
    return {"what": {"pair": {"a": a, "b": b}}}


def out(*values: str) -> dict[str, Json]:
    return {"what": {"identifiers": [named(value)["identifier"] for value in values]}}


def merge(a: dict[str, Json], b: dict[str, Json], **more: Json) -> dict[str, Json]:
    return {"from": a, "into": b, **more}


def account(value: str, namespace: str = "account") -> Json:
    return {"key": {"namespace": namespace, "value": value}}


def suggestion(*parts: str) -> dict[str, Json]:
    """The id of a suggestion as the service would write it."""
    return {"id": cursor_of(parts)}


def suppressed(value: str, namespace: str = "user_id") -> dict[str, Json]:
    return {"who": named(value, namespace)["identifier"]}


def accounts(into: Json, **more: Json) -> dict[str, Json]:
    return {"account": account("acme"), "into": into, **more}


ANN, BOB, TABLET = named("ann"), named("bob"), named("tablet", "anonymous_id")

MEANINGLESS: dict[str, tuple[str, dict[str, Json], str]] = {
    "people who are not merged": (UNMERGE, pair(ANN, BOB), "not_one"),
    "identifiers of two people": (UNMERGE, out("ann", "bob"), "not_one"),
    "a person and herself": (UNMERGE, pair(ANN, ANN), "decision_invalid"),
    "herself, with a sign that cannot be seen": (UNMERGE, pair(ANN, named("an\u200bn")), "decision_invalid"),
    "herself, with a control character": (UNMERGE, pair(ANN, named("ann\u0000\u001b")), "decision_invalid"),
    "all that she has": (UNMERGE, out("bob"), "nothing_left"),
    "a stranger": (UNMERGE, pair(ANN, named("nobody")), "unknown_identifier"),
    "a stranger among those that go": (UNMERGE, out("ann", "nobody"), "unknown_identifier"),
    "nothing to take out": (UNMERGE, {"what": {"identifiers": []}}, "too_many_values"),
    "too much to take out": (UNMERGE, out(*map(str, range(1_001))), "too_many_values"),
    "neither a pair nor identifiers": (UNMERGE, {"what": {}}, "variables_invalid"),
    "a merge with herself": (MERGE, merge(ANN, ANN), "decision_invalid"),
    "an override of herself": (MERGE, merge(ANN, ANN, override=True), "decision_invalid"),
    "a merge of one person": (MERGE, merge(ANN, named("a1", "anonymous_id")), "already_one"),
    "a merge with a stranger": (MERGE, merge(ANN, named("nobody")), "unknown_identifier"),
    "a merge of two users": (MERGE, merge(ANN, BOB), "unique"),
    "a name that only looks the same": (MERGE, merge(ANN, named("\u0430nn")), "unknown_identifier"),
    "an address in two scripts": (MERGE, merge(ANN, named("\u0430nn@example.com", "email")), "identifier_invalid"),
    "a value over 512 bytes": (MERGE, merge(ANN, named("x" * 513)), "identifier_too_long"),
    "a value over 512 bytes in 300 letters": (MERGE, merge(ANN, named("\u00e9" * 300)), "identifier_too_long"),
    "a value of what cannot be seen": (MERGE, merge(ANN, named("\u0000\u200b\u202e")), "identifier_empty"),
    "a value that is a placeholder": (MERGE, merge(ANN, named("undefined")), "identifier_blocked"),
    "what is no address": (MERGE, merge(ANN, named("not an address", "email")), "identifier_invalid"),
    "a namespace with a control character": (MERGE, merge(ANN, named("x", "user\u0000id")), "namespace_invalid"),
    "a namespace in other letters": (MERGE, merge(ANN, named("x", "us\u0435r_id")), "namespace_invalid"),
    "half a character": (MERGE, merge(ANN, named("\ud800")), "body_invalid"),
    "a note as long as a book": (MERGE, merge(ANN, TABLET, note="x" * 1_001), "too_many_values"),
    "an id that nobody gave out": (MERGE, merge(ANN, {"id": "\u0000"}), "unknown_profile"),
    "a decision that nobody took": (UNDO, {"decision": "x" * 10_000}, "unknown_decision"),
    "no decision": (UNDO, {"decision": ""}, "unknown_decision"),
    "an erasure of what is too long": (ERASE, {"by": named("x" * 513)}, "identifier_too_long"),
    "an erasure of an id that nobody gave out": (ERASE, {"by": {"id": "nobody"}}, "unknown_profile"),
    "an erasure of what cannot be seen": (ERASE, {"by": named("\u0000\u200b\u202e")}, "identifier_empty"),
    "an erasure of an address in two scripts": (
        ERASE,
        {"by": named("\u0430nn@example.com", "email")},
        "identifier_invalid",
    ),
    "no suggestion": (ACCEPT, {"id": "nonsense"}, "bad_id"),
    "the id of something else as a suggestion": (DISMISS, suggestion("user_id:ann"), "bad_id"),
    "a suggestion of an unknown kind": (ACCEPT, suggestion("deals", "user_id:ann", "user_id:bob"), "bad_id"),
    "a suggestion that nobody made": (ACCEPT, suggestion("people", "user_id:ann", "user_id:bob"), "gone"),
    "a suggestion of strangers": (DISMISS, suggestion("people", "user_id:no", "\u0000"), "gone"),
    "a suggestion of herself": (ACCEPT, suggestion("people", "user_id:ann", "user_id:ann"), "gone"),
    "a suggestion of herself to be dismissed": (DISMISS, suggestion("people", "user_id:ann", "user_id:ann"), "gone"),
    "a suggestion of no account": (ACCEPT, suggestion("membership", "user_id:ann", "account:no"), "gone"),
    "what is too long to be suppressed": (UNSUPPRESS, suppressed("x" * 513), "identifier_too_long"),
    "two scripts to unsuppress": (UNSUPPRESS, suppressed("\u0430nn@example.com", "email"), "identifier_invalid"),
    "a placeholder to unsuppress": (UNSUPPRESS, suppressed("undefined"), "identifier_blocked"),
    "a trait without a name to clear": (CLEAR, {"by": ANN, "key": "\u0000"}, "trait_name"),
    "a stranger's trait to clear": (CLEAR, {"by": named("nobody"), "key": "plan"}, "unknown_profile"),
    "a trait without a name": (TRAIT, {"by": ANN, "key": "\u200b", "to": 1}, "trait_name"),
    "an account and itself": (ACCOUNTS, {"account": account("acme"), "into": account("acme")}, "already"),
    "an unknown account": (ACCOUNTS, {"account": account("acme"), "into": account("nobody")}, "unknown_account"),
    "an account by the id of something else": (ACCOUNTS, accounts({"id": "nonsense"}), "bad_id"),
    "an account of a bad namespace": (ACCOUNTS, accounts(account("acme", "Acc\u0000ount")), "namespace_invalid"),
    "an account over 512 bytes": (ACCOUNTS, accounts(account("x" * 513)), "identifier_too_long"),
    "an account of what cannot be seen": (UNMERGE_ACCOUNTS, accounts(account("\u0000\u202e")), "unknown_account"),
    "no account": (ACCOUNTS, accounts(account("")), "unknown_account"),
    "accounts with a note as long as a book": (
        UNMERGE_ACCOUNTS,
        accounts(account("globex"), note="x" * 1_001),
        "too_many_values",
    ),
    "accounts that are not merged": (
        UNMERGE_ACCOUNTS,
        {"account": account("acme"), "into": account("globex")},
        "not_merged",
    ),
}


async def told(company: Company, mutation: str, variables: dict[str, Json]) -> tuple[str, str]:
    """The code and the sentence of an answer, wherever they stand."""
    body = {"query": mutation + ANSWER, "variables": variables}
    sent = json.dumps(body)  # as ASCII, so that half a character can be sent
    headers = {"authorization": f"Bearer {company.admin_key}", "content-type": "application/json"}
    answer = (await company.http.post("/graphql", content=sent, headers=headers)).json()
    if "errors" in answer:
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"]
    (found,) = answer["data"].values()
    return found.get("code", "done"), found.get("sentence", "")


async def test_what_can_mean_nothing_is_told_by_its_code_and_writes_nothing(graph: Connection) -> None:
    async with in_process(graph) as company:
        await company.send(identify("ann", "a1"), identify("ann", "tablet"), identify("bob", "tablet"))
        await company.send(track("a1", user="ann", name="Viewed"))
        for name in ("acme", "globex"):
            await company.send({"type": "group", "userId": "ann", "groupId": name})
        await settled(graph)
        before = await everything(graph)
        answers = {name: await told(company, *each[:2]) for name, each in MEANINGLESS.items()}
        after = await everything(graph)
    assert {name: code for name, (code, _) in answers.items()} == {name: each[2] for name, each in MEANINGLESS.items()}
    for name, (_, sentence) in answers.items():
        assert sentence, name
        assert not any(word in sentence.lower() for word in ("traceback", "neo4j", "exception")), (name, sentence)
    assert after == before
