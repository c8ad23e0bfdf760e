"""Tokens of an OpenID provider, signed with real keys and checked against a real server of them."""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from graph.keys import ApiKey, Scope
from identity.messages import Json
from selfsame import tokens
from selfsame.providers import Provider
from selfsame.refusals import Refusal
from selfsame.tokens import LEEWAY_SECONDS, Tokens
from tests.building import START

pytestmark = pytest.mark.anyio
AUDIENCE = "selfsame"
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Issuer:
    """A provider on this machine. keys: what it tells of; asked: which paths, how often; away: whether it fails."""

    url: str = ""
    keys: list[Mapping[str, Json]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    away: bool = False

    def told(self, path: str) -> bytes | None:
        self.asked.append(path)
        if self.away:
            return None
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        return json.dumps({"keys": self.keys}).encode()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    running = Issuer(keys=[listed("rsa", RSA), listed("ec", EC)])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = running.told(self.path)
            self.send_response(500 if text is None else 200)
            self.end_headers()
            self.wfile.write(text or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield running
    server.shutdown()
    server.server_close()


def listed(kid: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **more: Json) -> Mapping[str, Json]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


@pytest.fixture
def reads(issuer: Issuer) -> Tokens:
    return Tokens(Provider(issuer.url, AUDIENCE), lambda: START)


def claims(issuer: Issuer, **more: Json) -> dict[str, Json]:
    now = int(START.timestamp())
    usual = {"iss": issuer.url, "aud": AUDIENCE, "sub": "ann", "exp": now + 600, "iat": now, "scope": "selfsame:read"}
    return {name: value for name, value in (usual | more).items() if value is not None}


def signed(said: Mapping[str, Json], kid: str | None = "ec", key: object = EC, algorithm: str = "ES256") -> str:
    return jwt.encode(dict(said), key, algorithm, headers={"kid": kid} if kid else None)  # type: ignore[arg-type]  # any


async def holder(reads: Tokens, token: str) -> ApiKey:
    found = await reads.holder(token)
    assert isinstance(found, ApiKey), found
    return found


async def why_not(reads: Tokens, token: str) -> str:
    found = await reads.holder(token)
    assert isinstance(found, Refusal), found
    assert found.code in ("token_invalid", "key_scope", "issuer_away")
    return found.sentence


@pytest.mark.parametrize(
    ("kid", "key", "algorithm"), [("rsa", RSA, "RS256"), ("rsa", RSA, "PS512"), ("ec", EC, "ES256")]
)
async def test_a_token_is_believed_that_the_provider_signed(
    issuer: Issuer, reads: Tokens, kid: str, key: object, algorithm: str
) -> None:
    found = await holder(reads, signed(claims(issuer), kid, key, algorithm))
    assert (found.name, found.scope, found.pii, found.accounts) == ("ann", Scope.READ, False, ())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"scope": "openid selfsame:read pii:read"}, (Scope.READ, True, ())),
        ({"scope": None, "scp": ["selfsame:steward"]}, (Scope.STEWARD, True, ())),
        ({"scope": "selfsame:admin selfsame:read"}, (Scope.ADMIN, True, ())),
        ({"accounts": ["account:fern", "crm.account:1"]}, (Scope.READ, False, ("account:fern", "crm.account:1"))),
        ({"accounts": "account:fern"}, (Scope.READ, False, ("account:fern",))),
    ],
)
async def test_claims_say_what_the_holder_may_do(
    issuer: Issuer, reads: Tokens, said: dict[str, Json], meant: tuple[Scope, bool, tuple[str, ...]]
) -> None:
    found = await holder(reads, signed(claims(issuer, **said)))
    assert (found.scope, found.pii, found.accounts) == meant


async def test_a_claim_may_lie_in_another(issuer: Issuer) -> None:
    reads = Tokens(Provider(issuer.url, AUDIENCE, scopes=("realm_access.roles",), accounts="partner.of"), lambda: START)
    said = claims(issuer, realm_access={"roles": ["selfsame:read"]}, partner={"of": ["account:fern"]}, scope=None)
    assert (await holder(reads, signed(said))).accounts == ("account:fern",)


SECONDS = int(START.timestamp())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"iss": "http://127.0.0.1:1"}, "another issuer"),
        ({"aud": "shop"}, "another audience"),
        ({"aud": None}, "needs `exp`"),
        ({"exp": None}, "needs `exp`"),
        ({"sub": None}, "needs `exp`"),
        ({"exp": SECONDS - LEEWAY_SECONDS}, "expired"),
        ({"nbf": SECONDS + LEEWAY_SECONDS + 1}, "not valid yet"),
        ({"iat": SECONDS + LEEWAY_SECONDS + 1}, "not valid yet"),
        ({"exp": float("nan")}, "no number"),
        ({"exp": 1e30}, "no number"),
        ({"sub": "a\nb"}, "`sub`"),
        ({"accounts": []}, "`accounts`"),
        ({"accounts": {}}, "`accounts`"),
        ({"accounts": ["fern"]}, "`accounts`"),
        ({"scope": "openid"}, "one of its scopes"),
        ({"scope": "selfsame:write"}, "one of its scopes"),
    ],
)
async def test_claims_that_are_not_as_they_must_be_are_refused(
    issuer: Issuer, reads: Tokens, said: dict[str, Json], why: str
) -> None:
    assert why in await why_not(reads, signed(claims(issuer, **said)))


async def test_clocks_may_differ_by_some_seconds(issuer: Issuer, reads: Tokens) -> None:
    said = claims(issuer, exp=SECONDS - LEEWAY_SECONDS + 1, nbf=SECONDS + LEEWAY_SECONDS)
    assert (await holder(reads, signed(said))).name == "ann"


def forged_with(public: bytes, said: Mapping[str, Json]) -> str:
    """By hand: the library does not sign with a public key."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in ({"alg": "HS256", "kid": "rsa", "typ": "JWT"}, said)
    ]
    signature = hmac.digest(public, b".".join(parts), "sha256")
    return b".".join((*parts, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


async def test_what_is_signed_by_nobody_or_with_a_public_key_is_refused(issuer: Issuer, reads: Tokens) -> None:
    public = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    said = claims(issuer)
    forged = [
        jwt.encode(said, "", "none", headers={"kid": "rsa"}),
        forged_with(public, said),
        signed(said, "ec", OTHER),
        signed(said, "rsa", EC),
        signed(said, "ec", RSA, "RS256"),
        signed(said, None),
        signed(said)[:-6] + "AAAAAA",
        "a.b.c",
        "..",
        signed(claims(issuer, filler="x" * 9_000)),
    ]
    assert [(await reads.holder(each)).code for each in forged] == ["token_invalid"] * len(forged)  # type: ignore[union-attr]


async def test_a_new_key_is_fetched_when_it_is_first_met_and_an_unknown_one_not_without_end(
    issuer: Issuer, reads: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "LEAST_SECONDS", 0.0)
    await holder(reads, signed(claims(issuer)))
    issuer.keys.append(listed("new", OTHER))
    assert (await holder(reads, signed(claims(issuer), "new", OTHER))).name == "ann"
    monkeypatch.setattr(tokens, "LEAST_SECONDS", 60.0)
    asked = len(issuer.asked)
    for number in range(20):
        assert "no key of its `kid`" in await why_not(reads, signed(claims(issuer), f"made-up-{number}"))
    assert len(issuer.asked) == asked


async def test_a_key_that_the_provider_takes_back_opens_nothing_after_the_next_fetch(
    issuer: Issuer, reads: Tokens
) -> None:
    token = signed(claims(issuer))
    await holder(reads, token)
    del issuer.keys[1]
    await reads.refresh()
    assert "no key of its `kid`" in await why_not(reads, token)


async def test_while_the_provider_is_away_known_keys_are_believed_for_a_day(
    issuer: Issuer, reads: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.away = True
    assert "cannot be fetched" in await why_not(reads, signed(claims(issuer)))
    issuer.away = False
    await reads.refresh()
    issuer.away = True
    await reads.refresh()
    assert (await holder(reads, signed(claims(issuer)))).name == "ann"
    monkeypatch.setattr(tokens, "STALE_SECONDS", 0.0)
    await reads.refresh()
    assert "no key of its `kid`" in await why_not(reads, signed(claims(issuer)))


async def test_a_token_once_read_ends_with_its_time(issuer: Issuer) -> None:
    moments = [START]
    reads = Tokens(Provider(issuer.url, AUDIENCE, f"{issuer.url}/keys"), lambda: moments[0])
    token = signed(claims(issuer))
    first = await holder(reads, token)
    assert await reads.holder(token) is first
    moments[0] += timedelta(seconds=600 + LEEWAY_SECONDS)
    assert "expired" in await why_not(reads, token)
    assert issuer.asked == ["/keys"]
