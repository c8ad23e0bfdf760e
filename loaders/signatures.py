"""Signatures of webhooks: how a vendor proves that a request is its own, as data, and one verifier for all of it.

Four ways are known. `hmac`: a keyed hash of the raw body, often with a time, an id, the method and the address before
it. `jwt_rs256`: the body itself is a token which the vendor's private key signed. `key_in_body` and `header_token`: a
secret that both know is sent along; it proves who sends, not what was sent. Everything is compared in constant time,
and nothing of a body is parsed before its signature is found right, but with `key_in_body`, which cannot do otherwise.

The clock is handed in. Source of the schemes: the vendors' documentation, as the files of the catalogue say.

Tokens are read by PyJWT rather than joserfc: it has no dependency of its own, the demo's client brings it anyway, and
one algorithm with a key at hand is all that is needed of it.
"""

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWS
from jwt.exceptions import PyJWTError

from identity.messages import Json
from loaders.errors import MappingInvalidError
from loaders.wire import UnreadableJsonError, json_value

PARTS_LIMIT = 20  # signatures in one header; a vendor sends two while a secret is renewed
LEAST_SECRET = 8  # characters
LEAST_RSA_BITS = 2_048
DIGITS = re.compile(r"\d{1,16}\Z", re.ASCII)
TEMPLATE_PART = re.compile(r"\{([^{}]*)\}")


class Kind(StrEnum):
    """How a request proves whose it is."""

    HMAC = "hmac"
    JWT_RS256 = "jwt_rs256"
    KEY_IN_BODY = "key_in_body"
    HEADER_TOKEN = "header_token"  # noqa: S105 - the word for it


class Algorithm(StrEnum):
    """The hash of an HMAC."""

    SHA256 = "sha256"
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How an HMAC is written."""

    HEX = "hex"
    BASE64 = "base64"


class KeyEncoding(StrEnum):
    """How a secret becomes the bytes of the key: its text as it stands, or what it stands for in base64."""

    TEXT = "text"
    BASE64 = "base64"


class Unit(StrEnum):
    """The unit of a time in a header."""

    SECONDS = "s"
    MILLISECONDS = "ms"


SIGNED_PARTS = frozenset({"method", "url", "timestamp", "id", "body"})
PER_SECOND = {Unit.SECONDS: 1, Unit.MILLISECONDS: 1_000}


class Fault(StrEnum):
    """Why a request is not believed."""

    MISSING = "signature_missing"
    WRONG = "signature_wrong"
    REPLAYED = "webhook_replayed"


class SecretUnusableError(ValueError):
    """A secret cannot be the key of a scheme; the text says why, and does not quote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How a source signs; docs/mappings.md tells what each part means.

    header: its name in small letters. separator: between the parts of the header; those that begin with `prefix` are
    signatures, the one that begins with `timestamp_prefix` is the time. signed: literals and names of SIGNED_PARTS in
    turn. tolerance: seconds, before and after. path: names from the body to the key in it.
    """

    kind: Kind
    header: str | None = None
    prefix: str = ""
    separator: str | None = None
    timestamp_prefix: str | None = None
    timestamp_header: str | None = None
    timestamp_unit: Unit = Unit.SECONDS
    id_header: str | None = None
    signed: tuple[str, ...] = ("", "body", "")
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    key: KeyEncoding = KeyEncoding.TEXT
    key_prefix: str = ""
    tolerance: int = 300
    path: tuple[str, ...] = ()

    @property
    def covers_url(self) -> bool:
        """Whether the address that the vendor knows is part of what it signs."""
        return "url" in self.signed[1::2]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came. headers: their names in small letters; url: the address as the vendor knows it."""

    method: str
    headers: Mapping[str, str]
    body: bytes
    url: str | None = None


def signed_from(template: str, place: str) -> tuple[str, ...]:
    """The template of what is signed, as literals and names in turn. Raises MappingInvalidError."""
    parts = tuple(TEMPLATE_PART.split(template))
    unknown = [name for name in parts[1::2] if name not in SIGNED_PARTS]
    if unknown or any(brace in literal for literal in parts[::2] for brace in "{}"):
        raise MappingInvalidError(
            f"{place}: `{template}` may name {', '.join(sorted(SIGNED_PARTS))} in braces, no more"
        )
    if "body" not in parts[1::2]:
        raise MappingInvalidError(f"{place}: a signature that does not cover `{{body}}` proves nothing")
    return parts


def keys_from(secrets: Sequence[str], scheme: Scheme) -> tuple[bytes, ...]:
    """The keys that a scheme checks with, from the secrets as the vendor shows them. Raises SecretUnusableError."""
    if not secrets:
        raise SecretUnusableError("at least one secret is needed")
    return tuple(_key(each.strip(), scheme) for each in secrets)


def _key(secret: str, scheme: Scheme) -> bytes:
    if len(secret) < LEAST_SECRET:
        raise SecretUnusableError(f"a secret of fewer than {LEAST_SECRET} characters can be guessed")
    if scheme.kind is Kind.JWT_RS256:
        _check_public_key(secret)
    if scheme.kind is not Kind.HMAC or scheme.key is KeyEncoding.TEXT:
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(scheme.key_prefix), validate=True)
    except binascii.Error as error:
        raise SecretUnusableError("the secret is no base64") from error


def _check_public_key(secret: str) -> None:
    try:
        key = load_pem_public_key(secret.encode())
    except ValueError as error:
        raise SecretUnusableError("write the vendor's public key as PEM (-----BEGIN PUBLIC KEY-----)") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        raise SecretUnusableError(f"the public key must be RSA with {LEAST_RSA_BITS:,} bits or more")


def verified(delivery: Delivery, scheme: Scheme, keys: Sequence[bytes], now: datetime) -> bytes | Fault:
    """The content of a request that its sender signed, or why it is not believed.

    The content is the raw body, for a token what the token says. keys: those that may have signed it, from
    `keys_from`; several while one is renewed. A right signature with a time outside of the tolerance is REPLAYED.
    """
    match scheme.kind:
        case Kind.HMAC:
            return _hashed(delivery, scheme, keys, now)
        case Kind.JWT_RS256:
            return _token(delivery.body, scheme, keys, now)
        case Kind.KEY_IN_BODY:
            return _keyed(delivery.body, scheme, keys)
        case Kind.HEADER_TOKEN:
            return _sent_along(delivery, scheme, keys)


def _hashed(delivery: Delivery, scheme: Scheme, keys: Sequence[bytes], now: datetime) -> bytes | Fault:
    parts = _parts(delivery.headers.get(scheme.header or "", ""), scheme)
    given = [part.removeprefix(scheme.prefix) for part in parts if part.startswith(scheme.prefix)]
    timestamp = _timestamp(parts, delivery, scheme)
    told = {"method": delivery.method, "url": delivery.url, "timestamp": timestamp}
    told["id"] = delivery.headers.get(scheme.id_header) if scheme.id_header else None
    needed = set(scheme.signed[1::2]) - {"body"}
    if not any(given) or any(told[name] is None for name in needed):
        return Fault.MISSING
    covered = b"".join(
        delivery.body if number % 2 and part == "body" else (str(told[part]) if number % 2 else part).encode()
        for number, part in enumerate(scheme.signed)
    )
    right = [_written(hmac.digest(key, covered, scheme.algorithm.value), scheme) for key in keys]
    if not _any_equal(given, right, scheme.encoding is Encoding.HEX):
        return Fault.WRONG
    if timestamp is not None and not _timely(timestamp, scheme, now):
        return Fault.REPLAYED
    return delivery.body


def _parts(value: str, scheme: Scheme) -> list[str]:
    if scheme.separator is None:
        return [value.strip()]
    return [part.strip() for part in value.split(scheme.separator, PARTS_LIMIT)[:PARTS_LIMIT]]


def _timestamp(parts: Sequence[str], delivery: Delivery, scheme: Scheme) -> str | None:
    """The text of the time as it was signed; None where the scheme has none or the request does not tell it."""
    if scheme.timestamp_header is not None:
        return delivery.headers.get(scheme.timestamp_header)
    prefix = scheme.timestamp_prefix
    if prefix is None:
        return None
    return next((part.removeprefix(prefix) for part in parts if part.startswith(prefix)), None)


def _written(digest: bytes, scheme: Scheme) -> bytes:
    return digest.hex().encode() if scheme.encoding is Encoding.HEX else base64.b64encode(digest)


def _any_equal(given: Iterable[str], right: Sequence[bytes], lower: bool) -> bool:
    """Whether one of the texts is right; all are compared, each in a time that does not depend on what it is."""
    texts = [(text.lower() if lower else text).encode("utf-8", "replace") for text in given]
    found = [hmac.compare_digest(text, each) for text in texts for each in right]
    return any(found)


def _timely(timestamp: str, scheme: Scheme, now: datetime) -> bool:
    if not DIGITS.match(timestamp):
        return False
    return abs(now.timestamp() - int(timestamp) / PER_SECOND[scheme.timestamp_unit]) <= scheme.tolerance


def _token(body: bytes, scheme: Scheme, keys: Sequence[bytes], now: datetime) -> bytes | Fault:
    """What a token says. The algorithm is pinned: a token cannot choose `none`, or take the public key for a secret."""
    token = body.strip()
    if not token:
        return Fault.MISSING
    for key in keys:
        try:
            payload = bytes(PyJWS(["RS256"]).decode(token, key.decode(), algorithms=["RS256"]))
        except (PyJWTError, ValueError, RecursionError):
            continue
        return payload if _current(payload, scheme, now) else Fault.REPLAYED
    return Fault.WRONG


def _current(payload: bytes, scheme: Scheme, now: datetime) -> bool:
    """Whether a token is still good by its own end, or without one by its beginning; one without both never ends."""
    try:
        claims = json_value(payload)
    except UnreadableJsonError:
        return False
    if not isinstance(claims, Mapping):
        return False
    expiry, issued, at = _seconds(claims.get("exp")), _seconds(claims.get("iat")), now.timestamp()
    if issued is not None and issued > at + scheme.tolerance:
        return False
    if expiry is not None:
        return at <= expiry + scheme.tolerance
    return issued is not None and at - issued <= scheme.tolerance


def _seconds(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _keyed(body: bytes, scheme: Scheme, keys: Sequence[bytes]) -> bytes | Fault:
    try:
        found = json_value(body)
    except UnreadableJsonError:
        return Fault.MISSING
    for name in scheme.path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        return Fault.MISSING
    return body if _same_secret(found, keys) else Fault.WRONG


def _sent_along(delivery: Delivery, scheme: Scheme, keys: Sequence[bytes]) -> bytes | Fault:
    value = delivery.headers.get(scheme.header or "", "").strip()
    if not value.startswith(scheme.prefix) or value == scheme.prefix:
        return Fault.MISSING
    return delivery.body if _same_secret(value.removeprefix(scheme.prefix).strip(), keys) else Fault.WRONG


def _same_secret(given: str, keys: Sequence[bytes]) -> bool:
    """Whether a text is one of the secrets; hashed first, so that their lengths do not show either."""
    digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
    found = [hmac.compare_digest(digest, hashlib.sha256(key).digest()) for key in keys]
    return any(found)
