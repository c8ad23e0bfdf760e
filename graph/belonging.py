"""To which accounts people belong: page by page, and which of some accounts.

A relationship says who belongs to what, `who` the key of the identifier and `of` that of the account, for an index: a
page costs the page, however many accounts somebody belongs to. Accounts that were merged are one: it stands where the
first of the keys stands that were said of the person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graph.accounts import (
    ACCOUNT_ROW,
    MOST_STATEMENTS,
    RANK,
    STATEMENT_ROW,
    Account,
    After,
    account_from,
    history_from,
)
from graph.connection import Reader
from identity.accounts import Belonging
from identity.identifiers import ProfileId


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's side of a membership. history: what was said of it, the role that is shown first.

    place: where it stands among the accounts of the person.
    """

    account: Account
    history: tuple[Belonging, ...]
    place: str

    @property
    def belonging(self) -> Belonging:
        """What is shown of it."""
        return self.history[0]


# What was said of `hers`, the keys of a person's identifiers, and `account`.
_said = f"""
    MATCH (account)<-[:MERGED_INTO*0..1]-(part:Account)
    UNWIND hers AS who
    MATCH (identifier:Identifier)-[membership:MEMBER_OF]->(said:Account)
    USING INDEX SEEK membership:MEMBER_OF(who, of)
    WHERE membership.who = who AND membership.of = part.key
    WITH membership, said, identifier
    ORDER BY {RANK}
    LIMIT $statements
    RETURN collect({STATEMENT_ROW}) AS statements
"""

_hers = """
  MATCH (anchor:Profile {id: asked.owner})<-[:IDENTIFIES]-(identifier:Identifier)
  USING INDEX SEEK anchor:Profile(id)
  WHERE EXISTS { (identifier)-[:MEMBER_OF]->() }
  RETURN collect(identifier.key) AS hers
"""

# profile_id (unique), then member_of (who, of) for each identifier
MEMBERSHIPS_OF = f"""
UNWIND $asked AS asked
CALL (asked) {{{_hers}}}
CALL (asked, hers) {{
  UNWIND hers AS who
  CALL (asked, hers, who) {{
    MATCH (:Identifier)-[membership:MEMBER_OF]->(said:Account)
    USING INDEX SEEK membership:MEMBER_OF(who, of)
    WHERE membership.who = who AND membership.of > asked.last
    WITH DISTINCT membership.who AS who_, membership.of AS place, said
    ORDER BY who_, place
    OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
    WITH place, coalesce(head, said) AS account
    WHERE NOT EXISTS {{
      MATCH (account)<-[:MERGED_INTO*0..1]-(other:Account)
      WHERE other.key < place
      UNWIND hers AS her
      MATCH ()-[earlier:MEMBER_OF]->()
      USING INDEX SEEK earlier:MEMBER_OF(who, of)
      WHERE earlier.who = her AND earlier.of = other.key
      RETURN earlier
    }}
    RETURN place, account
    LIMIT $first
  }}
  WITH DISTINCT place, account
  ORDER BY place
  LIMIT $first
  RETURN place, account
}}
CALL (hers, account) {{{_said}}}
WITH asked, place, account, statements
ORDER BY place
RETURN asked.owner AS owner, asked.last AS last, collect([{ACCOUNT_ROW}, place, statements]) AS memberships
"""


async def memberships_of(
    reader: Reader, asks: Sequence[After], first: int, roles: tuple[str, ...]
) -> dict[After, tuple[Membership, ...]]:
    """The accounts of each profile, in the order of their keys, at most `first`; without any there is no entry.

    roles: the highest first; of several in one account the highest is shown, then what was said last. One statement.
    Cost: the page, for each of the identifiers that belong to any.
    """
    asked = [{"owner": each.owner, "last": each.last} for each in asks]
    rows = await reader.rows(MEMBERSHIPS_OF, asked=asked, first=first, roles=list(roles), statements=MOST_STATEMENTS)
    return {
        After(row["owner"], row["last"]): tuple(
            Membership(account_from(account), history_from(said, roles), place)
            for account, place, said in row["memberships"]
        )
        for row in rows
    }


# account_key and profile_id (unique), then member_of (who, of)
MEMBERSHIPS_IN = f"""
UNWIND $asked AS asked
CALL (asked) {{{_hers}}}
UNWIND asked.keys AS key
MATCH (account:Account {{key: key}})
USING INDEX SEEK account:Account(key)
CALL (hers, account) {{{_said}}}
WITH asked, account, statements
WHERE size(statements) > 0
ORDER BY account.key
RETURN asked.owner AS owner, asked.keys AS keys, collect([{ACCOUNT_ROW}, statements]) AS memberships
"""


async def memberships_in(
    reader: Reader, asks: Sequence[tuple[ProfileId, tuple[str, ...]]], roles: tuple[str, ...]
) -> dict[tuple[ProfileId, tuple[str, ...]], tuple[Membership, ...]]:
    """Of each profile what was said of it and some accounts, in the order of their keys.

    asks: pairs of a profile and keys of accounts, none of them merged into another one. One statement.
    """
    asked = [{"owner": profile, "keys": list(keys)} for profile, keys in asks]
    rows = await reader.rows(MEMBERSHIPS_IN, asked=asked, roles=list(roles), statements=MOST_STATEMENTS)
    return {
        (ProfileId(row["owner"]), tuple(row["keys"])): tuple(
            Membership(account_from(account), history_from(said, roles), account["key"])
            for account, said in row["memberships"]
        )
        for row in rows
    }


# profile_id and account_key (unique), then the memberships of each, or member_of (who, of), whichever is less
BELONGING_TO = """
CALL () {
  UNWIND $accounts AS key
  MATCH (account:Account {key: key})
  USING INDEX SEEK account:Account(key)
  MATCH (account)<-[:MERGED_INTO*0..1]-(part:Account)
  RETURN collect(part.key) AS parts
}
UNWIND $profiles AS profile
MATCH (anchor:Profile {id: profile})<-[:IDENTIFIES]-(identifier:Identifier)
USING INDEX SEEK anchor:Profile(id)
WHERE EXISTS { (identifier)-[:MEMBER_OF]->() }
WITH parts, profile, identifier, COUNT { (identifier)-[:MEMBER_OF]->() } <= size(parts) AS few
CALL (parts, identifier, few) {
  UNWIND CASE WHEN few THEN [identifier] ELSE [] END AS it
  MATCH (it)-[membership:MEMBER_OF]->(:Account)
  WHERE membership.of IN parts
  RETURN membership.of AS part
UNION
  UNWIND CASE WHEN few THEN [] ELSE parts END AS part
  MATCH (:Identifier)-[membership:MEMBER_OF]->(:Account)
  USING INDEX SEEK membership:MEMBER_OF(who, of)
  WHERE membership.who = identifier.key AND membership.of = part
  RETURN part
}
MATCH (said:Account {key: part})
USING INDEX SEEK said:Account(key)
OPTIONAL MATCH (said)-[:MERGED_INTO]->(head:Account)
WITH DISTINCT profile, coalesce(head, said).key AS account
RETURN profile, collect(account) AS accounts
"""


async def belonging_to(
    reader: Reader, profiles: Sequence[ProfileId], accounts: Collection[str]
) -> Mapping[ProfileId, frozenset[str]]:
    """To which of some accounts each profile belongs; who belongs to none of them has no entry. One statement.

    accounts: their keys, none of them merged into another one. Cost: for each identifier as many memberships as there
    are accounts asked about, however many it has.
    """
    rows = await reader.rows(BELONGING_TO, profiles=list(profiles), accounts=sorted(accounts))
    return {ProfileId(row["profile"]): frozenset(row["accounts"]) for row in rows}
