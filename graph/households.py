"""Households: the people who share an email address or a phone with a person, over two hops."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader
from graph.identifiers import IDENTIFIER_ROW, StoredIdentifier, identifier_from
from graph.profiles import Profile, profile_from
from identity.identifiers import ProfileId

MOST_SHARERS = 100  # what more people share is a team's or a shop's, and no household
MOST_SHOWN = 100  # contact points beside each other


@dataclass(frozen=True, slots=True)
class Housemate:
    """Somebody who shares contact points with a person, and which, 100 at most."""

    profile: Profile
    shared: tuple[StoredIdentifier, ...]


@dataclass(frozen=True, slots=True)
class HouseholdPage:
    """Housemates in the order of their ids. left_out: contact points that more than 100 people share, 100 at most."""

    people: tuple[Housemate, ...]
    left_out: tuple[StoredIdentifier, ...]


# profile_id (unique), then two expands; what too many share is not followed
HOUSEHOLDS_OF = f"""
UNWIND $asked AS asked
CALL (asked) {{
  MATCH (anchor:Profile {{id: asked.profile}})<-[:SHARED_BY]-(identifier:ContactPoint)
  USING INDEX SEEK anchor:Profile(id)
  WITH asked, anchor, identifier, COUNT {{ (identifier)-[:SHARED_BY]->() }} AS sharers
  WHERE sharers <= $most
  MATCH (identifier)-[:SHARED_BY]->(person:Profile)
  WHERE person <> anchor AND person.id > asked.after
  WITH person, identifier
  ORDER BY identifier.key
  WITH person, collect({IDENTIFIER_ROW})[..$shown] AS shared
  ORDER BY person.id
  LIMIT $first
  RETURN collect([person {{.id, .known, .shared, .first_seen, .last_seen, .pending}}, shared]) AS people
}}
CALL (asked) {{
  MATCH (anchor:Profile {{id: asked.profile}})<-[:SHARED_BY]-(identifier:ContactPoint)
  USING INDEX SEEK anchor:Profile(id)
  WHERE COUNT {{ (identifier)-[:SHARED_BY]->() }} > $most
  WITH identifier
  ORDER BY identifier.key
  LIMIT $shown
  RETURN collect({IDENTIFIER_ROW}) AS left_out
}}
RETURN asked.profile AS profile, asked.after AS after, people, left_out
"""


async def households_of(
    reader: Reader, profiles: Sequence[tuple[ProfileId, str]], first: int
) -> dict[tuple[ProfileId, str], HouseholdPage]:
    """Who shares a contact point with each profile, from the person after a given id on, at most `first`.

    profiles: pairs of a profile and the id of the last person already shown. One statement.
    Cost: at most 100 people for each contact point the person shares.
    """
    asked = [{"profile": profile, "after": after} for profile, after in profiles]
    rows = await reader.rows(HOUSEHOLDS_OF, asked=asked, first=first, most=MOST_SHARERS, shown=MOST_SHOWN)
    return {
        (ProfileId(row["profile"]), row["after"]): HouseholdPage(
            tuple(Housemate(profile_from(each), tuple(map(identifier_from, shared))) for each, shared in row["people"]),
            tuple(map(identifier_from, row["left_out"])),
        )
        for row in rows
    }
