"""/graphql as server-sent events, by the GraphQL-over-SSE protocol in its mode of distinct connections.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: each request is one stream of `next` events and a
`complete`. The id of an event is its sequence, so a browser that connects again goes on where it was by itself; while
nothing concerns who listens, an id without an event says how far the feed was read for her. When the service goes down
the stream ends without `complete`, by which clients know to come again.
"""

from asyncio import timeout
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

import anyio
import orjson
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from resolvers.answering.endpoint import Line, RefusedError, Watching, prepared, refusal
from resolvers.answering.requests import Asked, asked_in
from resolvers.answering.streaming import Result, answers_to, begun, refusal_told
from resolvers.answering.told import TOLD
from resolvers.asking import Progress
from resolvers.errors import Code, refused
from resolvers.viewer import Viewer
from resolvers.world import World

EVENTS = "text/event-stream"
ALIVE_SECONDS = 12.0
RECHECK_SECONDS = 1.0  # a key is remembered for 4 s, so that what is revoked ends within 5
SLOW_SECONDS = 30.0
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
COMPLETE = b"event: complete\ndata:\n\n"
ALIVE = b":\n\n"
Admitted = Callable[[], Awaitable[bool]]


def wants_events(request: Request) -> bool:
    """Whether a request asks for a stream of events: urql names it for queries, too, but behind JSON."""
    preferred, _, _ = request.headers.get("accept", "").partition("json")
    return EVENTS in preferred


async def streamed(request: Request, viewer: Viewer, world: World, admitted: Admitted) -> Response:
    """The stream of answers to a request. admitted: whether its key still opens what it did.

    Raises ClientDisconnect when the client of a query hung up before it was answered.
    """
    line = Line()
    try:
        viewer.meter.ask()
        asked = await asked_in(request, 1)
        if not isinstance(asked, Asked):
            raise refused(Code.BODY_INVALID, "a stream answers one operation")
        ready = prepared(asked, viewer, request.method)
        viewer.meter.spend(ready.cost)
        progress = Progress()
        resume = request.headers.get("last-event-id")
        async with timeout(None) as patience, Watching(line, request, ready.operation.kind, patience):
            answers = await answers_to(ready, viewer, world, resume, progress)
    except GraphQLError as error:
        return _refused(request, [error])
    except RefusedError as error:
        return _refused(request, error.errors)
    except TimeoutError as error:
        if line.cut:
            raise ClientDisconnect from error
        return _refused(request, [refused(Code.TOO_SLOW)])
    request.scope[TOLD] = (begun(ready),)
    return EventStream(answers, world, admitted, progress)


def _refused(request: Request, errors: Sequence[GraphQLError]) -> Response:
    request.scope[TOLD] = (refusal_told(errors),)
    return refusal(request, errors)


class EventStream(Response):
    """A response that is written event by event, until its reader has left or takes none for half a minute."""

    def __init__(
        self, answers: AsyncGenerator[Result, None], world: World, admitted: Admitted, progress: Progress
    ) -> None:
        super().__init__(None, 200, HEADERS, EVENTS)
        del self.headers["content-length"]
        self._answers, self._world, self._admitted, self._progress = answers, world, admitted, progress
        self._one_at_a_time = anyio.Lock()

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks, aclosing(self._answers):
            tasks.start_soon(_left, receive, tasks.cancel_scope)
            tasks.start_soon(self._kept_alive, send)
            tasks.start_soon(self._watched, send, tasks.cancel_scope)
            await self._written(send)
            tasks.cancel_scope.cancel()

    async def _written(self, send: Send) -> None:
        async for result in self._answers:
            await self._write(send, _event(result.content, result.sequence))
        feed = self._world.feed
        goes_down = feed is not None and feed.closing.is_set()
        await self._write(send, b"" if goes_down else COMPLETE, more=False)

    async def _kept_alive(self, send: Send) -> None:
        while True:
            await anyio.sleep(ALIVE_SECONDS)
            await self._write(send, _mark(self._progress.mark()))

    async def _watched(self, send: Send, scope: anyio.CancelScope) -> None:
        """End the stream soon after its key has ended."""
        while await self._admitted():  # noqa: ASYNC110 - it happens in another process
            await anyio.sleep(RECHECK_SECONDS)
        last = _event({"errors": [refused(Code.KEY_ENDED).formatted]}, None)
        await self._write(send, last + COMPLETE, more=False)
        scope.cancel()

    async def _write(self, send: Send, body: bytes, *, more: bool = True) -> None:
        with anyio.fail_after(SLOW_SECONDS):
            async with self._one_at_a_time:
                await send({"type": "http.response.body", "body": body, "more_body": more})


async def _left(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _mark(sequence: str | None) -> bytes:
    """A sign of life: an id without data is no event, but where a browser goes on from."""
    return ALIVE if sequence is None else f"id: {sequence}\n\n".encode()


def _event(content: Mapping[str, object], sequence: str | None) -> bytes:
    id_ = f"id: {sequence}\n" if sequence is not None else ""
    return f"event: next\n{id_}data: ".encode() + orjson.dumps(content) + b"\n\n"
