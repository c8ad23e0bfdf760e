"""Accounts over GraphQL: found in every way, with their people and their place among others."""

import pytest

from graph.account_trees import trees_of
from graph.connection import Connection
from resolvers.ids import Noun, global_id, node_in
from tests.graph.world import World
from tests.resolvers.calling import caller
from tests.resolvers.people import crowd, family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FERN = global_id(Noun.ACCOUNT, "account:fern")


@pytest.mark.parametrize("by", [f'id: "{FERN}"', 'key: { namespace: "account", value: "fern" }'])
async def test_an_account_is_found_by_id_and_by_key(graph: Connection, by: str) -> None:
    await family().write(graph.writer)
    found = await caller(graph).ask(
        f"{{ account(by: {{ {by} }}) {{ id namespace value name domain firstSeen traits {{ name value }} }} }}"
    )
    assert found["account"] == {
        "id": FERN,
        "namespace": "account",
        "value": "fern",
        "name": "Fern",
        "domain": "fern.no",
        "firstSeen": "2026-01-01T00:00:00Z",
        "traits": [{"name": "size", "value": 3}],
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


async def test_a_tree_holds_the_whole_hierarchy_around_an_account_each_once(graph: Connection) -> None:
    made = World().account("account:top", "Top")
    for child, parent in (("b", "top"), ("a", "top"), ("a1", "a"), ("b1", "b")):
        made.account(f"account:{child}", child, parent=f"account:{parent}")
    made.add("parts", {**made.rows["parts"][-1], "parent": "account:a"})  # b1 is part of both
    await made.account("account:alone", "Alone").write(graph.writer)
    found = await caller(graph).ask(
        """
        query ($a1: ID!, $alone: ID!) {
          deep: account(by: {id: $a1}) { tree { ...all } }
          alone: account(by: {id: $alone}) { tree { ...all } }
        }
        fragment all on AccountTree { complete branches { level parentId account { value } } }
        """,
        a1=global_id(Noun.ACCOUNT, "account:a1"),
        alone=global_id(Noun.ACCOUNT, "account:alone"),
    )
    told = [
        (each["level"], each["account"]["value"], each["parentId"] and node_in(each["parentId"])[1])
        for each in found["deep"]["tree"]["branches"]
    ]
    assert told == [
        (0, "top", None),
        (1, "a", "account:top"),
        (1, "b", "account:top"),
        (2, "a1", "account:a"),
        (2, "b1", "account:a"),
    ]
    assert [each["account"]["value"] for each in found["alone"]["tree"]["branches"]] == ["alone"]


WIDE = """
MATCH (top:Account {key: 'account:top'})
UNWIND range(1, 600) AS number
CREATE (:Account {key: 'account:' + number, namespace: 'account', value: '' + number, first_seen: 1, last_seen: 1})
  -[:PART_OF {accepted: true, first_seen: 1}]->(top)
"""


async def test_a_tree_stops_at_500_accounts_and_says_so(graph: Connection) -> None:
    await World().account("account:top", "Top").write(graph.writer)
    await graph.writer.command(WIDE)
    tree = (await trees_of(graph.reader, ["account:7"]))["account:7"]
    assert (len(tree.branches), tree.complete) == (500, False)
