"""Profiles as they are stored: found by an identifier, by an id once handed out, page by page, or by a text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from graph.views import observation_from
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Json
from identity.survivorship import Observation

LUCENE_SIGN = re.compile(r'([+\-!(){}\[\]^"~*?:\\/&|<>=])')
# As the index cuts words: at signs and spaces, not at the dot of a domain or the apostrophe of a name.
TOKEN = re.compile(r"[^\W_][\w.':]*")
MOST_HITS = 1_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile without its traits. first_seen, last_seen: µs. pending: it waits for a background recompute."""

    id: ProfileId
    known: bool
    shared: bool
    first_seen: int
    last_seen: int
    pending: bool


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which profiles a list shows; None shows both. traits: named traits (canonical names) with the value they have."""

    known: bool | None = None
    shared: bool | None = None
    traits: tuple[tuple[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A profile that a text search found, and how well."""

    profile: Profile
    score: float


def profile_from(row: Row) -> Profile:
    """The profile in a node's properties."""
    return Profile(
        ProfileId(row["id"]), row["known"], row["shared"], row["first_seen"], row["last_seen"], bool(row["pending"])
    )


# identifier_key (unique), then one expand per identifier
PROFILES_BY_IDENTIFIER = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK anchor:Identifier(key)
RETURN key, profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile
"""


async def profiles_by_identifier(reader: Reader, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, Profile]:
    """The profile of each identifier; an unknown identifier has no entry. One statement."""
    rows = await reader.rows(PROFILES_BY_IDENTIFIER, keys=list(keys))
    return {IdentifierKey(row["key"]): profile_from(row["profile"]) for row in rows}


# identifier_mint (unique), then one expand per id
PROFILES_BY_ID = """
UNWIND $ids AS id
MATCH (anchor:Identifier {mint: id})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK anchor:Identifier(mint)
RETURN id, profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile
"""


async def profiles_by_id(reader: Reader, ids: Sequence[ProfileId]) -> dict[ProfileId, Profile]:
    """The profile that each id stands for today: every id ever handed out is the mint of an identifier.

    Its own id differs from the asked one when it has changed since. An unknown id has no entry. One statement.
    """
    rows = await reader.rows(PROFILES_BY_ID, ids=list(ids))
    return {ProfileId(row["id"]): profile_from(row["profile"]) for row in rows}


# profile_id (unique), in its order
PROFILES_PAGE = """
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile(id)
WHERE profile.id > $after
  AND ($shared IS NULL OR profile.shared = $shared)
  AND all(trait IN $traits WHERE profile[trait[0]] = trait[1])
WITH profile
ORDER BY profile.id
LIMIT $first
RETURN profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile
"""

# profile_known (known, id), in its order
PROFILES_PAGE_KNOWN = """
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile(known, id)
WHERE profile.known = $known AND profile.id > $after
  AND ($shared IS NULL OR profile.shared = $shared)
  AND all(trait IN $traits WHERE profile[trait[0]] = trait[1])
WITH profile
ORDER BY profile.known, profile.id
LIMIT $first
RETURN profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile
"""


async def profiles_page(reader: Reader, wanted: ProfileFilter, after: str, first: int) -> tuple[Profile, ...]:
    """The profiles with ids after a given one, in the order of their ids, at most `first`. One statement.

    Cost: the profiles passed over until the page is full; without traits, the page alone.
    """
    rows = await reader.rows(
        PROFILES_PAGE if wanted.known is None else PROFILES_PAGE_KNOWN,
        known=wanted.known,
        shared=wanted.shared,
        traits=[[f"t_{name}", value] for name, value in wanted.traits],
        after=after,
        first=first,
    )
    return tuple(profile_from(row["profile"]) for row in rows)


# profile_text (full text); the best 1,000 hits are looked at
PROFILES_FOUND = """
CALL db.index.fulltext.queryNodes('profile_text', $text, {limit: $most}) YIELD node AS profile, score
WHERE (score < $score OR (score = $score AND profile.id > $after))
  AND ($known IS NULL OR profile.known = $known)
  AND ($shared IS NULL OR profile.shared = $shared)
  AND all(trait IN $traits WHERE profile[trait[0]] = trait[1])
RETURN profile {.id, .known, .shared, .first_seen, .last_seen, .pending} AS profile, score
ORDER BY score DESC, profile.id
LIMIT $first
"""


async def profiles_found(
    reader: Reader, text: str, wanted: ProfileFilter, after: tuple[float, str] | None, first: int
) -> tuple[Hit, ...]:
    """The profiles whose names, email or company hold every word of a text, the best first, at most `first`.

    after: score and id of the last hit already shown. A text without any letter or digit finds nobody.
    """
    query = lucene_query(text)
    if not query:
        return ()
    score, last = after or (float("inf"), "")
    rows = await reader.rows(
        PROFILES_FOUND,
        text=query,
        most=MOST_HITS,
        score=score,
        after=last,
        known=wanted.known,
        shared=wanted.shared,
        traits=[[f"t_{name}", value] for name, value in wanted.traits],
        first=first,
    )
    return tuple(Hit(profile_from(row["profile"]), row["score"]) for row in rows)


def lucene_query(text: str) -> str:
    """A query for every word of a text, whole or as the beginning of a word; signs of the query language mean nothing.

    Words are quoted so that the index's own analyser cuts them (`anna@fern.no`) and `AND` is only a word; the second
    form finds what is still being typed.
    """
    return " AND ".join(f'("{_escaped(word)}" OR {_begun(word)})' for word in text.split() if TOKEN.search(word))


def _begun(word: str) -> str:
    *whole, last = TOKEN.findall(word)
    terms = [f'"{_escaped(each)}"' for each in whole] + [f"{_escaped(last.lower())}*"]
    return f"({' AND '.join(terms)})"


def _escaped(word: str) -> str:
    return LUCENE_SIGN.sub(r"\\\1", word)


# profile_id (unique), then the observations of its identifiers
OBSERVATIONS_OF = """
UNWIND $profiles AS profile
MATCH (anchor:Profile {id: profile})<-[:IDENTIFIES]-(:Identifier)<-[:OF]-(observation:Observation)
USING INDEX SEEK anchor:Profile(id)
RETURN profile, collect(observation {
  .trait, .value, .source, .at, .message, .sure, .first_at, .first_message, .count
}) AS observations
"""


async def observations_of(reader: Reader, profiles: Sequence[ProfileId]) -> Mapping[ProfileId, tuple[Observation, ...]]:
    """Everything ever said about each profile, in no order; a profile of which nothing was said has no entry.

    One statement. Cost: the different values ever observed.
    """
    rows = await reader.rows(OBSERVATIONS_OF, profiles=list(profiles))
    return {ProfileId(row["profile"]): tuple(map(observation_from, row["observations"])) for row in rows}
