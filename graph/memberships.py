"""Accounts as a batch states them: facts, members, and who is part of whom."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from graph.connection import Transaction
from graph.links import AUTHORITIES
from graph.locks import StartAgainError
from graph.tombstones import PSEUDONYMS
from identity.accounts import PartOf, Stated, cycles, latest
from identity.evidence import Heard, time_of
from identity.messages import AccountStatement, Json, micros
from identity.survivorship import canonical
from insight.suggestions import mail_domain

DEFAULT_ROLE = "member"

# account_key (unique), in the order of keys; how many pseudonyms there are once the last one is locked, counted once in
# all, since a transaction that counts goes through all that it has written
KEEP_ACCOUNTS = f"""
UNWIND $rows AS row
MERGE (a:Account {{key: row.key}})
ON CREATE SET
  a.namespace = row.namespace, a.value = row.value, a.stated = '{{}}', a.first_seen = row.at, a.last_seen = row.at
ON MATCH SET
  a.first_seen = CASE WHEN row.at < a.first_seen THEN row.at ELSE a.first_seen END,
  a.last_seen = CASE WHEN row.at > a.last_seen THEN row.at ELSE a.last_seen END
WITH collect([a.key, a.stated]) AS stated
RETURN stated, {PSEUDONYMS} AS pseudonyms
"""

# account_key (unique)
STATE_ACCOUNTS = """
UNWIND $rows AS row
MATCH (a:Account {key: row.key})
USING INDEX SEEK a:Account(key)
SET a.stated = row.stated, a.traits = row.traits, a.name = row.name, a.domain = row.domain,
  a.mail_domain = row.mail_domain
"""

# identifier_key and account_key (unique)
KEEP_MEMBERS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (a:Account {key: row.account})
USING INDEX SEEK a:Account(key)
MERGE (i)-[m:MEMBER_OF {role: row.role, source: row.source}]->(a)
ON CREATE SET
  m.from = row.at, m.last_seen = row.at, m.recorded_at = $now, m.last_recorded_at = $now,
  m.who = i.key, m.of = a.key, m.mint = i.mint
ON MATCH SET
  m.last_recorded_at = CASE
    WHEN $now > coalesce(m.last_recorded_at, m.recorded_at) THEN $now
    ELSE coalesce(m.last_recorded_at, m.recorded_at)
  END,
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

# account_key (unique), one level at a time: what each is merged with, and the statements about them all
PARTS_AROUND = """
UNWIND $keys AS key
MATCH (asked:Account {key: key})
USING INDEX SEEK asked:Account(key)
OPTIONAL MATCH (asked)-[:MERGED_INTO]->(head:Account)
WITH DISTINCT coalesce(head, asked) AS head
MATCH (head)<-[:MERGED_INTO*0..1]-(a:Account)
RETURN a.key AS key, head.key AS head, [(a)-[p:PART_OF]-(:Account) | {
  child: startNode(p).key, parent: endNode(p).key, source: p.source, authority: p.authority, first_seen: p.first_seen,
  accepted: p.accepted, reason: p.reason
}] AS parts
"""

# account_key (unique); the write is the lock
LOCK_ACCOUNTS = """
UNWIND $keys AS key
MATCH (a:Account {key: key})
USING INDEX SEEK a:Account(key)
SET a.touched = $now
RETURN count(a) AS found
"""

# account_key (unique)
JUDGE_PARENTS = """
UNWIND $rows AS row
MATCH (child:Account {key: row.child})-[p:PART_OF]->(parent:Account {key: row.parent})
USING INDEX SEEK child:Account(key)
USING INDEX SEEK parent:Account(key)
SET p.accepted = row.accepted, p.reason = row.reason
"""


@dataclass(slots=True)
class Hierarchy:
    """The hierarchies around some accounts. heads: what each account met goes by; verdicts: as they are stored."""

    heads: dict[str, str] = field(default_factory=dict)
    statements: dict[tuple[str, str, str], PartOf] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], set[tuple[bool | None, str | None]]] = field(default_factory=dict)


async def record_accounts(
    tx: Transaction, heard: Sequence[Heard], pseudonyms: int, now: int
) -> frozenset[tuple[str, str]]:
    """Write what the messages say of accounts; the (child, parent) statements among theirs that close a cycle.

    pseudonyms: how many accounts and things had one when the batch began; StartAgainError when there are more once the
    accounts are locked, since an erasure may have given one to any of these.
    """
    said = [(each, each.message.account) for each in heard if each.message.account is not None]
    stated = [(each, account) for each, account in said if account is not None]
    if not stated:
        return frozenset()
    await _keep_accounts(tx, stated, pseudonyms)
    members = [_member(each, account) for each, account in stated if account.member]
    if members:
        rows = sorted(members, key=lambda row: (str(row["identifier"]), str(row["account"])))
        await tx.rows(KEEP_MEMBERS, rows=rows, now=now)
    parents = [_parent(each, account) for each, account in stated if account.parent]
    if not parents:
        return frozenset()
    await tx.rows(KEEP_PARENTS, rows=sorted(parents, key=lambda row: (str(row["child"]), str(row["parent"]))))
    refused = await judge_around(tx, {str(row["child"]) for row in parents}, now)
    return refused & {(str(row["child"]), str(row["parent"])) for row in parents}


async def _keep_accounts(tx: Transaction, stated: Sequence[tuple[Heard, AccountStatement]], pseudonyms: int) -> None:
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
    kept = (await tx.rows(KEEP_ACCOUNTS, rows=rows))[0]
    if kept["pseudonyms"] > pseudonyms:
        raise StartAgainError
    stored = dict(kept["stated"])
    changed = [stated_row(key, stored[key], said) for key, said in sorted(facts.items()) if said]
    if changed:
        await tx.rows(STATE_ACCOUNTS, rows=changed)


def stated_row(key: str, stored: str, said: Mapping[str, Stated]) -> dict[str, object]:
    """The properties of an account that follow from what was stated of it before and now. stored: as JSON text."""
    now = latest({name: Stated(**each) for name, each in msgspec.json.decode(stored).items()}, said)
    traits: dict[str, Json] = {name: each.value for name, each in sorted(now.items()) if each.value is not None}
    return {
        "key": key,
        "stated": msgspec.json.encode(now).decode(),
        "traits": canonical(traits),
        "name": _text(traits.get("name")),
        "domain": _text(traits.get("domain")),
        "mail_domain": mail_domain(_text(traits.get("domain"))),
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
        "authority": each.message.authority.word,
        "weaker": [name for name, authority in AUTHORITIES.items() if authority < each.message.authority],
        "at": time_of(each.message),
    }


async def judge_around(tx: Transaction, keys: Collection[str], now: int) -> frozenset[tuple[str, str]]:
    """Say of each statement in the hierarchies of these accounts whether it holds; those that do not. now: µs, a lock.

    All their accounts are locked first: two writers that each see half of a cycle wait, or one of them begins again.
    """
    locked: set[str] = set()
    while True:
        around = await hierarchy_of(tx, keys)
        missing = sorted(around.heads.keys() - locked)
        if not missing:
            break
        await tx.rows(LOCK_ACCOUNTS, keys=missing, now=now)
        locked |= set(missing)
    refused = cycles(around.statements.values(), around.heads)
    changed = [pair for pair, stored in around.verdicts.items() if stored != {part_verdict(pair, refused)}]
    if changed:
        await judge_parents(tx, sorted(changed), refused)
    return refused


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


async def hierarchy_of(tx: Transaction, keys: Collection[str]) -> Hierarchy:
    """The hierarchies that these accounts stand in; accounts that are merged stand where each of them stands."""
    found = Hierarchy()
    waiting = set(keys)
    while waiting:
        for row in await tx.rows(PARTS_AROUND, keys=sorted(waiting)):
            found.heads[row["key"]] = row["head"]
            for part in row["parts"]:
                _take_part(found, part)
        ends = {end for pair in found.verdicts for end in pair}
        waiting = ends - found.heads.keys()
    return found


def _take_part(found: Hierarchy, row: Mapping[str, object]) -> None:
    child, parent, source = str(row["child"]), str(row["parent"]), str(row["source"])
    statement = PartOf(child, parent, AUTHORITIES[str(row["authority"])], int(str(row["first_seen"])))
    found.statements[child, parent, source] = statement
    verdict = (row["accepted"], row["reason"])
    found.verdicts.setdefault((child, parent), set()).add(verdict)  # type: ignore[arg-type]  # as JUDGE_PARENTS wrote
