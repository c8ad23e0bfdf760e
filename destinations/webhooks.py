"""One message to one address: signed by the Standard Webhooks scheme, sent without following anybody anywhere.

https://www.standardwebhooks.com. An address is looked up once, held against what may be asked, and that very address is
connected to, so that a name that changes what it stands for leads nowhere else. Redirects are not followed.
h11 writes and reads HTTP on a stream of anyio: clients with a pool resolve names by themselves, and a thread that hangs
cannot be ended.
"""

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import SplitResult, urlsplit

import anyio
import h11
from anyio.abc import ByteStream
from standardwebhooks import Webhook

from insight.urls import INSIDE, is_public

SECONDS = 15.0
HEAD_BYTES = 16_384
LONGEST_REASON = 100
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. status: None where nothing did; retry_after: seconds that the receiver asks for."""

    status: int | None
    reason: str
    retry_after: float = 0.0

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Letter:
    """A message. secrets: by which it is signed, each makes a signature of its own.

    private: whether it may go to an address of this machine or its network.
    """

    id: str
    url: str
    body: str
    secrets: Sequence[str]
    private: bool = False


async def send(letter: Letter, now: datetime) -> Answered:
    """Send a message and hear the head of the answer, within 15 seconds in all; whatever goes wrong is told.

    The time is one for everything: who takes the message byte by byte is no better than who does not take it.
    """
    parts = urlsplit(letter.url)
    try:
        with anyio.fail_after(SECONDS):
            where = await _address(parts, letter.private)
            if where is None:
                return Answered(None, INSIDE)
            async with await _connected(parts, where) as stream:
                return _heard(await _exchanged(letter, stream, now), now)
    except (OSError, ValueError, h11.ProtocolError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        return Answered(None, type(error).__name__)


async def _exchanged(letter: Letter, stream: ByteStream, now: datetime) -> h11.Response:
    """The head of what a receiver answers to a message; its body says nothing that is needed."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    body, parts = letter.body.encode(), urlsplit(letter.url)
    headers = {**headers_of(letter, now), "Host": _host(parts), "Connection": "close", "Content-Length": f"{len(body)}"}
    request = h11.Request(method="POST", target=_path(parts), headers=list(headers.items()))
    events = (request, h11.Data(body), h11.EndOfMessage())
    await stream.send(b"".join(http.send(each) or b"" for each in events))
    while not isinstance(event := http.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            http.receive_data(await _some(stream))
        elif not isinstance(event, h11.InformationalResponse):
            raise anyio.EndOfStream
    return event


async def _some(stream: ByteStream) -> bytes:
    """The next bytes; none at the end."""
    try:
        return await stream.receive()
    except anyio.EndOfStream:
        return b""


def _heard(response: h11.Response, now: datetime) -> Answered:
    said = {bytes(name): bytes(value).decode("latin-1") for name, value in response.headers}
    reason = bytes(response.reason).decode("latin-1")[:LONGEST_REASON]
    return Answered(response.status_code, reason, _seconds(said.get(b"retry-after"), now))


def headers_of(letter: Letter, now: datetime) -> dict[str, str]:
    """The headers of a message: its id, when it is sent, a signature for each secret."""
    signatures = [Webhook(secret).sign(letter.id, now, letter.body) for secret in letter.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Selfsame",
        "webhook-id": letter.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _address(parts: SplitResult, private: bool) -> tuple[str, int] | None:
    """The first address of a host; None where one of its addresses must not be asked."""
    port = parts.port or PORTS[parts.scheme]
    found = [str(each[4][0]) for each in await anyio.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)]
    if not private and not all(map(is_public, found)):
        return None
    return found[0], port


async def _connected(parts: SplitResult, where: tuple[str, int]) -> ByteStream:
    """A connection to an address, which proves that it is the host's where the URL is an https one."""
    host, port = where
    if parts.scheme == "http":
        return await anyio.connect_tcp(host, port)
    return await anyio.connect_tcp(
        host, port, tls_hostname=parts.hostname, ssl_context=_secure(), tls_standard_compatible=False
    )


@cache
def _secure() -> ssl.SSLContext:
    """Made once: it reads all the certificates that the machine trusts."""
    return ssl.create_default_context()


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").encode("idna" if ":" not in (parts.hostname or "") else "ascii").decode()
    named = f"[{host}]" if ":" in host else host
    return named if parts.port in (None, PORTS[parts.scheme]) else f"{named}:{parts.port}"


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _seconds(text: str | None, now: datetime) -> float:
    """Of Retry-After, in seconds or as a date; 0 where there is none, or none that can be read."""
    if text is None:
        return 0.0
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds())
    except (TypeError, ValueError):
        return 0.0
