"""Webhooks out: a receiver of the test's own that takes, fails and leaves, and what it is told in the end."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from standardwebhooks import Webhook

from destinations import deliveries as lanes
from destinations import webhooks
from destinations.deliveries import Delivering
from destinations.webhooks import Letter, send
from graph.connection import Connection
from graph.deliveries import deliveries, lanes_due, take_due
from graph.endpoints import Endpoint, EndpointState, Former, Topic, change_endpoint, endpoints, keep_endpoint
from graph.feed import number_entries
from graph.owing import owe
from identity.messages import micros
from selfsame.checkup import findings
from selfsame.clock import now
from selfsame.settings import load_settings
from tests.building import default_policy
from tests.building import track as tracked
from tests.graph.telling import telling as teller_of
from tests.serving import Neo4jAddress, until
from tests.walks.sending import identify, track
from tests.walks.service import in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SECRET, FORMER = "whsec_" + "A" * 32, "whsec_" + "B" * 32
DAY_AFTER = datetime(2027, 1, 2, tzinfo=UTC)  # a day after what a teller tells
FEW = 3
Heard = list[tuple[dict[str, str], str]]


@contextmanager
def receiver(status: Callable[[int], int], *headers: tuple[str, str]) -> Iterator[tuple[str, Heard]]:
    """Somebody who is told. status: of the answer to the first, second … message; headers: of each answer."""
    heard: Heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            heard.append((dict(self.headers), body))
            self.send_response(status(len(heard)))
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/told?x=1", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def endpoint(url: str, *topics: Topic) -> Endpoint:
    """One that the service beside the test does not tell: it is paused until the test resumes it."""
    until = micros(now()) + 10**12
    return Endpoint("e1", url, tuple(topics), SECRET, 0, EndpointState.PAUSED, (Former(FORMER, until),))


async def resumed(graph: Connection) -> None:
    await number_entries(graph)
    while await owe(graph):
        pass
    for each in await endpoints(graph.reader):
        await change_endpoint(graph.writer, each.id, lambda old: replace(old, state=EndpointState.ACTIVE))


async def told(telling: Delivering) -> list[tuple[str, str]]:
    """Tell what is due to its end; the endpoints that were disabled by it."""
    ended: list[tuple[str, str]] = []
    async with telling.opened():
        while await lanes_due(telling.connection.reader, micros(telling.now())):
            ended += await telling.go_on()
            await until(lambda: not telling.running)
    return [*ended, *telling.ended]


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


async def test_what_happened_is_told_signed_and_again_under_one_id_until_it_is_taken(graph: Connection) -> None:
    clock = Clock()
    telling = Delivering(graph, clock, private=True)
    with receiver(lambda number: 500 if number == 1 else 200) as (url, heard):
        async with in_process(graph) as company:
            await company.send(identify("u0", "a0"))
            await number_entries(graph)
            await keep_endpoint(graph.writer, endpoint(url, Topic.PROFILE_MERGED))
            await company.send(identify("u1", "a1"), track("a2"), identify("u1", "a2"))
        await resumed(graph)
        await told(telling)
        clock.ahead = timedelta(minutes=1)
        await told(telling)
        await told(telling)
    (first, body), (second, again) = heard
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    said = json.loads(body)
    assert (said["type"], said["data"]["kind"]) == ("profile.merged", "merged")
    assert "u1" not in body
    for secret in (SECRET, FORMER):
        assert Webhook(secret).verify(body, first) == said
    (owed,) = await deliveries(graph.reader, "e1", 10)
    assert (owed.status, owed.due_at, owed.tries) == (200, None, 1)


async def test_a_process_that_dies_while_sending_leaves_it_to_another_and_nothing_is_owed_twice(
    graph: Connection,
) -> None:
    clock = Clock()
    with receiver(lambda _: 200) as (url, heard):
        await keep_endpoint(graph.writer, endpoint(url, Topic.INTERACTION_ADDED))
        async with in_process(graph) as company:
            await company.send(track("a1"))
        await resumed(graph)
        assert await owe(graph) == 0
        taken = await take_due(graph.writer, "e1", micros(clock()), micros(clock() + timedelta(minutes=1)), 10)
        assert taken is not None
        await told(Delivering(graph, clock, private=True))
        assert heard == []
        clock.ahead = timedelta(minutes=2)
        await told(Delivering(graph, clock, private=True))
    assert [headers["webhook-id"] for headers, _ in heard] == [each.id for each in taken.owed]


async def test_one_who_is_gone_is_told_nothing_more(graph: Connection) -> None:
    with receiver(lambda _: 410) as (url, heard):
        await keep_endpoint(graph.writer, endpoint(url, Topic.PROFILE_CHANGED))
        async with in_process(graph) as company:
            await company.send(track("a1"), track("a1"))
        await resumed(graph)
        ended = await told(Delivering(graph, now, private=True))
        assert await told(Delivering(graph, now, private=True)) == []
    (left,) = await endpoints(graph.reader)
    assert (left.state, left.reason, ended) == (EndpointState.DISABLED, "410 Gone", [("e1", "410 Gone")])
    assert len(heard) <= 2


async def test_one_who_takes_nothing_for_five_days_is_told_nothing_more_and_the_doctor_says_so(
    graph: Connection, neo4j_server: Neo4jAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, states = Clock(), []
    with receiver(lambda _: 500) as (url, _):
        await keep_endpoint(graph.writer, endpoint(url, Topic.INTERACTION_ADDED))
        async with in_process(graph) as company:
            await company.send(track("a1"))
        await resumed(graph)
        for clock.ahead in (timedelta(), timedelta(days=4), timedelta(days=6)):
            await told(Delivering(graph, clock, private=True))
            states += [each.state for each in await endpoints(graph.reader)]
    assert states == [EndpointState.ACTIVE, EndpointState.ACTIVE, EndpointState.DISABLED]
    for name in ("uri", "user", "password"):
        monkeypatch.setenv(f"SELFSAME_NEO4J_{name.upper()}", getattr(neo4j_server, name))
    found = [each.sentence async for each in findings(load_settings()) if each.about == "webhooks out"]
    assert found == ["e1 is told nothing any more (500 Internal Server Error): `selfsame hooks resume e1` goes on"]


async def test_a_receiver_says_when_to_come_again_and_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("Retry-After", "120"), ("Location", "http://127.0.0.1:9/")]
    with receiver(lambda number: 302 if number == 1 else 503, *answers) as (url, heard):
        letter = Letter("m1", url, "{}", [SECRET], private=True)
        moved, busy = await send(letter, now()), await send(letter, now())
        hidden = await send(Letter("m1", url, "{}", [SECRET]), now())
    assert [(each.status, each.taken, each.retry_after) for each in (moved, busy)] == [
        (302, False, 120),
        (503, False, 120),
    ]
    assert (hidden.status, len(heard)) == (None, 2)
    monkeypatch.setattr(webhooks, "SECONDS", 0.2)
    assert (await send(letter, now())).status is None


async def test_one_who_hangs_or_is_owed_a_great_deal_keeps_nobody_else_waiting(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens while one hangs is told to the other, too: nothing waits until the hanging comes to an end."""
    monkeypatch.setattr(lanes, "AT_ONCE", FEW)
    teller, let_go = await teller_of(graph, default_policy()), Event()
    with receiver(lambda _: 200 if let_go.wait(30) else 500) as (slow, hung), receiver(lambda _: 200) as (url, heard):
        for id_, where in (("slow", slow), ("well", url)):
            await keep_endpoint(graph.writer, replace(endpoint(where, Topic.INTERACTION_ADDED), id=id_))
        for number in range(FEW + 2):
            await teller.tell([tracked("a1", at=number)])
        await resumed(graph)
        telling = Delivering(graph, lambda: DAY_AFTER, private=True)
        async with telling.opened():
            await telling.go_on()
            await until(lambda: len(hung) == FEW and len(heard) == FEW + 2)
            await teller.tell([tracked("a1", at=99)])
            await number_entries(graph)
            await until(lambda: "well" not in telling.running)
            await telling.go_on()
            await until(lambda: len(heard) == FEW + 3)
            hanging = len(hung), "slow" in telling.running
            let_go.set()
            await until(lambda: not telling.running)
    assert hanging == (FEW, True)
    first = sorted(sequence(body) for _, body in hung[:FEW])
    assert first == sorted(sequence(body) for _, body in heard)[:FEW]


def sequence(body: str) -> int:
    return int(json.loads(body)["data"]["sequence"])


async def test_one_who_takes_nothing_is_asked_by_one_message_at_a_time_until_it_takes_one(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "AT_ONCE", FEW)
    teller, well = await teller_of(graph, default_policy()), Event()
    with receiver(lambda _: 200 if well.is_set() else 503) as (url, heard):
        await keep_endpoint(graph.writer, endpoint(url, Topic.INTERACTION_ADDED))
        for number in range(FEW + 2):
            await teller.tell([tracked("a1", at=number)])
        await resumed(graph)
        telling, asked = Delivering(graph, lambda: DAY_AFTER, private=True), list[int]()
        for round_ in range(3):
            if round_ == 2:
                well.set()
            async with telling.opened():
                await telling.go_on()
                await until(lambda: not telling.running)
            asked.append(len(heard))
    assert asked == [FEW, FEW + 1, FEW + 2]


async def test_one_who_takes_a_message_for_ever_is_one_who_does_not_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(stream: SocketStream) -> None:
        with suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    monkeypatch.setattr(webhooks, "SECONDS", 0.2)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, endless)
        port = listener.extra_attributes[SocketAttribute.local_port]()
        answer = await send(Letter("m1", f"http://127.0.0.1:{port}/", "{}", [SECRET], private=True), now())
        tasks.cancel_scope.cancel()
    assert (answer.status, answer.reason) == (None, "TimeoutError")
