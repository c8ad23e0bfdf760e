"""`python -m bench.receiving`: a receiver of webhooks in a process of its own that takes all it hears.

It prints its port, and lives until its standard input ends.
"""

import asyncio
import sys

TAKEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class _Taking(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, _, body = self.heard.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if self.transport is not None and length and len(body) >= int(length):
            self.transport.write(TAKEN)
            self.transport.close()


async def main() -> None:
    """Answer until nobody needs it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Taking, "127.0.0.1", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
