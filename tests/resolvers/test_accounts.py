"""Accounts over GraphQL: found in every way, with their people and their place among others."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import caller
from tests.resolvers.people import crowd, family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FERN = global_id(Noun.ACCOUNT, "account:fern")


@pytest.mark.parametrize("by", [f'id: "{FERN}"', 'key: { namespace: "account", value: "fern" }'])
async def test_an_account_is_found_by_id_and_by_key(graph: Connection, by: str) -> None:
    await family().write(graph.writer)
    found = await caller(graph).ask(
        f"{{ account(by: {{ {by} }}) {{ id namespace value name domain firstSeen traits }} }}"
    )
    assert found["account"] == {
        "id": FERN,
        "namespace": "account",
        "value": "fern",
        "name": "Fern",
        "domain": "fern.no",
        "firstSeen": "2026-01-01T00:00:00Z",
        "traits": {"size": 3},
    }


async def test_an_account_knows_parent_children_and_members(graph: Connection) -> None:
    await family().write(graph.writer)
    found = await caller(graph).ask(
        f'{{ account(by: {{ id: "{FERN}" }}) {{ '
        "parent { name parent { name } children { edges { node { name } } } } "
        "members { edges { node { role lastSeen profile { id } } } } } }"
    )
    assert found["account"] == {
        "parent": {"name": "Fern Group", "parent": None, "children": {"edges": [{"node": {"name": "Fern"}}]}},
        "members": {
            "edges": [
                {
                    "node": {
                        "role": "buyer",
                        "lastSeen": "2026-01-01T00:05:00Z",
                        "profile": {"id": global_id(Noun.PROFILE, "anna")},
                    }
                },
                {
                    "node": {
                        "role": "owner",
                        "lastSeen": "2026-01-01T00:00:00Z",
                        "profile": {"id": global_id(Noun.PROFILE, "ben")},
                    }
                },
            ]
        },
    }


async def test_members_and_children_come_in_pages(graph: Connection) -> None:
    await crowd(5).write(graph.writer)
    me = caller(graph)
    seen, after = [], "null"
    while True:
        page = await me.ask(
            'query ($after: String) { account(by: { key: { namespace: "account", value: "all" } }) '
            "{ members(first: 2, after: $after) { edges { node { profile { id } } } "
            "pageInfo { hasNextPage endCursor } } } }",
            after=None if after == "null" else after,
        )
        members = page["account"]["members"]
        seen += [edge["node"]["profile"]["id"] for edge in members["edges"]]
        after = members["pageInfo"]["endCursor"]
        if not members["pageInfo"]["hasNextPage"]:
            break
    assert seen == [global_id(Noun.PROFILE, f"p{number:02d}") for number in range(5)]


async def test_a_bad_cursor_of_members_says_so(graph: Connection) -> None:
    await family().write(graph.writer)
    query = f'{{ account(by: {{ id: "{FERN}" }}) {{ children(after: "x") {{ edges {{ cursor }} }} }} }}'
    assert await caller(graph).refused(query) == "bad_cursor"
