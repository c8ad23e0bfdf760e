"""An application of a policy that is killed in the midst of its long parts ends as one that never was."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from graph import rebuild, rehearing
from graph.applying import apply
from graph.connection import Connection
from graph.rebuild import verify
from identity.messages import AccountStatement, Message, MessageKind
from identity.policy import Policy
from tests.building import identify, message, track
from tests.graph.killing import Killed, KilledError
from tests.graph.telling import Seen
from tests.graph.test_policy_changes import CHANGES, Change, changing, seen, written
from tests.identity.policies import small_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ADDRESSES = ("lee@gmail.com", "l.ee@gmail.com", "a.nn@gmail.com", "b.o@gmail.com", "carl+news@gmail.com")
PARTS = ["_give_ids", "_keep_identifiers", "_rehang", "_state_links", "_remove", "_place", "_refresh"]


def mailing() -> list[Message]:
    """People whose addresses are spelt in several ways, who share them, belong to a company, and do things."""
    told = [
        identify(f"u{number}", f"a{number}", at=number, email=address, traits={"name": f"N{number}"})
        for number, address in enumerate(ADDRESSES)
    ]
    shared = [identify(f"u{number}", at=10 + number, email="home@gmail.com") for number in range(3)]
    alone = [track(email=address, at=20 + number) for number, address in enumerate(ADDRESSES)]
    tablets = [identify(f"u{number}", f"t{number % 3}", at=30 + number) for number in range(5)]
    member = AccountStatement("account:acme", {}, member=True)
    groups = [message(MessageKind.GROUP, [("email", address)], at=40, account=member) for address in ADDRESSES]
    return [*told, *shared, *alone, *tablets, *groups]


@dataclass
class Kills:
    """Every process dies before the second transaction of the next part: what it had begun is half written."""

    died: list[str] = field(default_factory=list)

    def new_process(self, graph: Connection) -> Killed:
        begun = Counter[str]()

        def dies(part: str) -> bool:
            begun[part] += 1
            if begun[part] < 2 or part in self.died or part not in PARTS:
                return False
            self.died.append(part)
            return True

        return Killed(graph, dies)


async def begun(graph: Connection) -> Change:
    change = await changing(graph)
    await change.teller.tell(mailing())
    return change


async def uninterrupted(graph: Connection, candidate: Policy) -> Seen:
    change = await begun(graph)
    await apply(graph, candidate, change.applier())
    return await seen(graph, candidate)


async def test_an_application_that_dies_in_the_midst_of_part_after_part_ends_as_if_it_had_not(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded = CHANGES["folded addresses"](small_policy())
    candidate, kills = written(CHANGES["short messages"](folded)), Kills()
    expected = await uninterrupted(graph, candidate)
    change = await begun(graph)
    for module in (rebuild, rehearing):
        monkeypatch.setattr(module, "CHUNK", 2)
    for _ in PARTS:
        with pytest.raises(KilledError):
            await apply(kills.new_process(graph), None if kills.died else candidate, change.applier())
    assert (await apply(kills.new_process(graph), None, change.applier())).resumed
    assert kills.died == PARTS
    assert await verify(graph.reader, candidate) == ()
    assert await seen(graph, candidate) == expected
