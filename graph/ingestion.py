"""A batch of messages, committed: identifiers, interactions, links, traits, accounts, and the people they make.

One batch is one transaction. Known message ids drop out first; then the identifiers are written, and so locked, in the
order of their keys; then what the messages say is recorded, and only if a link is new, was seen earlier or gained
authority is anything stitched. Two processes may get the same retry: the second one meets the unique message id and
begins again, and then finds the message known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from graph.aliases import moved_aliases, said_aliases
from graph.audit import Cause, CauseKind
from graph.connection import Transaction, Writer
from graph.evidence import record_links
from graph.genericity import recount
from graph.locks import StartAgainError, begun_again, tried
from graph.memberships import record_accounts
from graph.policies import Begun, PolicyHeld, begin, held_of
from graph.recording import record_interactions, record_observations, record_things
from graph.regions import Change, stored_identifier
from graph.stitcher import stitch_change
from graph.tombstones import REMEMBERED, Admitted, admitted
from graph.views import refresh_views
from identity.erasure import Hashing
from identity.evidence import Heard, hear, sha256_of, time_of
from identity.identifiers import Identifier, IdentifierKey
from identity.messages import Message, MessageId, Rejection, Warned, micros
from identity.policy import Policy
from identity.stitching import overrides_said
from identity.warnings import Found, warnings_of
from insight.suggestions import folded

Mint = Callable[[], str]


class Status(StrEnum):
    """What became of one message."""

    COMMITTED = "committed"
    REPEAT = "repeat"
    REPEAT_DIFFERS = "repeat_differs"
    REJECTED = "rejected"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, and what was wrong in it all the same."""

    status: Status
    warnings: tuple[Warned, ...] = ()
    rejection: Rejection | None = None


# identifier_key (unique), in the order of keys; the write is the lock; acts and the erased are counted once all rows
# are locked, and once in all, since a transaction that counts goes through all that it has written
# What is known as a previousId alone has the moments of its aliases until a message carries it itself.
KEEP_IDENTIFIERS = f"""
UNWIND $rows AS row
MERGE (i:Identifier {{key: row.key}})
ON CREATE SET
  i:$(row.role),
  i.namespace = row.namespace, i.value = row.value, i.mint = row.mint, i.minted_at = row.minted_at,
  i.first_seen = row.first_seen, i.last_seen = row.last_seen, i.interactions = row.interactions,
  i.sighted = true, i.minted_by = row.message,
  i.sha256 = row.sha256, i.folded = row.folded, i.mail_domain = row.mail_domain
ON MATCH SET
  i.first_seen = CASE WHEN i.sighted AND i.first_seen < row.first_seen THEN i.first_seen ELSE row.first_seen END,
  i.last_seen = CASE WHEN i.sighted AND i.last_seen > row.last_seen THEN i.last_seen ELSE row.last_seen END,
  i.interactions = i.interactions + row.interactions,
  i.sighted = true
WITH i
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
WITH collect({{
  key: i.key, mint: i.mint, minted_at: i.minted_at, generic: i.generic, profile: p.id, moved_at: i.moved_at
}}) AS identifiers
RETURN identifiers, COUNT {{ (:Act) }} AS acts, {REMEMBERED} AS remembered
"""

# identifier_key (unique), then an expand to the profile and one to its identifiers; the write is the lock
LOCK_NEAR = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
WITH collect(key) AS known, collect(DISTINCT p) AS people
CALL (people) {
  UNWIND people AS p
  MATCH (p)<-[:IDENTIFIES]-(member:Identifier)
  RETURN p, min(member.key) AS smallest
}
WITH known, collect(smallest) AS smallest
UNWIND known + smallest AS key
WITH DISTINCT key
ORDER BY key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
SET i.touched = $now
RETURN key
"""

# interaction_id (unique)
FLAG_REPEATS = """
UNWIND $ids AS id
MATCH (i:Interaction {id: id})
USING INDEX SEEK i:Interaction(id)
SET i.repeated_differently = coalesce(i.repeated_differently, 0) + 1
"""


async def commit_batch(
    writer: Writer,
    messages: Sequence[Message],
    policy: Policy | PolicyHeld,
    mint: Mint,
    now: datetime,
    *,
    hashing: Hashing | None = None,
) -> tuple[Outcome, ...]:
    """Commit messages in one transaction; the outcomes stand in the same order.

    May run twice: a message whose id is known changes nothing. policy: what the process knows; the version in force
    rules. mint: gives a new opaque id at each call; now: when the batch is recorded; hashing: how the erased are known
    again. Raises DatabaseAwayError, PolicyApplyingError and ErasureKeyError, and then nothing of the batch is written.
    """
    return await begun_again(writer, commit_in, messages, held_of(policy), mint, micros(now), hashing)


async def try_batch(
    writer: Writer,
    messages: Sequence[Message],
    policy: Policy | PolicyHeld,
    mint: Mint,
    now: datetime,
    *,
    hashing: Hashing | None = None,
) -> tuple[Outcome, ...]:
    """What `commit_batch` would answer: the very transaction, rolled back. Raises what that raises."""

    async def work(tx: Transaction) -> tuple[Outcome, ...]:
        return await commit_in(tx, messages, held_of(policy), mint, micros(now), hashing)

    return await tried(writer, work, keep=lambda _: False)


async def commit_in(
    tx: Transaction, messages: Sequence[Message], held: PolicyHeld, mint: Mint, now: int, hashing: Hashing | None
) -> tuple[Outcome, ...]:
    """As `commit_batch`, in a transaction of somebody else. now: µs. Raises StartAgainError as well."""
    begun = await begin(tx, held, sorted({each.id for each in messages}))
    policy = begun.policy
    sorted_out = _sort_out(messages, dict(begun.known), policy)
    let_in = Admitted(sorted_out.heard, frozenset())
    if begun.remembered and let_in.heard:
        let_in = await admitted(tx, sorted_out.heard, policy, hashing)
    refused = await _record(tx, let_in.heard, begun, mint, now) if let_in.heard else {}
    if sorted_out.differing:  # at last, since what is repeated may have come with this very batch
        await tx.rows(FLAG_REPEATS, ids=sorted_out.differing)
    return tuple(
        OUT if message.id in let_in.out else _with_refusals(each, let_in.ids.get(message.id, message.id), refused)
        for each, message in zip(sorted_out.outcomes, messages, strict=True)
    )


OUT = Outcome(Status.ERASED)


@dataclass(slots=True)
class _SortedOut:
    outcomes: list[Outcome] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    differing: list[MessageId] = field(default_factory=list)


def _sort_out(messages: Sequence[Message], known: dict[str, str], policy: Policy) -> _SortedOut:
    """Tell new messages from repeats (also within the batch) and from those that name nobody."""
    found = _SortedOut()
    for message in messages:
        outcome, heard = judged(message, known, policy)
        found.outcomes.append(outcome)
        if heard is not None:
            known[message.id] = message.digest
            found.heard.append(heard)
        elif outcome.status is Status.REPEAT_DIFFERS:
            found.differing.append(message.id)
    return found


def judged(message: Message, known: Mapping[str, str], policy: Policy) -> tuple[Outcome, Heard | None]:
    """What becomes of a message beside those known by id and digest; what it says, where it is new and can be used."""
    if message.id in known:
        same = known[message.id] == message.digest
        return Outcome(Status.REPEAT if same else Status.REPEAT_DIFFERS), None
    heard = hear(message, policy)
    if heard.actor is None and not _of_nobody(message):
        sentence = "none of its identifiers can be used: " + "; ".join(each.sentence for each in heard.warnings)
        rejection = Rejection("no_usable_identifier", message.message_id, sentence, message.message_id)
        return Outcome(Status.REJECTED, heard.warnings, rejection), None
    return Outcome(Status.COMMITTED, heard.warnings), heard


def _of_nobody(message: Message) -> bool:
    """Whether a record describes an organisation or a thing and names nobody, as a row of a CRM's accounts does."""
    if message.sightings:
        return False
    return not message.account.member if message.account is not None else bool(message.about)


def _with_refusals(outcome: Outcome, message: MessageId, refused: Mapping[MessageId, tuple[Warned, ...]]) -> Outcome:
    more = refused.get(message, ()) if outcome.status is Status.COMMITTED else ()
    return replace(outcome, warnings=outcome.warnings + more) if more else outcome


async def _record(
    tx: Transaction, heard: Sequence[Heard], begun: Begun, mint: Mint, now: int
) -> Mapping[MessageId, tuple[Warned, ...]]:
    """Write what the messages say, stitch what they changed, refresh the views they touch; what was said in vain.

    All of it is recorded at one moment, after all that happened before to whom it is about, whatever the clocks say.
    """
    policy, change = begun.policy, Change(_cause(heard))
    found = await _keep_identifiers(tx, heard, policy, mint, change, now)
    if found.remembered > begun.remembered:
        raise StartAgainError  # somebody was erased while this batch waited for a lock
    now = max(now, found.moved_at + 1)
    said = [link for each in heard for link in each.links]
    said += await moved_aliases(tx, change, now)
    said += await said_aliases(tx, heard, change, mint, now)
    links = await record_links(tx, said, change, now)
    if overrides_said(change.links.values(), policy):
        await recount(tx, change, policy, now)
    stitched = await stitch_change(tx, change, policy, now)
    now = max(now, stitched.at)
    await record_interactions(tx, heard, now)
    await record_observations(tx, heard, now)
    await links.write(tx, stitched.verdicts, now)
    await refresh_views(tx, heard, change, stitched, policy)
    tx.told.note(now, touched=found.mints, messages=[each.message.id for each in heard if each.actor])
    cyclic = await record_accounts(tx, heard, begun.pseudonyms, now)
    await record_things(tx, heard, begun.pseudonyms)
    told = Found(stitched.verdicts, cyclic, stitched.clusters, change.new.keys())
    return warnings_of(heard, told, policy)


def _cause(heard: Sequence[Heard]) -> Cause:
    return Cause(CauseKind.MESSAGES, ", ".join(sorted({each.message.source for each in heard})), heard)


@dataclass(frozen=True, slots=True)
class _Locked:
    """What is so once the last identifier is locked: erasures that are remembered, and when one of them last moved.

    mints: of all identifiers of the batch.
    """

    remembered: int
    moved_at: int
    mints: Sequence[str] = ()


async def _keep_identifiers(
    tx: Transaction, heard: Sequence[Heard], policy: Policy, mint: Mint, change: Change, now: int
) -> _Locked:
    """Write and lock the identifiers of a batch.

    Those that are there already are locked first, with one of each person they belong to, in one order of keys: who
    locked the person later, beside what another batch holds, would wait for that one and it for her.
    """
    rows = _identifier_rows(heard, policy, mint, now)
    near = await tx.rows(LOCK_NEAR, keys=[row["key"] for row in rows], now=now)
    change.locked |= {IdentifierKey(row["key"]) for row in near}
    minted = {row["key"]: row["mint"] for row in rows}
    moved_at = 0
    kept = (await tx.rows(KEEP_IDENTIFIERS, rows=rows))[0]
    change.decided = change.decided or (bool(rows) and kept["acts"] > 0)
    for row in kept["identifiers"]:
        if row["mint"] is None:  # MERGE had found it when an erasure that was under way deleted it
            raise StartAgainError
        moved_at = max(moved_at, row["moved_at"] or 0)
        found = stored_identifier(row)
        change.locked.add(found.known.key)
        if found.known.mint == minted[found.known.key]:
            change.new[found.known.key] = found.known
            change.ends.add(found.known.key)
        else:
            change.stored[found.known.key] = found
    return _Locked(kept["remembered"], moved_at, [row["mint"] for row in kept["identifiers"]])


def _identifier_rows(heard: Sequence[Heard], policy: Policy, mint: Mint, now: int) -> list[dict[str, object]]:
    """A row for each distinct identifier, in the order of keys; mints are handed out in the order of messages.

    The moments of minting within a batch are told apart by a microsecond, so that the order is on record.
    """
    rows: dict[IdentifierKey, dict[str, object]] = {}
    first: dict[IdentifierKey, int] = {}
    last: dict[IdentifierKey, int] = {}
    acted: dict[IdentifierKey, int] = {}
    for each in heard:
        own = time_of(each.message)
        for identifier in each.identifiers:
            key = identifier.key
            if key not in rows:
                rows[key] = {**_identifier_row(identifier, policy, mint(), now + len(rows)), "message": each.message.id}
            first[key] = min(own, first.get(key, own))
            last[key] = max(own, last.get(key, own))
        if each.actor is not None:
            acted[each.actor] = acted.get(each.actor, 0) + 1
    return [
        {**rows[key], "first_seen": first[key], "last_seen": last[key], "interactions": acted.get(key, 0)}
        for key in sorted(rows)
    ]


def _identifier_row(identifier: Identifier, policy: Policy, mint: str, now: int) -> dict[str, object]:
    return {
        "key": identifier.key,
        "namespace": identifier.namespace,
        "value": identifier.value,
        "role": policy.namespace(identifier.namespace).role.value,
        "mint": mint,
        "minted_at": now,
        **found_by(identifier.namespace, identifier.value),
    }


def found_by(namespace: str, value: str) -> dict[str, str | None]:
    """What an email address is found by besides its key; other identifiers have none of it."""
    if namespace != "email":
        return {"sha256": None, "folded": None, "mail_domain": None}
    fold, (_, at, domain) = folded(value), value.rpartition("@")
    return {
        "sha256": sha256_of(value),
        "folded": fold if fold != value else None,
        "mail_domain": domain if at else None,
    }
