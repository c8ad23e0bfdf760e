"""To whom somebody belonged: as it was known, as it was true, before and after accounts were merged."""

from dataclasses import replace

import pytest

from graph.account_decisions import decide_accounts
from graph.connection import Connection
from graph.past import View, person_by_key
from graph.past_hearing import Asked, Rules
from graph.past_memberships import memberships_then
from identity.accounts import AccountAct
from identity.identifiers import IdentifierKey
from identity.messages import AccountStatement, Message, MessageKind, micros
from tests.building import after, default_policy, message
from tests.graph.telling import Teller, telling
from tests.graph.test_past_on_neo4j import moment_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def group(account: str, role: str | None = None, *, at: float, user: str = "u1") -> Message:
    said = AccountStatement(f"account:{account}", role=role)
    return message(MessageKind.GROUP, [("user_id", user)], at=at, account=said)


async def belonging(teller: Teller, view: View) -> list[tuple[str, list[str | None]]]:
    """The accounts of u1, each with the roles that were said of her there, the shown one first."""
    person = await person_by_key(teller.graph.reader, IdentifierKey("user_id:u1"), view, teller.policy)
    assert person is not None
    asked = Asked(person.keys, view, Rules(teller.policy, teller.policy))
    found = (await memberships_then(teller.graph.reader, [asked]))[asked]
    return [(key.removeprefix("account:"), [each.role for each in said]) for key, said in found.items()]


async def test_the_role_that_was_said_last_then_is_shown_then(graph: Connection) -> None:
    teller = await telling(graph, default_policy())
    for role, at in (("buyer", 10), ("seller", 20), ("buyer", 30), ("seller", 5)):
        await teller.tell([group("acme", role, at=at)])
    answers = [["buyer"], ["seller", "buyer"], ["buyer", "seller"], ["buyer", "seller"]]
    for number, roles in enumerate(answers):
        assert await belonging(teller, View(as_of=moment_of(number + 1))) == [("acme", roles)]
    effective = {7: ["seller"], 12: ["buyer", "seller"], 25: ["seller", "buyer"], 40: ["buyer", "seller"]}
    for minute, roles in effective.items():
        assert await belonging(teller, View(effective_at=micros(after(minute)))) == [("acme", roles)]
    known = View(as_of=moment_of(3), effective_at=micros(after(15)))
    assert await belonging(teller, known) == [("acme", ["buyer"])]


async def test_a_second_account_ends_no_membership_of_the_first(graph: Connection) -> None:
    teller = await telling(graph, default_policy())
    for account, at in (("acme", 1), ("globex", 2)):
        await teller.tell([replace(group(account, at=at), source="crm")])  # type: ignore[arg-type]  # a name of a source
    assert [key for key, _ in await belonging(teller, View())] == ["acme", "globex"]
    assert [key for key, _ in await belonging(teller, View(as_of=moment_of(1)))] == ["acme"]


async def test_accounts_are_one_from_when_they_were_merged_until_they_were_parted(graph: Connection) -> None:
    teller = await telling(graph, default_policy())
    await teller.tell([group("acme-inc", "buyer", at=1), group("acme", "admin", at=2)])
    for number, same in enumerate((True, False)):
        now = micros(teller.later())
        act = AccountAct(str(number), same, "account:acme-inc", "account:acme", now)
        await decide_accounts(graph.writer, act, now)
    two, one = [("acme", ["admin"]), ("acme-inc", ["buyer"])], [("acme", ["admin", "buyer"])]
    assert [await belonging(teller, View(as_of=moment_of(number))) for number in (1, 2, 3)] == [two, one, two]
    known = View(as_of=moment_of(2), effective_at=micros(after(5)))
    assert await belonging(teller, known) == two
