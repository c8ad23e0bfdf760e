"""Why two are the same, and why not, over GraphQL."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import caller
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
    ben = {"id": global_id(Noun.PROFILE, "ben")}
    found = await why(graph, {"id": "anna-1"}, ben)
    assert (found["same"], found["a"]["value"], found["b"]["value"]) == (False, "anna", "ben")
    assert [(link["reason"], link["generic"]) for link in found["refused"]] == [("GENERIC", [{"value": "kiosk"}])] * 2
    assert "is used by several people" in found["sentence"]


async def test_an_unknown_identifier_is_named(graph: Connection) -> None:
    found = await why(graph, by("user_id", "anna"), by("user_id", "nobody"))
    assert (found["same"], found["missing"]) == (False, [{"value": "nobody"}])
    assert found["b"] == {"value": "nobody", "identifier": None}


async def test_an_unknown_profile_cannot_be_explained(graph: Connection) -> None:
    assert await caller(graph).refused(WHY, a={"id": "gone"}, b=by("user_id", "x")) == "unknown_profile"
