"""Profiles as they are stored: found by an identifier, or by an id once handed out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from graph.views import observation_from
from identity.identifiers import IdentifierKey, ProfileId
from identity.survivorship import Observation


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile without its traits. first_seen, last_seen: µs. pending: it waits for a background recompute."""

    id: ProfileId
    known: bool
    shared: bool
    first_seen: int
    last_seen: int
    pending: bool


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
