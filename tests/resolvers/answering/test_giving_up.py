"""Who waits no longer lets nobody else work: what runs too long, or for nobody, ends in Neo4j, too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import anyio
import orjson
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from graph.connection import Connection, Reader, Row
from graph.keys import Scope
from resolvers.answering import endpoint
from resolvers.answering.events import streamed
from resolvers.viewer import Viewer
from tests.resolvers.calling import Caller, caller, read
from tests.serving import until_async

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SLOW = "UNWIND range(1, 4000000000) AS number WITH number WHERE number % 7 = 8 RETURN count(number) AS many"
RUNNING = """
SHOW TRANSACTIONS YIELD currentQuery
WHERE currentQuery CONTAINS 'UNWIND range(1, 4' + '000000000)'
RETURN count(*) AS many
"""
SOON_SECONDS = 20  # the machine may be busy; by itself it takes minutes
QUESTIONS = ('{ profile(by: { id: "anna" }) { known } }', "{ segments { name } }")


@dataclass(frozen=True, slots=True)
class SlowReader(Reader):
    """A Reader whose every statement takes Neo4j minutes."""

    async def rows(self, statement: str, **parameters: object) -> list[Row]:  # noqa: ARG002
        return await Reader.rows(self, SLOW)


@pytest.fixture
async def me(graph: Connection) -> AsyncIterator[Caller]:
    one = caller(graph)
    yield replace(one, world=replace(one.world, reader=SlowReader(graph.driver, "neo4j", graph.reader.bookmarked)))
    await until_async(lambda: no_more(graph))  # a failure leaves nothing to the next test


async def running(graph: Connection) -> bool:
    return bool((await graph.reader.rows(RUNNING))[0]["many"])


async def no_more(graph: Connection) -> bool:
    return not await running(graph)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_takes_too_long_is_gone_from_neo4j_long_before_it_would_end(
    graph: Connection, me: Caller, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 1.0)
    answer = await me.post(question)
    (error,) = read(answer)["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (503, "too_slow")
    await until_async(lambda: no_more(graph), SOON_SECONDS)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("way", ["POST", "GET", "a stream"])
async def test_so_is_what_a_client_asked_who_hung_up(graph: Connection, me: Caller, question: str, way: str) -> None:
    gone = anyio.Event()
    body, address = (b"", urlencode({"query": question})) if way == "GET" else (orjson.dumps({"query": question}), "")
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        if (message := next(messages, None)) is not None:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET" if way == "GET" else "POST",
        "query_string": address.encode(),
        "headers": [(b"content-type", b"application/json")],
    }
    viewer, request = Viewer(Scope.READ), Request(scope, receive)

    answering = (
        streamed(request, viewer, me.world, admitted)
        if way == "a stream"
        else endpoint.answered(request, viewer, me.world)
    )

    async def ask() -> None:
        with pytest.raises(ClientDisconnect):
            await answering

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until_async(lambda: running(graph))
        gone.set()
    await until_async(lambda: no_more(graph), SOON_SECONDS)


async def admitted() -> bool:
    return True
