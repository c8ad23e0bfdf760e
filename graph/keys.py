"""API keys as the graph remembers them: by their hash, never by their text."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from identity.messages import Authority, SourceName, micros, moment

AUTHORITIES = {each.word: each for each in Authority}


class Scope(StrEnum):
    """What a key may do: send messages; ask; ask and decide who is who; all but sending."""

    WRITE = "write"
    READ = "read"
    STEWARD = "steward"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. source: whose messages a writing key sends; None for a reading one.

    authority: how far what it sends is believed. origins: the web pages that may use it; empty is any.
    requires_signature: whether a user id that nobody signed links nothing. expires_at: from when on it opens nothing.
    """

    hash: str
    scope: Scope
    source: SourceName | None
    created_at: datetime
    label: str | None = None
    authority: Authority = Authority.CLAIMED
    origins: tuple[str, ...] = ()
    requires_signature: bool = False
    expires_at: datetime | None = None

    @property
    def name(self) -> str:
        """As the log of changes names its holder: its label, or the start of its hash."""
        return self.label or f"key:{self.hash[:12]}"


def hash_of(secret: str) -> str:
    """SHA-256 in hexadecimal. No salt and no stretching: the secret is 256 random bits and cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


# One row, by api_key_hash (unique).
RECORD_KEY = """
MERGE (key:ApiKey {hash: $hash})
SET key += {
  scope: $scope, source: $source, created_at: $created_at, label: $label, authority: $authority, origins: $origins,
  requires_signature: $requires_signature, expires_at: $expires_at
}
"""


async def record_key(writer: Writer, key: ApiKey) -> None:
    """Remember a key; twice is once. Raises DatabaseAwayError."""
    await writer.write(_record, key)


async def _record(transaction: Transaction, key: ApiKey) -> None:
    await transaction.rows(
        RECORD_KEY,
        hash=key.hash,
        scope=key.scope.value,
        source=key.source,
        created_at=micros(key.created_at),
        label=key.label,
        authority=key.authority.word,
        origins=list(key.origins),
        requires_signature=key.requires_signature,
        expires_at=micros(key.expires_at) if key.expires_at else None,
    )


KEY_ROW = """key {
  .hash, .scope, .source, .created_at, .label, .authority, .origins, .requires_signature, .expires_at
}"""

# One row, by api_key_hash (unique).
KEY_BY_HASH = f"""
MATCH (key:ApiKey {{hash: $hash}})
RETURN {KEY_ROW} AS key
"""


async def key_by_hash(reader: Reader, hashed: str) -> ApiKey | None:
    """The key with this hash, or None. Raises DatabaseAwayError."""
    rows = await reader.rows(KEY_BY_HASH, hash=hashed)
    return _key(rows[0]["key"]) if rows else None


# A label scan: as many rows as there are keys.
ALL_KEYS = f"""
MATCH (key:ApiKey)
RETURN {KEY_ROW} AS key
ORDER BY key.created_at, key.hash
"""


async def all_keys(reader: Reader) -> tuple[ApiKey, ...]:
    """Every key, oldest first. Raises DatabaseAwayError."""
    return tuple(_key(row["key"]) for row in await reader.rows(ALL_KEYS))


def _key(row: Row) -> ApiKey:
    source = row["source"]
    return ApiKey(
        hash=row["hash"],
        scope=Scope(row["scope"]),
        source=SourceName(source) if source else None,
        created_at=moment(row["created_at"]),
        label=row["label"],
        authority=AUTHORITIES[row["authority"] or "claimed"],
        origins=tuple(row["origins"] or ()),
        requires_signature=bool(row["requires_signature"]),
        expires_at=moment(row["expires_at"]) if row["expires_at"] else None,
    )
