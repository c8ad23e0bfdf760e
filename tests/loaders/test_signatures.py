"""Signatures of webhooks, each vendor's by the scheme that the catalogue writes down.

The vectors were made with `openssl dgst -sha256 -mac HMAC`, not with the code under test; those of Slack and of Meta's
scheme are published (Slack's page on verifying requests; GitHub signs as Meta does, and gives an example).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding as Written
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json, moment
from loaders.errors import MappingInvalidError
from loaders.mapping import mapping_named
from loaders.signatures import (
    Delivery,
    Encoding,
    Fault,
    KeyEncoding,
    Kind,
    Scheme,
    SecretUnusableError,
    keys_from,
    signed_from,
    verified,
)
from tests.loaders.segment import NOW

BODY = '{"id":"evt_1","name":"Ünï"}'.encode()
SECONDS = "1782907200"
MILLISECONDS = "1782907200000"
SLACK_FORM = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


@cache
def scheme_of(vendor: str) -> Scheme:
    webhook = mapping_named(vendor).webhook
    assert webhook is not None
    return webhook.scheme


@dataclass(frozen=True)
class Vector:
    """A request as a vendor signs it at `at`, seconds since 1970."""

    vendor: str
    secret: str
    headers: Mapping[str, str]
    body: bytes = BODY
    url: str | None = None
    at: int = int(SECONDS)

    @property
    def delivery(self) -> Delivery:
        return Delivery("POST", self.headers, self.body, self.url)

    @property
    def scheme(self) -> Scheme:
        return scheme_of(self.vendor)


STRIPE = Vector(
    "stripe",
    "whsec_first",
    {
        "stripe-signature": f"t={SECONDS},v1=695d797d0779db36be735d36414c01552fb164fc811dc1da57b98ad874dd5404"
        ",v0=0000000000000000000000000000000000000000000000000000000000000000"
    },
)
VECTORS = [
    STRIPE,
    Vector("shopify", "shop-secret-1", {"x-shopify-hmac-sha256": "E+I9PKod2EbPzQ6qUPsYPf8EocbsEpO2HICwSJ+dhCI="}),
    Vector("woocommerce", "shop-secret-1", {"x-wc-webhook-signature": "E+I9PKod2EbPzQ6qUPsYPf8EocbsEpO2HICwSJ+dhCI="}),
    Vector("typeform", "form-secret-1", {"typeform-signature": "sha256=ytPOlHy2zZfqRYTI2BNh0HwfmCgj4ePsNVflMRUhTMc="}),
    Vector(
        "calendly",
        "calendly-key-1",
        {
            "calendly-webhook-signature": f"t={SECONDS},"
            "v1=195ec08ced16bfb2f054297169e52cc07dca317c69afb94b2cb24cb9609615e0"
        },
    ),
    Vector(
        "hubspot",
        "hub-client-secret",
        {
            "x-hubspot-signature-v3": "89HqzUVmp33RFqV4bUPLGRxmSEuWscRLVQgOzMwY4tk=",
            "x-hubspot-request-timestamp": MILLISECONDS,
        },
        url="https://in.fernhill.example/webhooks/hubspot?x=1",
    ),
    Vector(
        "slack",
        "8f742231b10e8888abcd99yyyzzz85a5",
        {
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "x-slack-request-timestamp": "1531420618",
        },
        SLACK_FORM,
        at=1531420618,
    ),
    Vector(
        "facebook",
        "It's a Secret to Everybody",
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
    ),
    Vector(
        "instagram",
        "It's a Secret to Everybody",
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
    ),
    Vector(
        "square",
        "square-key-1",
        {"x-square-hmacsha256-signature": "TZtGe7PtkxsK5HsZkt8dXDDkN5eKISHIsLxH3oSrgH8="},
        url="https://in.fernhill.example/webhooks/square",
    ),
    Vector(
        "webflow",
        "webflow-secret",
        {
            "x-webflow-signature": "864d198d1fc883a6d3e84dbc62c48b83738748826288a7da0be03ca48e8093d6",
            "x-webflow-timestamp": MILLISECONDS,
        },
    ),
    Vector(
        "mindbody", "bWluZGJvZHkta2V5", {"x-mindbody-signature": "sha256=SexyCJcERov7cC44WmiP2rjgUDU4ulbc+z6DBgFpzHQ="}
    ),
    Vector(
        "make",
        "whsec_c3RhbmRhcmQtd2ViaG9va3Mta2V5LTAxMjM=",
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": SECONDS,
            "webhook-signature": "v1,AAAA v1,tK3O7hEARH2aBDfrxvGCKDqn6ySWqiVucn3Rda7MvCM= v2,BBBB",
        },
    ),
]


def answer(vector: Vector, secret: str | None = None, seconds_later: float = 0) -> bytes | Fault:
    keys = keys_from([secret or vector.secret], vector.scheme)
    now = moment(vector.at * 1_000_000) + timedelta(seconds=seconds_later)
    return verified(vector.delivery, vector.scheme, keys, now)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.vendor)
def test_what_a_vendor_signed_is_its_raw_body(vector: Vector) -> None:
    assert answer(vector) == vector.body


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.vendor)
def test_another_secret_another_body_and_no_signature_are_not_believed(vector: Vector) -> None:
    assert answer(vector, secret="whsec_YW5vdGhlci1zZWNyZXQ=") is Fault.WRONG
    assert answer(replace(vector, body=vector.body + b" ")) is Fault.WRONG
    assert answer(replace(vector, headers={})) is Fault.MISSING


@pytest.mark.parametrize(
    "vector", [each for each in VECTORS if "timestamp" in each.scheme.signed], ids=lambda each: each.vendor
)
def test_a_signed_time_outside_of_the_window_is_a_replay(vector: Vector) -> None:
    window = vector.scheme.tolerance
    assert answer(vector, seconds_later=window) == answer(vector, seconds_later=-window) == vector.body
    assert answer(vector, seconds_later=window + 1) is answer(vector, seconds_later=-window - 1) is Fault.REPLAYED


@pytest.mark.parametrize("vector", [each for each in VECTORS if each.scheme.covers_url], ids=lambda each: each.vendor)
def test_a_signature_that_covers_the_address_is_none_for_another(vector: Vector) -> None:
    assert answer(replace(vector, url="https://evil.example/")) is Fault.WRONG
    assert answer(replace(vector, url=None)) is Fault.MISSING


def test_while_a_secret_is_renewed_either_is_believed() -> None:
    keys = keys_from(["whsec_newest", STRIPE.secret], STRIPE.scheme)
    assert verified(STRIPE.delivery, STRIPE.scheme, keys, NOW) == BODY
    rolled = STRIPE.headers["stripe-signature"].replace("v1=", "v1=" + "0" * 64 + ",v1=")
    assert answer(replace(STRIPE, headers={"stripe-signature": rolled})) == BODY


def test_a_signature_under_a_name_of_no_meaning_counts_for_nothing() -> None:
    legacy = STRIPE.headers["stripe-signature"].replace("v1=", "v0=")
    assert answer(replace(STRIPE, headers={"stripe-signature": legacy})) is Fault.MISSING


def test_a_time_that_is_changed_is_not_what_was_signed() -> None:
    renewed = STRIPE.headers["stripe-signature"].replace(SECONDS, str(int(SECONDS) + 400))
    assert answer(replace(STRIPE, headers={"stripe-signature": renewed}), seconds_later=400) is Fault.WRONG


@given(st.sampled_from(VECTORS), st.text(max_size=200), st.binary(max_size=50))
def test_no_header_that_somebody_makes_up_is_believed_or_breaks_anything(
    vector: Vector, text: str, body: bytes
) -> None:
    for made_up in (text, f"t={SECONDS},v1={text}", f"sha256={text}", f"v0={text}"):
        headers = dict.fromkeys(vector.headers, made_up)
        assert answer(replace(vector, headers=headers, body=body)) in {Fault.MISSING, Fault.WRONG}


# Tokens

TOKEN = Scheme(kind=Kind.JWT_RS256)


@cache
def private(number: int = 0) -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


def public(number: int = 0) -> str:
    return private(number).public_key().public_bytes(Written.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def token(number: int = 0, **claims: Json) -> bytes:
    return jwt.encode({"data": "x", **claims}, private(number), "RS256").encode()


def told(body: bytes, *secrets: str) -> bytes | Fault:
    return verified(Delivery("POST", {}, body), TOKEN, keys_from(secrets or [public()], TOKEN), NOW)


def test_a_token_says_what_its_private_key_signed() -> None:
    exp = int(SECONDS) + 60
    assert told(token(exp=exp)) == b'{"data":"x","exp":%d}' % exp
    assert told(token(iat=int(SECONDS)), public(1), public()) == b'{"data":"x","iat":%s}' % SECONDS.encode()


@pytest.mark.parametrize("claims", [{"exp": 1}, {"iat": 1}, {"iat": int(SECONDS) + 9_999}, {}, {"exp": "soon"}])
def test_a_token_out_of_its_time_or_without_any_is_a_replay(claims: dict[str, Json]) -> None:
    assert told(token(**claims)) is Fault.REPLAYED


def test_a_token_cannot_choose_its_algorithm() -> None:
    claims = {"exp": int(SECONDS) + 60}
    unsigned = jwt.encode(claims, None, "none").encode()
    # The classic confusion: the public key, which everybody knows, taken for the secret of an HMAC.
    covered = jwt.encode(claims, "k" * 64, "HS256").rpartition(".")[0]
    digest = hmac.digest(public().encode(), covered.encode(), "sha256")
    confused = f"{covered}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    assert told(unsigned) is told(confused.encode()) is told(token(1, **claims)) is Fault.WRONG


@given(st.binary(max_size=200))
def test_no_token_that_somebody_makes_up_is_believed_or_breaks_anything(body: bytes) -> None:
    assert told(body) in {Fault.MISSING, Fault.WRONG}


# Secrets that are sent along

IN_BODY = Scheme(kind=Kind.KEY_IN_BODY, path=("auth", "key"))
IN_HEADER = Scheme(kind=Kind.HEADER_TOKEN, header="authorization", prefix="Bearer ")
SHARED = [b"shared-secret-1", b"shared-secret-2"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"auth": {"key": "shared-secret-3"}}', Fault.WRONG),
        (b'{"auth": {"key": 7}}', Fault.MISSING),
        (b'{"auth": []}', Fault.MISSING),
        (b"[]", Fault.MISSING),
        (b"{", Fault.MISSING),
        (b"[" * 100_000, Fault.MISSING),
    ],
)
def test_a_body_without_the_right_key_is_not_believed(body: bytes, fault: Fault) -> None:
    assert verified(Delivery("POST", {}, body), IN_BODY, SHARED, NOW) is fault
    right = b'{"auth": {"key": "shared-secret-2"}}'
    assert verified(Delivery("POST", {}, right), IN_BODY, SHARED, NOW) == right


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("Bearer shared-secret", Fault.WRONG),
        ("Bearer shared-secret-1-and-more", Fault.WRONG),
        ("Bearer ", Fault.MISSING),
        ("shared-secret-1", Fault.MISSING),
        ("Bearer \ud800é", Fault.WRONG),
    ],
)
def test_a_header_without_the_right_token_is_not_believed(value: str, fault: Fault) -> None:
    assert verified(Delivery("POST", {"authorization": value}, BODY), IN_HEADER, SHARED, NOW) is fault
    right = Delivery("POST", {"authorization": "Bearer shared-secret-2"}, BODY)
    assert verified(right, IN_HEADER, SHARED, NOW) == BODY


# What cannot be a key, or a scheme


@pytest.mark.parametrize(
    ("secret", "scheme"),
    [
        ("short", STRIPE.scheme),
        ("not base64!", Scheme(kind=Kind.HMAC, header="x", key=KeyEncoding.BASE64, encoding=Encoding.BASE64)),
        ("not a public key", TOKEN),
    ],
)
def test_a_secret_that_cannot_be_a_key_is_refused_and_not_quoted(secret: str, scheme: Scheme) -> None:
    with pytest.raises(SecretUnusableError) as caught:
        keys_from([secret], scheme)
    assert secret not in str(caught.value)


def test_a_webhook_without_a_secret_is_refused() -> None:
    with pytest.raises(SecretUnusableError, match="at least one"):
        keys_from([], STRIPE.scheme)


@pytest.mark.parametrize("template", ["{timestamp}", "{body}{shop}", "{body", "{}{body}", ""])
def test_a_template_that_signs_no_body_or_an_unknown_part_is_refused(template: str) -> None:
    with pytest.raises(MappingInvalidError, match=r"webhook\.signature\.signed"):
        signed_from(template, "webhook.signature.signed")
