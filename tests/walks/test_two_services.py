"""Two services on one graph: one is killed in the middle of everything, and all of it is there once at the other."""

from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest

from graph.connection import Connection
from graph.endpoints import Endpoint, Topic, keep_endpoint
from graph.feed import feed_bounds, number_entries
from identity.messages import Json
from tests.serving import Neo4jAddress, until
from tests.walks.listening import ADDED, Listener, named, opened
from tests.walks.passage import Passage, passage
from tests.walks.processes import Served, environment, served
from tests.walks.sending import identify, track
from tests.walks.service import PATIENCE, Company, keyed
from tests.walks.test_deliveries import SECRET, Heard, receiver

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

COMMIT = bytes.fromhex("0002b0120000")  # Bolt: a chunk of two bytes, a structure without fields and its tag, the end
KEY_TAKEN = b"MERGE (k:IdempotencyKey"
MERGE = """
mutation ($a: ProfileLookup!, $b: ProfileLookup!) {
  mergeProfiles(from: $a, into: $b, override: true, idempotencyKey: "once") {
    __typename
    ... on Decided { decision after { id identifiers { value } } }
  }
}
"""
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


async def killed_between_commit_and_answer(service: Served, way: Passage, company: Company) -> None:
    """Merge two people at a service, and kill it once the graph has said that it is done, before it hears so."""
    way.swallow_once(KEY_TAKEN, COMMIT)
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as http, anyio.create_task_group() as tasks:

        async def merge() -> None:
            with pytest.raises(httpx.TransportError):
                await merged(replace(company, http=http))

        tasks.start_soon(merge)
        with anyio.fail_after(60):
            await way.swallowed.wait()
        service.kill()


async def merged(company: Company) -> Json:
    a, b = named("u2")["by"], named("u1")["by"]
    return (await company.change(MERGE, a=a, b=b))["mergeProfiles"]


async def decided(graph: Connection) -> list[str]:
    return [row["id"] for row in await graph.reader.rows("MATCH (x:Act) RETURN DISTINCT x.decision AS id")]


# The minute is over in which what a process had taken was its own.
OVER = "MATCH (owed:WebhookDelivery) WHERE owed.due_at IS NOT NULL SET owed.due_at = 0"


async def test_what_a_killed_service_was_telling_and_had_decided_is_told_and_answered_by_the_other(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """The first one is killed while it tells, by WebSocket and webhook, and has merged two people without an answer."""
    heard = Events()
    async with passage(neo4j_server.uri) as way:
        far = replace(neo4j_server, uri=way.uri)
        one, two = (
            environment(tmp_path / name, address, SELFSAME_HOOKS_PRIVATE="true")
            for name, address in (("one", far), ("two", neo4j_server))
        )
        with receiver(lambda _: 200) as (url, said):
            async with (
                served(one) as first,
                served(two) as second,
                httpx.AsyncClient(base_url=second.url, timeout=PATIENCE) as http,
            ):
                company = await keyed(graph, http)
                endpoint = Endpoint("e1", url, (Topic.INTERACTION_ADDED,), SECRET, 0)
                await company.send(identify("u1", "a1"), identify("u2"))
                await number_entries(graph)
                start = str((await feed_bounds(graph.reader)).last)
                await keep_endpoint(graph.writer, endpoint)
                async with opened(first.url, company.read_key) as listener, anyio.create_task_group() as tasks:
                    await listener.subscribe("1", ADDED, {**named("u1"), "after": start})
                    tasks.start_soon(send_all, company)
                    await hear(listener, heard, len(NAMES) // 4)
                    await killed_between_commit_and_answer(first, way, company)
                (decision,) = await decided(graph)
                answers = [await merged(company) for _ in "12"]
                assert answers[0] == answers[1]
                assert (answers[0]["__typename"], answers[0]["decision"]) == ("Decided", decision)
                assert [len(each["identifiers"]) for each in answers[0]["after"]] == [3]
                assert await decided(graph) == [decision]
                async with opened(second.url, company.read_key) as listener:
                    await listener.subscribe("1", ADDED, {**named("u1"), "after": heard[-1][1]})
                    await hear(listener, heard, len(NAMES))
                await graph.writer.command(OVER)
                await until(lambda: len(told_of(said)) == len(NAMES))
    assert [name for name, _ in heard] == NAMES
    assert len({sequence for _, sequence in heard}) == len(NAMES)
    assert len(set(told_of(said).values())) == len(NAMES)
