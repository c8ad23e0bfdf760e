"""Identifiers: of a profile, shared by a profile, and who shares one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graph.connection import Reader
from graph.profiles import Profile, profile_from
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Role


@dataclass(frozen=True, slots=True)
class StoredIdentifier:
    """An identifier as the graph holds it. first_seen, last_seen: µs.

    generic: `values` or `partners` when it is shared and links nobody, else None. shared_by: how many people share it.
    """

    key: IdentifierKey
    mint: str
    namespace: str
    value: str
    role: Role
    first_seen: int
    last_seen: int
    generic: str | None
    shared_by: int


@dataclass(frozen=True, slots=True)
class SharedIdentifier:
    """A generic identifier that a person uses. first, last: µs, the first and last evidence of it.

    place: where it stands among what she uses; its mint, by which neither order nor cursors tell a value.
    """

    identifier: StoredIdentifier
    first: int
    last: int
    place: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People who share an identifier, in the order of their ids: how many in all, and one page of them."""

    total: int
    people: tuple[Profile, ...]


def identifier_from(row: Sequence[Any]) -> StoredIdentifier:
    """The identifier in an IDENTIFIER_ROW."""
    key, mint, namespace, value, role, *rest = row
    return StoredIdentifier(IdentifierKey(key), mint, namespace, value, Role(role), *rest)


# The order of the fields of StoredIdentifier.
IDENTIFIER_ROW = """[
  identifier.key, identifier.mint, identifier.namespace, identifier.value,
  CASE WHEN identifier:Device THEN 'Device' WHEN identifier:Contact THEN 'Contact' ELSE 'ContactPoint' END,
  identifier.first_seen, identifier.last_seen, identifier.generic,
  CASE WHEN identifier.generic IS NULL THEN 0 ELSE COUNT { (identifier)-[:SHARED_BY]->() } END
]"""

# profile_id (unique), then one expand per profile
IDENTIFIERS_OF = f"""
UNWIND $profiles AS profile
MATCH (anchor:Profile {{id: profile}})<-[:IDENTIFIES]-(identifier:Identifier)
USING INDEX SEEK anchor:Profile(id)
WITH profile, identifier
ORDER BY identifier.first_seen, identifier.key
RETURN profile, collect({IDENTIFIER_ROW}) AS identifiers
"""


async def identifiers_of(
    reader: Reader, profiles: Sequence[ProfileId]
) -> dict[ProfileId, tuple[StoredIdentifier, ...]]:
    """The identifiers of each profile, first seen first, then by key; an unknown one has no entry. One statement."""
    rows = await reader.rows(IDENTIFIERS_OF, profiles=list(profiles))
    return {ProfileId(row["profile"]): tuple(map(identifier_from, row["identifiers"])) for row in rows}


# identifier_mint (unique), one row each
IDENTIFIERS_BY_MINT = f"""
UNWIND $mints AS mint
MATCH (identifier:Identifier {{mint: mint}})
USING INDEX SEEK identifier:Identifier(mint)
RETURN mint, {IDENTIFIER_ROW} AS identifier
"""


async def identifiers_by_mint(reader: Reader, mints: Sequence[str]) -> dict[str, StoredIdentifier]:
    """The identifier of each mint; an unknown mint has no entry. One statement."""
    rows = await reader.rows(IDENTIFIERS_BY_MINT, mints=list(mints))
    return {row["mint"]: identifier_from(row["identifier"]) for row in rows}


# identifier_key (unique), one row each
IDENTIFIERS_BY_KEY = f"""
UNWIND $keys AS key
MATCH (identifier:Identifier {{key: key}})
USING INDEX SEEK identifier:Identifier(key)
RETURN {IDENTIFIER_ROW} AS identifier
"""


async def identifiers_by_key(reader: Reader, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, StoredIdentifier]:
    """The identifier of each key; an unknown key has no entry. One statement."""
    rows = await reader.rows(IDENTIFIERS_BY_KEY, keys=list(keys))
    found = (identifier_from(row["identifier"]) for row in rows)
    return {each.key: each for each in found}


# shared_by (who, what)
SHARED_IDENTIFIERS_OF = f"""
UNWIND $asked AS asked
CALL (asked) {{
  MATCH (identifier:Identifier)-[use:SHARED_BY]->(:Profile)
  USING INDEX SEEK use:SHARED_BY(who, what)
  WHERE use.who = asked.owner AND use.what > asked.last
  WITH use, identifier
  ORDER BY use.who, use.what
  LIMIT $first
  RETURN collect([{IDENTIFIER_ROW}, use.first, use.last, use.what]) AS shared
}}
RETURN asked.owner AS owner, asked.last AS last, shared
"""


async def shared_identifiers_of(
    reader: Reader, profiles: Sequence[tuple[ProfileId, str]], first: int
) -> dict[tuple[ProfileId, str], tuple[SharedIdentifier, ...]]:
    """The generic identifiers that each person uses, those recorded first first, after a place, at most `first`.

    profiles: pairs of a profile and the place of the last one already shown. One statement. Cost: the page.
    """
    asked = [{"owner": profile, "last": last} for profile, last in profiles]
    rows = await reader.rows(SHARED_IDENTIFIERS_OF, asked=asked, first=first)
    return {
        (ProfileId(row["owner"]), row["last"]): tuple(
            SharedIdentifier(identifier_from(identifier), *use) for identifier, *use in row["shared"]
        )
        for row in rows
    }


# Who shares `identifier`, from `asked.after` on; how many there are is read off the node.
_PEOPLE = """
WHERE identifier.generic IS NOT NULL
CALL (asked, identifier) {
  MATCH (:Identifier)-[use:SHARED_BY]->(person:Profile)
  USING INDEX SEEK use:SHARED_BY(what, who)
  WHERE use.what = identifier.mint AND use.who > asked.after
  WITH use, person
  ORDER BY use.what, use.who
  LIMIT $first
  RETURN collect(person {.id, .known, .shared, .first_seen, .last_seen, .pending}) AS people
}
RETURN asked.of AS of, asked.after AS after, COUNT { (identifier)-[:SHARED_BY]->() } AS total, people
"""

# profile_id (unique), then shared_with (what, who) in its order
PEOPLE_OF = f"""
UNWIND $asked AS asked
MATCH (anchor:Profile {{id: asked.of}})<-[:IDENTIFIES]-(identifier:Identifier)
USING INDEX SEEK anchor:Profile(id)
{_PEOPLE}"""

# identifier_key (unique), then shared_with (what, who) in its order
PEOPLE_WITH = f"""
UNWIND $asked AS asked
MATCH (identifier:Identifier {{key: asked.of}})
USING INDEX SEEK identifier:Identifier(key)
{_PEOPLE}"""


async def people_of(
    reader: Reader, profiles: Sequence[tuple[ProfileId, str]], first: int
) -> dict[tuple[ProfileId, str], PeoplePage]:
    """Who shares each profile, from the person after a given id on; one that nobody shares has no entry.

    profiles: pairs of a profile and the id of the last person already shown. One statement.
    Cost: the page.
    """
    pages = await _people(reader, PEOPLE_OF, profiles, first)
    return {(ProfileId(of), after): page for (of, after), page in pages.items()}


async def people_with(
    reader: Reader, keys: Sequence[tuple[IdentifierKey, str]], first: int
) -> dict[tuple[IdentifierKey, str], PeoplePage]:
    """Who shares each identifier, as `people_of`."""
    pages = await _people(reader, PEOPLE_WITH, keys, first)
    return {(IdentifierKey(of), after): page for (of, after), page in pages.items()}


async def _people(
    reader: Reader, statement: str, asked: Sequence[tuple[str, str]], first: int
) -> dict[tuple[str, str], PeoplePage]:
    rows = await reader.rows(statement, asked=[{"of": of, "after": after} for of, after in asked], first=first)
    return {
        (row["of"], row["after"]): PeoplePage(row["total"], tuple(map(profile_from, row["people"]))) for row in rows
    }
