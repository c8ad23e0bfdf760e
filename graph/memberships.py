"""Accounts as a batch states them: facts, members, and who is part of whom."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from graph.connection import Transaction
from graph.links import AUTHORITIES
from identity.accounts import PartOf, Stated, cycles, latest
from identity.evidence import Heard, time_of
from identity.messages import AccountStatement, Json, micros
from identity.survivorship import canonical

DEFAULT_ROLE = "member"

# account_key (unique), in the order of keys
KEEP_ACCOUNTS = """
UNWIND $rows AS row
MERGE (a:Account {key: row.key})
ON CREATE SET
  a.namespace = row.namespace, a.value = row.value, a.stated = '{}', a.first_seen = row.at, a.last_seen = row.at
ON MATCH SET
  a.first_seen = CASE WHEN row.at < a.first_seen THEN row.at ELSE a.first_seen END,
  a.last_seen = CASE WHEN row.at > a.last_seen THEN row.at ELSE a.last_seen END
RETURN a.key AS key, a.stated AS stated
"""

# account_key (unique)
STATE_ACCOUNTS = """
UNWIND $rows AS row
MATCH (a:Account {key: row.key})
USING INDEX SEEK a:Account(key)
SET a.stated = row.stated, a.traits = row.traits, a.name = row.name, a.domain = row.domain
"""

# identifier_key and account_key (unique)
KEEP_MEMBERS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (a:Account {key: row.account})
USING INDEX SEEK a:Account(key)
MERGE (i)-[m:MEMBER_OF {role: row.role, source: row.source}]->(a)
ON CREATE SET m.from = row.at, m.last_seen = row.at
ON MATCH SET
  m.from = CASE WHEN row.at < m.from THEN row.at ELSE m.from END,
  m.last_seen = CASE WHEN row.at > m.last_seen THEN row.at ELSE m.last_seen END
"""

# account_key (unique)
KEEP_PARENTS = """
UNWIND $rows AS row
MATCH (child:Account {key: row.child})
USING INDEX SEEK child:Account(key)
MATCH (parent:Account {key: row.parent})
USING INDEX SEEK parent:Account(key)
MERGE (child)-[p:PART_OF {source: row.source}]->(parent)
ON CREATE SET p.first_seen = row.at, p.authority = row.authority
ON MATCH SET
  p.first_seen = CASE WHEN row.at < p.first_seen THEN row.at ELSE p.first_seen END,
  p.authority = CASE WHEN p.authority IN row.weaker THEN row.authority ELSE p.authority END
"""

# account_key (unique), one level at a time
PARTS_AROUND = """
UNWIND $keys AS key
MATCH (a:Account {key: key})-[p:PART_OF]-(:Account)
USING INDEX SEEK a:Account(key)
RETURN DISTINCT startNode(p).key AS child, endNode(p).key AS parent, p.source AS source,
  p.authority AS authority, p.first_seen AS first_seen
"""

# account_key (unique)
JUDGE_PARENTS = """
UNWIND $rows AS row
MATCH (child:Account {key: row.child})-[p:PART_OF]->(parent:Account {key: row.parent})
USING INDEX SEEK child:Account(key)
USING INDEX SEEK parent:Account(key)
SET p.accepted = row.accepted, p.reason = row.reason
"""


async def record_accounts(tx: Transaction, heard: Sequence[Heard]) -> None:
    """Write what the messages say of accounts."""
    said = [(each, each.message.account) for each in heard if each.message.account is not None]
    stated = [(each, account) for each, account in said if account is not None]
    if not stated:
        return
    await _keep_accounts(tx, stated)
    members = [_member(each, account) for each, account in stated if account.member]
    if members:
        await tx.rows(KEEP_MEMBERS, rows=sorted(members, key=lambda row: (str(row["identifier"]), str(row["account"]))))
    parents = [_parent(each, account) for each, account in stated if account.parent]
    if parents:
        await tx.rows(KEEP_PARENTS, rows=sorted(parents, key=lambda row: (str(row["child"]), str(row["parent"]))))
        await _judge(tx, {str(row["child"]) for row in parents})


async def _keep_accounts(tx: Transaction, stated: Sequence[tuple[Heard, AccountStatement]]) -> None:
    facts: dict[str, dict[str, Stated]] = {}
    moments: dict[str, list[int]] = {}
    for each, account in stated:
        own = time_of(each.message)
        said = {name: Stated(value, own, each.message.id) for name, value in account.traits.items()}
        facts[account.key] = latest(facts.get(account.key, {}), said)
        for key in (account.key, account.parent) if account.parent else (account.key,):
            moments.setdefault(key, []).append(own)
    rows = [
        {"key": key, "namespace": key.partition(":")[0], "value": key.partition(":")[2], "at": moment}
        for key in sorted(moments)
        for moment in sorted({min(moments[key]), max(moments[key])})
    ]
    stored = {row["key"]: row["stated"] for row in await tx.rows(KEEP_ACCOUNTS, rows=rows)}
    changed = [_stated_row(key, stored[key], said) for key, said in sorted(facts.items()) if said]
    if changed:
        await tx.rows(STATE_ACCOUNTS, rows=changed)


def _stated_row(key: str, stored: str, said: dict[str, Stated]) -> dict[str, object]:
    now = latest({name: Stated(**each) for name, each in msgspec.json.decode(stored).items()}, said)
    traits: dict[str, Json] = {name: each.value for name, each in sorted(now.items()) if each.value is not None}
    return {
        "key": key,
        "stated": msgspec.json.encode(now).decode(),
        "traits": canonical(traits),
        "name": _text(traits.get("name")),
        "domain": _text(traits.get("domain")),
    }


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _member(each: Heard, account: AccountStatement) -> dict[str, object]:
    return {
        "identifier": each.actor,
        "account": account.key,
        "role": account.role or DEFAULT_ROLE,
        "source": each.message.source,
        "at": micros(each.message.at),
    }


def _parent(each: Heard, account: AccountStatement) -> dict[str, object]:
    return {
        "child": account.key,
        "parent": account.parent,
        "source": each.message.source,
        "authority": each.message.authority.name.lower(),
        "weaker": [name for name, authority in AUTHORITIES.items() if authority < each.message.authority],
        "at": time_of(each.message),
    }


async def _judge(tx: Transaction, keys: set[str]) -> None:
    """Say of each statement around these accounts whether it holds."""
    statements = await parts_around(tx, keys)
    await judge_parents(tx, sorted({(each.child, each.parent) for each in statements}), cycles(statements))


async def judge_parents(
    tx: Transaction, pairs: Iterable[tuple[str, str]], refused: Collection[tuple[str, str]]
) -> None:
    """Write the verdicts on (child, parent) pairs. refused: those that would close a cycle."""
    verdicts = [(pair, part_verdict(pair, refused)) for pair in pairs]
    rows = [
        {"child": child, "parent": parent, "accepted": accepted, "reason": reason}
        for (child, parent), (accepted, reason) in verdicts
    ]
    await tx.rows(JUDGE_PARENTS, rows=rows)


def part_verdict(pair: tuple[str, str], refused: Collection[tuple[str, str]]) -> tuple[bool, str | None]:
    """Whether a (child, parent) statement holds, and why not."""
    return (False, "cycle") if pair in refused else (True, None)


async def parts_around(tx: Transaction, keys: set[str]) -> list[PartOf]:
    """All statements of the hierarchies that these accounts stand in."""
    seen: set[str] = set()
    found: dict[tuple[str, str, str], PartOf] = {}
    waiting = keys
    while waiting:
        seen |= waiting
        for row in await tx.rows(PARTS_AROUND, keys=sorted(waiting)):
            statement = PartOf(row["child"], row["parent"], AUTHORITIES[row["authority"]], row["first_seen"])
            found[row["child"], row["parent"], row["source"]] = statement
        waiting = {end for each in found.values() for end in (each.child, each.parent)} - seen
    return list(found.values())
