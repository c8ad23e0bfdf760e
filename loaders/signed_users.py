"""User ids that a company's own server signed, so that a browser cannot name somebody else.

A signature is the HMAC-SHA256 of the user id in hexadecimal, or a JWT (HS256) whose `sub` is the user id. It vouches
for the user id and for the device that sends it. What else stands in the message the visitor may have typed, so an
email address or a phone number is vouched for only where the JWT carries the same one.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import jwt
from jwt.types import Options

from identity.messages import Authority, Json
from loaders.sources import Source
from loaders.wire import text_of

DEVICES = frozenset({"anonymous_id", "device_id", "advertising_id", "push_token"})
SIGNATURE_LIMIT = 4_096
LEEWAY_SECONDS = 60  # the clocks of two servers
UNTIMED: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}


@dataclass(frozen=True, slots=True)
class Belief:
    """How far what one message of a source says is believed. vouched: namespaces and values that somebody signed."""

    source: Source
    vouched: frozenset[tuple[str, str]] = frozenset()

    def of(self, namespace: str, value: str) -> Authority:
        """The authority of one identifier of the message."""
        if self.source.authority >= Authority.VERIFIED:
            return self.source.authority
        if (namespace, _folded(namespace, value)) in self.vouched or (self.vouched and namespace in DEVICES):
            return Authority.VERIFIED
        if self.source.requires_signature and namespace not in DEVICES:
            return Authority.UNVERIFIED
        return self.source.authority


def vouched_in(signature: str, user_id: str, secrets: Sequence[str], now: datetime) -> frozenset[tuple[str, str]]:
    """The namespaces and values that a signature vouches for; none where it is wrong, another user's or too old."""
    if len(signature) > SIGNATURE_LIMIT:
        return frozenset()
    if signature.count(".") == 2:
        return next((found for secret in secrets if (found := _of_token(signature, user_id, secret, now))), frozenset())
    wanted = signature.strip().lower().encode("utf-8", "replace")
    right = any(hmac.compare_digest(signed(user_id, secret).encode(), wanted) for secret in secrets)
    return frozenset({("user_id", user_id)}) if right else frozenset()


def signed(user_id: str, secret: str) -> str:
    """The signature of a user id: HMAC-SHA256 over its UTF-8 bytes, in hexadecimal."""
    return hmac.new(secret.encode(), user_id.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _of_token(token: str, user_id: str, secret: str, now: datetime) -> frozenset[tuple[str, str]]:
    try:
        claims: Mapping[str, Json] = jwt.decode(token, secret, algorithms=["HS256"], options=UNTIMED)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return frozenset()
    if text_of(claims.get("sub")) != user_id or not _in_time(claims, now):
        return frozenset()
    contact_points = ((name, text_of(claims.get(name))) for name in ("email", "phone"))
    known = {(name, _folded(name, text)) for name, text in contact_points if text is not None}
    return frozenset({("user_id", user_id)} | known)


def _in_time(claims: Mapping[str, Json], now: datetime) -> bool:
    """Whether a token may be used now; one without `exp` for ever."""
    until, since, moment = claims.get("exp"), claims.get("nbf"), now.timestamp()
    if until is not None and not (isinstance(until, int | float) and moment <= until + LEEWAY_SECONDS):
        return False
    return since is None or (isinstance(since, int | float) and moment >= since - LEEWAY_SECONDS)


def _folded(namespace: str, value: str) -> str:
    return value.strip().lower() if namespace == "email" else value
