"""Decisions about accounts, committed or only tried: two are one organisation, or are not after all.

What hangs on an account stays there. The merged ones get a MERGED_INTO relationship to the one under whose name they
go, a view that follows from the acts alone; hierarchies are judged again, since an account is no part of itself.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.connection import Row, Transaction, Writer
from graph.locks import tried
from graph.memberships import LOCK_ACCOUNTS, judge_around
from graph.policy_state import refuse_while_applying
from identity.accounts import AccountAct, heads_of

ACT_ROW = "x.id AS id, x.same AS same, x.account AS account, x.into AS into, x.at AS at, x.by AS by, x.note AS note"

# account_act_account and account_act_into (range): two seeks per key; those recorded by a moment, or all
ACTS_ABOUT = f"""
UNWIND $keys AS key
CALL (key) {{
  MATCH (x:AccountAct {{account: key}})
  USING INDEX SEEK x:AccountAct(account)
  RETURN x
  UNION
  MATCH (x:AccountAct {{into: key}})
  USING INDEX SEEK x:AccountAct(into)
  RETURN x
}}
WITH DISTINCT x
WHERE $recorded IS NULL OR x.recorded_at <= $recorded
RETURN {ACT_ROW}
"""

# account_act_id (unique)
KEEP_ACT = """
MERGE (x:AccountAct {id: $id})
ON CREATE SET x.same = $same, x.account = $account, x.into = $into, x.at = $at, x.by = $by, x.note = $note,
  x.recorded_at = $now
"""

# account_key (unique)
MERGED_AMONG = """
UNWIND $keys AS key
MATCH (gone:Account {key: key})-[:MERGED_INTO]->(kept:Account)
USING INDEX SEEK gone:Account(key)
RETURN key, kept.key AS head
"""

# account_key (unique)
NAME_ACCOUNTS = """
UNWIND $rows AS row
MATCH (gone:Account {key: row.key})
USING INDEX SEEK gone:Account(key)
OPTIONAL MATCH (gone)-[old:MERGED_INTO]->()
DELETE old
WITH row, gone
MATCH (kept:Account {key: row.head})
USING INDEX SEEK kept:Account(key)
CREATE (gone)-[:MERGED_INTO]->(kept)
"""

# account_key (unique)
UNNAME_ACCOUNTS = """
UNWIND $keys AS key
MATCH (gone:Account {key: key})-[old:MERGED_INTO]->()
USING INDEX SEEK gone:Account(key)
DELETE old
"""

# account_key (unique), then deal_account (range)
SIZES = """
UNWIND $groups AS accounts
CALL (accounts) {
  UNWIND accounts AS key
  MATCH (said:Account {key: key})<-[:MEMBER_OF]-(:Identifier)-[:IDENTIFIES]->(profile:Profile)
  USING INDEX SEEK said:Account(key)
  WHERE NOT profile.shared
  RETURN count(DISTINCT profile) AS members
}
CALL (accounts) {
  UNWIND accounts AS key
  MATCH (deal:Deal)
  USING INDEX SEEK deal:Deal(account, key)
  WHERE deal.account = key AND deal.key IS NOT NULL
  RETURN count(deal) AS deals
}
RETURN accounts[0] AS head, members, deals
"""


class Outcome(StrEnum):
    """What became of a decision about accounts."""

    DONE = "done"
    ALREADY = "already"
    NOT_MERGED = "not_merged"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Accounts that are one, the one under whose name they go first; how many people and deals they have together."""

    accounts: tuple[str, ...]
    members: int
    deals: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a decision, and the organisations that the two accounts are then, by name."""

    outcome: Outcome
    organisations: tuple[Organisation, ...]


async def decide_accounts(writer: Writer, act: AccountAct, now: int, *, dry_run: bool = False) -> Decided:
    """Commit a decision about two accounts; the same again changes nothing. now: µs.

    Nothing is written when one is unknown, when two that stand as different would come together, or when two are to be
    parted that are not one. dry_run: all is done, and taken back.
    """

    async def work(tx: Transaction) -> Decided:
        await refuse_while_applying(tx)
        return await _decided(tx, act, now)

    return await tried(writer, work, keep=lambda _: not dry_run)


async def _decided(tx: Transaction, act: AccountAct, now: int) -> Decided:
    if await _locked(tx, act.pair, now) < len(set(act.pair)):
        return Decided(Outcome.UNKNOWN, ())
    acts = await _acts_around(tx, act, now)
    before, after = heads_of(acts.values()), heads_of([*acts.values(), act])
    outcome = _outcome(act, before, after)
    heads = after if outcome is Outcome.DONE else before
    keys = {act.account, act.into} | {end for each in acts.values() for end in each.pair}
    if outcome is Outcome.DONE:
        await keep_account_act(tx, act, now)
        await name_accounts(tx, keys, heads)
        await judge_around(tx, keys, now)
        kind = ChangeKind.ACCOUNTS_MERGED if act.same else ChangeKind.ACCOUNTS_PARTED
        await log(tx, Entry(kind, Cause(CauseKind.DECISION, act.by, note=act.note), {}), now)
    return Decided(outcome, await _organisations(tx, act, keys, heads))


def _outcome(act: AccountAct, before: Mapping[str, str], after: Mapping[str, str]) -> Outcome:
    if not act.same:
        return Outcome.DONE if act.account != act.into and _joined(act, before) else Outcome.NOT_MERGED
    if not _joined(act, after):
        return Outcome.DIFFERENT
    return Outcome.ALREADY if before == after else Outcome.DONE


def _joined(act: AccountAct, heads: Mapping[str, str]) -> bool:
    return heads.get(act.account, act.account) == heads.get(act.into, act.into)


async def _locked(tx: Transaction, keys: Collection[str], now: int) -> int:
    rows = await tx.rows(LOCK_ACCOUNTS, keys=sorted(set(keys)), now=now)
    return int(rows[0]["found"])


async def _acts_around(tx: Transaction, act: AccountAct, now: int) -> dict[str, AccountAct]:
    """The acts that can bear on the two accounts, each account among them locked before its acts are read."""

    async def asked(accounts: set[str]) -> Sequence[Row]:
        await _locked(tx, accounts, now)
        return await tx.rows(ACTS_ABOUT, keys=sorted(accounts), recorded=None)

    return await acts_around(asked, act.pair)


async def acts_around(
    asked: Callable[[set[str]], Awaitable[Sequence[Row]]], accounts: Iterable[str]
) -> dict[str, AccountAct]:
    """The acts that can bear on accounts, also over others, by their ids. asked: the rows of ACTS_ABOUT for some."""
    found: dict[str, AccountAct] = {}
    waiting, seen = set(accounts), set[str]()
    while waiting:
        seen |= waiting
        found |= {row["id"]: account_act_from(row) for row in await asked(waiting)}
        waiting = {end for each in found.values() for end in each.pair} - seen
    return found


def account_act_from(row: Row) -> AccountAct:
    """A row of ACT_ROW as a value."""
    return AccountAct(row["id"], row["same"], row["account"], row["into"], row["at"], row["by"], row["note"])


async def keep_account_act(tx: Transaction, act: AccountAct, now: int) -> None:
    """Store a decision about accounts once. now: µs."""
    facts = {"id": act.id, "same": act.same, "account": act.account, "into": act.into, "at": act.at}
    await tx.rows(KEEP_ACT, **facts, by=act.by, note=act.note, now=now)


async def name_accounts(tx: Transaction, keys: Collection[str], heads: Mapping[str, str]) -> None:
    """Write which accounts go by the name of which; those without a head go by their own."""
    stored = {row["key"]: row["head"] for row in await tx.rows(MERGED_AMONG, keys=sorted(keys))}
    alone = sorted(key for key in stored if key not in heads)
    named = [{"key": key, "head": heads[key]} for key in sorted(keys) if key in heads and stored.get(key) != heads[key]]
    if alone:
        await tx.rows(UNNAME_ACCOUNTS, keys=alone)
    if named:
        await tx.rows(NAME_ACCOUNTS, rows=named)


async def _organisations(
    tx: Transaction, act: AccountAct, keys: Collection[str], heads: Mapping[str, str]
) -> tuple[Organisation, ...]:
    names = sorted({heads.get(key, key) for key in act.pair})
    groups = [[name, *sorted(key for key in keys if heads.get(key) == name)] for name in names]
    sizes = {row["head"]: row for row in await tx.rows(SIZES, groups=groups)}
    return tuple(Organisation(tuple(group), sizes[group[0]]["members"], sizes[group[0]]["deals"]) for group in groups)
