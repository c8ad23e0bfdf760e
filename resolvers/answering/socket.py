"""/graphql over a WebSocket, by the `graphql-transport-ws` protocol: many operations at once on one connection.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. The document's limits are those of HTTP; a connection
has its own: how long it may wait with its key, how many operations it holds, how long it may take no message.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

import anyio
import msgspec
import orjson
import structlog
from anyio.abc import TaskGroup
from graphql import GraphQLError, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from graph.failures import kind_of
from resolvers.answering.endpoint import Prepared, RefusedError, prepared
from resolvers.answering.requests import asked_from
from resolvers.answering.streaming import answers_to, begun, refusal_told
from resolvers.answering.told import Told
from resolvers.asking import Progress
from resolvers.errors import Code, refused
from resolvers.viewer import Viewer
from resolvers.world import World

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
RECHECK_SECONDS = 1.0  # a key is remembered for 4 s, so that what is revoked ends within 5
SLOW_SECONDS = 30.0
MARK_SECONDS = 12.0
MOST_OPERATIONS = 100
LONGEST_ID = 200


class Closed(Exception):  # noqa: N818 -- no error: it says with which code the connection is closed
    """Close the connection with a code and a reason of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


UNSUPPORTED = Closed(4406, "Subprotocol not acceptable")
INVALID = Closed(4400, "Invalid message received")
UNAUTHORIZED = Closed(4401, "Unauthorized")
FORBIDDEN = Closed(4403, "Forbidden")
TOO_LATE = Closed(4408, "Connection initialisation timeout")
TWICE = Closed(4429, "Too many initialisation requests")
TOO_SLOW = Closed(1013, "Messages are not taken: connect again and go on after the sequence heard last")
FAILED = Closed(1011, "Something went wrong: connect again and go on after the sequence heard last")
GOING_DOWN = Closed(1001, "Going down: connect again and go on after the sequence heard last")


class _Message(msgspec.Struct):
    type: str
    id: str | None = None
    payload: dict[str, object] | None = None


@dataclass(slots=True)
class Busy:
    """How many questions are being answered. A subscription is none: it is never done, and goes on elsewhere."""

    questions: int = 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count one until the end of the block."""
        self.questions += 1
        try:
            yield
        finally:
            self.questions -= 1


@dataclass(frozen=True, slots=True)
class Door:
    """How the front door lets somebody in. admit: who holds the key in some headers, shown from an address, or None.

    still: whether that key opens what it did; also while nobody can tell. world: of an operation that begins now.
    busy: how many questions are being answered, for which a service that goes down waits.
    told: hears of each operation.
    """

    admit: Callable[[Mapping[str, str], str | None], Awaitable[Viewer | None]]
    still: Callable[[Mapping[str, str]], Awaitable[bool]]
    world: Callable[[], World]
    busy: Busy = field(default_factory=Busy)
    told: Callable[[Told], None] = lambda _: None


async def conversed(socket: WebSocket, door: Door) -> None:
    """A connection, from its opening to its end. It never raises what a client can cause."""
    if PROTOCOL not in socket.scope.get("subprotocols", ()):
        await socket.accept()
        await _close(socket, UNSUPPORTED)
        return
    await socket.accept(PROTOCOL)
    try:
        await _Conversation(socket, door).held()
    except* WebSocketDisconnect:
        pass
    except* Closed as group:
        await _close(socket, _first(group))
    except* Exception as group:  # noqa: BLE001 - the edge: whatever happened, the client may come again
        structlog.get_logger().error("a WebSocket ended", error=kind_of(group.exceptions[0]), exc_info=group)
        await _close(socket, FAILED)


def _first(group: BaseExceptionGroup[Closed]) -> Closed:
    """Of several ends at once any will do."""
    inner = group.exceptions[0]
    return inner if isinstance(inner, Closed) else _first(inner)


async def _close(socket: WebSocket, why: Closed) -> None:
    if socket.application_state is not WebSocketState.DISCONNECTED:
        with anyio.move_on_after(1.0, shield=True):
            await socket.close(why.code, why.reason)


@dataclass(slots=True)
class _Conversation:
    """What lives as long as a connection. running: its operations by the client's ids; progress: how far each is.

    busy: with questions.
    """

    socket: WebSocket
    door: Door
    headers: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, anyio.CancelScope] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)
    busy: Busy = field(default_factory=Busy)

    async def held(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._until_going_down)
            viewer = await self._greeted()
            tasks.start_soon(self._watched)
            tasks.start_soon(self._marked)
            while True:
                await self._heard(await self._message(), viewer, tasks)

    async def _until_going_down(self) -> None:
        """Until the service goes down and has answered the questions of this connection."""
        feed = self.door.world().feed
        if feed is not None:
            await feed.closing.wait()
            while self.busy.questions:  # noqa: ASYNC110 - seldom, and then for a moment
                await anyio.sleep(0.02)
            raise GOING_DOWN

    def _goes_down(self) -> bool:
        feed = self.door.world().feed
        return feed is not None and feed.closing.is_set()

    async def _greeted(self) -> Viewer:
        """Who it is, once the client has said so; a ping may come before."""
        with anyio.move_on_after(INIT_SECONDS) as patience:
            while True:
                message = await self._message()
                if message.type == "connection_init":
                    break
                if message.type == "subscribe":
                    raise UNAUTHORIZED
                await self._answered(message)
        if patience.cancelled_caught:
            raise TOO_LATE
        self.headers = _headers(self.socket.headers, message.payload or {})
        client = self.socket.client
        viewer = await self.door.admit(self.headers, client.host if client is not None else None)
        if viewer is None:
            raise FORBIDDEN
        await self._send({"type": "connection_ack"})
        return viewer

    async def _watched(self) -> None:
        """Close the connection soon after its key has ended."""
        while True:
            await anyio.sleep(RECHECK_SECONDS)
            if not await self.door.still(self.headers):
                raise FORBIDDEN

    async def _marked(self) -> None:
        """Say from time to time how far each subscription is that had nothing to tell; a ping may carry it."""
        while True:
            await anyio.sleep(MARK_SECONDS)
            marks = {id_: mark for id_, each in self.progress.items() if (mark := each.mark()) is not None}
            if marks:
                await self._send({"type": "ping", "payload": {"sequences": marks}})

    async def _message(self) -> _Message:
        frame = await self.socket.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame.get("code", 1005))
        try:
            return msgspec.json.decode(frame.get("text") or frame.get("bytes") or b"", type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise INVALID from error

    async def _heard(self, message: _Message, viewer: Viewer, tasks: TaskGroup) -> None:
        match message.type:
            case "subscribe":
                await self._subscribed(message, viewer, tasks)
            case "complete" if message.id is not None:
                if (scope := self.running.pop(message.id, None)) is not None:
                    scope.cancel()
            case "connection_init":
                raise TWICE
            case _:
                await self._answered(message)

    async def _answered(self, message: _Message) -> None:
        match message.type:
            case "ping":
                await self._send({"type": "pong", **({"payload": message.payload} if message.payload else {})})
            case "pong":
                pass
            case _:
                raise INVALID

    async def _subscribed(self, message: _Message, viewer: Viewer, tasks: TaskGroup) -> None:
        id_ = message.id
        if not id_ or len(id_) > LONGEST_ID or message.payload is None:
            raise INVALID
        if self._goes_down():
            return  # nothing is begun any more, and the end of the connection says so
        if id_ in self.running:
            raise Closed(4409, f"Subscriber for {id_[:80]} already exists")
        try:
            if len(self.running) >= MOST_OPERATIONS:
                raise refused(Code.TOO_MANY_SUBSCRIPTIONS, f"this connection has {MOST_OPERATIONS} operations open")
            viewer.meter.ask()
            ready = prepared(asked_from(message.payload), viewer)
            viewer.meter.spend(ready.cost)
        except GraphQLError as error:
            await self._refused(id_, [error])
        except RefusedError as error:
            await self._refused(id_, error.errors)
        else:
            self.door.told(begun(ready))
            scope = self.running[id_] = anyio.CancelScope()
            tasks.start_soon(self._run, id_, ready, viewer, scope)

    async def _run(self, id_: str, ready: Prepared, viewer: Viewer, scope: anyio.CancelScope) -> None:
        progress = self.progress[id_] = Progress()
        with scope, self._counted(ready):
            try:
                answering = await answers_to(ready, viewer, self.door.world(), progress=progress)
                async with aclosing(answering) as answers:
                    async for result in answers:
                        if result.failed:
                            await self._ended(id_, {"type": "error", "payload": result.content["errors"]})
                            return
                        await self._send({"type": "next", "id": id_, "payload": result.content})
            except RefusedError as error:
                await self._ended(id_, {"type": "error", "payload": [each.formatted for each in error.errors]})
                return
            finally:
                if self.progress.get(id_) is progress:
                    del self.progress[id_]
            if not (ready.operation.kind is OperationType.SUBSCRIPTION and self._goes_down()):
                await self._ended(id_, {"type": "complete"})

    @contextmanager
    def _counted(self, ready: Prepared) -> Iterator[None]:
        if ready.operation.kind is OperationType.SUBSCRIPTION:
            yield
            return
        with self.busy.answering(), self.door.busy.answering():
            yield

    async def _ended(self, id_: str, message: Mapping[str, object]) -> None:
        """The last message of an operation; its id is free from then on."""
        self.running.pop(id_, None)
        await self._send({**message, "id": id_})

    async def _refused(self, id_: str, errors: Sequence[GraphQLError]) -> None:
        self.door.told(refusal_told(errors))
        await self._send({"type": "error", "id": id_, "payload": [each.formatted for each in errors]})

    async def _send(self, message: Mapping[str, object]) -> None:
        try:
            with anyio.fail_after(SLOW_SECONDS):
                async with self.one_at_a_time:
                    await self.socket.send_text(orjson.dumps(message).decode())
        except TimeoutError as error:
            raise TOO_SLOW from error
        except (RuntimeError, OSError) as error:  # Starlette: it was closed meanwhile
            raise WebSocketDisconnect from error


def _headers(opening: Mapping[str, str], payload: Mapping[str, object]) -> Mapping[str, str]:
    """The key where a client can put it: browsers cannot set headers, so it comes with the first message."""
    inner = payload.get("headers")
    said = {**(inner if isinstance(inner, dict) else {}), **payload}
    for name in ("Authorization", "authorization"):
        if isinstance(value := said.get(name), str):
            return {**opening, "authorization": value}
    if isinstance(value := said.get("key"), str):
        return {**opening, "authorization": f"Bearer {value}"}
    return opening
