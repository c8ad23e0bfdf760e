"""How long lists are, counted only when somebody asks, and no further than to 10,000.

A count walks what the page would walk, without reading it off; it stops after one more than the cap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.accounts import parts_within
from graph.changes import COUNT_OF_CHANGES_ABOUT, EVERY_CHANGE, About, ChangeFilter, bounds_of
from graph.connection import Reader
from graph.interactions import EVERYTHING, TIMELINE_COUNT, TIMELINE_COUNT_NAMED, Ask, InteractionFilter, asked_rows
from graph.interactions import moments_of as _moments_of
from identity.identifiers import ProfileId
from insight.journeys import Moment, sessions_of

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are. capped: there are more, or may be: counting stopped."""

    number: int
    capped: bool = False


def counted(number: int) -> Counted:
    """What was counted as far as one over the cap."""
    return Counted(min(number, MOST_COUNTED), number > MOST_COUNTED)


# account_key (unique), then one expand per account
COUNT_OF_CHILDREN = """
UNWIND $keys AS key
CALL (key) {
  MATCH (anchor:Account {key: key})<-[:MERGED_INTO*0..1]-(each:Account)
  USING INDEX SEEK anchor:Account(key)
  MATCH (each)<-[:PART_OF {accepted: true}]-(said:Account)
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
  WITH DISTINCT coalesce(head, said) AS account
  LIMIT $most
  RETURN count(account) AS number
}
RETURN key, number
"""


async def count_of_children(reader: Reader, keys: Sequence[str]) -> dict[str, Counted]:
    """How many accounts are part of each one. One statement."""
    return await _counts(reader, COUNT_OF_CHILDREN, keys)


# account_key (unique), then deal_account (range) for each of what was merged
COUNT_OF_DEALS = """
UNWIND $keys AS key
CALL (key) {
  MATCH (anchor:Account {key: key})<-[:MERGED_INTO*0..1]-(said:Account)
  USING INDEX SEEK anchor:Account(key)
  CALL (said) {
    MATCH (deal:Deal)
    USING INDEX SEEK deal:Deal(account, key)
    WHERE deal.account = said.key AND deal.key IS NOT NULL
    WITH deal
    LIMIT $most
    RETURN count(deal) AS some
  }
  RETURN sum(some) AS number
}
RETURN key, number
"""


async def count_of_deals(reader: Reader, keys: Sequence[str]) -> dict[str, Counted]:
    """How many deals each account has. One statement."""
    return await _counts(reader, COUNT_OF_DEALS, keys)


async def _counts(reader: Reader, statement: str, keys: Sequence[str]) -> dict[str, Counted]:
    rows = await reader.rows(statement, keys=list(keys), most=MOST_COUNTED + 1)
    return {row["key"]: counted(row["number"]) for row in rows}


# account_key (unique), then the memberships until there are enough people
COUNT_OF_MEMBERS = """
UNWIND $asked AS asked
CALL (asked) {
  UNWIND asked.keys AS key
  MATCH (anchor:Account {key: key})<-[:MERGED_INTO*0..1]-(said:Account)
  USING INDEX SEEK anchor:Account(key)
  MATCH (said)<-[:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(profile:Profile)
  WHERE NOT profile.shared
  WITH DISTINCT profile
  LIMIT $most
  RETURN count(profile) AS number
}
RETURN asked.owner AS key, number
"""


async def count_of_members(reader: Reader, keys: Sequence[str], depth: int) -> dict[str, Counted]:
    """How many people each account has, with what is part of it down to a depth. As many statements as the depth."""
    parts = await parts_within(reader, set(keys), depth)
    asked = [{"owner": key, "keys": sorted(parts[key])} for key in keys]
    rows = await reader.rows(COUNT_OF_MEMBERS, asked=asked, most=MOST_COUNTED + 1)
    return {row["key"]: counted(row["number"]) for row in rows}


# account_key (unique), then member_role (of, role) until there are enough people
COUNT_OF_MEMBERS_BY_ROLE = """
UNWIND $asked AS asked
CALL (asked) {
  UNWIND asked.keys AS key
  MATCH (anchor:Account {key: key})<-[:MERGED_INTO*0..1]-(said:Account)
  USING INDEX SEEK anchor:Account(key)
  UNWIND $wanted AS role
  MATCH (identifier:Identifier)-[membership:MEMBER_OF]->(:Account)
  USING INDEX SEEK membership:MEMBER_OF(of, role)
  WHERE membership.of = said.key AND membership.role = role
  MATCH (identifier)-[:IDENTIFIES]->(profile:Profile)
  WHERE NOT profile.shared
  WITH DISTINCT profile
  LIMIT $most
  RETURN count(profile) AS number
}
RETURN asked.owner AS key, number
"""


async def count_of_members_by_role(
    reader: Reader, keys: Sequence[str], depth: int, wanted: tuple[str, ...]
) -> dict[str, Counted]:
    """As `count_of_members`, of whom one of some roles was said."""
    parts = await parts_within(reader, set(keys), depth)
    asked = [{"owner": key, "keys": sorted(parts[key])} for key in keys]
    rows = await reader.rows(COUNT_OF_MEMBERS_BY_ROLE, asked=asked, wanted=list(wanted), most=MOST_COUNTED + 1)
    return {row["key"]: counted(row["number"]) for row in rows}


# profile_id (unique), then the members of her accounts until there are enough
COUNT_OF_COLLEAGUES = """
UNWIND $keys AS key
CALL (key) {
  MATCH (person:Profile {id: key})<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF]->(said:Account)
  USING INDEX SEEK person:Profile(id)
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
  WITH DISTINCT person, coalesce(head, said) AS account
  MATCH (account)<-[:MERGED_INTO*0..1]-(:Account)<-[:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(profile:Profile)
  WHERE profile <> person AND NOT profile.shared
  WITH DISTINCT profile
  LIMIT $most
  RETURN count(profile) AS number
}
RETURN key, number
"""


async def count_of_colleagues(reader: Reader, profiles: Sequence[ProfileId]) -> dict[ProfileId, Counted]:
    """How many other people there are in any account of each profile. One statement."""
    found = await _counts(reader, COUNT_OF_COLLEAGUES, profiles)
    return {ProfileId(key): number for key, number in found.items()}


# profile_id (unique), then the memberships until there are enough accounts
COUNT_OF_MEMBERSHIPS = """
UNWIND $keys AS key
CALL (key) {
  MATCH (person:Profile {id: key})<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF]->(said:Account)
  USING INDEX SEEK person:Profile(id)
  OPTIONAL MATCH (said)-[:MERGED_INTO]->(other:Account)
  WITH DISTINCT coalesce(other, said) AS account
  LIMIT $most
  RETURN count(account) AS number
}
RETURN key, number
"""


async def count_of_memberships(reader: Reader, profiles: Sequence[ProfileId]) -> dict[ProfileId, Counted]:
    """How many accounts each profile belongs to. One statement."""
    found = await _counts(reader, COUNT_OF_MEMBERSHIPS, profiles)
    return {ProfileId(key): number for key, number in found.items()}


# profile_id (unique); the number is read off the node
COUNT_OF_SHARED_IDENTIFIERS = """
UNWIND $keys AS key
MATCH (person:Profile {id: key})
USING INDEX SEEK person:Profile(id)
RETURN key, COUNT { (person)<-[:SHARED_BY]-() } AS number
"""


async def count_of_shared_identifiers(reader: Reader, profiles: Sequence[ProfileId]) -> dict[ProfileId, Counted]:
    """How many generic identifiers each person uses. One statement."""
    rows = await reader.rows(COUNT_OF_SHARED_IDENTIFIERS, keys=list(profiles))
    return {ProfileId(row["key"]): counted(row["number"]) for row in rows}


# profile_id (unique), then one expand; what too many share makes no household
COUNT_OF_HOUSEHOLD = """
UNWIND $keys AS key
CALL (key) {
  MATCH (anchor:Profile {id: key})<-[:SHARED_BY]-(identifier:ContactPoint)
  USING INDEX SEEK anchor:Profile(id)
  WITH anchor, identifier
  WHERE COUNT { (identifier)-[:SHARED_BY]->() } <= $sharers
  MATCH (identifier)-[:SHARED_BY]->(person:Profile)
  WHERE person <> anchor
  WITH DISTINCT person
  LIMIT $most
  RETURN count(person) AS number
}
RETURN key, number
"""


async def count_of_household(reader: Reader, profiles: Sequence[ProfileId], sharers: int) -> dict[ProfileId, Counted]:
    """How many people share a contact point with each profile; what more than `sharers` share does not count."""
    rows = await reader.rows(COUNT_OF_HOUSEHOLD, keys=list(profiles), sharers=sharers, most=MOST_COUNTED + 1)
    return {ProfileId(row["key"]): counted(row["number"]) for row in rows}


async def count_of_interactions(
    reader: Reader, profiles: Sequence[ProfileId], wanted: InteractionFilter = EVERYTHING
) -> dict[ProfileId, Counted]:
    """How many interactions each profile has. One statement. Cost: the cap, times the ranges of the profile."""
    asks = [Ask(profile) for profile in profiles]
    statement = TIMELINE_COUNT_NAMED if wanted.names else TIMELINE_COUNT
    rows = await reader.rows(statement, **asked_rows(asks, MOST_COUNTED + 1, wanted))
    return {profiles[row["number"]]: counted(row["total"]) for row in rows}


async def count_of_sessions(
    reader: Reader, profiles: Sequence[ProfileId], idle_minutes: int
) -> dict[ProfileId, Counted]:
    """How many sessions the newest 10,000 interactions of each profile make. One statement."""
    pages = await _moments_of(reader, [Ask(profile) for profile in profiles], MOST_COUNTED + 1)
    return {
        ask.profile: Counted(
            len(sessions_of([Moment(*each) for each in page[:MOST_COUNTED]], idle_minutes)), len(page) > MOST_COUNTED
        )
        for ask, page in pages.items()
    }


async def count_of_changes_about(
    reader: Reader, asks: Sequence[About], wanted: ChangeFilter = EVERY_CHANGE
) -> dict[About, Counted]:
    """How many changes each set of identifiers was in. One statement. Cost: all changes about them."""
    asked = [{"number": number, "keys": list(ask.keys), **bounds_of(wanted, None)} for number, ask in enumerate(asks)]
    rows = await reader.rows(COUNT_OF_CHANGES_ABOUT, asked=asked, first=MOST_COUNTED + 1)
    return {asks[row["number"]]: counted(row["total"]) for row in rows}


# change_at (at, id)
COUNT_OF_CHANGES = """
MATCH (change:Change)
USING INDEX SEEK change:Change(at, id)
WHERE change.at >= $since AND change.at <= $until AND change.id IS NOT NULL
WITH change
ORDER BY change.at DESC, change.id DESC
LIMIT $most
RETURN count(change) AS looked_at, count(CASE WHEN size($kinds) = 0 OR change.kind IN $kinds THEN 1 END) AS number
"""


async def count_of_changes(reader: Reader, wanted: ChangeFilter) -> Counted:
    """How many changes there are among the newest 10,000 of a window. One statement."""
    (row,) = await reader.rows(COUNT_OF_CHANGES, **bounds_of(wanted, None), most=MOST_COUNTED + 1)
    return Counted(min(row["number"], MOST_COUNTED), row["looked_at"] > MOST_COUNTED)
