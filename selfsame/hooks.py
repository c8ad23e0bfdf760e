"""Webhooks as the settings name them: which mapping reads a source's requests, and by which secrets they are signed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from identity.erasure import Scope
from loaders.errors import MappingInvalidError
from loaders.mapping import SourceMapping, mapping_named
from loaders.mapping_text import Local
from loaders.rows import ROWS
from loaders.signatures import SecretUnusableError, keys_from
from loaders.webhook_rules import Webhook
from selfsame.errors import SettingsInvalidError

NAME = r"^[a-z][a-z0-9_.-]{0,63}$"


class Erasures(StrEnum):
    """What becomes of a request of erasure: somebody decides, or it takes the vendor's record, or the whole person.

    An erasure cannot be taken back, and whoever knows the secret can ask for one: so nothing is erased unasked.
    """

    ASK = "ask"
    IDENTIFIER = "identifier"
    PROFILE = "profile"


class WebhookSettings(BaseModel):
    """What is set for one webhook; docs/webhooks.md says the same.

    secrets: those that may have signed, several while one is renewed. url: as the vendor knows it, where it is signed.
    verify_token: what the vendor's first contact has to show. source, region, zone: where they are others than the
    mapping says. erasures: whether requests of erasure are carried out. api_token: by
    which the vendor's API tells what its webhook only names, api_url: another host of that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapping: str | None = Field(default=None, min_length=1)
    source: str | None = Field(default=None, pattern=NAME)
    region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    zone: str | None = Field(default=None, min_length=1)
    secrets: tuple[SecretStr, ...] = Field(min_length=1)
    url: str | None = Field(default=None, pattern=r"^https?://.+")
    verify_token: SecretStr | None = Field(default=None, min_length=8)
    erasures: Erasures = Erasures.ASK
    api_token: SecretStr | None = Field(default=None, min_length=8)
    api_url: str | None = Field(default=None, pattern=r"^https?://[^/]+/?$")

    @field_validator("secrets", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        """A single secret needs no list around it."""
        return (value,) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook, ready to hear. name: the last word of its address; keys, token: as WebhookSettings has them.

    erasures: how much an erasure takes that its vendor asks for; None: somebody decides.
    """

    name: str
    mapping: SourceMapping
    webhook: Webhook
    keys: tuple[bytes, ...] = field(repr=False)
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    erasures: Scope | None = None
    api_token: str | None = field(default=None, repr=False)
    api_url: str | None = None


def hooks_from(settings: Mapping[str, WebhookSettings]) -> dict[str, Hook]:
    """The webhooks by their names. Raises SettingsInvalidError, which names the webhook, the key and the reason."""
    return {name: _hook(name, each) for name, each in sorted(settings.items())}


def _hook(name: str, settings: WebhookSettings) -> Hook:
    place = f"webhooks.{name}"
    try:
        mapping = mapping_named(settings.mapping or name, Local(settings.source, settings.region, settings.zone))
    except MappingInvalidError as error:
        raise SettingsInvalidError(f"{place}.mapping: {error}") from error
    webhook = mapping.webhook or ROWS
    if webhook.scheme.covers_url and settings.url is None:
        raise SettingsInvalidError(f"{place}.url: the signature covers the address: set it as the vendor knows it")
    try:
        keys = keys_from([each.get_secret_value() for each in settings.secrets], webhook.scheme)
    except SecretUnusableError as error:
        raise SettingsInvalidError(f"{place}.secrets: {error}") from error
    token = settings.verify_token
    return Hook(
        name=name,
        mapping=mapping,
        webhook=webhook,
        keys=keys,
        url=settings.url,
        token=None if token is None else token.get_secret_value(),
        api_token=None if settings.api_token is None else settings.api_token.get_secret_value(),
        api_url=settings.api_url,
        erasures=None if settings.erasures is Erasures.ASK else Scope(settings.erasures.value),
    )
