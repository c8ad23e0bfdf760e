"""Tokens of an OpenID provider: who holds one, and what its claims let her do.

A token is a JWT that the provider signed with a key of its JWKS (RFC 7517, 7519; RFC 8725 for what is refused). Keys
are fetched in a thread, remembered, and fetched anew in the background, so that a known key waits for nobody and a
provider that is away ends nothing. A key id that is not known is asked for at once, but at most every few seconds: else
anybody could have the provider asked without end.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import anyio
import anyio.to_thread
import jwt
from jwt.algorithms import get_default_algorithms

from graph.keys import ApiKey, Scope
from identity.policy import NAMESPACE_PATTERN
from selfsame.providers import Provider
from selfsame.refusals import KEY_SCOPE_MISSING, Refusal
from selfsame.telemetry import log

LONGEST_TOKEN = 8_192
LONGEST_SUBJECT = 200
MOST_ACCOUNTS = 100
LEEWAY_SECONDS = 30
LATEST_SECOND = 253_000_000_000  # in the year 9987
FRESH_SECONDS = 300.0
LEAST_SECONDS = 10.0  # between two questions for a key that is not known
STALE_SECONDS = 86_400.0  # how long keys are believed of a provider that is away
ASKED_SECONDS = 5.0
ANSWER_LIMIT = 1_000_000
REMEMBERED_SECONDS = 60.0
REMEMBERED_TOKENS = 4_096
PII = "pii:read"
WORDS = {f"selfsame:{scope.value}": scope for scope in (Scope.ADMIN, Scope.STEWARD, Scope.READ)}  # the highest first
# By the kind of key; no algorithm with a shared secret, so that a public key is never taken for one.
ALGORITHMS: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA"}),
}
SIGNED_BY = frozenset().union(*ALGORITHMS.values())


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of the provider, and the algorithms with which it signs."""

    key: jwt.PyJWK
    algorithms: frozenset[str]


@dataclass(slots=True)
class Tokens:
    """Answers whose token a text is."""

    provider: Provider
    now: Callable[[], datetime]
    keys: Mapping[str, SigningKey] = field(default_factory=dict)
    fetched: float | None = None
    tried: float | None = None
    remembered: dict[str, tuple[float, ApiKey]] = field(default_factory=dict)
    asking: anyio.Lock = field(default_factory=anyio.Lock)

    async def holder(self, token: str) -> ApiKey | Refusal:
        """What the token's holder may do, like a key that ends with it; else why it is not believed."""
        if len(token) > LONGEST_TOKEN:
            return invalid(f"it is longer than {LONGEST_TOKEN:,} characters")
        name = hashlib.sha256(token.encode()).hexdigest()
        known = self.remembered.get(name)
        if known and known[0] > time.monotonic() and _lives(known[1], self.now()):
            return known[1]
        found = await self._read(token, name)
        if isinstance(found, ApiKey):
            if len(self.remembered) >= REMEMBERED_TOKENS:
                self.remembered.clear()
            self.remembered[name] = (time.monotonic() + REMEMBERED_SECONDS, found)
        return found

    async def refresh(self) -> None:
        """Fetch the provider's keys; those it has no more are forgotten. While it is away the old ones stay, a day."""
        self.tried = time.monotonic()
        try:
            with anyio.fail_after(3 * ASKED_SECONDS):
                keys = await anyio.to_thread.run_sync(fetched_keys, self.provider, abandon_on_cancel=True)
        except (OSError, URLError, ValueError, TimeoutError) as error:
            log().warning("the keys of the OpenID provider cannot be fetched", error=type(error).__name__)
            if self.fetched is not None and time.monotonic() - self.fetched > STALE_SECONDS:
                self.keys, self.remembered = {}, {}
            return
        self.keys, self.fetched, self.remembered = keys, time.monotonic(), {}

    async def _read(self, token: str, name: str) -> ApiKey | Refusal:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            return invalid("it is no JWT")
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in SIGNED_BY:
            return invalid(f"it must be signed by one of {', '.join(sorted(SIGNED_BY))}")
        key = await self._key(str(kid)) if kid else None
        if key is None:
            return ISSUER_AWAY if self.fetched is None else invalid("the provider has no key of its `kid`")
        if algorithm not in key.algorithms:
            return invalid("its algorithm is not that of its key")
        try:
            claims = jwt.decode(
                token,
                key.key.key,
                algorithms=[algorithm],
                audience=self.provider.audience,
                issuer=self.provider.issuer,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            return invalid(SENTENCES.get(type(error), "it is damaged or was not signed by the provider"))
        return self._timely(claims) or held(claims, self.provider, name)

    async def _key(self, kid: str) -> SigningKey | None:
        if kid not in self.keys:
            async with self.asking:
                due = self.tried is None or time.monotonic() - self.tried >= LEAST_SECONDS
                if kid not in self.keys and due:
                    await self.refresh()
        return self.keys.get(kid)

    def _timely(self, claims: Mapping[str, object]) -> Refusal | None:
        """By the service's own clock, with some seconds of patience for clocks that differ."""
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if not all(map(_is_moment, times.values())):
            return invalid("a time in it is no number of seconds")
        seconds = {name: float(str(value)) for name, value in times.items()}
        now = self.now().timestamp()
        if seconds["exp"] <= now - LEEWAY_SECONDS:
            return invalid("it is expired")
        if any(seconds.get(name, now) > now + LEEWAY_SECONDS for name in ("nbf", "iat")):
            return invalid("it is not valid yet")
        return None


SENTENCES: Mapping[type[Exception], str] = {
    jwt.InvalidIssuerError: "it is of another issuer",
    jwt.InvalidAudienceError: "it is meant for another audience",
    jwt.MissingRequiredClaimError: "it needs `exp`, `iss`, `aud` and `sub`",
}
ISSUER_AWAY = Refusal(
    503, "issuer_away", "the OpenID provider's keys cannot be fetched; the same may be sent again in a moment"
)


def invalid(reason: str) -> Refusal:
    """Why a token is not believed."""
    return Refusal(401, "token_invalid", f"the token is not believed: {reason}")


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST_SECOND


def _lives(key: ApiKey, now: datetime) -> bool:
    return key.expires_at is not None and now < key.expires_at


def held(claims: Mapping[str, object], provider: Provider, name: str) -> ApiKey | Refusal:
    """What claims that were checked let their holder do. name: of the token, which is told nobody.

    A claim of accounts that names none lets nobody see anything: it is refused, never taken for no restriction.
    """
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        return invalid(f"`sub` has 1 to {LONGEST_SUBJECT} characters that can be seen")
    words = frozenset(word for claim in provider.scopes for word in _words(_claim(claims, claim)))
    scope = next((scope for word, scope in WORDS.items() if word in words), None)
    if scope is None:
        return KEY_SCOPE_MISSING
    accounts = _claim(claims, provider.accounts)
    named = tuple(_words(accounts))
    if accounts is not None and not (0 < len(named) <= MOST_ACCOUNTS and all(map(_is_account, named))):
        return invalid(f"`{provider.accounts}` names from 1 to {MOST_ACCOUNTS} accounts as `namespace:value`")
    ends = datetime.fromtimestamp(float(str(claims["exp"])), UTC) + timedelta(seconds=LEEWAY_SECONDS)
    sees = PII in words or scope is not Scope.READ
    return ApiKey(name, scope, None, ends, subject, expires_at=ends, pii=sees, accounts=named, subject=subject)


def _claim(claims: Mapping[str, object], path: str) -> object:
    """The claim of a name, which may hold dots itself (`https://shop.example/scopes`), else the one a path leads to."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _words(claim: object) -> tuple[str, ...]:
    if isinstance(claim, str):
        return tuple(claim.split())
    return tuple(map(str, claim)) if isinstance(claim, list) else ()


def _is_account(key: str) -> bool:
    namespace, _, value = key.partition(":")
    return bool(value and NAMESPACE_PATTERN.match(namespace))


def fetched_keys(provider: Provider) -> Mapping[str, SigningKey]:
    """The provider's keys by their ids; those that sign nothing we take are left out. Raises OSError, ValueError."""
    url = provider.jwks_url
    if url is None:
        found = _fetched(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        named = found.get("jwks_uri")
        if found.get("issuer") != provider.issuer or not isinstance(named, str):
            raise ValueError("the provider's description is of another issuer, or names no keys")
        url = named
    listed = _fetched(url).get("keys")
    read = map(_signing_key, listed if isinstance(listed, list) else [])
    return {key.key.key_id: key for key in read if key is not None and key.key.key_id}


def _fetched(url: str) -> Mapping[str, object]:
    if not url.startswith(("https://", "http://")):
        raise ValueError("no web address")
    asked = Request(url, headers={"Accept": "application/json"})  # noqa: S310 -- checked above
    try:
        with urlopen(asked, timeout=ASKED_SECONDS) as answer:  # noqa: S310 -- as above
            text = answer.read(ANSWER_LIMIT + 1)
    except HTTPError as error:
        error.close()
        raise
    found = json.loads(text) if len(text) <= ANSWER_LIMIT else None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 -- what the provider answered, not what was called
    return found


def _signing_key(listed: object) -> SigningKey | None:
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig" or listed.get("kty") not in ALGORITHMS:
        return None
    algorithms = ALGORITHMS[listed["kty"]]
    try:
        key = jwt.PyJWK(listed, listed.get("alg") if listed.get("alg") in algorithms else None)
    except jwt.PyJWTError:
        return None
    if "alg" in listed or listed["kty"] == "EC":
        algorithms &= {key.algorithm_name}
    return SigningKey(key, algorithms & set(get_default_algorithms()))
