"""Two services on one graph: one is killed while it tells, and who listens hears all of it once at the other."""

from pathlib import Path

import anyio
import pytest

from graph.connection import Connection
from graph.deliveries import Endpoint, Topic, hold, keep_endpoint
from graph.feed import feed_bounds, number_entries
from identity.messages import Json
from tests.serving import Neo4jAddress, until
from tests.walks.listening import ADDED, Listener, named, opened
from tests.walks.processes import company_of, environment, new_keys, served
from tests.walks.sending import identify, track
from tests.walks.service import Company
from tests.walks.test_deliveries import SECRET, Heard, receiver

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NAMES = [f"n{number}" for number in range(40)]
Events = list[tuple[Json, Json]]


async def send_all(company: Company) -> None:
    for name in NAMES:
        await company.send(track("a1", name=name))


async def hear(listener: Listener, heard: Events, many: int) -> None:
    while len(heard) < many:
        event = await listener.next()
        heard.append((event["interaction"]["name"], event["sequence"]))


def told_of(said: Heard) -> dict[str, str]:
    """What was told under each id; again only what was told before."""
    told: dict[str, str] = {}
    for headers, body in said:
        assert told.setdefault(headers["webhook-id"], body) == body
    return told


async def test_what_a_killed_service_was_telling_is_told_by_the_other(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    one, two = (environment(tmp_path / each, neo4j_server, SELFSAME_HOOKS_PRIVATE="true") for each in ("one", "two"))
    keys, heard = new_keys(one), Events()
    with receiver(lambda _: 200) as (url, said):
        async with served(one) as first, served(two) as second, company_of(second, keys) as company:
            endpoint = Endpoint("e1", url, (Topic.INTERACTION_ADDED,), SECRET, 0)
            await company.send(identify("u1", "a1"))
            await number_entries(graph)
            start = str((await feed_bounds(graph.reader)).last)
            await keep_endpoint(graph.writer, endpoint)
            async with opened(first.url, keys[1]) as listener, anyio.create_task_group() as tasks:
                await listener.subscribe("1", ADDED, {**named("u1"), "after": start})
                tasks.start_soon(send_all, company)
                await hear(listener, heard, len(NAMES) // 4)
                first.kill()
            async with opened(second.url, keys[1]) as listener:
                await listener.subscribe("1", ADDED, {**named("u1"), "after": heard[-1][1]})
                await hear(listener, heard, len(NAMES))
            await hold(graph.writer, endpoint, 0)  # the minute is over in which what it had taken was its own
            await until(lambda: len(told_of(said)) == len(NAMES), 30)
    assert [name for name, _ in heard] == NAMES
    assert len({sequence for _, sequence in heard}) == len(NAMES)
    assert len(set(told_of(said).values())) == len(NAMES)
