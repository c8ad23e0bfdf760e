"""Identifiers against the real Neo4j: of a profile, shared by it, and the people who share one."""

import pytest

from graph.connection import Connection
from graph.identifiers import (
    identifiers_by_key,
    identifiers_by_mint,
    identifiers_of,
    people_of,
    shared_identifiers_of,
)
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Role
from tests.graph.world import START, World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
ANNA, KIOSK = ProfileId("anna"), ProfileId("kiosk")


def world() -> World:
    made = World().person("anna", "user_id:anna", "email:anna@fern.no", "anonymous_id:a").person("ben", "user_id:ben")
    made.person("kiosk", "anonymous_id:kiosk", known=False, shared="values")
    return made.shares("anna", "anonymous_id:kiosk", (1, 2)).shares("ben", "anonymous_id:kiosk")


async def test_identifiers_come_first_seen_first_with_their_roles(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await identifiers_of(graph.reader, [ANNA, KIOSK, ProfileId("nobody")])
    assert [(each.key, each.role, each.first_seen - START) for each in answer[ANNA]] == [
        ("user_id:anna", Role.CONTACT, 0),
        ("email:anna@fern.no", Role.CONTACT_POINT, 1),
        ("anonymous_id:a", Role.DEVICE, 2),
    ]
    assert [(each.generic, each.shared_by) for each in answer[KIOSK]] == [("values", 2)]
    assert len(answer) == 2


async def test_a_mint_names_its_identifier(graph: Connection) -> None:
    await world().write(graph.writer)
    answer = await identifiers_by_mint(graph.reader, ["anna-1", "gone"])
    assert {mint: each.key for mint, each in answer.items()} == {"anna-1": "email:anna@fern.no"}


async def test_a_key_leads_to_its_identifier(graph: Connection) -> None:
    await world().write(graph.writer)
    keys = [IdentifierKey("email:anna@fern.no"), IdentifierKey("email:nobody@fern.no")]
    assert {key: each.mint for key, each in (await identifiers_by_key(graph.reader, keys)).items()} == {
        keys[0]: "anna-1"
    }


async def test_a_person_shares_and_is_shared_with(graph: Connection) -> None:
    await world().write(graph.writer)
    shared = await shared_identifiers_of(graph.reader, [(ANNA, ""), (ANNA, "kiosk"), (KIOSK, "")], 5)
    assert {ask: [each.identifier.key for each in all_] for ask, all_ in shared.items()} == {
        (ANNA, ""): ["anonymous_id:kiosk"],
        (ANNA, "kiosk"): [],
        (KIOSK, ""): [],
    }


async def test_the_people_of_a_shared_device_come_in_pages_with_their_number(graph: Connection) -> None:
    await world().write(graph.writer)
    pages = await people_of(graph.reader, [(KIOSK, ""), (KIOSK, "anna"), (ANNA, "")], 1)
    assert {ask: (page.total, [each.id for each in page.people]) for ask, page in pages.items()} == {
        (KIOSK, ""): (2, ["anna"]),
        (KIOSK, "anna"): (2, ["ben"]),
    }
