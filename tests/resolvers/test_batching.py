"""A list costs the same number of statements whatever its length, in every field of every type."""

from asyncio import ensure_future, sleep
from collections.abc import Mapping, Sequence
from typing import cast

import pytest

from graph.connection import Connection, Reader
from graph.segments import define_segment
from insight.segments import Comparison, TraitIs
from resolvers.answering.fields import EXECUTABLE
from resolvers.batching import Batching
from tests.graph.world import START
from tests.resolvers.calling import caller
from tests.resolvers.people import crowd
from tests.serving import empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PROFILE_FIELDS = {
    "traits { name value }": 1,
    "traits { name } consents { purpose granted sentence others { value } }": 1,
    'trait(key: "city") { value sentence others { value source } othersCount }': 1,
    'traits { name } trait(key: "city") { value }': 1,
    "identifiers { edges { node { value } } }": 1,
    "devices { id } contacts { id } contactPoints { id } identifiers { edges { node { id } } }": 1,
    "devices { profile { id } }": 2,
    "devices { active } contacts { active }": 3,
    "contacts { profile { devices { profile { known } } } }": 3,
    "accounts { edges { node { role account { name traits { name value } } } } }": 1,
    "accounts { edges { node { account { parent { name children { edges { node { name } } } } } } } }": 3,
    "accounts { edges { node { account { members { edges { node { role profile { id devices { id } } } } } } } } }": 3,
    "accounts { edges { node { history { role } account { mergedFrom { value } } } } }": 1,
    "accounts { edges { node { account { deals { edges { node { key facts } } } } } } }": 2,
    "accounts { edges { node { account { members(depth: 3) { edges { node { history { role } } } } } } } }": 3,
    "accounts { edges { node { account { tree { complete branches { level parentId account { name } } } } } } }": 6,
    "colleagues { edges { node { id } } }": 1,
    "colleagues { edges { node { interactions { edges { node { name } } } } } }": 2,
    "interactions { edges { node { name at } } }": 1,
    "interactions { edges { node { properties traits context identifiers { value } warnings { code } } } }": 2,
    "interactions { edges { node { actor { value identifier { id } profile { id } } } } }": 3,
    'interactions(filter: { names: ["Product Viewed"] }) { edges { node { name } } }': 1,
    "interactions { edges { node { name ... on PageView { url title } ... on TrackEvent { properties } } } }": 2,
    "interactions { edges { node { ... on OrderEvent { total { amount } lines { name } order { key facts } } } } }": 3,
    "interactions(filter: { kinds: [ORDER] }) { edges { node { ... on OrderEvent { products { key } } } } }": 2,
    "orders { edges { node { key total { amount } status } } }": 1,
    "orders { edges { node { placedAt profile { known } products { name } account { name } } } }": 4,
    "sessions { edges { node { count } } }": 1,
    "sessions { edges { node { interactions { edges { node { name } } } } } }": 2,
    "journey { edges { node { count touchpoints { channel } } } touchpoints { source interaction { name } } }": 3,
    "segments { name usable definition { trait { name value } } }": 2,
    "history { edges { node { kind sentence ... on MergeEvent { moved { identifier { value } } } } } }": 2,
    "sharedBy { totalCount edges { node { id } } }": 1,
    "sharedIdentifiers { edges { node { identifier { value profile { sharedBy { totalCount } } } } } }": 3,
    "devices { sharedWith { totalCount edges { node { id } } } }": 2,
    "household { leftOut { value } edges { node { profile { id } shared { value } } } }": 1,
    "suggestions { leftOut { value } edges { node { id reason sentence other { id } account { name } } } }": 5,
    "identifiers { totalCount } devices { sharedWith { totalCount totalCountCapped } }": 2,
    "colleagues { totalCount totalCountCapped }": 2,
    "interactions { totalCount } sessions { totalCount }": 4,
    'interactions(filter: { names: ["Product Viewed"] }) { totalCount }': 2,
    "history { totalCount } household { totalCount } suggestions { totalCount }": 10,
    "accounts { edges { node { account { members(depth: 2) { totalCount } children { totalCount } } } } }": 7,
    "accounts { edges { node { account { deals { totalCount } } } } }": 3,
    "accounts { totalCount totalCountCapped } sharedIdentifiers { totalCount }": 4,
    "redirectedFrom id known shared pending firstSeen lastSeen": 0,
}


@pytest.mark.parametrize("size", [1, 12])
async def test_a_field_of_every_profile_in_a_list_costs_what_it_costs_of_one(graph: Connection, size: int) -> None:
    await crowd(12).write(graph.writer)
    await define_segment(graph.writer, "osloers", TraitIs("city", Comparison.EQUALS, "Oslo"), START)
    costs = {}
    for selected in PROFILE_FIELDS:
        me = caller(graph)
        page = await me.ask(
            f"{{ profiles(first: {size}, filter: {{ shared: false }}) {{ edges {{ node {{ {selected} }} }} }} }}"
        )
        assert len(page["profiles"]["edges"]) == size
        costs[selected] = len(me.statements) - 1
    assert costs == PROFILE_FIELDS


@pytest.mark.parametrize(
    "name", ["Profile", "Account", "Interaction", "Device", "Member", "Membership", "IdentifierName"]
)
def test_every_field_that_can_cost_a_statement_is_counted(name: str) -> None:
    costly = {
        field
        for field, defined in EXECUTABLE.type_map[name].fields.items()
        if not defined.extensions["strawberry-definition"].is_basic_field
    }
    asked = {word.partition("(")[0] for selected in PROFILE_FIELDS for word in selected.split()}
    assert costly - asked - {"namespace", "source", "since", "lastSeen"} == set()


@pytest.mark.parametrize("size", [1, 12])
async def test_many_ids_cost_one_statement_for_each_kind(graph: Connection, size: int) -> None:
    await empty(graph.writer)
    await crowd(size).write(graph.writer)
    me = caller(graph)
    listed = await me.ask(
        "{ profiles(first: 50) { edges { node { id devices { id } interactions { edges { node { id } } } } } } }"
    )
    nodes = [edge["node"] for edge in listed["profiles"]["edges"]]
    ids = [node["id"] for node in nodes] + [device["id"] for node in nodes for device in node["devices"]]
    ids += [edge["node"]["id"] for node in nodes for edge in node["interactions"]["edges"]]
    me.statements.clear()
    found = await me.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=ids)
    assert [node["id"] for node in found["nodes"]] == ids
    assert len(me.statements) == 3


HOT = """
query ($value: String!) {
  profile(by: { identifier: { namespace: "email", value: $value } }) {
    id known devices { id value } contacts { value } contactPoints { value } identifiers { edges { node { value } } }
    interactions(first: 20) { edges { node { id at name type channel source } } pageInfo { hasNextPage } }
    short: interactions(first: 1) { edges { node { id } } pageInfo { hasNextPage } }
  }
}
"""


async def test_a_profile_with_identifiers_and_its_newest_interactions_is_one_statement(graph: Connection) -> None:
    await crowd(3).write(graph.writer)
    me = caller(graph)
    profile = (await me.ask(HOT, value="1@fern.no"))["profile"]
    assert len(me.statements) == 1
    assert [device["value"] for device in profile["devices"]] == ["1"]
    assert [edge["node"]["at"] for edge in profile["interactions"]["edges"]] == [
        "2026-01-01T01:41:00Z",
        "2026-01-01T01:40:00Z",
        "2026-01-01T00:01:00Z",
    ]
    assert (len(profile["short"]["edges"]), profile["short"]["pageInfo"]["hasNextPage"]) == (1, True)
    assert profile["interactions"]["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    "selected",
    [
        "{ ...page } } fragment page on Profile { devices { id } interactions(first: $first) { edges { node { id } } }",
        "{ ... { ... on Profile { contacts { id } interactions(first: $first) { edges { node { id } } } } } }",
        "{ interactions(first: $first) { edges { cursor } } }",
        "{ devices { id } interactions(first: 2) @skip(if: $skip) { edges { cursor } } }",
        "{ id known }",
        "{ devices { id } }",
    ],
)
async def test_whatever_way_it_is_written_a_profile_is_one_statement(graph: Connection, selected: str) -> None:
    await crowd(2).write(graph.writer)
    me = caller(graph)
    used = {"first": "$first: Int! = 3", "skip": "$skip: Boolean = true"}
    variables = ", ".join(each for name, each in used.items() if f"${name}" in selected)
    await me.ask(f'query {f"({variables})" if variables else ""} {{ profile(by: {{ id: "p01" }}) {selected} }}')
    assert len(me.statements) == 1


async def test_a_field_that_is_given_up_takes_nothing_from_another_that_waits_for_the_same() -> None:
    """graphql-core cancels what the neighbours of a failed field wait for."""
    batching = Batching(cast("Reader", None))

    async def read(_: Reader, keys: Sequence[str]) -> Mapping[str, str]:
        await sleep(0.01)
        return {key: key.upper() for key in keys}

    one, other = ensure_future(batching.ask(read, "a")), ensure_future(batching.ask(read, "a"))
    await sleep(0)
    one.cancel()
    assert await other == "A"
    assert await batching.ask(read, "a") == "A"
