"""Webhooks that the settings name, ready to hear: which mapping reads a source's requests, and what signs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from identity.erasure import Scope
from loaders.errors import MappingInvalidError
from loaders.mapping import SourceMapping, mapping_named
from loaders.mapping_text import Local
from loaders.rows import ROWS
from loaders.signatures import SecretUnusableError, keys_from
from loaders.webhook_rules import Webhook
from selfsame.errors import SettingsInvalidError
from selfsame.hook_settings import Erasures, WebhookSettings


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
