"""What happens is told as it happens, to who listens over a WebSocket or to a stream, by the server that people run."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from graph.connection import Connection
from graph.deliveries import deliveries
from graph.endpoints import Endpoint, EndpointState, Topic, keep_endpoint
from graph.feed import drop_entries, feed_bounds, number_entries
from graph.keys import hash_of, revoke_key
from graph.owing import owe
from graph.runs import Counts, Load, RunId, Step, advanced_run, begun_run, finished_run
from graph.segments import define_segment, remove_segment
from identity.messages import SourceName
from insight.segments import Comparison, TraitIs
from resolvers import feed
from resolvers.answering import events as sse
from resolvers.answering import socket
from resolvers.asking import Progress
from resolvers.viewer import Bounds
from selfsame import access
from selfsame.clock import now
from selfsame.guests import Edge
from tests.serving import PATIENCE_SECONDS, until_async
from tests.walks.listening import ADDED, CHANGED, LOAD, MERGES, SEGMENT, Listener, Told, events, named, opened
from tests.walks.sending import identify, track
from tests.walks.service import Company, over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with over_network(graph) as running:
        yield running


def url(company: Company) -> str:
    return str(company.http.base_url).rstrip("/")


async def place(graph: Connection) -> str:
    """The sequence after which nothing has happened yet."""
    await number_entries(graph)
    return str((await feed_bounds(graph.reader)).last)


async def test_a_person_is_followed_through_a_merge_and_a_break(company: Company, graph: Connection) -> None:
    await company.send(identify("u1", "a1"), track("a2"))
    start = await place(graph)
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("1", CHANGED, {**named("a2", "anonymous_id"), "after": start})
        await company.send(track("a1"), track("a2"))
        first = await listener.next()
        await company.send(identify("u1", "a2"))
        second = await listener.next()
    assert first["changes"] == []
    assert [each["kind"] for each in second["changes"]] == ["MERGED"]
    assert {edge["node"]["value"] for edge in second["profile"]["identifiers"]["edges"]} == {"u1", "a1", "a2"}
    await company.send(track("a1"), track("a3"))
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("again", CHANGED, {**named("a2", "anonymous_id"), "after": first["sequence"]})
        again, third = await listener.next(), await listener.next()
    assert (again, third["changes"]) == (second, [])


async def test_interactions_and_changes_come_in_order_and_once_however_often_the_line_breaks(
    company: Company, graph: Connection
) -> None:
    start = await place(graph)
    await company.batch([identify("u1", "a1"), *(track("a1", name=f"n{number}") for number in range(4)), track("a9")])
    heard: list[str] = []
    last = start
    while len(heard) < 5:
        async with opened(url(company), company.read_key) as listener:
            await listener.subscribe("1", ADDED, {**named("u1"), "after": last})
            event = await listener.next()
            heard.append(event["interaction"]["name"])
            last = event["sequence"]
    assert heard == [None, "n0", "n1", "n2", "n3"]


async def test_who_enters_a_segment_is_told(company: Company, graph: Connection) -> None:
    kept = await define_segment(graph.writer, "osloers", TraitIs("city", Comparison.EXISTS, value=True), 1)
    assert kept is not None
    await keep_endpoint(graph.writer, Endpoint("e1", "http://x", (Topic.SEGMENT_ENTERED,), "", 0, EndpointState.PAUSED))
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("0", SEGMENT, {"segment": "nobody"})
        assert (await listener.hear())["payload"][0]["extensions"]["code"] == "unknown_segment"
        await listener.subscribe("1", SEGMENT, {"segment": "osloers"})
        await company.send(identify("u1", "a1", traits={"city": "Oslo"}))
        told = await listener.next()
        assert await remove_segment(graph.writer, "osloers")
        left, end = await listener.next(), await listener.hear()
    assert (told["entered"], told["profileId"]) == (True, told["profile"]["id"])
    assert (left["entered"], left["profileId"], end) == (False, told["profileId"], {"type": "complete", "id": "1"})
    while await owe(graph):
        pass
    (owed,) = await deliveries(graph.reader, "e1", 2)
    body = json.loads(owed.body)
    assert (body["type"], body["data"]["segment"], len(body["data"]["profiles"])) == ("segment.entered", kept.key, 1)


async def test_a_load_is_followed_to_its_end_and_an_endpoint_is_told_of_each_step(
    company: Company, graph: Connection
) -> None:
    await keep_endpoint(graph.writer, Endpoint("e1", "http://x", (Topic.LOAD_PROGRESSED,), "", 0, EndpointState.PAUSED))
    start = await place(graph)
    run = await begun_run(graph.writer, RunId("r1"), Load(SourceName("crm"), "contacts.csv", "abc"), now())
    await place(graph)  # behind the beginning
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("0", LOAD, {"run": "nobody's"})
        assert (await listener.hear())["payload"][0]["extensions"]["code"] == "unknown_run"
        await listener.subscribe("1", LOAD, {"run": "r1"})
        heard = [await listener.next()]
        run = await advanced_run(graph.writer, run, Step(3, Counts(records=2, committed=2)), now())
        heard.append(await listener.next())
        await finished_run(graph.writer, run, now())
        heard += [await listener.next()]
        assert await listener.hear() == {"type": "complete", "id": "1"}
        await listener.subscribe("2", LOAD, {"run": "r1", "after": start})
        assert (await listener.next())["state"] == "FINISHED"
    assert [(each["state"], each["records"], each["committed"]) for each in heard] == [
        ("RUNNING", 0, 0),
        ("RUNNING", 2, 2),
        ("FINISHED", 2, 2),
    ]
    assert {(each["run"], each["file"]) for each in heard} == {("r1", "contacts.csv")}
    while await owe(graph):
        pass
    bodies = [json.loads(each.body) for each in await deliveries(graph.reader, "e1", 9)]
    assert [(each["type"], each["data"]["run"]) for each in bodies] == [("load.progressed", "r1")] * 3


async def test_no_key_no_connection_and_no_crowd_takes_all_there_is(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with over_network(graph, edge=Edge(Bounds(subscriptions=2))) as company, AsyncExitStack() as stack:
        await company.send(identify("u1", "a1"))
        listener, other = [
            await stack.enter_async_context(opened(url(company), key)) for key in (company.read_key, company.admin_key)
        ]

        async def taken(by: Listener, *ids: str) -> None:
            for id_ in ids:
                await by.subscribe(id_, ADDED, named("u1"))
            await company.send(track("a1"))
            assert {(await by.hear())["id"] for _ in ids} == set(ids)

        async def refused(by: Listener) -> str:
            await by.subscribe("more", ADDED, named("u1"))
            while (message := await by.hear())["id"] != "more":
                pass
            return message["payload"][0]["message"]

        async def one_is_free(by: Listener) -> bool:
            await by.subscribe("again", ADDED, {**named("u1"), "after": start})
            while (message := await by.hear())["id"] != "again":
                pass
            return message["type"] == "next"

        start = await place(graph)
        await taken(listener, "1", "2")
        assert "this key has 2" in await refused(listener)
        streamed = await company.http.post(
            "/graphql",
            json={"query": ADDED, "variables": named("u1")},
            headers={"accept": "text/event-stream", "authorization": f"Bearer {company.read_key}"},
        )
        assert streamed.json()["errors"][0]["extensions"]["code"] == "too_many_subscriptions"
        await listener.say("complete", "1")
        await until_async(lambda: one_is_free(listener))
        monkeypatch.setattr(feed, "MOST_LISTENERS", 1)
        assert "so many subscriptions" in await refused(other)
        monkeypatch.setattr(socket, "MOST_OPERATIONS", 1)
        assert "this connection has 1" in await refused(listener)


async def test_a_stream_goes_on_after_the_last_event_that_was_heard(company: Company, graph: Connection) -> None:
    start = await place(graph)
    await company.batch([identify("u1", "a1"), track("a1", name="n0")])
    async with events(company.http, company.read_key, ADDED, {**named("u1"), "after": start}) as told:
        first = await anext(told)
    async with events(company.http, company.read_key, ADDED, named("u1"), first.id) as told:
        second = await anext(told)
    assert [each.data["data"]["interactionAdded"]["interaction"]["name"] for each in (first, second)] == [None, "n0"]
    assert (first.event, second.event, second.id) == ("next", "next", second.data["extensions"]["sequence"])


async def test_what_is_no_longer_kept_is_said_to_be_gone(company: Company, graph: Connection) -> None:
    start = await place(graph)
    await company.send(identify("u1", "a1"))
    await number_entries(graph)
    assert await drop_entries(graph, now())
    async with opened(url(company), company.read_key) as listener:
        for id_, after in enumerate((start, "soon", "9999")):
            await listener.subscribe(f"{id_}", MERGES, {"after": after})
        codes = {
            each["id"]: each["payload"][0]["extensions"]["code"] for each in [await listener.hear() for _ in "123"]
        }
    assert codes == {"0": "sequence_gone", "1": "bad_sequence", "2": "sequence_gone"}


async def test_who_heard_all_that_is_dropped_goes_on_where_it_ended(company: Company, graph: Connection) -> None:
    start = await place(graph)
    await company.send(identify("u1", "a1"))
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("1", CHANGED, {**named("u1"), "after": start})
        heard = (await listener.next())["sequence"]
        assert await drop_entries(graph, now())
        await listener.subscribe("2", CHANGED, {**named("u1"), "after": heard})
        await company.send(track("a1"))
        assert {(await listener.hear())["id"] for _ in "12"} == {"1", "2"}


async def test_who_hears_of_nothing_for_long_may_come_back_as_far_as_she_was_told(
    company: Company, graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others did is dropped meanwhile; nothing of her own was missed."""
    monkeypatch.setattr(socket, "MARK_SECONDS", 0.05)
    monkeypatch.setattr(sse, "ALIVE_SECONDS", 0.05)
    start = await place(graph)
    async with (
        opened(url(company), company.read_key) as listener,
        events(company.http, company.read_key, CHANGED, {**named("u1"), "after": start}) as told,
    ):
        await listener.subscribe("1", CHANGED, {**named("u1"), "after": start})
        await listener.marked("1", start)
        await company.send(track("a8"), track("a9"))
        last = await place(graph)
        await listener.marked("1", last)
        marks = [(await anext(told)).id]
        while marks[-1] != last:
            marks.append((await anext(told)).id)
    assert marks[0] == start
    assert await drop_entries(graph, now())
    await company.send(identify("u1", "a1"))
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("old", CHANGED, {**named("u1"), "after": start})
        assert (await listener.hear())["payload"][0]["extensions"]["code"] == "sequence_gone"
        await listener.subscribe("1", CHANGED, {**named("u1"), "after": last})
        missed = await listener.next()
    async with events(company.http, company.read_key, CHANGED, named("u1"), last) as told:
        found = [each async for each in _until_told(told)]
    assert found[-1].data["data"]["profileChanged"] == missed


async def _until_told(told: AsyncIterator[Told]) -> AsyncIterator[Told]:
    async for each in told:
        yield each
        if each.event:
            return


def test_a_mark_never_leads_back() -> None:
    progress = Progress(passed=4, said="5.1")
    assert progress.mark() is None
    progress.passed = 5
    assert [progress.mark(), progress.mark()] == ["5", None]


async def test_a_connection_ends_soon_after_its_key(
    company: Company, graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (socket, access):
        monkeypatch.setattr(module, "RECHECK_SECONDS" if module is socket else "REMEMBERED_SECONDS", 0.1)
    async with opened(url(company), company.read_key) as listener:
        await listener.subscribe("1", MERGES)
        await revoke_key(graph.writer, hash_of(company.read_key), now())
        assert await listener.closed() == 4403


async def test_the_protocol_is_kept(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    key = company.read_key
    with monkeypatch.context() as patience:  # for the one who says nothing; what the others say may be late
        patience.setattr(socket, "INIT_SECONDS", 0.2)
        async with opened(url(company), None) as listener:
            assert await listener.closed() == 4408
    monkeypatch.setattr(socket, "INIT_SECONDS", PATIENCE_SECONDS)
    async with opened(url(company), None) as listener:
        await listener.say("subscribe", "1", {"query": "{ segments { name } }"})
        assert await listener.closed() == 4401
    async with opened(url(company), None) as listener:
        await listener.say("connection_init", payload={"key": "ssr_unknown"})
        assert await listener.closed() == 4403
    async with opened(url(company), key) as listener:
        await listener.say("ping")
        assert await listener.hear() == {"type": "pong"}
        await listener.say("connection_init")
        assert await listener.closed() == 4429
    async with opened(url(company), key) as listener:
        await listener.say("subscribe", "1", {"query": "{ segments { name } }"})
        told, end = await listener.hear(), await listener.hear()
        assert (told["type"], told["id"], told["payload"]["data"]) == ("next", "1", {"segments": []})
        assert end == {"type": "complete", "id": "1"}
        for _ in range(2):
            await listener.subscribe("1", MERGES)
        assert await listener.closed() == 4409
    async with opened(url(company), key) as listener:
        await listener.socket.send("{")
        assert await listener.closed() == 4400
    async with opened(url(company), key) as listener:
        await listener.say("subscribe", "1", {"query": "mutation { erase }"})
        assert (await listener.hear())["payload"][0]["extensions"]["code"] == "query_invalid"


async def test_who_listens_is_told_to_come_again_when_the_service_goes_down(graph: Connection) -> None:
    async with AsyncExitStack() as stack:
        async with over_network(graph) as company:
            listener = await stack.enter_async_context(opened(url(company), company.read_key))
            await listener.subscribe("1", MERGES)
            await listener.say("ping")
            await listener.hear()
        assert await listener.closed() == 1001


async def test_one_who_takes_nothing_holds_up_nobody(company: Company, graph: Connection) -> None:
    """A hundred events wait for somebody who reads none; the other hears them all, and the feed keeps what it may."""
    start = await place(graph)
    async with opened(url(company), company.read_key) as slow, opened(url(company), company.read_key) as quick:
        slow.socket.transport.pause_reading()
        for listener in (slow, quick):
            await listener.subscribe("1", CHANGED, {**named("u1"), "after": start})
        await company.send(*(identify("u1", "a1") for _ in range(8)))
        assert len({(await quick.next())["sequence"] for _ in range(8)}) == 8
        slow.socket.transport.resume_reading()
        assert len({(await slow.next())["sequence"] for _ in range(8)}) == 8
