"""Accounts: organisations, who belongs to them, and what they are part of.

Membership hangs on identifiers and follows people. Accounts that were merged keep what hangs on them, and are read as
one: the one that the others are MERGED_INTO, so any of their keys finds it. Of several statements about one person and
one account one is shown, with the others as history. Shared profiles are nobody's members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from graph.connection import Reader, Row
from identity.accounts import Belonging, Stated, latest, ranked
from identity.messages import Json
from identity.survivorship import canonical

DEEPEST_HIERARCHY = 51


@dataclass(frozen=True, slots=True)
class Account:
    """An organisation. traits: JSON text of everything said of it. first_seen, last_seen: µs.

    merged_from: the keys of the accounts that were merged into it, sorted; what was said of them is said of it.
    """

    key: str
    namespace: str
    value: str
    name: str | None
    domain: str | None
    traits: str | None
    first_seen: int
    last_seen: int
    merged_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class After:
    """A page's place: the list of this profile or account, after the element with this id or key."""

    owner: str
    last: str = ""


# The row of `account`, which is no merged one itself.
ACCOUNT_ROW = """account {
    .key, .namespace, .value, .name, .domain, .traits, .first_seen, .last_seen,
    stated: CASE WHEN EXISTS { (account)<-[:MERGED_INTO]-() } THEN account.stated END,
    merged: [(account)<-[:MERGED_INTO]-(part:Account) | part {.key, .stated, .first_seen, .last_seen}]
  }"""

# The order of the fields of Belonging, of `membership` of `identifier` in `said`.
STATEMENT_ROW = """[
    membership.role, membership.source, membership.from, membership.last_seen, membership.recorded_at,
    said.key, identifier.key
  ]"""

# As `ranked` has them, so that the statement that is shown is among the first ones.
RANK = """coalesce(head([n IN range(0, size($roles) - 1) WHERE $roles[n] = membership.role]), size($roles)),
      membership.last_seen DESC, coalesce(membership.role, ''), membership.source, said.key, identifier.key"""
MOST_STATEMENTS = 100  # of one person and one account

PROFILE_ROW = "profile {.id, .known, .shared, .first_seen, .last_seen, .pending}"


def account_from(row: Row) -> Account:
    """The account in an ACCOUNT_ROW: of merged accounts each fact as it was said last of any of them."""
    merged = sorted(row["merged"], key=lambda each: str(each["key"]))
    traits = _merged_traits([row["stated"], *(each["stated"] for each in merged)]) if merged else None
    return Account(
        key=row["key"],
        namespace=row["namespace"],
        value=row["value"],
        name=row["name"] if traits is None else _text(traits.get("name")),
        domain=row["domain"] if traits is None else _text(traits.get("domain")),
        traits=row["traits"] if traits is None else canonical(traits),
        first_seen=min(each["first_seen"] for each in (row, *merged)),
        last_seen=max(each["last_seen"] for each in (row, *merged)),
        merged_from=tuple(each["key"] for each in merged),
    )


def _merged_traits(stated: Sequence[str | None]) -> dict[str, Json]:
    facts: dict[str, Stated] = {}
    for text in stated:
        said = {name: Stated(**each) for name, each in msgspec.json.decode(text or "{}").items()}
        facts = latest(facts, said)
    return {name: each.value for name, each in sorted(facts.items()) if each.value is not None}


def _text(value: Json) -> str | None:
    return str(value) if isinstance(value, str | int | float) and value != "" else None


# account_key (unique), one row each, and one expand to what it is merged with
ACCOUNTS_BY_KEY = f"""
UNWIND $keys AS key
MATCH (asked:Account {{key: key}})
USING INDEX SEEK asked:Account(key)
OPTIONAL MATCH (asked)-[:MERGED_INTO]->(head:Account)
WITH key, coalesce(head, asked) AS account
RETURN key, {ACCOUNT_ROW} AS account
"""


async def accounts_by_key(reader: Reader, keys: Sequence[str]) -> dict[str, Account]:
    """The account that each key stands for today; an unknown key has no entry. One statement."""
    rows = await reader.rows(ACCOUNTS_BY_KEY, keys=list(keys))
    return {row["key"]: account_from(row["account"]) for row in rows}


def history_from(statements: Sequence[Sequence[object]], roles: tuple[str, ...]) -> tuple[Belonging, ...]:
    """What was said of a membership, from rows of STATEMENT_ROW, the role that is shown first."""
    return ranked((msgspec.convert(each, _StatementRow).belonging for each in statements), roles)


class _StatementRow(msgspec.Struct, array_like=True):
    role: str | None
    source: str
    start: int | None
    last_seen: int
    recorded_at: int | None
    account: str
    identifier: str

    @property
    def belonging(self) -> Belonging:
        return Belonging(
            self.role, self.source, self.start, self.last_seen, self.recorded_at, self.account, self.identifier
        )


# account_key (unique), one level of the hierarchy
PARTS_OF = """
UNWIND $keys AS key
MATCH (anchor:Account {key: key})<-[:MERGED_INTO*0..1]-(:Account)<-[:PART_OF {accepted: true}]-(said:Account)
USING INDEX SEEK anchor:Account(key)
OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
RETURN DISTINCT key, coalesce(head, said).key AS part
"""


async def parts_within(reader: Reader, owners: set[str], depth: int) -> dict[str, set[str]]:
    """Each account with the accounts under it, down to a depth; one statement for each level below the first."""
    found = {owner: {owner} for owner in owners}
    level = {owner: {owner} for owner in owners}
    for _ in range(1, depth):
        if not any(level.values()):
            break
        under: dict[str, set[str]] = {}
        for row in await reader.rows(PARTS_OF, keys=sorted(set().union(*level.values()))):
            under.setdefault(row["key"], set()).add(row["part"])
        for owner, above in level.items():
            level[owner] = set().union(*(under.get(key, set()) for key in above)) - found[owner]
            found[owner] |= level[owner]
    return found


async def accounts_under(reader: Reader, asked: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], frozenset[str]]:
    """The keys of some accounts, as they go by today, and of all that are part of them, for each set of keys.

    An unknown key gives none. One statement, and one for each level of the hierarchy, 50 at most.
    """
    heads = await accounts_by_key(reader, sorted({key for keys in asked for key in keys}))
    parts = await parts_within(reader, {each.key for each in heads.values()}, DEEPEST_HIERARCHY)
    return {keys: frozenset(part for key in keys if key in heads for part in parts[heads[key].key]) for keys in asked}


# account_key (unique), then one expand per account
PARENTS_OF = f"""
UNWIND $keys AS key
MATCH (anchor:Account {{key: key}})<-[:MERGED_INTO*0..1]-(:Account)-[part:PART_OF {{accepted: true}}]->(said:Account)
USING INDEX SEEK anchor:Account(key)
WITH key, part, said
ORDER BY part.first_seen, said.key
WITH key, head(collect(said)) AS said
OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
WITH key, coalesce(head, said) AS account
RETURN key, {ACCOUNT_ROW} AS parent
"""


async def parents_of(reader: Reader, keys: Sequence[str]) -> dict[str, Account]:
    """The account each one is part of, the first known of several; one alone has no entry. One statement."""
    rows = await reader.rows(PARENTS_OF, keys=list(keys))
    return {row["key"]: account_from(row["parent"]) for row in rows}


# account_key (unique), then one expand per account
CHILDREN_OF = f"""
UNWIND $asked AS asked
MATCH (anchor:Account {{key: asked.owner}})<-[:MERGED_INTO*0..1]-(each:Account)
USING INDEX SEEK anchor:Account(key)
MATCH (each)<-[:PART_OF {{accepted: true}}]-(said:Account)
OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
WITH DISTINCT asked, coalesce(head, said) AS account
WHERE account.key > asked.last
WITH asked, account
ORDER BY account.key
RETURN asked.owner AS owner, asked.last AS last, [account IN collect(account)[..$first] | {ACCOUNT_ROW}] AS children
"""


async def children_of(reader: Reader, asks: Sequence[After], first: int) -> dict[After, tuple[Account, ...]]:
    """The accounts that are part of each one, in the order of their keys, at most `first`. One statement."""
    rows = await reader.rows(CHILDREN_OF, asked=_rows(asks), first=first)
    return {After(row["owner"], row["last"]): tuple(map(account_from, row["children"])) for row in rows}


def _rows(asks: Sequence[After]) -> list[dict[str, str]]:
    return [{"owner": ask.owner, "last": ask.last} for ask in asks]
