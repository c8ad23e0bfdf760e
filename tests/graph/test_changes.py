"""What stands in the log of changes of things that somebody did."""

from collections.abc import Sequence

import pytest

from graph.account_decisions import decide_accounts
from graph.changes import About, all_changes, changes_about
from graph.connection import Connection
from graph.manual_traits import clear_trait, set_by_hand, set_trait
from identity.accounts import AccountAct
from identity.erasure import Scope
from identity.identifiers import IdentifierKey
from identity.messages import micros
from insight.changes import ChangeKind
from tests.building import after, identify
from tests.graph.erasing import erased
from tests.graph.telling import telling
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NOW = micros(after(0).replace(year=2028))


async def kinds_about(graph: Connection, *keys: str) -> Sequence[ChangeKind]:
    """What concerned these identifiers, the oldest first."""
    about = About(tuple(IdentifierKey(key) for key in keys))
    return [each.kind for each in reversed((await changes_about(graph.reader, [about], 100))[about])]


@pytest.mark.parametrize("gone", ["user_id:u1", "anonymous_id:a1"])
async def test_an_erasure_stands_in_the_history_of_who_stays(graph: Connection, gone: str) -> None:
    teller = await telling(graph)
    await teller.tell([identify("u1", "a1"), identify("u1", "a2", at=1)])
    await erased(graph, gone, scope=Scope.IDENTIFIER)
    assert ChangeKind.ERASED in await kinds_about(graph, "user_id:u1", "anonymous_id:a2")


async def test_what_is_done_by_hand_to_a_trait_stands_in_the_history(graph: Connection) -> None:
    teller = await telling(graph)
    await teller.tell([identify("u1", "a1")])
    key = IdentifierKey("anonymous_id:a1")
    await set_trait(graph.writer, key, set_by_hand("name", "Ann", "1", NOW), teller.policy, NOW, "kim")
    for later in (1, 2):
        await clear_trait(graph.writer, key, "name", teller.policy, NOW + later, "lee")
    kinds = await kinds_about(graph, "user_id:u1", "anonymous_id:a1")
    assert kinds == [ChangeKind.ARRIVED, ChangeKind.TRAIT_SET, ChangeKind.TRAIT_CLEARED]
    assert [each.by async for each in all_changes(graph.reader)] == ["web", "kim", "lee"]


async def test_decisions_about_accounts_stand_in_the_log(graph: Connection) -> None:
    await telling(graph)
    world = World().account("crm:1", "Acme").account("crm:2", "Acme Inc")
    await world.write(graph.writer)
    for number, same in enumerate((True, False)):
        act = AccountAct(str(number), same, "crm:1", "crm:2", NOW + number, "kim", "why")
        await decide_accounts(graph.writer, act, NOW + number)
    found = [(each.kind, each.by, each.note) async for each in all_changes(graph.reader)]
    assert found == [(ChangeKind.ACCOUNTS_MERGED, "kim", "why"), (ChangeKind.ACCOUNTS_PARTED, "kim", "why")]
