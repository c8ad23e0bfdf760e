"""A way to a server on this machine that can be cut and mended, as a network does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup

OVER = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@dataclass
class Passage:
    """Passes bytes on. uri: where clients come in; port: where they are let out."""

    uri: str
    port: int
    whole: bool = True
    open: set[anyio.CancelScope] = field(default_factory=set)

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self.whole = False
        for each in list(self.open):
            each.cancel()

    def mend(self) -> None:
        self.whole = True

    async def pass_on(self, client: SocketStream) -> None:
        """Until one of both ends, or the way is cut."""
        with anyio.CancelScope() as scope:
            self.open.add(scope)
            async with client:
                if self.whole:
                    async with (
                        await anyio.connect_tcp("127.0.0.1", self.port) as server,
                        anyio.create_task_group() as both,
                    ):
                        both.start_soon(_one_way, client, server, both)
                        both.start_soon(_one_way, server, client, both)
        self.open.discard(scope)


async def _one_way(source: SocketStream, target: SocketStream, both: TaskGroup) -> None:
    try:
        async for data in source:
            await target.send(data)
    except OVER:
        pass
    both.cancel_scope.cancel()


@asynccontextmanager
async def passage(uri: str) -> AsyncIterator[Passage]:
    """A way to the server at a Bolt URI of this machine."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 -- no Django here
    way = Passage(f"bolt://127.0.0.1:{port}", urlsplit(uri).port or 7687)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, way.pass_on)
        yield way
        tasks.cancel_scope.cancel()
