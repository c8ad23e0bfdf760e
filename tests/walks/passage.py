"""A way to a server on this machine that fails as networks do: cut, cut at a certain step, deaf once, stalled, slow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup

OVER = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@dataclass
class Passage:
    """Passes bytes on. uri: where clients come in; port: where they are let out.

    delay: seconds that each piece takes. pieces: how many have come from clients.
    """

    uri: str
    port: int
    whole: bool = True
    delay: float = 0.0
    pieces: int = 0
    open: set[anyio.CancelScope] = field(default_factory=set)
    flowing: anyio.Event = field(default_factory=anyio.Event)
    cut_at: int | None = None
    with_answer: bool = False
    marks: list[bytes] = field(default_factory=list)
    swallowed: anyio.Event = field(default_factory=anyio.Event)

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self.whole = False
        self.break_all()

    def mend(self) -> None:
        self.whole = True

    def cut_once(self, after: int, *, answered: bool) -> None:
        """Break every connection when the client sends the next piece but so many, which is lost.

        answered: it is delivered, and what is lost is the answer to it.
        """
        self.cut_at, self.with_answer = self.pieces + after + 1, answered

    def swallow_once(self, *marks: bytes) -> None:
        """Deliver the next connection on which a client sends these one after the other, but no answer to the last.

        swallowed: is set when that answer has come, so what was asked for is done, and whoever asked does not know it.
        """
        self.marks, self.swallowed = list(marks), anyio.Event()

    def stall(self) -> None:
        """Take what comes and deliver nothing, without a word to either end."""
        self.flowing = anyio.Event()

    def flow(self) -> None:
        """Deliver again, what was held back first."""
        self.flowing.set()

    def break_all(self) -> None:
        for each in list(self.open):
            each.cancel()

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
                        seen = _Seen()
                        both.start_soon(self._one_way, client, server, both, seen, True)
                        both.start_soon(self._one_way, server, client, both, seen, False)
        self.open.discard(scope)

    async def _one_way(
        self, source: SocketStream, target: SocketStream, both: TaskGroup, seen: "_Seen", inward: bool
    ) -> None:
        try:
            async for data in source:
                await anyio.sleep(self.delay)
                await self.flowing.wait()
                if self._is_lost(inward):
                    self.break_all()
                    return
                if inward:
                    seen.note(data, self.marks)
                elif seen.all_of(self.marks):
                    self.swallowed.set()
                    continue
                await target.send(data)
        except OVER:
            pass
        both.cancel_scope.cancel()

    def _is_lost(self, inward: bool) -> bool:
        self.pieces += inward
        if self.cut_at is None or self.pieces < self.cut_at or inward is self.with_answer:
            return False
        self.cut_at = None
        return True


@dataclass
class _Seen:
    """How many of the marks a client has sent on a connection."""

    marks: int = 0

    def note(self, data: bytes, marks: list[bytes]) -> None:
        while self.marks < len(marks) and marks[self.marks] in data:
            _, data = data.split(marks[self.marks], 1)
            self.marks += 1

    def all_of(self, marks: list[bytes]) -> bool:
        return bool(marks) and self.marks == len(marks)


@asynccontextmanager
async def passage(uri: str) -> AsyncIterator[Passage]:
    """A way to the server at a URI of this machine, under the same scheme."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 -- no Django here
    given = urlsplit(uri)
    way = Passage(f"{given.scheme}://127.0.0.1:{port}", given.port or 7687)
    way.flow()
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, way.pass_on)
        yield way
        tasks.cancel_scope.cancel()
