"""The OpenID provider whose tokens are believed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """Whose tokens are believed. audience: what they must be meant for. jwks_url: found by discovery where it is None.

    scopes, accounts: the claims with what the holder may do and sees; a dot leads into a claim.
    """

    issuer: str
    audience: str
    jwks_url: str | None = None
    scopes: tuple[str, ...] = ("scope", "scp")
    accounts: str = "accounts"
