"""The log of changes to who is who, as GraphQL and the export tell it: T06, T07 and T49 of the catalogue among them."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from identity.messages import Json
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment
from tests.walks.sending import identify, message, track
from tests.walks.service import Company, differences, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

CHANGES = """
query ($first: Int! = 100, $after: String, $kinds: [ChangeKind!], $profile: ProfileLookup, $since: DateTime) {
  changes(first: $first, after: $after, kinds: $kinds, profile: $profile, since: $since) {
    pageInfo { hasNextPage endCursor }
    edges { node {
      id at kind cause by sentence reason count note decision
      ... on MergeEvent { before after retired moved { identifier { value } left joined } }
      ... on DecisionEvent { acts }
      about { value } evidence { message interaction { type } }
    } }
  }
}
"""
HISTORY = """
query ($by: ProfileLookup!, $first: Int! = 100, $after: String, $filter: ChangeFilter, $asOf: DateTime) {
  profile(by: $by, asOf: $asOf) { history(first: $first, after: $after, filter: $filter) {
    totalCount
    edges { cursor node { kind count at ... on MergeEvent { moved { identifier { value } } } } }
  } }
}
"""


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


async def changes(company: Company, **asked: Json) -> list[dict[str, Json]]:
    return [edge["node"] for edge in (await company.ask(CHANGES, **asked))["changes"]["edges"]]


def user(value: str) -> dict[str, Json]:
    return {"identifier": {"namespace": "user_id", "value": value}}


def values(moved: list[Mapping[str, Mapping[str, Json]]]) -> set[Json]:
    return {each["identifier"]["value"] for each in moved}


async def test_t06_one_event_bridges_three_people_and_is_one_merge_that_lists_two_retired_ids(
    company: Company,
) -> None:
    await company.send(identify("u1"), track("a1"), message("track", device="d1"))
    old = {each.id for each in await company.profiles()}
    await company.send(identify("u1", "a1", device="d1", id="bridge"))
    (person,) = await company.profiles()
    (merge,) = await changes(company, kinds=["MERGED"])
    assert (merge["after"], set(merge["retired"])) == ([person.id], old - {person.id})
    assert len(merge["retired"]) == 2
    assert set(merge["before"]) == set(merge["retired"])
    assert values(merge["moved"]) == {"a1", "d1"}
    assert merge["evidence"] == [{"message": "web:bridge", "interaction": {"type": "IDENTIFY"}}]
    assert (merge["cause"], merge["by"]) == ("MESSAGES", "web")
    assert merge["sentence"] == "2 profiles became one with another, whose id theirs lead to (from messages of web)."


async def test_t07_an_event_within_one_person_is_no_change(company: Company) -> None:
    await company.send(identify("u1", "a1"))
    before = await changes(company)
    await company.send(identify("u1", "a1", at=9))
    assert await changes(company) == before
    assert [each["kind"] for each in before] == ["ARRIVED"]


async def test_t49_users_who_part_what_was_merged_anonymously_are_a_split_by_a_constraint(company: Company) -> None:
    await company.send(track("a1", device="d1"), identify("alice", "a1"), identify("bob", device="d1"))
    (split,) = await changes(company, profile=user("bob"), kinds=["SPLIT"])
    assert (split["reason"], values(split["moved"])) == ("unique", {"d1"})
    assert len(await company.people()) == 2


async def test_a_history_is_what_concerned_a_person_and_of_arrivals_only_her_own(company: Company) -> None:
    await company.batch([identify("u1"), identify("u2"), track("a1")])
    await company.send(identify("u1", "a1"))
    found = (await company.ask(HISTORY, by=user("u1")))["profile"]["history"]["edges"]
    merge, arrival = (edge["node"] for edge in found)
    assert (merge["kind"], arrival["kind"], arrival["count"]) == ("MERGED", "ARRIVED", 2)
    assert values(arrival["moved"]) == {"u1", "a1"}
    assert [each["kind"] for each in await changes(company, profile=user("u2"))] == ["ARRIVED"]
    assert await changes(company, profile=user("nobody")) == []


async def history(company: Company, **asked: Json) -> dict[str, Json]:
    found = (await company.ask(HISTORY, by=user("u1"), **asked))["profile"]["history"]
    assert isinstance(found, dict)
    return found


async def test_a_history_shows_the_kinds_that_are_asked_for_in_pages(company: Company) -> None:
    await company.send(*(identify(f"u{number}", f"a{number}") for number in (1, 2)), identify("u1", email="a@b.no"))
    await company.send(track("a3"), identify("u1", "a3"), track("a4"), identify("u1", "a4"))
    merges = [each for each in (await history(company))["edges"] if each["node"]["kind"] == "MERGED"]
    first = await history(company, filter={"kinds": ["MERGED"]}, first=1)
    rest = await history(company, filter={"kinds": ["MERGED"]}, after=first["edges"][0]["cursor"])
    assert [*first["edges"], *rest["edges"]] == merges
    assert first["totalCount"] == len(merges) == 2


async def test_a_history_shows_the_time_that_is_asked_for_and_of_the_past_nothing_later(company: Company) -> None:
    await company.send(identify("u1"), identify("u1", "a1"), identify("u1", "a2"))
    newest, middle, oldest = (await history(company))["edges"]
    between = middle["node"]["at"]
    assert (await history(company, filter={"since": between}))["edges"] == [newest, middle]
    assert (await history(company, filter={"until": between}))["edges"] == [middle, oldest]
    assert (await history(company, filter={"since": between, "until": between, "kinds": ["SPLIT"]}))["edges"] == []
    then = newest["node"]["at"]
    assert (await history(company, asOf=then, filter={"until": between}))["edges"] == [middle, oldest]
    assert (await history(company, asOf=between, filter={"until": then}))["edges"] == [middle, oldest]


async def test_pages_are_the_whole_log_newest_first_and_a_window_is_kept(company: Company) -> None:
    await company.send(*(track(f"a{number}") for number in range(3)), identify("u1", "a1"), identify("u1", "a2"))
    whole = await changes(company)
    assert [each["at"] for each in whole] == sorted((each["at"] for each in whole), reverse=True)
    paged, after = [], None
    while True:
        page = (await company.ask(CHANGES, first=2, after=after))["changes"]
        paged += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole
    assert await changes(company, since=whole[2]["at"]) == [each for each in whole if each["at"] >= whole[2]["at"]]


async def test_the_log_holds_no_value_and_the_export_is_the_log(
    company: Company, graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    secrets = ["ursula-77", "cookie-77", "ursula77@example.com"]
    await company.send(
        track("cookie-77"), identify("ursula-77", email=secrets[2]), identify("ursula-77", "cookie-77"), identify("u2")
    )
    rows = await graph.reader.rows("MATCH (c:Change) RETURN properties(c) AS facts")
    moves = await graph.reader.rows("MATCH (:Change)-[r]->() RETURN properties(r) AS facts")
    said = repr([*rows, *moves])
    assert moves
    assert [each for each in secrets if each in said] == []
    ended = done(environment(tmp_path / "data", neo4j_server), "export", "audit")
    lines = [orjson.loads(line) for line in ended.splitlines()]
    assert [each for each in secrets if each in ended] == []
    assert [each["kind"] for each in lines] == [each["kind"].lower() for each in reversed(await changes(company))]
