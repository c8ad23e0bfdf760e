"""T66: four services on one Neo4j hear overlapping people from sixteen threads: the same people as from one."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import anyio
import httpx
import orjson
import pytest
from hypothesis import settings

from graph.connection import Connection
from graph.evidence_reading import stored_state
from tests.building import default_policy
from tests.graph.telling import Seen, seen_in
from tests.serving import Neo4jAddress, empty
from tests.walks.crowd import Delivery, crowd
from tests.walks.processes import done, environment, new_keys, served
from tests.walks.sending import Sent, identify
from tests.walks.service import PATIENCE, Company, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MESSAGES = 1_200
PROOF_MESSAGES = 20_000  # in `make prove`
SERVICES = 4
THREADS = 16
TOGETHER = 30
LIMIT_SECONDS = 600


async def seen(graph: Connection) -> Seen:
    return seen_in(await stored_state(graph.reader, default_policy()))


async def one_after_the_other(graph: Connection, messages: Sequence[Sent]) -> Seen:
    """What one service makes of the messages, in one order."""
    async with in_process(graph) as company:
        await everything_taken(company, messages, 500)
    found = await seen(graph)
    await empty(graph.writer)
    return found


async def everything_taken(company: Company, messages: Sequence[Sent], together: int = TOGETHER) -> None:
    delivery = Delivery.of(messages, together)
    while delivery.waiting:
        await delivery.run(company)


def shares(messages: Sequence[Sent]) -> list[list[Sent]]:
    """What each thread sends, in an order of its own; a third of all messages is sent twice, as by a client's retry."""
    parts = [
        [each for at, each in enumerate(messages) if at % THREADS == number or (at % 3 == 0 and at % 16 == number - 1)]
        for number in range(THREADS)
    ]
    for number, part in enumerate(parts):
        Random(number).shuffle(part)
    return parts


def send_all(url: str, key: str, messages: Sequence[Sent]) -> None:
    """Send everything from this thread, again where the service is busy."""
    end = time.monotonic() + LIMIT_SECONDS
    with httpx.Client(base_url=url, auth=(key, ""), timeout=PATIENCE) as http:
        for start in range(0, len(messages), TOGETHER):
            body = orjson.dumps({"batch": messages[start : start + TOGETHER]})
            while (answer := http.post("/v1/batch", content=body)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
                assert time.monotonic() < end
                time.sleep(0.1)
            assert answer.status_code == httpx.codes.OK, answer.text


async def test_t66_four_services_and_sixteen_threads_lose_no_link_and_agree_with_one(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    many = PROOF_MESSAGES if settings.get_current_profile_name() == "prove" else MESSAGES
    messages = crowd(many, seed=7)
    alone = await one_after_the_other(graph, messages)
    places = [environment(tmp_path / f"{number}", neo4j_server) for number in range(SERVICES)]
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(served(place)) for place in places]
        key, _ = new_keys(places[0])
        with ThreadPoolExecutor(THREADS) as threads:
            sent = [
                threads.submit(send_all, services[number % SERVICES].url, key, part)
                for number, part in enumerate(shares(messages))
            ]
            for each in sent:
                await anyio.to_thread.run_sync(each.result)
        async with anyio.create_task_group() as tasks:
            for each in services:
                tasks.start_soon(anyio.to_thread.run_sync, each.end)
        assert [each.process.returncode for each in services] == [0] * SERVICES
    together = await seen(graph)
    assert together.people.keys() == alone.people.keys()
    assert together == alone
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many, count(DISTINCT i.id) AS ids")
    assert (row["many"], row["ids"]) == (many, many)
    assert done(places[0], "verify") == "verify: 0 differences\n"


async def test_t66_one_person_told_to_two_services_at_once_is_one_person(graph: Connection) -> None:
    """Every message in a request of its own, all of them about one user, over two services."""
    messages = [identify("u1", f"a{number % 20}", at=number) for number in range(60)]
    async with in_process(graph) as one, in_process(graph) as other, anyio.create_task_group() as tasks:
        for at, each in enumerate(messages):
            tasks.start_soon(everything_taken, (one, other)[at % 2], [each])
    found = await seen(graph)
    assert len(found.people) == 1
