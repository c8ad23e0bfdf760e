"""Who is restricted to accounts hears of their people, for as long as they are seen."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio
import orjson
import pytest

from graph.connection import Connection
from graph.feed import number_entries
from resolvers.answering.endpoint import RefusedError, prepared
from resolvers.answering.requests import Asked
from resolvers.answering.streaming import answers_to
from resolvers.asking import Progress
from resolvers.feed import Feed
from resolvers.ids import Noun, global_id
from resolvers.viewer import Bounds
from tests.building import default_policy, identify, track
from tests.graph.telling import Teller, telling
from tests.resolvers.calling import Caller, caller
from tests.resolvers.test_masking import told
from tests.resolvers.test_rows import FERN
from tests.serving import until

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

JOINS = """
MATCH (i:Identifier {key: $key}) MERGE (a:Account {key: $account})
ON CREATE SET a.namespace = 'account', a.value = 'fern', a.first_seen = 1, a.last_seen = 1
CREATE (i)-[:MEMBER_OF {source: 'crm', from: 1, last_seen: 1, who: i.key, of: a.key}]->(a)
"""
LEAVES = "MATCH (:Identifier {key: $key})-[m:MEMBER_OF]->(:Account {key: $account}) DELETE m"
NAMES = "sequence interaction { name }"
HER = """profileId profile {
  id identifiers { edges { node { value sharedBy profile { id } } } } household { edges { node { profile { id } } } }
  colleagues { edges { node { id } } } }"""
WHOLE = {
    "interactionAdded": "interaction { id name actor { value profile { id } } identifiers { value } }",
    "profileChanged": "at changes { id kind }",
}


@dataclass
class Ear:
    """One subscription in this process: what it was told, and how far it is."""

    heard: list[dict] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True)
class Hearing:
    """Subscriptions of somebody restricted to Fern, to what is told by a teller."""

    graph: Connection
    teller: Teller
    me: Caller
    feed: Feed
    tasks: anyio.abc.TaskGroup

    async def listen(self, field_: str, by: str, selection: str) -> Ear:
        text = f"subscription {{ {field_}(by: {by}) {{ {selection} }} }}"
        world, ear = replace(self.me.world, feed=self.feed), Ear()
        viewer = replace(self.me.viewer, bounds=Bounds(cost=1_000_000))
        answers = await answers_to(prepared(Asked(text), viewer), viewer, world, None, ear.progress)

        async def hear() -> None:
            async for each in answers:
                ear.heard.append(orjson.loads(orjson.dumps(each.content)))

        self.tasks.start_soon(hear)
        return ear

    async def tell(self, *ears: Ear, **said: str) -> None:
        """Somebody does something, and everybody has heard of it as far as she may."""
        await self.teller.tell([track(**said)])
        await number_entries(self.graph)
        bounds = await self.feed.bounds()
        await until(lambda: self.feed.listened, 30)
        await self.feed.read()
        await until(_passed(ears, bounds.last), 30)

    async def change(self, statement: str, key: str) -> None:
        await self.graph.writer.command(statement, key=key, account=FERN)


def _passed(ears: tuple[Ear, ...], last: int) -> Callable[[], bool]:
    return lambda: all((each.progress.passed or 0) >= last for each in ears)


@asynccontextmanager
async def hearing(graph: Connection) -> AsyncIterator[Hearing]:
    """Anna of Fern, Rob of nobody who shares a kiosk with her."""
    teller = await telling(graph, default_policy())
    await teller.tell([identify("anna", on="a1"), identify("rob", on="rob-web"), identify("anna", on="kiosk")])
    await teller.tell([identify("rob", on="kiosk")])
    await number_entries(graph)
    me = Caller(caller(graph).world, accounts=(FERN,))
    async with anyio.create_task_group() as tasks:
        there = Hearing(graph, teller, me, Feed(graph.reader), tasks)
        await there.change(JOINS, "user_id:anna")
        yield there
        tasks.cancel_scope.cancel()


def named(value: str, namespace: str = "user_id") -> str:
    return f'{{identifier: {{namespace: "{namespace}", value: "{value}"}}}}'


def names(ear: Ear) -> list[str]:
    return [each["data"]["interactionAdded"]["interaction"]["name"] for each in ear.heard]


async def test_who_leaves_the_account_is_heard_of_no_more_until_she_is_back(graph: Connection) -> None:
    async with hearing(graph) as there:
        added = await there.listen("interactionAdded", named("anna"), NAMES)
        changed = await there.listen("profileChanged", named("anna"), "sequence")
        await there.tell(added, changed, user="anna", name="one")
        await there.change(LEAVES, "user_id:anna")
        await there.tell(added, changed, user="anna", name="two")
        with pytest.raises(RefusedError, match="no profile has the id"):
            await there.listen("profileChanged", f'{{id: "{await _id(there)}"}}', "sequence")
        await there.change(JOINS, "user_id:anna")
        await there.tell(added, changed, user="anna", name="three")
    assert names(added) == ["one", "three"]
    assert len(changed.heard) == 2


async def _id(there: Hearing) -> str:
    found = await Caller(there.me.world).ask(f"{{ profile(by: {named('anna')}) {{ id }} }}")
    return str(found["profile"]["id"])


async def test_of_others_nothing_is_heard_and_of_who_is_seen_nothing_of_others(graph: Connection) -> None:
    async with hearing(graph) as there:
        silent = [
            await there.listen(field_, named(*who), "sequence")
            for field_ in ("interactionAdded", "profileChanged")
            for who in (("rob",), ("kiosk", "anonymous_id"), ("nobody",))
        ]
        whole = [
            await there.listen(field_, named("a1", "anonymous_id"), f"sequence {more} {HER}")
            for field_, more in WHOLE.items()
        ]
        for id_ in ("never", global_id(Noun.PROFILE, "never")):
            with pytest.raises(RefusedError, match="no profile has the id"):
                await there.listen("profileChanged", f'{{id: "{id_}"}}', "sequence")
        await there.tell(*silent, *whole, user="rob", on="kiosk", name="rob-does")
        await there.tell(*silent, *whole, user="anna", on="a1", name="hers")
    assert [each.heard for each in silent] == [[]] * len(silent)
    for each in whole:
        text = told(each.heard)
        assert "a1" in text
        assert "rob" not in text
        assert all("errors" not in event for event in each.heard)
