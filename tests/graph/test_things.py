"""Things that are told of bit by bit, by messages in any order: facts, the account, and that they are there at all."""

from dataclasses import replace
from itertools import permutations

import pytest

from graph.connection import Connection
from graph.ingestion import Status, commit_batch
from identity.messages import About, Message, MessageKind, Subject
from tests.building import RECEIVED, default_policy, identify, message, minting

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
THING = "MATCH (d:Deal) WHERE d.key ENDS WITH $end RETURN d.facts AS facts, d.account AS account"


def told(at: float, key: str, id: str, account: str | None = None, **facts: str) -> Message:  # noqa: A002 -- the domain's word
    """A row that names nobody and tells of a deal. at: minutes after the start."""
    row = message(MessageKind.TRACK, [], at=at, name="Told", id=id)
    return replace(row, about=(About(Subject.DEAL, key, facts, account),))


async def test_a_thing_has_the_latest_facts_and_account_in_whatever_order_they_come(graph: Connection) -> None:
    mint = minting()
    for number, order in enumerate(permutations(range(4))):
        key = f"crm:{number:02d}-d"
        rows = [
            told(1, key, f"{number} old", name="old", stage="open"),
            told(2, key, f"{number} new", name="new"),
            told(3, key, f"{number} account", "account:x"),
            replace(identify("u1", at=9, id=f"{number} mention"), about=(About(Subject.DEAL, key),)),
        ]
        for step in order:
            (outcome,) = await commit_batch(graph.writer, [rows[step]], default_policy(), lambda: next(mint), RECEIVED)
            assert outcome.status is Status.COMMITTED
    found = await graph.reader.rows(THING, end="-d")
    assert [(row["facts"], row["account"]) for row in found] == [('{"name":"new"}', "account:x")] * 24


async def test_a_thing_that_is_only_mentioned_is_there_without_facts(graph: Connection) -> None:
    mint = minting()
    row = replace(identify("u1"), about=(About(Subject.DEAL, "crm:1"),))
    await commit_batch(graph.writer, [row], default_policy(), lambda: next(mint), RECEIVED)
    assert await graph.reader.rows(THING, end="1") == [{"facts": "{}", "account": None}]
