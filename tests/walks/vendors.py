"""The vendors of the catalogue, as far as tests play them: what they send, and how they sign it.

Each signs in its own few lines, not by the code that checks it.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import time

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from identity.messages import Json
from loaders.mapping import CATALOG
from selfsame.hook_settings import WebhookSettings
from selfsame.hooks import Hook, hooks_from
from tests.walks.service import Company

EXAMPLES = CATALOG / "examples"
SECRET = "a-secret-of-the-tests-0123456789"
TOKEN = "a-token-that-was-agreed-on"
MAKE_SECRET = "whsec_c3RhbmRhcmQtd2ViaG9va3Mta2V5LTAxMjM="
Sign = Callable[[bytes, str], Mapping[str, str]]


def hexed(text: bytes, key: bytes = SECRET.encode()) -> str:
    return hmac.digest(key, text, "sha256").hex()


def based(text: bytes, key: bytes = SECRET.encode()) -> str:
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def url_of(vendor: str) -> str:
    """The address under which the vendor knows the service; the one that it is reached at is another."""
    return f"https://in.fernhill.example/webhooks/{vendor}"


def listed(body: bytes, at: str) -> str:
    return f"t={at},v1={hexed(f'{at}.'.encode() + body)}"


SIGNS: Mapping[str, Sign] = {
    "stripe": lambda body, at: {"Stripe-Signature": listed(body, at)},
    "shopify": lambda body, _: {"X-Shopify-Hmac-SHA256": based(body)},
    "woocommerce": lambda body, _: {"X-WC-Webhook-Signature": based(body)},
    "typeform": lambda body, _: {"Typeform-Signature": f"sha256={based(body)}"},
    "calendly": lambda body, at: {"Calendly-Webhook-Signature": listed(body, at)},
    "hubspot": lambda body, at: {
        "X-HubSpot-Request-Timestamp": f"{at}000",
        "X-HubSpot-Signature-v3": based(f"POST{url_of('hubspot')}".encode() + body + f"{at}000".encode()),
    },
    "slack": lambda body, at: {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={hexed(f'v0:{at}:'.encode() + body)}",
    },
    "facebook": lambda body, _: {"X-Hub-Signature-256": f"sha256={hexed(body)}"},
    "instagram": lambda body, _: {"X-Hub-Signature-256": f"sha256={hexed(body)}"},
    "square": lambda body, _: {"X-Square-HmacSha256-Signature": based(url_of("square").encode() + body)},
    "webflow": lambda body, at: {
        "X-Webflow-Timestamp": f"{at}000",
        "X-Webflow-Signature": hexed(f"{at}000:".encode() + body),
    },
    "wix": lambda _body, _at: {},  # the body is a token, signed as a whole
    "mindbody": lambda body, _: {"X-Mindbody-Signature": f"sha256={based(body)}"},
    "google_ads": lambda _body, _at: {},  # the key stands in the body
    "salesforce": lambda _body, _at: {"Authorization": f"Bearer {SECRET}"},
    "wordpress": lambda _body, _at: {"X-Selfsame-Key": SECRET},
    "google_sheets": lambda _body, _at: {"X-Selfsame-Key": SECRET},
    "zapier": lambda _body, _at: {"X-Selfsame-Key": SECRET},
    "make": lambda _body, at: {"Webhook-Timestamp": at},
    "clay": lambda _body, _at: {"X-Clay-Webhook-Auth": SECRET},
    "pos": lambda _body, _at: {"X-Selfsame-Key": SECRET},
    "product_usage": lambda _body, _at: {"X-Selfsame-Key": SECRET},
}


@dataclass(frozen=True)
class Sent:
    """A delivery of the catalogue's examples. headers: those of its vendor, without a signature."""

    vendor: str
    headers: Mapping[str, str]
    body: bytes
    content_type: str = "application/json"
    at: str = field(default_factory=lambda: str(int(time())))

    @property
    def signed(self) -> dict[str, str]:
        made = {"content-type": self.content_type, **self.headers, **SIGNS[self.vendor](self.body, self.at)}
        if self.vendor == "make":  # the id in a header is signed, too
            covered = f"{self.headers['Webhook-Id']}.{self.at}.".encode() + self.body
            made["Webhook-Signature"] = f"v1,{based(covered, base64.b64decode(MAKE_SECRET.removeprefix('whsec_')))}"
        return made

    @property
    def content(self) -> bytes:
        return self.body if self.vendor != "wix" else jwt.encode(orjson.loads(self.body), wix_key(), "RS256").encode()


def example(vendor: str, name: str) -> Sent:
    """A delivery from the catalogue's examples."""
    read = orjson.loads((EXAMPLES / f"{vendor}_{name}.json").read_bytes())
    return Sent(vendor, read["headers"], orjson.dumps(read["body"]))


def examples() -> set[tuple[str, str]]:
    """Vendor and name of every example; a vendor's name may have a line in it, too."""
    stems = [path.stem for path in Path(EXAMPLES).glob("*.json")]
    vendors = sorted(SIGNS, key=len, reverse=True)
    return {
        next((each, stem.removeprefix(f"{each}_")) for each in vendors if stem.startswith(f"{each}_")) for stem in stems
    }


@cache
def hooks() -> dict[str, Hook]:
    """A webhook for every vendor, under the catalogue's name."""
    return hooks_from({vendor: settings_of(vendor) for vendor in SIGNS})


@cache
def wix_key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


def secret_of(vendor: str) -> str:
    """What is set as the vendor's secret; of Wix the public half."""
    if vendor == "wix":
        return wix_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return MAKE_SECRET if vendor == "make" else SECRET


def settings_of(vendor: str, **more: Json) -> WebhookSettings:
    given = {"secrets": secret_of(vendor), "url": url_of(vendor), "verify_token": TOKEN, **more}
    return WebhookSettings.model_validate(given)


async def deliver(company: Company, sent: Sent, **changed: str) -> httpx.Response:
    """The answer to a signed delivery. changed: headers with other values than they were signed with."""
    return await company.http.post(f"/webhooks/{sent.vendor}", content=sent.content, headers={**sent.signed, **changed})
