"""Webhooks as the settings name them. hooks.py makes ready what hears: every command reads settings, few need that."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

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
