"""Why two are the same, and why not, over GraphQL."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import Caller, caller
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

WHY = """
query ($a: ProfileLookup!, $b: ProfileLookup!) {
  whySame(a: $a, b: $b) {
    same sentence
    a { namespace value profile { known } } b { value identifier { __typename } }
    path { a { value } b { value } kind authority source firstSeen message reason }
    refused { a { value } b { value } reason generic { value } }
    missing { value }
  }
}
"""


def by(namespace: str, value: str) -> dict:
    return {"identifier": {"namespace": namespace, "value": value}}


async def why(graph: Connection, a: dict, b: dict) -> dict:
    await family().write(graph.writer)
    found = (await caller(graph).ask(WHY, a=a, b=b))["whySame"]
    assert isinstance(found, dict)
    return found


async def test_the_path_of_evidence_joins_two_identifiers_of_one_person(graph: Connection) -> None:
    found = await why(graph, by("anonymous_id", "a1"), by("user_id", "anna"))
    assert found["same"] is True
    assert found["sentence"].startswith("anonymous_id:a1 and user_id:anna are the same person: ")
    assert [(link["kind"], link["reason"]) for link in found["path"]] == [("COOCCUR", None), ("IMPORT_KEY", None)]
    assert found["path"][1]["firstSeen"] == "2026-01-01T00:00:00Z"
    assert (found["a"], found["b"]) == (
        {"namespace": "anonymous_id", "value": "a1", "profile": {"known": True}},
        {"value": "anna", "identifier": {"__typename": "Contact"}},
    )


async def test_two_people_are_told_apart_by_the_links_that_were_refused(graph: Connection) -> None:
    """An id names the identifier that it was minted for, whoever that belongs to today."""
    ben = {"id": global_id(Noun.PROFILE, "ben")}
    found = await why(graph, {"id": "anna-1"}, ben)
    assert (found["same"], found["a"]["value"], found["b"]["value"]) == (False, "a1", "ben")
    assert [(link["reason"], link["generic"]) for link in found["refused"]] == [("GENERIC", [{"value": "kiosk"}])] * 2
    assert "anonymous_id:kiosk is used by 2 people" in found["sentence"]


async def test_an_unknown_identifier_is_named(graph: Connection) -> None:
    found = await why(graph, by("user_id", "anna"), by("user_id", "nobody"))
    assert (found["same"], found["missing"]) == (False, [{"value": "nobody"}])
    assert found["b"] == {"value": "nobody", "identifier": None}


HOW = """
query ($by: ProfileLookup!, $first: Int, $after: String, $joining: Boolean) {
  how(profile: $by) {
    profile { id known } size linkCount sentence
    steps(first: $first, after: $after, joining: $joining) {
      edges { node { number joined size groups sentence link { a { value } kind source message firstSeen } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def pages(me: Caller, joining: bool) -> list[dict]:
    """All steps of how anna came to be, one by one."""
    found: list[dict] = []
    after, more = None, True
    while more:
        steps = (await me.ask(HOW, by={"id": "anna"}, first=1, after=after, joining=joining))["how"]["steps"]
        found += [edge["node"] for edge in steps["edges"]]
        after, more = steps["pageInfo"]["endCursor"], steps["pageInfo"]["hasNextPage"]
    return found


async def test_how_a_profile_came_to_be_is_told_step_by_step_in_pages(graph: Connection) -> None:
    await family().linked("user_id:anna", "anonymous_id:a1").write(graph.writer)
    me = caller(graph)
    whole = (await me.ask(HOW, by=by("anonymous_id", "a2"), first=100, joining=False))["how"]
    assert len(me.statements) == 2
    assert (whole["size"], whole["linkCount"], whole["profile"]["known"]) == (4, 4, True)
    assert whole["sentence"].startswith("This profile has 4 identifiers: 3 statements bring them together and 1 more")
    steps = [edge["node"] for edge in whole["steps"]["edges"]]
    assert [(step["link"]["kind"], step["joined"], step["size"], step["groups"]) for step in steps] == [
        ("IMPORT_KEY", True, 2, 3),
        ("COOCCUR", True, 3, 2),
        ("COOCCUR", False, 3, 2),
        ("COOCCUR", True, 4, 1),
    ]
    assert await pages(me, joining=False) == steps
    assert await pages(me, joining=True) == [step for step in steps if step["joined"]]


WHY_NOT = """
query ($a: ProfileLookup!, $b: ProfileLookup!) {
  whyNot(a: $a, b: $b) {
    same sentence refusedCount path { sentence }
    refusals {
      reason sentence count shared { value } sharedBy limit values { value } decisions { by at } sizes
      links { kind sentence } remedies { kind about { value } sentence }
    }
    remedies { kind about { value } sentence }
  }
}
"""


async def test_what_was_refused_and_what_would_change_it_is_told(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    found = (await me.ask(WHY_NOT, a=by("user_id", "anna"), b=by("email", "ben@fern.no")))["whyNot"]
    assert len(me.statements) == 4
    (refusal,) = found["refusals"]
    assert (refusal["reason"], refusal["shared"], refusal["sharedBy"], refusal["limit"], refusal["count"]) == (
        "GENERIC",
        {"value": "kiosk"},
        2,
        1,
        2,
    )
    assert refusal["remedies"] == found["remedies"]
    (remedy,) = found["remedies"]
    assert (remedy["kind"], remedy["about"]) == ("OVERRIDE", [{"value": "anna"}, {"value": "ben"}])
    assert found["sentence"].endswith(f"What would join them: {remedy['sentence']}")


async def test_why_not_answers_why_when_they_are_one(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    found = (await me.ask(WHY_NOT, a=by("user_id", "anna"), b=by("anonymous_id", "a1")))["whyNot"]
    assert (found["same"], found["refusals"], found["remedies"], len(me.statements)) == (True, [], [], 2)
    assert [link["sentence"] for link in found["path"]] == [
        "email:anna@fern.no and user_id:anna are keys of one record (claimed, from web, first on 2026-01-01).",
        "anonymous_id:a1 and email:anna@fern.no came in one message (claimed, from web, first on 2026-01-01).",
    ]


async def test_what_cannot_be_explained_is_a_typed_answer(graph: Connection) -> None:
    await family().write(graph.writer)
    me, anna = caller(graph), by("user_id", "anna")
    assert (await me.ask(HOW, by=by("user_id", "nobody")))["how"] is None
    assert (await me.ask(HOW, by={"id": "gone"}))["how"] is None
    itself = (await me.ask(WHY_NOT, a=anna, b=anna))["whyNot"]
    assert (itself["same"], itself["path"]) == (True, [])
    codes = {
        "identifier_too_long": by("user_id", "x" * 513),
        "identifier_empty": by("user_id", "\x00\u200b"),
        "identifier_blocked": by("user_id", "null"),
        "identifier_invalid": by("email", "no address"),
        "namespace_invalid": by("User Id", "x"),
        "bad_id": {"id": global_id(Noun.ACCOUNT, "x")},
    }
    for code, wrong in codes.items():
        assert await me.refused(WHY_NOT, a=anna, b=wrong) == code
        assert await me.refused(HOW, by=wrong) == code
    assert await me.refused(HOW, by=anna, first=0) == "first_out_of_range"
    assert await me.refused(HOW, by=anna, after="Zm9v") == "bad_cursor"


async def test_invisible_signs_in_an_identifier_do_not_matter(graph: Connection) -> None:
    await family().write(graph.writer)
    found = (await caller(graph).ask(WHY_NOT, a=by("user_id", " an\u200bna\x07 "), b=by("user_id", "anna")))["whyNot"]
    assert found["same"] is True


async def test_an_unknown_profile_cannot_be_explained(graph: Connection) -> None:
    assert await caller(graph).refused(WHY, a={"id": "gone"}, b=by("user_id", "x")) == "unknown_profile"
