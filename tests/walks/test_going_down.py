"""A service that is told to end in the middle of everything: what it accepted is answered, who listens comes again."""

import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import orjson
import pytest

from graph.connection import Connection, Transaction
from graph.feed import feed_bounds, number_entries
from identity.messages import Json
from selfsame import running
from tests.serving import Neo4jAddress, until, until_async
from tests.walks.listening import ADDED, events, named, opened
from tests.walks.passage import Passage, passage
from tests.walks.processes import Served, environment, served
from tests.walks.sending import identify, track
from tests.walks.service import PATIENCE, Company, differences, keyed, over_network, taken
from tests.walks.traces import parents, receiver_of_traces

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MANY = 6
SECRET = "zebraquagga"  # whom no line of the log and no span may name
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WHO = "query ($by: ProfileLookup!) { profile(by: $by) { traits { name value } } }"
SET = """
mutation ($by: ProfileLookup!, $value: JSON!, $key: String!) {
  setTrait(profile: $by, key: "name", value: $value, idempotencyKey: $key) { __typename }
}
"""
DONE = {"data": {"setTrait": {"__typename": "TraitDecided"}}}


class Load:
    """Requests on their way at the same time. sent: how many the service has been given; answers: by their names."""

    def __init__(self, company: Company) -> None:
        self.company, self.sent, self.started = company, 0, 0
        self.answers: dict[str, httpx.Response] = {}

    async def ask(self, name: str, query: str, variables: Json, key: str, **headers: str) -> None:
        body = orjson.dumps({"query": query, "variables": variables})
        await self.post(name, "/graphql", body, {"authorization": f"Bearer {key}", **headers})

    async def batch(self, name: str, messages: list[Json]) -> None:
        headers = {"authorization": f"Bearer {self.company.write_key}"}
        await self.post(name, "/v1/batch", orjson.dumps({"batch": messages}), headers)

    async def post(self, name: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.started += 1
        headers = {"content-type": "application/json", **headers}
        self.answers[name] = await self.company.http.post(
            path, content=body, headers=headers, extensions={"trace": self._traced}
        )

    async def _traced(self, event: str, _: object) -> None:
        self.sent += event == "http11.send_request_body.complete"


def person(number: int) -> str:
    return f"{SECRET}-{number}"


def everything(load: Load) -> list[Callable[[], Awaitable[None]]]:
    """Questions, mutations and messages, of somebody each."""
    read, admin = load.company.read_key, load.company.admin_key

    async def ask(number: int) -> None:
        trace = {"traceparent": f"00-{TRACE}-{CALLER}-01"} if number == 0 else {}
        await load.ask(f"ask {number}", WHO, named(person(number)), read, **trace)

    async def change(number: int) -> None:
        variables = {**named(person(number)), "value": f"{SECRET} the {number}.", "key": f"{SECRET}-{number}"}
        await load.ask(f"set {number}", SET, variables, admin)

    async def send(number: int) -> None:
        await load.batch(f"send {number}", [track(f"a-{SECRET}", name=f"late {number}"), {"type": SECRET}])

    return [lambda each=each, number=number: each(number) for each in (ask, change, send) for number in range(MANY)]


async def test_all_that_was_accepted_is_answered_at_sigterm_and_who_listens_goes_on_at_the_next_start(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """Neo4j answers nothing until the service goes down, so all is on its way by then; traces are sent at the end."""
    async with passage(neo4j_server.uri) as way:
        with receiver_of_traces() as traces:
            settings = environment(
                tmp_path,
                replace(neo4j_server, uri=way.uri),
                OTEL_EXPORTER_OTLP_ENDPOINT=traces.url,
                OTEL_BSP_SCHEDULE_DELAY="3600000",
                PYTHONWARNINGS="default",
                SELFSAME_LOG_FORMAT="json",
                SELFSAME_SLOW_STATEMENT_MS="0",
            )
            async with served(settings) as service:
                heard = await ended_under_load(service, graph, way)
            assert (service.process.returncode, told_of_trouble(service)) == (0, [])
            assert SECRET not in service.said()
            spans = parents(traces.of(TRACE))
            assert spans["POST /graphql"] == CALLER
            assert spans["execute"] == spans["prepare"] == "POST /graphql"
            assert "execute" in {above for name, above in spans.items() if "." in name}
            assert "execute" in traces.roots()  # the question over the WebSocket
            assert [name for name in traces.roots() if "." in name] == []  # no work of the service's own
            assert traces.services() == {"selfsame"}
            assert SECRET not in repr(traces.bodies)
    async with over_network(graph) as company:
        assert await rest(company, heard) == [f"late {number}" for number in range(MANY)]
        for number in range(MANY):
            shown = (await company.ask(WHO, **named(person(number))))["profile"]["traits"]
            assert {"name": "name", "value": f"{SECRET} the {number}."} in shown
    assert not await differences(graph)


async def ended_under_load(service: Served, graph: Connection, way: Passage) -> str:
    """End a service while everything is on its way; the sequence of the event that was heard last."""
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as http, AsyncExitStack() as stack:
        company = await keyed(graph, http)
        people = [identify(person(number), on=f"a-{person(number)}") for number in range(MANY + 1)]
        await number_entries(graph)
        start = str((await feed_bounds(graph.reader)).last)
        taken_ = await company.batch([*people, identify(SECRET, on=f"a-{SECRET}"), track(f"a-{SECRET}", name="early")])
        assert taken_["committed"] == MANY + 3
        follow = {**named(SECRET), "after": start}
        listener, asker = [await stack.enter_async_context(opened(service.url, company.read_key)) for _ in "12"]
        stream = await stack.enter_async_context(events(http, company.read_key, ADDED, follow))
        await listener.subscribe("1", ADDED, follow)
        heard = [[await listener.next() for _ in "12"], [(await anext(stream)).data["data"] for _ in "12"]]
        assert [each["interactionAdded"] for each in heard[1]] == heard[0]
        load = Load(company)
        async with anyio.create_task_group() as tasks:
            way.stall()
            for each in everything(load):
                tasks.start_soon(each)
            await asker.subscribe("1", WHO, named(person(MANY)))
            await asker.say("ping")
            assert (await asker.hear())["type"] == "pong"
            await until(lambda: load.started == load.sent == 3 * MANY)
            service.process.send_signal(signal.SIGTERM)
            assert await listener.closed() == 1001
            assert [each async for each in stream] == []
            async with httpx.AsyncClient(base_url=service.url) as late:
                answer = await late.get("/health/ready")
            assert (answer.status_code, answer.headers["connection"]) == (503, "close")
            way.flow()
        assert [(await asker.hear())["type"] for _ in "12"] == ["next", "complete"]
        assert await asker.closed() == 1001
        await until(lambda: service.process.poll() is not None)
    assert_answered(load)
    return str(heard[0][-1]["sequence"])


def assert_answered(load: Load) -> None:
    assert len(load.answers) == 3 * MANY
    for name, answer in load.answers.items():
        assert answer.status_code == 200, (name, answer.text)
        said = answer.json()
        match name.split()[0]:
            case "ask":
                assert "errors" not in said, said
            case "set":
                assert said["data"] == DONE["data"], said
            case _:
                assert taken(answer)["committed"] == 1, said


def told_of_trouble(service: Served) -> list[str]:
    words = ('"level":"warning"', '"level":"error"', "Warning", "Traceback")
    return [line for line in service.said().splitlines() if any(word in line for word in words)]


async def rest(company: Company, heard: str) -> list[str]:
    """What is heard after a sequence, over a WebSocket and from a stream, in the order of the names."""
    async with opened(str(company.http.base_url).rstrip("/"), company.read_key) as listener:
        await listener.subscribe("1", ADDED, {**named(SECRET), "after": heard})
        told = [(await listener.next())["interaction"]["name"] for _ in range(MANY)]
    async with events(company.http, company.read_key, ADDED, named(SECRET), heard) as stream:
        again = [(await anext(stream)).data["data"]["interactionAdded"]["interaction"]["name"] for _ in range(MANY)]
    assert told == again
    return sorted(told)


async def hold(graph: Connection, key: str, begun: anyio.Event, release: anyio.Event) -> None:
    """Write about an identifier, and take a while."""

    async def work(tx: Transaction) -> None:
        await tx.rows("MATCH (i:Identifier {key: $key}) SET i.touched = 1", key=key)
        begun.set()
        await release.wait()

    await graph.writer.write(work)


async def two_wait(graph: Connection) -> bool:
    rows = await graph.reader.rows("SHOW TRANSACTIONS YIELD status")
    return sum(row["status"].startswith("Blocked") for row in rows) == 2


async def test_what_is_not_done_in_time_is_told_so_and_holds_up_no_end(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else writes about the same person for ever: the two who wait for that are told to come again."""
    monkeypatch.setattr(running, "GOING_DOWN_SECONDS", 1)
    begun, release = anyio.Event(), anyio.Event()
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as http,
        AsyncExitStack() as stack,
        anyio.create_task_group() as tasks,
    ):
        async with over_network(graph) as company:
            await company.send(identify("u1", on="a1"))
            tasks.start_soon(hold, graph, "user_id:u1", begun, release)
            await begun.wait()
            http.base_url = company.http.base_url
            load = Load(replace(company, http=http))
            variables = {**named("u1"), "value": "late"}
            tasks.start_soon(load.ask, "set", SET, {**variables, "key": "one"}, company.admin_key)
            asker = await stack.enter_async_context(opened(str(http.base_url).rstrip("/"), company.admin_key))
            await asker.subscribe("1", SET, {**variables, "key": "two"})
            await until_async(lambda: two_wait(graph))
        assert await asker.closed() in {1001, 1012}
        release.set()
    answer = load.answers["set"]
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (503, "intake_closed")
    assert answer.headers["retry-after"]
