"""Cases T12, T14 and T54 to T58 of the catalogue: what is decided by hand, through HTTP and GraphQL.

After every case `verify` finds nothing, and what a preview said is what deciding gave.
"""

from collections.abc import AsyncIterator, Mapping

import pytest

from graph.connection import Connection
from identity.messages import Json
from tests.walks.sending import identify, message, track
from tests.walks.service import Company, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANSWER = """
fragment answer on DecisionAnswer {
  __typename
  ... on Decided {
    decision
    before { id identifiers { value } }
    after { id known identifiers { value } traits { name value } interactions }
    refused { a { value } b { value } kind reason }
    accepted { a { value } b { value } kind }
  }
  ... on Problem { code sentence }
  ... on UniqueConflict { values { a { value } b { value } } }
  ... on RuleConflict { reason values { a { value } b { value } } apart { a { value } b { value } } }
}
"""
MERGE = f"""
mutation ($from: ProfileLookup!, $into: ProfileLookup!, $override: Boolean!, $dry: Boolean!) {{
  mergeProfiles(from: $from, into: $into, override: $override, dryRun: $dry, note: "seen at the desk") {{ ...answer }}
}}
{ANSWER}
"""
UNMERGE = f"""
mutation ($what: UnmergeInput!) {{ unmerge(what: $what) {{ ...answer }} }}
{ANSWER}
"""
PREVIEW = f"""
query ($what: UnmergeInput!) {{ unmergePreview(what: $what) {{ ...answer }} }}
{ANSWER}
"""
UNDO = f"""
mutation ($decision: ID!) {{ undoDecision(decision: $decision) {{ ...answer }} }}
{ANSWER}
"""
NAMES = """
query ($by: ProfileLookup!) { profile(by: $by) { id trait(key: "name") { value source } } }
"""


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


def by(value: str) -> dict[str, Json]:
    """u… is a user id, a… an anonymous id, what has an at sign an address."""
    namespace = "email" if "@" in value else {"u": "user_id", "a": "anonymous_id"}[value[0]]
    return {"identifier": {"namespace": namespace, "value": value}}


def pair(a: str, b: str) -> dict[str, Json]:
    return {"pair": {"a": by(a), "b": by(b)}}


async def merge(company: Company, a: str, b: str, *, override: bool = False) -> Mapping[str, Json]:
    """Merge after a preview, which says the same and writes nothing."""
    asked = {"from": by(a), "into": by(b), "override": override}
    people = await company.people()
    preview = (await company.change(MERGE, **asked, dry=True))["mergeProfiles"]
    assert await company.people() == people
    answer = (await company.change(MERGE, **asked, dry=False))["mergeProfiles"]
    assert without_decision(answer) == without_decision(preview)
    return answer


async def unmerge(company: Company, what: dict[str, Json]) -> Mapping[str, Json]:
    """Unmerge after a preview, which says the same and writes nothing; the people are then what it said."""
    people = await company.people()
    preview = (await company.change(PREVIEW, what=what))["unmergePreview"]
    assert await company.people() == people
    answer = (await company.change(UNMERGE, what=what))["unmerge"]
    assert without_decision(answer) == without_decision(preview)
    now = {each.who for each in await company.profiles()}
    assert {frozenset(each["value"] for each in one["identifiers"]) for one in answer.get("after", [])} <= now
    return answer


async def undo(company: Company, answer: Mapping[str, Json]) -> Mapping[str, Json]:
    return (await company.change(UNDO, decision=answer["decision"]))["undoDecision"]


def without_decision(answer: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in answer.items() if name != "decision"}


def people_in(answer: Mapping[str, Json]) -> dict[str, int]:
    """The people that a decision leaves, with how much they did."""
    return {" ".join(sorted(i["value"] for i in each["identifiers"])): each["interactions"] for each in answer["after"]}


async def names_of(company: Company, *values: str) -> list[str]:
    return [(await company.ask(NAMES, by=by(value)))["profile"]["trait"]["value"] for value in values]


async def everything(company: Company) -> object:
    """All that shows of who is who, ids among it."""
    return sorted((each.id, sorted(each.who), each.events, sorted(each.shares)) for each in await company.profiles())


async def test_t12_two_user_ids_are_one_person_only_by_an_override(company: Company) -> None:
    await company.send(identify("u1", "a1"), identify("u2", "a2"))
    refused = await merge(company, "u1", "u2")
    assert (refused["__typename"], refused["code"]) == ("UniqueConflict", "unique")
    assert refused["values"] == [{"a": {"value": "u1"}, "b": {"value": "u2"}}]
    assert await company.people() == sets("u1 a1", "u2 a2")
    merged = await merge(company, "u1", "u2", override=True)
    assert people_in(merged) == {"a1 a2 u1 u2": 2}
    assert await company.people() == sets("u1 a1 u2 a2")
    assert (await merge(company, "a1", "u2"))["code"] == "already_one"


async def test_t14_a_user_id_is_migrated_with_all_that_was_its(company: Company) -> None:
    await company.send(identify("u1", "a1", email="u1@x.com"), identify("u2", "a2", email="u2@x.com"))
    await company.send(identify("u1", email="both@x.com"), identify("u2", email="both@x.com"))
    assert await company.shared() == sets("both@x.com")
    old = await company.profile(**by("u1"))
    await merge(company, "u1", "u2", override=True)
    assert await company.people() == sets("u1 u2 a1 a2 u1@x.com u2@x.com both@x.com")
    assert (await company.profile(**by("u1")))["id"] == (await company.profile(id=old["id"]))["id"]


async def test_t54_unmerging_gives_each_what_was_hers_before_and_since(company: Company) -> None:
    await company.send(
        identify("u1", traits={"name": "Anna"}), message("identify", on="a1", traits={"name": "Visitor"})
    )
    before, names = await everything(company), await names_of(company, "u1", "a1")
    await merge(company, "a1", "u1")
    assert len(set(await names_of(company, "u1", "a1"))) == 1
    await company.send(*(message("track", user="u1", name=f"A{number}", at=10 + number) for number in range(3)))
    await company.send(track("a1", at=20, name="B0"), track("a1", at=21, name="B1"))
    apart = await unmerge(company, pair("u1", "a1"))
    assert people_in(apart) == {"u1": 4, "a1": 3}
    assert (await company.person("u1")).events[-3:] == ("A0", "A1", "A2")
    assert (await company.person("a1")).events[-2:] == ("B0", "B1")
    ids = {each.id for each in await company.profiles()}
    assert len(ids) == 2
    assert ids == {line[0] for line in before}
    assert await names_of(company, "u1", "a1") == names == ["Anna", "Visitor"]


async def test_t54_by_the_ids_that_two_people_had_before_they_were_merged(company: Company) -> None:
    await company.send(identify("u1", "a1"), identify("u2", "a2"))
    one, other = [(await company.person(value)).id for value in ("u1", "u2")]
    ids = {"from": {"id": other}, "into": {"id": one}}
    merged = await company.change(MERGE, **ids, override=True, dry=False)
    assert merged["mergeProfiles"]["__typename"] == "Decided"
    assert (await company.profile(id=other))["id"] == one
    apart = await unmerge(company, {"pair": {"a": {"id": one}, "b": {"id": other}}})
    assert people_in(apart) == {"a1 u1": 1, "a2 u2": 1}
    assert [(await company.person(value)).id for value in ("u1", "u2")] == [one, other]


async def test_t55_the_same_evidence_again_leaves_them_apart_and_says_why(company: Company) -> None:
    await company.send(identify("u1", "a1"))
    await unmerge(company, pair("u1", "a1"))
    await company.send(identify("u1", "a1", at=5))
    assert await company.people() == sets("u1", "a1")
    assert await company.refused(("user_id", "u1"), ("anonymous_id", "a1")) == {("a1", "u1", "DIFFERENT")}
    await company.send(identify("u1", email="n@x.com", at=6), track("a1", email="n@x.com", at=7))
    assert len(await company.people()) == 2


async def test_t56_a_chain_comes_apart_where_the_preview_says(company: Company) -> None:
    await company.send(track("a1", email="b@x.com", at=1), message("track", email="b@x.com", on="a3", at=2))
    apart = await unmerge(company, pair("a1", "b@x.com"))
    assert people_in(apart) == {"a1": 1, "a3 b@x.com": 1}
    assert await company.people() == sets("a1", "b@x.com a3")


async def test_t57_unmerging_twice_is_once_and_undoing_the_undo_is_exact(company: Company) -> None:
    await company.send(identify("u1", "a1", email="e@x.com"), track("a1", at=4))
    before = await everything(company)
    apart = await unmerge(company, pair("u1", "a1"))
    parted = await everything(company)
    assert (await unmerge(company, pair("u1", "a1")))["code"] == "not_one"
    back = await undo(company, apart)
    assert await everything(company) == before
    assert (await undo(company, apart))["code"] == "taken_back"
    await undo(company, back)
    assert await everything(company) == parted


async def test_t58_a_name_set_after_the_merge_goes_home_with_its_source(company: Company) -> None:
    await company.send(identify("u1", traits={"name": "Anna"}, at=1), message("identify", on="a1", at=2))
    await merge(company, "a1", "u1")
    await company.send(message("identify", on="a1", traits={"name": "Visitor"}, at=3))
    await company.send(identify("u1", traits={"name": "Anna Berg"}, at=4))
    await unmerge(company, pair("u1", "a1"))
    assert await names_of(company, "u1", "a1") == ["Anna Berg", "Visitor"]


async def test_named_identifiers_are_taken_out_of_everything_that_stays(company: Company) -> None:
    await company.send(identify("u1", "a1", email="e@x.com"), identify("u1", "a2", email="e@x.com"))
    await company.send(track("a2", email="f@x.com"))
    taken = [by(value)["identifier"] for value in ("a2", "f@x.com")]
    apart = await unmerge(company, {"identifiers": taken})
    assert people_in(apart) == {"a1 e@x.com u1": 2, "a2 f@x.com": 1}
    assert {each["reason"] for each in apart["refused"]} == {"DIFFERENT"}
    await company.send(identify("u1", "a2", email="e@x.com", at=9), track("a1", email="f@x.com", at=9))
    assert await company.people() == sets("u1 a1 e@x.com", "a2 f@x.com")


async def test_what_cannot_be_decided_is_answered_and_writes_nothing(company: Company, graph: Connection) -> None:
    await company.send(identify("u1", "a1"))
    answers = [
        await unmerge(company, pair("u1", "u1")),
        await unmerge(company, pair("u1", "u9")),
        await merge(company, "u9", "u1"),
        await merge(company, "u1", "u1"),
        await undo(company, {"decision": "nothing"}),
        await unmerge(company, {"identifiers": [by(value)["identifier"] for value in ("u1", "a1")]}),
    ]
    assert [each["code"] for each in answers] == [
        "decision_invalid",
        "unknown_identifier",
        "unknown_identifier",
        "decision_invalid",
        "unknown_decision",
        "nothing_left",
    ]
    assert await graph.reader.rows("MATCH (x:Act) RETURN x.id AS id") == []
