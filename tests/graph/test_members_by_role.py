"""Members by their roles against the real Neo4j: few are put in order, many are found among everybody."""

import pytest

from graph import members_by_role
from graph.accounts import After
from graph.connection import Connection
from graph.counting import count_of_members_by_role
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
RANKED = ("owner", "buyer")
FERN, NORTH, OLD = "crm.account:fern", "crm.account:north", "crm.account:old"
BUYERS = [f"p{number:02d}" for number in range(1, 11)]


def world() -> World:
    """Ten buyers of Fern between two owners, of whom the last buys as well; a part of it, and one that was merged."""
    made = World().account(FERN, "Fern").account(NORTH, "Fern North", FERN).account(OLD, "Fern of old")
    for number, name in enumerate(("p00", *BUYERS, "p99")):
        made.person(name, f"user_id:{number}").member(f"user_id:{number}", FERN, "buyer" if number else "owner")
    made.member("user_id:11", FERN, "owner").person("north", "user_id:n").member("user_id:n", NORTH, "owner")
    made.person("box", "email:info@fern.no", shared="values").member("email:info@fern.no", FERN, "owner")
    return made.person("old", "user_id:o").member("user_id:o", OLD, "seller", 1).member("user_id:o", OLD, "seller", 2)


async def everybody(graph: Connection, wanted: tuple[str, ...], first: int, depth: int = 1) -> tuple[list[str], int]:
    """Who is found page by page, and how many pages were short."""
    found, short, place = list[str](), 0, After(FERN)
    while True:
        asked = await members_by_role.members_by_role(graph.reader, [place], first, depth, wanted, RANKED)
        page = asked[place]
        found += [each.profile.id for each in page.found]
        assert all(wanted_of & {*wanted} for each in page.found for wanted_of in [{one.role for one in each.history}])
        if page.end is None and len(page.found) < first:
            return found, short
        short += page.end is not None
        place = After(FERN, page.end or found[-1])


@pytest.mark.parametrize("looked_at", [3, 10_000])
async def test_who_has_one_of_the_roles_comes_once_and_in_order(
    graph: Connection, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    """The bounds are turned down, so that everybody is walked through, and a walk stops on its way."""
    monkeypatch.setattr(members_by_role, "LOOKED_AT", looked_at)
    monkeypatch.setattr(members_by_role, "FEW", 5 if looked_at == 3 else members_by_role.FEW)
    await world().write(graph.writer)
    await graph.writer.command(
        "MATCH (o:Account {key: $o}), (f:Account {key: $f}) CREATE (o)-[:MERGED_INTO]->(f)", o=OLD, f=FERN
    )
    for first in (1, 2, 20):
        assert await everybody(graph, ("owner",), first) == (["p00", "p99"], 0)
        assert await everybody(graph, ("seller",), first) == (["old"], 0)
        assert (await everybody(graph, ("buyer",), first))[0] == [*BUYERS, "p99"]
        assert (await everybody(graph, ("buyer", "owner"), first, depth=2))[0] == ["north", "p00", *BUYERS, "p99"]
        assert await everybody(graph, (), first) == ([], 0)
    short = (await everybody(graph, ("buyer",), 1))[1]
    assert (short > 0) == (looked_at == 3)
    assert {
        wanted: (await count_of_members_by_role(graph.reader, [FERN], 1, (wanted,)))[FERN].number
        for wanted in ("owner", "buyer", "seller", "clerk")
    } == {"owner": 2, "buyer": 11, "seller": 1, "clerk": 0}


async def test_the_highest_role_is_shown_whichever_was_asked_for(graph: Connection) -> None:
    await world().write(graph.writer)
    ask = After(FERN, "p98")
    page = (await members_by_role.members_by_role(graph.reader, [ask], 5, 1, ("buyer",), RANKED))[ask]
    assert [(each.profile.id, each.belonging.role) for each in page.found] == [("p99", "owner")]
