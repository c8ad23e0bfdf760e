"""People as a decision leaves them: who they are made of, what they show, how much they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.connection import Row, Statements
from identity.identifiers import IdentifierKey, ProfileId


@dataclass(frozen=True, slots=True)
class Person:
    """A profile in one piece. traits: those the policy names. interactions: those it shows, on shared devices hers."""

    id: ProfileId
    known: bool
    shared: bool
    identifiers: tuple[IdentifierKey, ...]
    traits: Mapping[str, object]
    interactions: int


def _within_spans(use: str, total: str) -> str:
    """The part of a statement that counts the interactions on shared things inside spans, as `total`. use: the path."""
    return f"""
CALL (profile) {{
  MATCH {use}
  WHERE use.spans IS NOT NULL
  UNWIND range(0, size(use.spans) / 2 - 1) AS number
  WITH thing.key AS actor, use.spans[2 * number] AS low, use.spans[2 * number + 1] AS high
  CALL (actor, low, high) {{
    MATCH (interaction:Interaction)
    USING INDEX SEEK interaction:Interaction(actor, at, id)
    WHERE interaction.actor = actor AND low <= interaction.at <= high AND interaction.id IS NOT NULL
    RETURN count(interaction) AS found
  }}
  RETURN sum(found) AS {total}
}}"""


# profile_id (unique), then an expand per profile; interaction_actor_at (range) for what was done on shared devices
PEOPLE = f"""
UNWIND $profiles AS id
MATCH (profile:Profile {{id: id}})
USING INDEX SEEK profile:Profile(id)
CALL (profile) {{
  MATCH (profile)<-[:IDENTIFIES]-(i:Identifier)
  WITH i
  ORDER BY i.key
  RETURN collect(i.key) AS keys, sum(coalesce(i.interactions, 0)) AS own
}}
{_within_spans("(profile)<-[use:SHARED_BY]-(thing:Identifier)", "there")}
{_within_spans("(profile)<-[:IDENTIFIES]-(thing:Identifier)-[use:SHARED_BY]->(:Profile)", "others")}
RETURN profile {{.*}} AS profile, keys, own + there - others AS interactions
ORDER BY profile.id
"""


async def people_in(tx: Statements, profiles: Sequence[ProfileId]) -> tuple[Person, ...]:
    """These profiles as they stand, by id. One statement.

    Cost: their identifiers, and their interactions on shared devices, which are counted one by one.
    """
    return tuple(map(_person, await tx.rows(PEOPLE, profiles=list(profiles)))) if profiles else ()


def _person(row: Row) -> Person:
    facts = row["profile"]
    return Person(
        id=ProfileId(facts["id"]),
        known=facts["known"],
        shared=facts["shared"],
        identifiers=tuple(map(IdentifierKey, row["keys"])),
        traits={name[2:]: value for name, value in sorted(facts.items()) if name.startswith("t_")},
        interactions=row["interactions"],
    )
