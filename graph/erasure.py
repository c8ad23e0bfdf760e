"""Erasing a person or an identifier: nothing of the values stays readable, and nothing brings them back.

A small erasure is one transaction; a dry run is the very same transaction, rolled back. A large one first takes
interactions and mentions away in bounded transactions, under an intent that names mints alone, and the transaction that
ends it removes the intent; whoever finds an intent that nobody has touched for a minute goes on with it. An erasure is
done when its last transaction is: what came in until then goes, too.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.connection import Reader, Row, Transaction, Writer
from graph.erasure_reading import (
    Gone,
    Mentions,
    carried_near,
    goes,
    interactions_going,
    mentions_of,
    partners_of,
    shared_devices_near,
)
from graph.erasure_writing import (
    Burying,
    bury,
    discount,
    drop_interactions,
    leave_devices,
    profiles_of,
    refresh_devices,
    remember,
    settle_requests,
    stitch_rest,
)
from graph.errors import DatabaseAwayError, ErasureKeyError, PolicyApplyingError
from graph.failures import kind_of
from graph.genericity import recount
from graph.locks import LOCK, StartAgainError, begun_again, lock, tried
from graph.people import Person, people_in
from graph.policies import PolicyHeld, begin
from graph.policy_state import refuse_while_applying
from graph.regions import Change
from graph.scrubbing import Scrubbed, Scrubbing
from graph.stitcher import Stitched
from graph.tombstones import keep_key_check, unsuppress
from graph.views import refresh_traits
from identity.erasure import Hashing, Mode, Named, Scope, Scrub, also_known_as
from identity.identifiers import IdentifierKey, ProfileId

AT_ONCE = 1_000  # interactions or mentions in one transaction
MOST_TRIED = 20  # times so many interactions a dry run deletes and rolls back; of more it counts them alone
MOST_SHOWN = 100
ABANDONED = 60_000_000  # µs without a sign of life


class Doors(Protocol):
    """Both doors to the graph."""

    @property
    def reader(self) -> Reader:
        """For what is looked at."""
        ...

    @property
    def writer(self) -> Writer:
        """For what is changed."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be erased: an identifier, or the whole profile that it belongs to. by: who asks."""

    key: IdentifierKey
    mode: Mode = Mode.DELETE
    scope: Scope = Scope.PROFILE
    by: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every step needs. now: µs. at_once: how much one transaction takes."""

    held: PolicyHeld
    hashing: Hashing
    now: int
    at_once: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an erasure took.

    identifiers: that are gone, with their mints; nothing when none was known, and then only a tombstone stays.
    profiles: that are gone or lost one of them. interactions: that are gone. acts, observations: that went with them.
    scrubbed: records of others from which values were taken. after: the people who are left of the profiles and of
    those linked to them, at most a hundred. pending: what is left is so large that it is stitched in the background.
    policies: versions of the policy whose texts name a value and stay as they are, since they are in force.
    """

    identifiers: tuple[tuple[IdentifierKey, str], ...]
    profiles: tuple[ProfileId, ...]
    interactions: int
    observations: int
    acts: int
    scrubbed: int
    after: tuple[Person, ...]
    pending: bool
    policies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of erasures that were interrupted. failed: the ids of those that cannot be ended, with the reason."""

    done: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """An erasure as its transactions see it.

    mints: of exactly those that go, the asked one first; None while nothing is written yet. intent: its id, where there
    is one. count: interactions are counted, not deleted. dry: nothing is written.
    """

    request: Request
    mentions: Mentions
    mints: tuple[str, ...] | None = None
    intent: str | None = None
    count: bool = False
    dry: bool = False


# erasure_id (unique): one row
KEEP_INTENT = """
MERGE (e:Erasure {id: $id})
ON CREATE SET e += $facts, e.interactions = 0, e.scrubbed = 0
SET e.touched_at = $now
"""

# erasure_id (unique): one row
ADVANCE_INTENT = """
MATCH (e:Erasure {id: $id})
USING INDEX SEEK e:Erasure(id)
SET e.interactions = e.interactions + $interactions, e.scrubbed = e.scrubbed + $scrubbed, e.touched_at = $now
RETURN e.id AS id
"""

# erasure_id (unique): one row
END_INTENT = """
MATCH (e:Erasure {id: $id})
USING INDEX SEEK e:Erasure(id)
WITH e, e.interactions AS interactions, e.scrubbed AS scrubbed
DELETE e
RETURN interactions, scrubbed
"""

# a label scan: those that are under way or were interrupted
INTENTS = """
MATCH (e:Erasure)
WHERE e.touched_at <= $before
RETURN e.id AS id, e.mints AS mints, e.mode AS mode, e.scope AS scope, e.by AS by
ORDER BY id
"""


async def erase(graph: Doors, request: Request, tools: Tools, *, dry: bool = False) -> Outcome:
    """Erase, and leave tombstones; twice is once. dry: write nothing, and answer what would go.

    Raises ErasureKeyError when another key erased before, PolicyApplyingError, DatabaseAwayError; an erasure that was
    cut off is finished by the next `finish_erasures`. Cost: the interactions that go, and a look at every interaction
    and observation for values that are mentioned elsewhere.
    """
    gone = await goes(graph.reader, request.key, None, whole=request.scope is Scope.PROFILE)
    keys = [each.key for each in gone] or [request.key]
    mentions = await mentions_of(graph.reader, keys, tools.held.policy)
    size = mentions.count + len(await _going(graph, gone, request, tools.at_once + 1))
    part = _Part(request, mentions, dry=dry)
    if size <= tools.at_once:
        return await _ended(graph, part, tools)
    if dry:
        tried = await _going(graph, gone, request, MOST_TRIED * tools.at_once + 1)
        return await _ended(graph, replace(part, count=len(tried) > MOST_TRIED * tools.at_once), tools)
    first = sorted(gone, key=lambda each: not _is_asked(each, request))
    intent = f"{tools.now:016d}-{secrets.token_hex(6)}"
    part = replace(part, mints=tuple(each.mint for each in first), intent=intent)
    await graph.writer.write(_begin_intent, part, keys, tools)
    return await _in_parts(graph, part, tools)


async def finish_erasures(graph: Doors, tools: Tools, *, at_once: bool = False) -> Finished:
    """Go on with erasures that were interrupted. at_once: also with those touched a moment ago.

    One that cannot be ended holds up none of the others. What holds them all up is raised: DatabaseAwayError,
    PolicyApplyingError, ErasureKeyError.
    """
    before = tools.now if at_once else tools.now - ABANDONED
    done, failed = 0, []
    for row in await graph.reader.rows(INTENTS, before=before):
        try:
            await _go_on(graph, row, tools)
        except (DatabaseAwayError, PolicyApplyingError, ErasureKeyError):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever stops one, somebody else waits behind it
            failed.append((row["id"], kind_of(error)))
        else:
            done += 1
    return Finished(done, tuple(failed))


async def _go_on(graph: Doors, row: Row, tools: Tools) -> None:
    gone = await goes(graph.reader, IdentifierKey(""), row["mints"], whole=False)
    first = {each.mint: each.key for each in gone}
    asked = first.get(row["mints"][0], IdentifierKey(""))
    request = Request(asked, Mode(row["mode"]), Scope(row["scope"]), row["by"])
    mentions = await mentions_of(graph.reader, [each.key for each in gone], tools.held.policy)
    await _in_parts(graph, _Part(request, mentions, tuple(row["mints"]), row["id"]), tools)


async def unsuppressed(
    graph: Doors, asked: Sequence[Named], hashing: Hashing, by: str, now: int
) -> list[IdentifierKey]:
    """Let these identifiers begin afresh: what is older than their erasure stays out. Those that were suppressed.

    by: who asks; now: µs. Raises ErasureKeyError, PolicyApplyingError.
    """
    return await graph.writer.write(_unsuppress, asked, hashing, by, now)


async def _unsuppress(
    tx: Transaction, asked: Sequence[Named], hashing: Hashing, by: str, now: int
) -> list[IdentifierKey]:
    await refuse_while_applying(tx)
    await keep_key_check(tx, hashing)
    found = await unsuppress(tx, asked, hashing)
    if found:
        facts = {"mode": "unsuppress", "count": len(found)}
        await log(tx, Entry(ChangeKind.ERASED, Cause(CauseKind.ERASURE, by), facts, ends=found), now)
    return found


async def unfinished(graph: Doors) -> int:
    """How many erasures are under way or were interrupted."""
    return len(await graph.reader.rows(INTENTS, before=2**62))


async def _begin_intent(tx: Transaction, part: _Part, keys: Sequence[IdentifierKey], tools: Tools) -> None:
    """Leave the tombstones with the intent: who comes meanwhile stays out, and no other erasure loses the mode."""
    policy = (await begin(tx, tools.held)).policy
    await keep_key_check(tx, tools.hashing)
    request = part.request
    facts = {"mints": list(part.mints or ()), "mode": request.mode.value, "scope": request.scope.value}
    await remember(tx, {*keys, request.key}, (), request.mode, Burying(tools.hashing, policy, tools.now))
    await tx.rows(KEEP_INTENT, id=part.intent, facts={**facts, "by": request.by, "at": tools.now}, now=tools.now)


async def _going(graph: Doors, gone: Sequence[Gone], request: Request, most: int) -> list[str]:
    return await interactions_going(graph.reader, [each.key for each in gone], _whose(gone, request), most)


def _whose(gone: Sequence[Gone], request: Request) -> list[ProfileId]:
    """The profile whose interactions on shared devices go, too: the one that was asked for, where it is a person's."""
    if request.scope is Scope.IDENTIFIER:
        return []
    return [each.profile for each in gone if _is_asked(each, request) and each.profile and not each.generic]


def _is_asked(gone: Gone, request: Request) -> bool:
    """Whether it is what was asked for, or the address that the asked hash is of."""
    return request.key in also_known_as(gone.key)


async def _in_parts(graph: Doors, part: _Part, tools: Tools) -> Outcome:
    gone = await goes(graph.reader, part.request.key, part.mints, whole=False)
    while len(ids := await _going(graph, gone, part.request, tools.at_once)) == tools.at_once:
        await begun_again(graph.writer, _drop_part, ids, part, tools)
    for label, found in part.mentions.found.items():
        for start in range(0, len(found), tools.at_once):
            some = found[start : start + tools.at_once]
            await begun_again(graph.writer, _scrub_part, label, some, gone, part, tools)
    return await _ended(graph, replace(part, mentions=Mentions()), tools)


async def _drop_part(tx: Transaction, ids: Sequence[str], part: _Part, tools: Tools) -> None:
    await begin(tx, tools.held)
    await leave_devices(tx, await drop_interactions(tx, ids, tools.hashing))
    await tx.rows(ADVANCE_INTENT, id=part.intent, interactions=len(ids), scrubbed=0, now=tools.now)


async def _scrub_part(
    tx: Transaction, label: str, found: Sequence[str], gone: Sequence[Gone], part: _Part, tools: Tools
) -> None:
    policy = (await begin(tx, tools.held)).policy
    scrub = Scrub(frozenset(each.key for each in gone), policy)
    work = Scrubbing(tx, scrub, tools.hashing, Scrubbed(), tools.now)
    await work.records(label, found)
    await refresh_traits(tx, work.done.profiles, policy)
    await leave_devices(tx, work.done.devices)
    await tx.rows(ADVANCE_INTENT, id=part.intent, interactions=0, scrubbed=work.done.count, now=tools.now)


async def _ended(graph: Doors, part: _Part, tools: Tools) -> Outcome:
    return await tried(graph.writer, partial(_end, part=part, tools=tools), keep=lambda _: not part.dry)


async def _end(tx: Transaction, part: _Part, tools: Tools) -> Outcome:
    """The transaction that erases; what it says of a dry run is what it would have done."""
    policy = (await begin(tx, tools.held)).policy
    await keep_key_check(tx, tools.hashing)
    change = Change(Cause(CauseKind.ERASURE, part.request.by), additive=False, decided=True)
    gone = await _locked(tx, part, change, tools.now)
    keys = tuple(each.key for each in gone)
    scrub = Scrub(frozenset(keys or (part.request.key,)), policy)
    work = Scrubbing(tx, scrub, tools.hashing, Scrubbed(), tools.now)
    devices, interactions = await _records(tx, part, gone, change, work, tools)
    asked = () if part.intent else (part.request.key,)
    buried = await bury(tx, {*keys, *asked}, tools.now)
    await remember(tx, {*keys, *asked}, gone, part.request.mode, Burying(tools.hashing, policy, tools.now))
    await settle_requests(tx, {*keys, part.request.key}, part.request.by, tools.now)
    change.emptied |= profiles_of(gone)
    stitched = await stitch_rest(tx, change, policy, tools.now)
    await refresh_traits(tx, work.done.profiles - stitched.gone, policy)
    await refresh_devices(tx, devices | work.done.devices, keys, policy)
    earlier = await tx.rows(END_INTENT, id=part.intent) if part.intent else []
    outcome = Outcome(
        identifiers=tuple((each.key, each.mint) for each in gone),
        profiles=tuple(sorted(profiles_of(gone))),
        interactions=interactions + sum(row["interactions"] for row in earlier),
        observations=buried.observations,
        acts=buried.acts,
        scrubbed=work.done.count + sum(row["scrubbed"] for row in earlier),
        after=await people_in(tx, _shown(stitched)),
        pending=stitched.pending,
        policies=tuple(sorted(work.done.policies)),
    )
    await _log(tx, part.request, outcome, _losing(gone, stitched), max(tools.now, stitched.at))
    return outcome


async def _locked(tx: Transaction, part: _Part, change: Change, now: int) -> tuple[Gone, ...]:
    """The identifiers that go, under their locks: whoever writes to one of them waits, and then finds its tombstone."""
    whole = part.request.scope is Scope.PROFILE
    seen = await goes(tx, part.request.key, part.mints, whole=whole)
    await lock(tx, change, [each.key for each in seen], now)
    if not seen and not part.intent:
        # Seeking a unique key in a statement that writes locks its place in the index even where nobody has it.
        (row,) = await tx.rows(LOCK, keys=[part.request.key], now=now)
        if row["found"]:
            raise StartAgainError
    gone = await goes(tx, part.request.key, part.mints, whole=whole)
    if [each.key for each in gone] != [each.key for each in seen]:
        raise StartAgainError
    return gone


async def _records(
    tx: Transaction, part: _Part, gone: Sequence[Gone], change: Change, work: Scrubbing, tools: Tools
) -> tuple[set[IdentifierKey], int]:
    """Interactions dropped, mentions scrubbed, who must be stitched noted; shared devices met, and how many went."""
    keys = [each.key for each in gone]
    profiles = _whose(gone, part.request)
    partners = await partners_of(tx, keys)
    change.ends |= partners | set(keys)
    await recount(tx, change, work.scrub.policy, tools.now)
    for key in keys:
        change.stored.pop(key, None)
    change.ends.difference_update(keys)
    change.recounted.difference_update(keys)
    ids = await interactions_going(tx, keys, profiles, 2**31)
    devices = await shared_devices_near(tx, sorted(partners), sorted(profiles_of(gone)))
    if part.count:
        await discount(tx, ids)
    else:
        devices |= await drop_interactions(tx, ids, tools.hashing)
    await work.interactions(await carried_near(tx, keys, sorted(partners)))
    for label, found in part.mentions.found.items():
        await work.records(label, found)
    await work.versions()
    return devices, len(ids)


def _shown(stitched: Stitched) -> list[ProfileId]:
    return sorted(each.id for each in stitched.clusters)[:MOST_SHOWN]


def _losing(gone: Sequence[Gone], stitched: Stitched) -> list[ProfileId]:
    """The profiles that lost an identifier, and those that the identifiers which stay belong to now."""
    lost = profiles_of(gone)
    now = {each.id for each in stitched.clusters if any(stitched.before.get(key) in lost for key in each.members)}
    return sorted(lost | now)


async def _log(tx: Transaction, request: Request, outcome: Outcome, losing: Sequence[ProfileId], now: int) -> None:
    facts = {
        "mints": [mint for _, mint in outcome.identifiers],
        "before": list(outcome.profiles),
        "mode": request.mode.value,
        "scope": request.scope.value,
        "interactions": outcome.interactions,
        "observations": outcome.observations,
        "scrubbed": outcome.scrubbed,
    }
    await log(tx, Entry(ChangeKind.ERASED, Cause(CauseKind.ERASURE, request.by), facts, profiles=losing), now)
