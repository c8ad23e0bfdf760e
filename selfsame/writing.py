"""What a connection writes in one turn of the event loop is one write: the head of an answer with its body.

uvicorn writes them one after the other, and each write is a call of the system, a segment on its way, and a client that
wakes up: of a small answer a tenth of the processor time.
"""

from asyncio import AbstractEventLoop, BaseTransport, Transport
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_KEPT = 65_536  # bytes; who writes more without a pause is to meet the transport's own limits


class Gathered:
    """A transport that writes at the end of a turn. Everything else is the transport's own."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self.own = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever a transport has
        return getattr(self.own, name)

    def write(self, data: bytes) -> None:
        """Write, soon."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size >= MOST_KEPT:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        if self._parts:
            data, self._parts, self._size = b"".join(self._parts), [], 0
            self.own.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Write several, soon."""
        self.write(b"".join(parts))

    def write_eof(self) -> None:
        """End what is written, behind what was."""
        self.flush()
        self.own.write_eof()

    def close(self) -> None:
        """Close the connection behind what was written."""
        self.flush()
        self.own.close()


class GatheringProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, on a transport that gathers."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Take a new connection."""
        super().connection_made(cast("Transport", Gathered(cast("Transport", transport), self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on as it came: messages of a WebSocket are one write each."""
        gathered = cast("Gathered", self.transport)
        gathered.flush()
        self.transport = gathered.own
        super().handle_websocket_upgrade()
