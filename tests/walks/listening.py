"""Somebody who listens: over a WebSocket by graphql-transport-ws, or to server-sent events."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from identity.messages import Json
from tests.serving import PATIENCE_SECONDS

PROTOCOL = Subprotocol("graphql-transport-ws")

CHANGED = """
subscription ($by: ProfileLookup!, $after: String) {
  profileChanged(by: $by, after: $after) {
    sequence
    profile { id identifiers { edges { node { value } } } }
    changes { kind }
  }
}
"""

ADDED = """
subscription ($by: ProfileLookup!, $after: String) {
  interactionAdded(by: $by, after: $after) { sequence interaction { name } }
}
"""

MERGES = """
subscription ($after: String) {
  identityChanges(kinds: [MERGED, SPLIT], after: $after) { sequence change { kind ... on MergeEvent { before after } } }
}
"""

SEGMENT = """
subscription ($segment: String!, $after: String) {
  segmentChanged(segment: $segment, after: $after) { sequence at entered profileId profile { id } }
}
"""


LOAD = """
subscription ($run: String!, $after: String) {
  loadProgress(run: $run, after: $after) { sequence run file state records committed }
}
"""


def named(value: str, namespace: str = "user_id") -> Json:
    return {"by": {"identifier": {"namespace": namespace, "value": value}}}


@dataclass(frozen=True)
class Listener:
    """One end of a connection."""

    socket: ClientConnection
    marks: dict[str, Json] = field(default_factory=dict)

    async def say(self, type_: str, id_: str | None = None, payload: Json = None) -> None:
        said = {"type": type_, "id": id_, "payload": payload}
        await self.socket.send(
            orjson.dumps({name: value for name, value in said.items() if value is not None}).decode()
        )

    async def hear(self) -> dict[str, Json]:
        """The next message; how far the service says it is is kept beside."""
        with anyio.fail_after(PATIENCE_SECONDS):
            while (message := orjson.loads(await self.socket.recv()))["type"] == "ping":
                self.marks.update(message["payload"]["sequences"])
                await self.say("pong")
            return message

    async def marked(self, id_: str, sequence: str) -> None:
        """Return once the service has said that a subscription is as far as that."""
        while self.marks.get(id_) != sequence:
            await self.say("ping")
            assert (await self.hear())["type"] == "pong"

    async def subscribe(self, id_: str, query: str, variables: Mapping[str, Json] | None = None) -> None:
        """Subscribe, and wait until the service listens: it answers in order what is asked behind it."""
        await self.say("subscribe", id_, {"query": query, "variables": dict(variables or {})})

    async def next(self) -> dict[str, Json]:
        """The data of the next event."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return next(iter(message["payload"]["data"].values()))

    async def closed(self) -> int:
        """With which code the service ends the connection."""
        with anyio.fail_after(PATIENCE_SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def opened(url: str, key: str | None) -> AsyncIterator[Listener]:
    """A connection; greeted where there is a key."""
    async with connect(url.replace("http", "ws", 1) + "/graphql", subprotocols=[PROTOCOL]) as socket:
        listener = Listener(socket)
        if key is not None:
            await listener.say("connection_init", payload={"Authorization": f"Bearer {key}"})
            assert (await listener.hear())["type"] == "connection_ack"
        yield listener


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    event: str
    id: str | None
    data: Json


@asynccontextmanager
async def events(
    http: httpx.AsyncClient, key: str, query: str, variables: Mapping[str, Json], last: str | None = None
) -> AsyncIterator[AsyncIterator[Told]]:
    """A stream of events. last: the id of the event heard last."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {key}"}
    if last is not None:
        headers["last-event-id"] = last
    async with http.stream(
        "POST", "/graphql", json={"query": query, "variables": variables}, headers=headers
    ) as answer:
        assert answer.status_code == httpx.codes.OK, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _told(answer)


async def _told(answer: httpx.Response) -> AsyncIterator[Told]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif fields.keys() == {"id"}:
            yield Told("", fields["id"], None)
            fields = {}
        elif "event" in fields:
            yield Told(fields["event"], fields.get("id"), orjson.loads(fields.get("data") or "null"))
            fields = {}
