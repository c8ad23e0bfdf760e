"""Accounts against the real Neo4j: members, memberships, colleagues, parents and children."""

import pytest

from graph.accounts import After, accounts_by_key, children_of, parents_of
from graph.belonging import memberships_of
from graph.connection import Connection
from graph.members import colleagues_of, members_of
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
ROLES = ("owner", "admin")
FERN, NORTH, SOUTH = "crm.account:fern", "crm.account:north", "crm.account:south"


def world() -> World:
    made = (
        World().account(FERN, "Fern").account(NORTH, "Fern North", FERN, "north.no").account(SOUTH, "Fern South", FERN)
    )
    made.person("anna", "user_id:anna", "email:anna@fern.no").person("ben", "user_id:ben").person("cy", "user_id:cy")
    made.person("box", "email:info@fern.no", shared="partners").member("email:info@fern.no", NORTH)
    made.member("user_id:anna", NORTH, "buyer", 1).member("email:anna@fern.no", NORTH, "owner", 2)
    return made.member("user_id:ben", NORTH, "clerk").member("user_id:cy", SOUTH).member("user_id:anna", FERN, minute=5)


async def test_an_account_is_found_by_its_key(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await accounts_by_key(graph.reader, [NORTH, "crm.account:west"])
    assert [(each.key, each.name, each.domain, each.traits) for each in answer.values()] == [
        (NORTH, "Fern North", "north.no", '{"size":3}')
    ]


async def test_a_person_has_each_account_once_with_the_highest_role(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await memberships_of(graph.reader, [After("anna"), After("nobody")], 5, ROLES)
    assert {ask.owner: [(each.account.key, each.belonging.role) for each in all_] for ask, all_ in answer.items()} == {
        "anna": [(FERN, None), (NORTH, "owner")]
    }


async def test_of_many_statements_the_one_that_is_shown_is_kept_first(graph: Connection) -> None:
    made = World().account(NORTH, "Fern North").person("anna", "user_id:anna").member("user_id:anna", NORTH, "owner")
    for number in range(120):
        made.member("user_id:anna", NORTH, f"role {number:03d}", 1 + number)
    await made.write(graph.writer)
    (membership,) = (await memberships_of(graph.reader, [After("anna")], 5, ROLES))[After("anna")]
    (member,) = (await members_of(graph.reader, [After(NORTH)], 5, 1, ROLES))[After(NORTH)].found
    roles = ["owner", *(f"role {number:03d}" for number in reversed(range(21, 120)))]
    assert [each.role for each in membership.history] == roles
    assert member.history == membership.history


async def test_members_are_people_in_pages(graph: Connection) -> None:
    await world().write(graph.writer)
    first, rest = After(NORTH), After(NORTH, "anna")
    answer = await members_of(graph.reader, [first, rest], 1, 1, ROLES)
    assert {ask: [(each.profile.id, each.belonging.role) for each in page.found] for ask, page in answer.items()} == {
        first: [("anna", "owner")],
        rest: [("ben", "clerk")],
    }


async def test_a_depth_of_two_has_the_people_of_the_parts_too(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await members_of(graph.reader, [After(FERN), After(NORTH)], 9, 2, ROLES)
    assert {ask.owner: [each.profile.id for each in page.found] for ask, page in answer.items()} == {
        FERN: ["anna", "ben", "cy"],
        NORTH: ["anna", "ben"],
    }


async def test_colleagues_are_the_other_people_of_ones_accounts(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await colleagues_of(graph.reader, [After("anna"), After("ben"), After("cy")], 5)
    assert {ask.owner: [each.profile.id for each in page.found] for ask, page in answer.items()} == {
        "anna": ["ben"],
        "ben": ["anna"],
        "cy": [],
    }


async def test_accounts_know_what_they_are_part_of_and_what_is_part_of_them(graph: Connection) -> None:
    await world().write(graph.writer)
    parents = await parents_of(graph.reader, [FERN, NORTH])
    children = await children_of(graph.reader, [After(FERN), After(FERN, NORTH)], 5)
    assert {key: each.key for key, each in parents.items()} == {NORTH: FERN}
    assert [[each.key for each in all_] for all_ in children.values()] == [[NORTH, SOUTH], [SOUTH]]
