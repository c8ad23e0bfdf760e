"""Traits over GraphQL and the real Neo4j: which value is shown and why, what else was said, what is set by hand."""

from dataclasses import replace

import pytest

from graph.connection import Connection
from graph.keys import Scope
from graph.rebuild import verify
from identity.messages import Json
from identity.policy import Strategy, Trait
from tests.building import default_policy, identify
from tests.graph.telling import Teller, telling
from tests.resolvers.calling import Caller, caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANN = {"identifier": {"namespace": "user_id", "value": "ann"}}
TRAIT = """
query ($by: ProfileLookup!, $key: String!) {
  profile(by: $by) {
    traits { name }
    trait(key: $key) {
      name value source at message strategy rank sentence othersCount
      others { value source at message firstAt count }
    }
  }
}
"""
SET = """
mutation ($by: ProfileLookup!, $key: String!, $value: JSON) {
  setTrait(profile: $by, key: $key, value: $value) {
    ... on TraitDecided { profile { trait(key: $key) { value source sentence } } }
    ... on Problem { code sentence }
  }
}
"""
CLEAR = """
mutation ($by: ProfileLookup!, $key: String!) {
  clearTrait(profile: $by, key: $key) { ... on TraitDecided { profile { trait(key: $key) { value source } } } }
}
"""


def under(graph: Connection, strategy: Strategy = Strategy.LAST, *ranked: str) -> Caller:
    """A reader of a service whose policy has a strategy for `name`."""
    me = caller(graph)
    traits = {**default_policy().traits, "name": Trait(name="name", strategy=strategy)}
    policy = replace(default_policy(), traits=traits, source_rank=ranked)
    return replace(me, world=replace(me.world, policy=policy))


async def trait(me: Caller, key: str = "name") -> dict[str, Json]:
    found = (await me.ask(TRAIT, by=ANN, key=key))["profile"]
    assert isinstance(found, dict)
    return found["trait"]  # type: ignore[return-value]  # as the query asks


async def named(graph: Connection) -> Teller:
    """T52 and T53: names from two sources, the latest of the better one late; a city deleted; an empty title."""
    teller = await telling(graph, default_policy())
    said = [
        identify("ann", on="a1", traits={"name": "B", "city": "Oslo"}, at=9, source="web", id="w9"),
        identify("ann", traits={"name": "A", "title": "Dr"}, at=5, source="crm", id="c5"),
        identify("ann", traits={"city": None, "title": ""}, at=11, source="web", id="w11"),
        identify("ann", traits={"name": "C"}, at=7, source="crm", id="c7"),
        identify("ann", traits={"name": "A"}, at=3, source="web", id="w3"),
    ]
    await teller.tell(said)
    return teller


async def test_every_strategy_shows_its_value_and_all_the_others(graph: Connection) -> None:
    await named(graph)
    shown = {strategy: (await trait(under(graph, strategy)))["value"] for strategy in (*Strategy,)}
    assert shown == {"last": "B", "first": "A", "max": "C", "most_frequent": "A", "union": ["A", "B", "C"]}
    ranked = await trait(under(graph, Strategy.LAST, "crm", "web"))
    assert (ranked["value"], ranked["source"], ranked["rank"], ranked["strategy"]) == ("C", "crm", 1, "LAST")
    assert ranked["sentence"] == "crm said so on 2026-01-01, and the policy believes crm before web."
    assert [(each["value"], each["source"], each["at"], each["message"]) for each in ranked["others"]] == [
        ("B", "web", "2026-01-01T00:09:00Z", "web:w9"),
        ("A", "crm", "2026-01-01T00:05:00Z", "crm:c5"),
        ("A", "web", "2026-01-01T00:03:00Z", "web:w3"),
    ]
    assert (ranked["message"], ranked["othersCount"]) == ("crm:c7", 3)


async def test_null_deletes_and_an_empty_text_is_a_value(graph: Connection) -> None:
    await named(graph)
    me = caller(graph)
    listed = (await me.ask(TRAIT, by=ANN, key="city"))["profile"]
    assert len(me.statements) == 2
    assert [each["name"] for each in listed["traits"]] == ["name", "title"]
    assert (listed["trait"]["value"], [each["value"] for each in listed["trait"]["others"]]) == (None, ["Oslo"])
    title = await trait(under(graph, Strategy.LAST), "jobTitle")
    assert (title["name"], title["value"], title["source"]) == ("title", "", "web")
    assert await trait(under(graph), "never_said") is None


async def test_what_is_set_by_hand_is_shown_until_it_is_taken_back(graph: Connection) -> None:
    teller = await named(graph)
    steward = caller(graph, Scope.STEWARD)
    found = (await steward.ask(SET, by=ANN, key="fullName", value="Ann"))["setTrait"]["profile"]["trait"]
    assert (found["value"], found["source"]) == ("Ann", "manual")
    await teller.tell([identify("ann", traits={"name": "D"}, at=99, source="crm", id="c99")])
    assert (await trait(under(graph, Strategy.LAST, "crm")))["value"] == "Ann"
    assert await shown_name(graph) == "Ann"
    deleted = await steward.ask(
        SET, by={"identifier": {"namespace": "anonymous_id", "value": "a1"}}, key="name", value=None
    )
    assert deleted["setTrait"]["profile"]["trait"]["value"] is None
    assert await shown_name(graph) is None
    for _ in range(2):
        back = (await steward.ask(CLEAR, by=ANN, key="name"))["clearTrait"]["profile"]["trait"]
        assert (back["value"], back["source"]) == ("D", "crm")
    assert await shown_name(graph) == "D"
    assert await verify(graph.reader, default_policy()) == ()


async def shown_name(graph: Connection) -> Json:
    (row,) = await graph.reader.rows("MATCH (p:Profile) RETURN p.t_name AS name")
    return row["name"]  # type: ignore[no-any-return]  # a row holds anything


async def test_who_may_not_and_what_cannot_be_set_is_refused_and_nothing_is_written(graph: Connection) -> None:
    await named(graph)
    before = await trait(caller(graph))
    for scope in (Scope.READ, Scope.WRITE):
        assert await caller(graph, scope).refused(SET, by=ANN, key="name", value="x") == "key_scope"
    steward = caller(graph, Scope.STEWARD)
    wrong: list[tuple[str, dict[str, Json]]] = [
        ("trait_name", {"key": "a\x00b", "value": 1}),
        ("trait_name", {"key": " ", "value": 1}),
        ("trait_name", {"key": "x" * 513, "value": 1}),
        ("too_many_values", {"key": "name", "value": "x" * 33_000}),
        (
            "unknown_profile",
            {"key": "name", "value": 1, "by": {"identifier": {"namespace": "user_id", "value": "nobody"}}},
        ),
        ("unknown_profile", {"key": "name", "value": 1, "by": {"id": "gone"}}),
    ]
    for code, given in wrong:
        assert await steward.problem(SET, **{"by": ANN, **given}) == code
    assert await steward.refused(SET, by=ANN, key="name") == "variables_invalid"
    half = (
        'mutation { setTrait(profile: {id: "x"}, key: "name", value: "\\ud800") { ... on Problem { code sentence } } }'
    )
    assert await steward.refused(half) in {"syntax", "value_invalid"}
    assert await trait(caller(graph)) == before
