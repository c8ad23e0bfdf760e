"""The past over GraphQL: T64 of the catalogue, the queries of docs/as-of.md, and what was erased."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import Json
from selfsame.keys import create_key
from tests.house.reading import ROOT
from tests.walks.sending import group, identify, moment, track
from tests.walks.service import Company, differences, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

WHO = """
query ($by: ProfileLookup!, $asOf: DateTime, $effectiveAt: DateTime) {
  profile(by: $by, asOf: $asOf, effectiveAt: $effectiveAt) {
    id redirectedFrom known firstSeen lastSeen
    identifiers { edges { node { value } } }
    traits(keys: ["city", "shoe"]) { name value at }
    interactions { edges { node { name } } }
    accounts { edges { node { role account { value } } } }
    history { edges { node { kind } } }
  }
}
"""
QUERIES = re.findall(r"```graphql\n(.*?)```", (ROOT / "docs" / "as-of.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


def user(value: str) -> dict[str, Json]:
    return {"identifier": {"namespace": "user_id", "value": value}}


def device(value: str) -> dict[str, Json]:
    return {"identifier": {"namespace": "anonymous_id", "value": value}}


def now() -> str:
    return datetime.now(UTC).isoformat()


async def asked(company: Company, by: dict[str, Json], **moments: str) -> dict[str, Json] | None:
    return (await company.ask(WHO, by=by, **moments))["profile"]


async def who(company: Company, by: dict[str, Json], **moments: str) -> set[str] | None:
    found = await asked(company, by, **moments)
    return found and {edge["node"]["value"] for edge in found["identifiers"]["edges"]}


async def test_t64_a_bridge_from_before_both_births_is_effective_then_and_unknown_before_it_is_recorded(
    company: Company,
) -> None:
    await company.send(track("a1", at=10), identify("u1", at=20))
    before = now()
    await company.send(identify("u1", "a1", at=5))
    assert await who(company, user("u1")) == {"u1", "a1"}
    assert await who(company, user("u1"), asOf=before) == {"u1"}
    assert await who(company, device("a1"), asOf=before) == {"a1"}
    assert await who(company, device("a1"), effectiveAt=moment(7)) == {"u1", "a1"}
    assert await who(company, device("a1"), effectiveAt=moment(3)) is None
    assert await who(company, user("u1"), asOf=before, effectiveAt=moment(15)) is None
    assert await who(company, user("u1"), asOf=before, effectiveAt=moment(25)) == {"u1"}


async def test_a_person_of_the_past_shows_what_was_known_and_said_then(company: Company) -> None:
    await company.send(identify("u1", "a1", at=1, traits={"city": "Oslo"}), track("a2", at=2, name="Old"))
    old, then = await asked(company, device("a2")), now()
    await company.send(
        identify("u1", "a2", at=3, traits={"city": "Bergen", "shoe": 38}),
        identify("u1", at=4, traits={"city": "Oslo"}),
        track("a1", at=0, name="Late"),
        group("u1", "acme", at=9),
    )
    person, today = await asked(company, user("u1"), asOf=then), await asked(company, user("u1"))
    assert person is not None
    assert today is not None
    assert person["traits"] == [{"name": "city", "value": "Oslo", "at": "2026-01-01T00:01:00Z"}]
    assert [edge["node"]["name"] for edge in person["interactions"]["edges"]] == [None]
    assert (person["firstSeen"], person["lastSeen"]) == ("2026-01-01T00:01:00Z", "2026-01-01T00:01:00Z")
    assert person["accounts"] == {"edges": []}
    assert today["accounts"] == {"edges": [{"node": {"role": "member", "account": {"value": "acme"}}}]}
    assert [edge["node"]["kind"] for edge in person["history"]["edges"]] == ["ARRIVED"]
    assert [edge["node"]["kind"] for edge in today["history"]["edges"]] == ["MERGED", "ARRIVED", "ARRIVED"]
    assert old is not None
    by_old = await asked(company, {"id": old["id"]}, asOf=then)
    assert by_old is not None
    assert (by_old["id"], by_old["redirectedFrom"]) == (old["id"], None)
    at_two = await asked(company, user("u1"), effectiveAt=moment(2.5))
    assert at_two is not None
    assert at_two["traits"] == [{"name": "city", "value": "Oslo", "at": "2026-01-01T00:01:00Z"}]
    assert [edge["node"]["name"] for edge in at_two["interactions"]["edges"]] == [None, "Late"]


SAID = """
query ($by: ProfileLookup!, $asOf: DateTime) {
  profile(by: $by, asOf: $asOf) { trait(key: "city") { value source at } }
}
"""
SET = """
mutation ($by: ProfileLookup!) {
  setTrait(profile: $by, key: "city", value: "Rome") {
    ... on TraitDecided { profile { trait(key: "city") { at } } }
  }
}
"""
CLEAR = 'mutation ($by: ProfileLookup!) { clearTrait(profile: $by, key: "city") { __typename } }'
BY = "{ changes(first: 2, kinds: [TRAIT_SET, TRAIT_CLEARED]) { edges { node { kind by sentence } } } }"


async def test_what_was_set_by_hand_and_taken_back_is_shown_as_of_between_and_the_log_says_by_whom(
    company: Company,
) -> None:
    await company.send(identify("u1", "a1", at=1, traits={"city": "Oslo"}))
    before = now()
    at = (await company.change(SET, by=user("u1")))["setTrait"]["profile"]["trait"]["at"]
    between = now()
    await company.change(CLEAR, by=user("u1"))
    web = {"value": "Oslo", "source": "web", "at": "2026-01-01T00:01:00Z"}
    told = [await company.ask(SAID, by=user("u1"), **as_of) for as_of in ({"asOf": before}, {"asOf": between}, {})]
    assert [each["profile"]["trait"] for each in told] == [web, {"value": "Rome", "source": "manual", "at": at}, web]
    log = [edge["node"] for edge in (await company.ask(BY))["changes"]["edges"]]
    (name,) = {each["by"] for each in log}
    assert name
    assert [each["sentence"].endswith(f" (decided by {name}).") for each in log] == [True, True]


@pytest.mark.parametrize("query", QUERIES, ids=[query.split("(")[0].strip() for query in QUERIES])
async def test_the_queries_of_the_docs_are_answered(company: Company, query: str) -> None:
    await company.send(identify("u1", "a1", email="ada@example.com"), identify("u2", "a2"))
    person = await company.person("u1")
    given = {"email": "ada@example.com", "id": person.id, "then": now(), "since": moment(0)}
    used = {name: value for name, value in given.items() if f"${name}" in query}
    found = await company.ask(query, **used)
    assert all(found.values())


@pytest.mark.parametrize(
    ("selected", "field"),
    [
        ("segments { name }", "Profile.segments"),
        ("contacts { lastSeen }", "Contact.lastSeen"),
        ("devices { profile { id } }", "Device.profile"),
        ("interactions { edges { node { actor { profile { id } } } } }", "IdentifierName.profile"),
    ],
)
async def test_a_field_whose_past_nobody_kept_is_refused_by_its_name(
    company: Company, selected: str, field: str
) -> None:
    await company.send(identify("u1", "a1"))
    query = f"query ($by: ProfileLookup!, $then: DateTime) {{ profile(by: $by, asOf: $then) {{ id {selected} }} }}"
    answer = await company.http.post(
        "/graphql",
        json={"query": query, "variables": {"by": user("u1"), "then": now()}},
        headers={"authorization": f"Bearer {company.read_key}"},
    )
    (refusal,) = answer.json()["errors"]
    assert (refusal["extensions"]["code"], refusal["extensions"]["field"]) == ("not_of_the_past", field)


async def test_the_erased_are_gone_from_the_past_and_the_others_are_found_there(
    company: Company, graph: Connection
) -> None:
    await company.send(track("a1", at=1), identify("u1", "a1", at=2), track("a2", email="x@example.com"))
    old, then = (await company.person("u1")).id, now()
    await company.send(identify("u1", "a1", at=3))
    key = await create_key(graph.writer, Scope.ADMIN, datetime.now(UTC))
    erase = "mutation ($by: ProfileLookup!) { erase(by: $by, scope: IDENTIFIER) { __typename } }"
    answer = await company.http.post(
        "/graphql", json={"query": erase, "variables": {"by": user("u1")}}, headers={"authorization": f"Bearer {key}"}
    )
    assert "errors" not in answer.json()
    assert await who(company, user("u1"), asOf=then) is None
    assert await who(company, device("a1"), asOf=then) == {"a1"}
    assert await who(company, device("a2"), asOf=then) == {"a2", "x@example.com"}
    refused = await company.http.post(
        "/graphql",
        json={"query": WHO, "variables": {"by": {"id": old}, "asOf": then}},
        headers={"authorization": f"Bearer {company.read_key}"},
    )
    assert [each["extensions"]["code"] for each in refused.json()["errors"]] == ["erased"]
