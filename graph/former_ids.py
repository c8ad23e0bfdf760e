"""Ids that identifiers had under other policies: what they stand for now, and to whom they come home.

When two values become one under another policy, the id of the second one stands for that one from then on; the id of a
value that is blocked now says that it is gone, as an erased one does. So every id ever handed out resolves or says why
not. What an id stands for is again an id, of an identifier that is there; no chain is ever asked.

A former id keeps its claim (identity/claims.py) for good, also while it is an identifier's again. One whose value was
erased keeps the bare id.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row, Transaction, Writer
from identity.carrying import normal
from identity.claims import Claim
from identity.identifiers import IdentifierKey
from identity.messages import MessageId
from identity.policy import Policy

CHUNK = 1_000
PAGE = 10_000

# a count that the store keeps
COUNT_FORMER = """
MATCH (f:FormerId)
RETURN count(f) AS many
"""

# former_id_key and former_id_mints (range), identifier_key and identifier_mint (unique)
CLAIMS = """
CALL () {
  UNWIND $keys AS key
  MATCH (had:FormerId {key: key})
  USING INDEX SEEK had:FormerId(key)
  RETURN had
  UNION
  UNWIND $mints AS mint
  MATCH (had:FormerId {mint: mint})
  USING INDEX SEEK had:FormerId(mint)
  WHERE had.key IS NOT NULL
  RETURN had
  UNION
  UNWIND $keys AS key
  MATCH (had:Identifier {key: key})
  USING INDEX SEEK had:Identifier(key)
  RETURN had
  UNION
  UNWIND $mints AS mint
  MATCH (had:Identifier {mint: mint})
  USING INDEX SEEK had:Identifier(mint)
  RETURN had
}
RETURN had.key AS key, coalesce(had.gives, had.mint) AS mint, had.minted_at AS minted_at,
  coalesce(had.lent_at, had.minted_at) AS since, coalesce(had.minted_by, had.message) AS message, had:Identifier AS has
"""

# identifier_key (unique), former_id_key (range)
KEEP_CLAIMS = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
WITH i, key, coalesce(i.gives, i.mint) AS mint
MERGE (f:FormerId {key: key, mint: mint})
ON CREATE SET f.id = randomUUID()
SET f.minted_at = i.minted_at, f.lent_at = i.lent_at, f.message = i.minted_by, f.now = coalesce(f.now, mint)
"""

# former_id_mints (range), in its order
FORMER_PAGE = """
MATCH (f:FormerId)
USING INDEX SEEK f:FormerId(mint)
WHERE f.mint > $after
WITH f.mint AS mint, collect([f.key, coalesce(f.lent_at, f.minted_at, 0), f.heir, f.now]) AS claims
ORDER BY mint
LIMIT $page
RETURN mint, claims
"""

# identifier_key (unique)
IDS_OF_KEYS = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
RETURN key, i.mint AS mint
"""

# identifier_mint (unique)
IDS_IN_USE = """
UNWIND $mints AS mint
MATCH (i:Identifier {mint: mint})
USING INDEX SEEK i:Identifier(mint)
RETURN mint
"""

# former_id_mints (range)
STAND_FOR = """
UNWIND $rows AS row
MATCH (f:FormerId {mint: row.mint})
USING INDEX SEEK f:FormerId(mint)
SET f.now = row.now
"""

# former_id_mints (range) and erased_mint (unique); one that is in use stands for itself, and is not asked
STANDING = """
UNWIND $ids AS id
CALL (id) {
  MATCH (former:FormerId {mint: id})
  USING INDEX SEEK former:FormerId(mint)
  WHERE former.now IS NULL OR former.now <> id
  RETURN former.now AS now
  UNION
  MATCH (erased:Erased {mint: id})
  USING INDEX SEEK erased:Erased(mint)
  RETURN null AS now
}
RETURN id, now
"""


@dataclass(frozen=True, slots=True)
class Former:
    """An id that is no identifier's any more. now: the id that it stands for; None where it stands for nothing."""

    now: str | None


async def former_ids(reader: Reader, ids: Sequence[str]) -> Mapping[str, Former]:
    """What became of these ids; one that an identifier has, and one that was never handed out, has no entry."""
    return {row["id"]: Former(row["now"]) for row in await reader.rows(STANDING, ids=list(ids))}


@dataclass(slots=True)
class Claims:
    """Claims that can meet each other. present: those of identifiers that are there today, by their keys."""

    all: dict[tuple[IdentifierKey, str], Claim]
    present: dict[IdentifierKey, Claim]


def claim_from(row: Row) -> Claim:
    """The claim in a row of CLAIMS."""
    message = row["message"]
    key = IdentifierKey(row["key"])
    return Claim(key, row["mint"], row["minted_at"], row["since"], MessageId(message) if message else None)


async def claims_near(reader: Reader, own: Iterable[Claim], fresh: Collection[IdentifierKey]) -> Claims:
    """All claims of who can have, or has to give, an id because of these: by the same key or the same id, on and on.

    own: of the identifiers that are there. fresh: keys that will be. Two statements where no policy changed any id yet.
    """
    present = {each.key: each for each in own}
    found = Claims({(each.key, each.mint): each for each in present.values()}, present)
    (row,) = await reader.rows(COUNT_FORMER)
    keys, mints = {*present, *fresh}, {each.mint for each in present.values()}
    asked_keys: set[IdentifierKey] = set()
    asked_mints: set[str] = set()
    while row["many"] and (keys or mints):
        for each in await reader.rows(CLAIMS, keys=sorted(keys), mints=sorted(mints)):
            claim = claim_from(each)
            found.all[claim.key, claim.mint] = claim
            if each["has"]:
                present[claim.key] = claim
        asked_keys |= keys
        asked_mints |= mints
        keys = {key for key, _ in found.all} - asked_keys
        mints = {mint for _, mint in found.all} - asked_mints
    return found


async def keep_claims(tx: Transaction, keys: Sequence[IdentifierKey]) -> None:
    """Remember the ids that these identifiers have, before they have others or are none any more."""
    await tx.rows(KEEP_CLAIMS, keys=list(keys))


Kept = tuple[str | None, int, str | None, str | None]  # a claim's key, since when, what it stood for first, stands for


async def stand_anew(reader: Reader, writer: Writer, policy: Policy) -> None:
    """Say of every former id what it stands for, once all identifiers are what they are under a policy.

    For the identifier of its key; else for the one that the key is as the policy writes it; else for what came after it
    when it went, and so on. Cost: all former ids are read.
    """
    former = {mint: claims async for mint, claims in _all_former(reader)}
    keys = {key for claims in former.values() for key in _keys(claims, policy)}
    of_key = {row["key"]: row["mint"] for some in _parts(keys) for row in await reader.rows(IDS_OF_KEYS, keys=some)}
    after = {mint for claims in former.values() for _, _, heir, now in claims for mint in (heir, now) if mint}
    mints = after | former.keys()
    used = {row["mint"] for some in _parts(mints) for row in await reader.rows(IDS_IN_USE, mints=some)}
    rows = []
    for mint, claims in former.items():
        now = _standing(mint, former, of_key, used, policy)
        if any(each[3] != now for each in claims):
            rows.append({"mint": mint, "now": now})
    for start in range(0, len(rows), CHUNK):
        await writer.write(_stand, rows[start : start + CHUNK])


async def _stand(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    await tx.rows(STAND_FOR, rows=rows)


async def _all_former(reader: Reader) -> AsyncIterator[tuple[str, list[Kept]]]:
    after = ""
    while rows := await reader.rows(FORMER_PAGE, after=after, page=PAGE):
        for row in rows:
            claims: list[Kept] = [(key, since, heir, now) for key, since, heir, now in row["claims"]]
            yield row["mint"], sorted(claims, key=lambda each: each[1])
        after = rows[-1]["mint"]


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + PAGE] for start in range(0, len(ordered), PAGE))


def _keys(claims: Iterable[Kept], policy: Policy) -> Iterator[IdentifierKey]:
    """Where a former id may be found, the likeliest first: its keys as they were, and as the policy writes them."""
    for key in (IdentifierKey(each[0]) for each in claims if each[0]):
        yield key
        yield normal(key, policy)


def _standing(
    mint: str, former: Mapping[str, Sequence[Kept]], of_key: Mapping[str, str], used: Collection[str], policy: Policy
) -> str | None:
    """What a former id stands for: found by its keys, else along what came after it."""
    seen: set[str] = set()
    waiting = [mint]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in used or (one not in former and one != mint):
            return one
        claims = former[one]
        here = next((of_key[key] for key in _keys(claims, policy) if key in of_key), None)
        if here is not None:
            return here
        waiting += [after for _, _, heir, now in claims if (after := heir or now)]
    return None
