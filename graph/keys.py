"""API keys as the graph remembers them: by their hash, never by their text."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
class KeyBounds:
    """How much may be asked with a key, where that is another measure than of all others: None is as for all.

    rate: requests per second; cost_rate: what they cost together, per minute; cost: of one.
    public: whether everybody may have it, as one in web pages; documents_only: whether it asks trusted documents alone.
    """

    rate: float | None = None
    cost_rate: int | None = None
    cost: int | None = None
    public: bool = False
    documents_only: bool = False


USUAL = KeyBounds()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. source: whose messages a writing key sends; None for a reading one.

    authority: how far what it sends is believed. origins: the web pages that may use it; empty is any.
    requires_signature: whether a user id that nobody signed links nothing. expires_at: from when on it opens nothing.
    pii: whether its holder is shown personal data. accounts: the keys of the only ones it sees; empty is all.
    revoked_at: since when it was taken back. used_at: when it was last used, to the minute or so.
    replaced_by: the hash of the key that a rotation made in its place. bounds: how much may be asked with it.
    subject: whose token it stands for, where it is no key.
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
    pii: bool = False
    accounts: tuple[str, ...] = ()
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    replaced_by: str | None = None
    bounds: KeyBounds = USUAL
    subject: str | None = None

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
  requires_signature: $requires_signature, expires_at: $expires_at, pii: $pii, accounts: $accounts,
  rate: $rate, cost_rate: $cost_rate, cost: $cost,
  public: $public, documents_only: $documents_only
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
        pii=key.pii,
        accounts=list(key.accounts),
        **asdict(key.bounds),
    )


KEY_ROW = """key {
  .hash, .scope, .source, .created_at, .label, .authority, .origins, .requires_signature, .expires_at, .pii, .accounts,
  .revoked_at, .used_at, .replaced_by, .rate, .cost_rate, .cost,
  .public, .documents_only
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


# One row each, by api_key_hash (unique).
ROTATE_KEY = """
MATCH (old:ApiKey {hash: $old})
USING INDEX SEEK old:ApiKey(hash)
SET old.expires_at = $until, old.replaced_by = $hash
"""


async def rotate_key(writer: Writer, old: ApiKey, new: ApiKey, until: datetime) -> None:
    """Remember a key in the place of another, which ends at `until`; twice is once. Raises DatabaseAwayError."""
    await writer.write(_rotate, old, new, until)


async def _rotate(transaction: Transaction, old: ApiKey, new: ApiKey, until: datetime) -> None:
    await transaction.rows(ROTATE_KEY, old=old.hash, hash=new.hash, until=micros(until))
    await _record(transaction, new)


# One row, by api_key_hash (unique).
REVOKE_KEY = """
MATCH (key:ApiKey {hash: $hash})
USING INDEX SEEK key:ApiKey(hash)
SET key.revoked_at = coalesce(key.revoked_at, $at)
"""


async def revoke_key(writer: Writer, hashed: str, at: datetime) -> None:
    """Take a key back, from `at` on; twice is once, and the first time stays. Raises DatabaseAwayError."""
    await writer.write(_revoke, hashed, at)


async def _revoke(transaction: Transaction, hashed: str, at: datetime) -> None:
    await transaction.rows(REVOKE_KEY, hash=hashed, at=micros(at))


# One row each, by api_key_hash (unique).
NOTE_USES = """
UNWIND $uses AS use
MATCH (key:ApiKey {hash: use[0]})
USING INDEX SEEK key:ApiKey(hash)
WHERE coalesce(key.used_at, 0) < use[1]
SET key.used_at = use[1]
"""


async def note_uses(writer: Writer, uses: Mapping[str, datetime]) -> None:
    """Remember when keys were last used, by hash; an earlier moment changes nothing. Raises DatabaseAwayError."""
    await writer.write(_note, uses)


async def _note(transaction: Transaction, uses: Mapping[str, datetime]) -> None:
    await transaction.rows(NOTE_USES, uses=[[hashed, micros(at)] for hashed, at in sorted(uses.items())])


def _key(row: Row) -> ApiKey:
    source, scope = row["source"], Scope(row["scope"])
    return ApiKey(
        hash=row["hash"],
        scope=scope,
        source=SourceName(source) if source else None,
        created_at=moment(row["created_at"]),
        label=row["label"],
        authority=AUTHORITIES[row["authority"] or "claimed"],
        origins=tuple(row["origins"] or ()),
        requires_signature=bool(row["requires_signature"]),
        expires_at=_moment(row["expires_at"]),
        pii=_sees(scope) if row["pii"] is None else row["pii"],
        accounts=tuple(row["accounts"] or ()),
        revoked_at=_moment(row["revoked_at"]),
        used_at=_moment(row["used_at"]),
        replaced_by=row["replaced_by"],
        bounds=KeyBounds(row["rate"], row["cost_rate"], row["cost"], bool(row["public"]), bool(row["documents_only"])),
    )


def _sees(scope: Scope) -> bool:
    """Whether a key sees personal data that was made before keys said so: it keeps what it could."""
    return scope is not Scope.WRITE


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
