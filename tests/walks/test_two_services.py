"""Two service processes on one Neo4j get overlapping people at once: the same people come out as from one, in order."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import anyio
import pytest

from graph.connection import Connection
from graph.evidence_reading import stored_state
from tests.building import default_policy
from tests.graph.telling import Seen, seen_in
from tests.serving import Neo4jAddress, empty
from tests.walks.crowd import Delivery, crowd
from tests.walks.processes import company_of, done, environment, new_keys, served
from tests.walks.sending import Sent, identify
from tests.walks.service import Company, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MESSAGES = 600
CLIENTS = 3
TOGETHER = 5


async def seen(graph: Connection) -> Seen:
    return seen_in(await stored_state(graph.reader, default_policy()))


async def one_after_the_other(graph: Connection, messages: Sequence[Sent]) -> Seen:
    """What one service makes of the messages, in one order."""
    async with in_process(graph) as company:
        await Delivery.of(messages, TOGETHER).run(company)
    found = await seen(graph)
    await empty(graph.writer)
    return found


async def by_clients(company: Company, messages: Sequence[Sent], seed: int) -> None:
    """Several clients send a part each, in an order of their own."""
    some = list(messages)
    Random(seed).shuffle(some)
    async with anyio.create_task_group() as tasks:
        for client in range(CLIENTS):
            tasks.start_soon(everything_taken, company, some[client::CLIENTS])


async def everything_taken(company: Company, messages: Sequence[Sent]) -> None:
    delivery = Delivery.of(messages, TOGETHER)
    while delivery.waiting:
        await delivery.run(company)


async def test_two_services_at_once_lose_no_link_and_agree_with_one(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """A third of the messages reaches both, as when a client's retry is routed elsewhere."""
    messages = crowd(MESSAGES, seed=7)
    alone = await one_after_the_other(graph, messages)
    places = [environment(tmp_path / name, neo4j_server) for name in ("one", "other")]
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(served(place)) for place in places]
        keys = new_keys(places[0])
        companies = [await stack.enter_async_context(company_of(each, keys)) for each in services]
        async with anyio.create_task_group() as tasks:
            for number, company in enumerate(companies):
                mine = [each for at, each in enumerate(messages) if at % 3 in {number, 2}]
                tasks.start_soon(by_clients, company, mine, number)
        assert [each.end() for each in services] == [0, 0]
    together = await seen(graph)
    assert together.people.keys() == alone.people.keys()
    assert together == alone
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many, count(DISTINCT i.id) AS ids")
    assert (row["many"], row["ids"]) == (MESSAGES, MESSAGES)
    assert done(places[0], "verify") == "verify: 0 differences\n"


async def test_one_person_told_to_two_services_at_once_is_one_person(graph: Connection) -> None:
    """T66 in small: every message in a request of its own, all of them about one user, over two services."""
    messages = [identify("u1", f"a{number % 20}", at=number) for number in range(60)]
    async with in_process(graph) as one, in_process(graph) as other, anyio.create_task_group() as tasks:
        for at, each in enumerate(messages):
            tasks.start_soon(everything_taken, (one, other)[at % 2], [each])
    found = await seen(graph)
    assert len(found.people) == 1
