"""A caller of HTTP that costs little itself: one connection, kept alive, one request at a time."""

import asyncio
import base64
from dataclasses import dataclass


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body


def basic(key: str) -> str:
    """The Authorization header of a Segment client."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@dataclass(slots=True)
class Caller:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def call(self, sent: bytes) -> bytes:
        """The body of the answer. Raises RuntimeError for anything but 200."""
        self.writer.write(sent)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        body = await self.reader.readexactly(int(length.split(b":")[1]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.decode()}{body.decode()}")
        return body


async def caller(port: int) -> Caller:
    """A connection to a port of this machine."""
    return Caller(*await asyncio.open_connection("127.0.0.1", port))
