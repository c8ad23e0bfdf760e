"""Accounts: organisations, who belongs to them, and what they are part of.

Membership hangs on identifiers and follows people; of several statements about one person and one account the latest
is shown. Shared profiles are nobody's members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from graph.profiles import Profile, profile_from
from identity.identifiers import ProfileId


@dataclass(frozen=True, slots=True)
class Account:
    """An organisation. traits: JSON text of everything said of it. first_seen, last_seen: µs."""

    key: str
    namespace: str
    value: str
    name: str | None
    domain: str | None
    traits: str | None
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Belonging:
    """How a person belongs to an account. start: since when, µs; None when nobody said."""

    role: str | None
    source: str
    start: int | None
    last_seen: int


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's side of a membership."""

    account: Account
    belonging: Belonging


@dataclass(frozen=True, slots=True)
class Member:
    """An account's side of a membership."""

    profile: Profile
    belonging: Belonging


@dataclass(frozen=True, slots=True)
class After:
    """A page's place: the list of this profile or account, after the element with this id or key."""

    owner: str
    last: str = ""


def account_from(row: Row) -> Account:
    """The account in a node's properties."""
    return Account(
        key=row["key"],
        namespace=row["namespace"],
        value=row["value"],
        name=row["name"],
        domain=row["domain"],
        traits=row["traits"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
    )


def _belonging(row: Row) -> Belonging:
    return Belonging(row["role"], row["source"], row["from"], row["last_seen"])


# account_key (unique), one row each
ACCOUNTS_BY_KEY = """
UNWIND $keys AS key
MATCH (account:Account {key: key})
USING INDEX SEEK account:Account(key)
RETURN account {.key, .namespace, .value, .name, .domain, .traits, .first_seen, .last_seen} AS account
"""


async def accounts_by_key(reader: Reader, keys: Sequence[str]) -> dict[str, Account]:
    """The account of each key; an unknown key has no entry. One statement."""
    rows = await reader.rows(ACCOUNTS_BY_KEY, keys=list(keys))
    return {row["account"]["key"]: account_from(row["account"]) for row in rows}


# profile_id (unique), then two expands per profile
MEMBERSHIPS_OF = """
UNWIND $profiles AS profile
MATCH (anchor:Profile {id: profile})<-[:IDENTIFIES]-(:Identifier)-[membership:MEMBER_OF]->(account:Account)
USING INDEX SEEK anchor:Profile(id)
WITH profile, account, membership
ORDER BY membership.last_seen DESC, membership.source, membership.role
WITH profile, account, head(collect(membership)) AS membership
ORDER BY membership.last_seen DESC, account.key
RETURN profile, collect({
  account: account {.key, .namespace, .value, .name, .domain, .traits, .first_seen, .last_seen},
  membership: membership {.role, .source, .from, .last_seen}
}) AS memberships
"""


async def memberships_of(reader: Reader, profiles: Sequence[ProfileId]) -> dict[ProfileId, tuple[Membership, ...]]:
    """The accounts of each profile, latest seen first; who belongs to none has no entry. One statement."""
    rows = await reader.rows(MEMBERSHIPS_OF, profiles=list(profiles))
    return {
        ProfileId(row["profile"]): tuple(
            Membership(account_from(each["account"]), _belonging(each["membership"])) for each in row["memberships"]
        )
        for row in rows
    }


# account_key (unique); all memberships are read, since a person may have several
MEMBERS_OF = """
UNWIND $asked AS asked
MATCH (anchor:Account {key: asked.owner})<-[membership:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK anchor:Account(key)
WHERE NOT profile.shared AND profile.id > asked.last
WITH asked, profile, membership
ORDER BY membership.last_seen DESC, membership.source, membership.role
WITH asked, profile, head(collect(membership)) AS membership
ORDER BY profile.id
RETURN asked.owner AS owner, asked.last AS last, collect({
  profile: profile {.id, .known, .shared, .first_seen, .last_seen, .pending},
  membership: membership {.role, .source, .from, .last_seen}
})[..$first] AS members
"""


async def members_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, tuple[Member, ...]]:
    """The people of each account, in the order of their ids, at most `first`; without any there is no entry.

    One statement. Cost: the account's memberships.
    """
    rows = await reader.rows(MEMBERS_OF, asked=_rows(asks), first=first)
    return {
        After(row["owner"], row["last"]): tuple(
            Member(profile_from(each["profile"]), _belonging(each["membership"])) for each in row["members"]
        )
        for row in rows
    }


# profile_id (unique), then the members of her accounts
COLLEAGUES_OF = """
UNWIND $asked AS asked
MATCH (person:Profile {id: asked.owner})<-[:IDENTIFIES]-(:Identifier)-[:MEMBER_OF]->(account:Account)
USING INDEX SEEK person:Profile(id)
WITH DISTINCT asked, person, account
MATCH (account)<-[:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(profile:Profile)
WHERE profile <> person AND NOT profile.shared AND profile.id > asked.last
WITH DISTINCT asked, profile
ORDER BY profile.id
RETURN asked.owner AS owner, asked.last AS last,
  [each IN collect(profile)[..$first] | each {.id, .known, .shared, .first_seen, .last_seen, .pending}] AS profiles
"""


async def colleagues_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, tuple[Profile, ...]]:
    """The other people in any account of each profile, in the order of their ids, at most `first`.

    Without any there is no entry. One statement. Cost: the memberships of the accounts.
    """
    rows = await reader.rows(COLLEAGUES_OF, asked=_rows(asks), first=first)
    return {After(row["owner"], row["last"]): tuple(map(profile_from, row["profiles"])) for row in rows}


# account_key (unique), then one expand per account
PARENTS_OF = """
UNWIND $keys AS key
MATCH (anchor:Account {key: key})-[part:PART_OF {accepted: true}]->(parent:Account)
USING INDEX SEEK anchor:Account(key)
WITH key, part, parent
ORDER BY part.first_seen, parent.key
WITH key, head(collect(parent)) AS parent
RETURN key, parent {.key, .namespace, .value, .name, .domain, .traits, .first_seen, .last_seen} AS parent
"""


async def parents_of(reader: Reader, keys: Sequence[str]) -> dict[str, Account]:
    """The account each one is part of, the first known of several; one alone has no entry. One statement."""
    rows = await reader.rows(PARENTS_OF, keys=list(keys))
    return {row["key"]: account_from(row["parent"]) for row in rows}


# account_key (unique), then one expand per account
CHILDREN_OF = """
UNWIND $asked AS asked
MATCH (anchor:Account {key: asked.owner})<-[:PART_OF {accepted: true}]-(child:Account)
USING INDEX SEEK anchor:Account(key)
WHERE child.key > asked.last
WITH asked, child
ORDER BY child.key
RETURN asked.owner AS owner, asked.last AS last, [each IN collect(child)[..$first]
  | each {.key, .namespace, .value, .name, .domain, .traits, .first_seen, .last_seen}] AS children
"""


async def children_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, tuple[Account, ...]]:
    """The accounts that are part of each one, in the order of their keys, at most `first`. One statement."""
    rows = await reader.rows(CHILDREN_OF, asked=_rows(asks), first=first)
    return {After(row["owner"], row["last"]): tuple(map(account_from, row["children"])) for row in rows}


def _rows(asks: Sequence[After]) -> list[dict[str, str]]:
    return [{"owner": ask.owner, "last": ask.last} for ask in asks]
