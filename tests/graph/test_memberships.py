"""What messages say of accounts, committed and read again."""

from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest

from graph.accounts import accounts_by_key, parents_of
from graph.connection import Connection
from graph.ingestion import Status, commit_batch
from graph.interactions import interactions_by_id
from graph.rebuild import verify
from identity.messages import AccountStatement, Json, Message, MessageKind, micros
from tests.building import RECEIVED, after, default_policy, message, minting

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def of_account(
    key: str, at: float = 0, *, parent: str | None = None, members: Sequence[tuple[str, str]] = (), **traits: Json
) -> Message:
    said = AccountStatement(key, traits, member=bool(members), parent=parent)
    return replace(message(MessageKind.GROUP, members, at=at, id=f"{key} {at}", source="crm"), account=said)


async def committed(graph: Connection, *messages: Message) -> list[Status]:
    mints = minting()
    outcomes = await commit_batch(graph.writer, messages, default_policy(), lambda: next(mints), RECEIVED)
    return [each.status for each in outcomes]


async def test_a_row_that_names_nobody_describes_its_account(graph: Connection) -> None:
    assert await committed(graph, of_account("account:1", name="Acme", size=3)) == [Status.COMMITTED]
    found = (await accounts_by_key(graph.reader, ["account:1"]))["account:1"]
    assert (found.name, found.traits) == ("Acme", '{"name":"Acme","size":3}')


async def test_the_same_row_again_is_a_repeat(graph: Connection) -> None:
    row = of_account("account:1", name="Acme")
    assert await committed(graph, row, row) == [Status.COMMITTED, Status.REPEAT]
    assert await committed(graph, row) == [Status.REPEAT]


async def test_a_row_about_an_account_is_nobodys_interaction(graph: Connection) -> None:
    row = of_account("account:1", name="Acme")
    await committed(graph, row)
    assert await interactions_by_id(graph.reader, [row.id]) == {}


async def test_a_member_without_a_usable_identifier_is_still_rejected(graph: Connection) -> None:
    row = of_account("account:1", members=[("user_id", "undefined")], name="Acme")
    assert await committed(graph, row) == [Status.REJECTED]


async def test_facts_stated_later_win_whatever_comes_first(graph: Connection) -> None:
    tags: list[Json] = ["b", {"c": None}]
    await committed(graph, of_account("account:1", 5, name="Acme", tags=tags))
    await committed(graph, of_account("account:1", 2, name="Acme Ltd", city="Leeds"))
    found = (await accounts_by_key(graph.reader, ["account:1"]))["account:1"]
    assert found.traits == '{"city":"Leeds","name":"Acme","tags":["b",{"c":null}]}'
    assert (found.first_seen, found.last_seen) == (micros(after(2)), micros(after(5)))


async def test_a_parent_is_known_before_anything_is_said_of_it(graph: Connection) -> None:
    await committed(graph, of_account("account:2", parent="account:1", name="Branch"))
    assert (await parents_of(graph.reader, ["account:2"]))["account:2"].key == "account:1"


async def test_two_writers_cannot_close_a_cycle_between_them(graph: Connection) -> None:
    await committed(graph, of_account("account:a", parent="account:b"), of_account("account:c", parent="account:d"))
    async with anyio.create_task_group() as writers:
        writers.start_soon(committed, graph, of_account("account:b", 1, parent="account:c"))
        writers.start_soon(committed, graph, of_account("account:d", 2, parent="account:a"))
    parents = await parents_of(graph.reader, [f"account:{name}" for name in "abcd"])
    assert {key: each.key for key, each in parents.items()} == {
        "account:a": "account:b",
        "account:b": "account:c",
        "account:c": "account:d",
    }
    assert await verify(graph.reader, default_policy()) == ()
