"""Who is asking and who is sending: from a key in a request to what it may do."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from graph.connection import Reader, Writer
from graph.keys import ApiKey, Scope, hash_of, key_by_hash, note_uses
from selfsame.guests import Strangers
from selfsame.refusals import KEY_EXPIRED, KEY_MISSING, KEY_REVOKED, KEY_SCOPE, KEY_UNKNOWN, Refusal
from selfsame.tokens import Tokens

REMEMBERED_SECONDS = 4.0  # what is revoked opens nothing 5 s later, in whatever process
ASKED_SECONDS = 10.0  # how long Neo4j may take to tell of a key; clients give up after 10 to 15 s
REMEMBERED_KEYS = 4_096
DOTS_OF_TOKEN = 2  # a JWT has three parts; a key of ours has no dot


@dataclass(slots=True)
class KeyRing:
    """Answers which key a secret is; a key once found is remembered for a few seconds, so a new one works at once.

    now: by which clock keys end. used: when those were used that were asked for since `note` was called last.
    tokens: who reads those of an OpenID provider, where there is one; they come in the place of a key.
    strangers: who came with none that is known; a key that was known before is let in from any address.
    """

    reader: Reader
    now: Callable[[], datetime]
    remembered: dict[str, tuple[float, ApiKey]] = field(default_factory=dict)
    used: dict[str, datetime] = field(default_factory=dict)
    tokens: Tokens | None = None
    strangers: Strangers = field(default_factory=Strangers)

    async def sender(self, secret: str | None, address: str | None = None) -> ApiKey | Refusal:
        """The key, when it exists and may send messages; else why not. Raises DatabaseAwayError."""
        key = await self.known(secret, address)
        return key if isinstance(key, Refusal) or key.scope is Scope.WRITE else KEY_SCOPE

    async def known(self, secret: str | None, address: str | None = None) -> ApiKey | Refusal:
        """The key, whatever its scope; else why there is none. Raises DatabaseAwayError.

        address: from where it is shown; one that showed many that are unknown has to wait, so that guessing is slow.
        """
        hashed = hash_of(secret) if secret else ""
        if (sure := self._sure(hashed)) is not None:
            return sure
        known = hashed in self.remembered or (self.tokens is not None and hashed in self.tokens.remembered)
        if not known and (waits := self.strangers.wait(address)) is not None:
            return waits
        key = await self._found(secret, hashed)
        if isinstance(key, Refusal) and key.status == 401:
            self.strangers.failed(address)
        return key

    def _sure(self, hashed: str) -> ApiKey | None:
        """A key that is remembered and has no end; None where more has to be looked at."""
        until, key = self.remembered.get(hashed, (0.0, None))
        if key is None or until <= time.monotonic() or key.revoked_at is not None or key.expires_at is not None:
            return None
        return key

    async def _found(self, secret: str | None, hashed: str) -> ApiKey | Refusal:
        if not secret:
            return KEY_MISSING
        if self.tokens is not None and secret.count(".") == DOTS_OF_TOKEN:
            return await self.tokens.holder(secret)
        key = await self._key(hashed)
        if key is None:
            return KEY_UNKNOWN
        if key.revoked_at is not None:
            return KEY_REVOKED
        return KEY_EXPIRED if key.expires_at is not None and key.expires_at <= self.now() else key

    async def note(self, writer: Writer) -> None:
        """Remember in the graph which keys were used: one statement, whatever their requests."""
        if self.used:
            used, self.used = self.used, {}
            await note_uses(writer, used)

    async def _key(self, hashed: str) -> ApiKey | None:
        remembered = self.remembered.get(hashed)
        if remembered and remembered[0] > time.monotonic():
            return remembered[1]
        until = time.monotonic() + REMEMBERED_SECONDS
        with anyio.fail_after(ASKED_SECONDS):
            key = await key_by_hash(self.reader, hashed)
        if key is None or not hmac.compare_digest(key.hash, hashed):
            return None
        if len(self.remembered) >= REMEMBERED_KEYS:
            self.remembered.clear()
        self.remembered[hashed] = (until, key)
        if key.revoked_at is None:
            self.used[hashed] = self.now()
        return key


def secret_in(headers: Mapping[str, str]) -> str | None:
    """The key that a request's `Authorization` header carries, as Basic user name or as Bearer; None without one.

    headers: their names in small letters, or a mapping that does not mind.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _user_name(value.strip())
        case "bearer":
            return value.strip() or None
        case _:
            return None


def _user_name(encoded: str) -> str | None:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text.partition(":")[0] or None
