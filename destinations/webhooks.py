"""One message to one address: signed by the Standard Webhooks scheme, sent without following anybody anywhere.

https://www.standardwebhooks.com. An address is looked up once, held against what may be asked, and that very address is
connected to, so that a name that changes what it stands for leads nowhere else. Redirects are not followed.
"""

import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from standardwebhooks import Webhook

SECONDS = 15.0
READ_BYTES = 1_000
LONGEST_URL = 2_000


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


def problem_of(url: str) -> str | None:
    """Why nothing can be sent to a URL; None where something can."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > LONGEST_URL:
        return "it is no http or https URL with a host"
    if parts.username or parts.password or parts.fragment:
        return "it has a user, a password or a fragment in it"
    return None


def send(letter: Letter, now: datetime) -> Answered:
    """Send a message and read the start of the answer; whatever goes wrong is told. For a thread of its own."""
    parts = urlsplit(letter.url)
    try:
        where = _address(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), letter.private)
        if where is None:
            return Answered(None, "the address is one of this machine or its network (SELFSAME_HOOKS_PRIVATE)")
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, where)
        try:
            connection.request("POST", _path(letter.url), letter.body.encode(), headers_of(letter, now))
            response = connection.getresponse()
            response.read(READ_BYTES)
            return Answered(response.status, response.reason, _seconds(response.getheader("Retry-After"), now))
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        return Answered(None, type(error).__name__)


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


def _address(host: str, port: int, private: bool) -> tuple[str, int] | None:
    """The first address of a host; None where one of its addresses must not be asked."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and any(not ipaddress.ip_address(each.partition("%")[0]).is_global for each in found):
        return None
    return found[0], port


def _connection(scheme: str, host: str, port: int | None, where: tuple[str, int]) -> HTTPConnection:
    if scheme == "http":
        connection = HTTPConnection(host, port, timeout=SECONDS)
    else:
        connection = HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
    connection._create_connection = (  # type: ignore[attr-defined]  # noqa: SLF001 -- the one place to say where to
        lambda _, *more, **named: socket.create_connection(where, *more, **named)
    )
    return connection


def _path(url: str) -> str:
    parts = urlsplit(url)
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
