"""Keys made: their text is told once, and on what terms they open what they open. access.py looks at those shown."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.connection import Writer
from graph.keys import USUAL, ApiKey, KeyBounds, Scope, hash_of, record_key, rotate_key
from identity.messages import Authority, SourceName

ALL_SEEING = frozenset({Scope.STEWARD, Scope.ADMIN})  # who decides who is who has to see who they are
PREFIXES = {Scope.WRITE: "ssw_", Scope.READ: "ssr_", Scope.STEWARD: "sss_", Scope.ADMIN: "ssa_"}


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a key is given; as in ApiKey.

    pii, accounts: of keys that ask; bounds: of all; the others: of those that send.
    """

    authority: Authority = Authority.CLAIMED
    origins: tuple[str, ...] = ()
    requires_signature: bool = False
    pii: bool = False
    accounts: tuple[str, ...] = ()
    bounds: KeyBounds = USUAL


async def create_key(
    writer: Writer,
    scope: Scope,
    now: datetime,
    source: SourceName | None = None,
    label: str | None = None,
    terms: Terms | None = None,
    *,
    expires_at: datetime | None = None,
) -> str:
    """Make a key, remember its hash, and answer its text, which is nowhere else. Raises DatabaseAwayError."""
    secret, given = _secret(scope), terms or Terms()
    key = ApiKey(
        hash_of(secret),
        scope,
        source,
        now,
        label,
        given.authority,
        given.origins,
        given.requires_signature,
        expires_at,
        pii=given.pii or scope in ALL_SEEING,
        accounts=given.accounts,
        bounds=given.bounds,
    )
    await record_key(writer, key)
    return secret


async def renew_key(writer: Writer, old: ApiKey, now: datetime, both: timedelta) -> str:
    """Make a key on the terms of an old one, which goes on for a time, and answer the new one's text.

    An end that the old one had comes no later for that. Raises DatabaseAwayError.
    """
    secret = _secret(old.scope)
    until = now + both if old.expires_at is None else min(now + both, old.expires_at)
    new = replace(old, hash=hash_of(secret), created_at=now, used_at=None)
    await rotate_key(writer, old, new, until)
    return secret


def _secret(scope: Scope) -> str:
    return PREFIXES[scope] + secrets.token_urlsafe(32)
