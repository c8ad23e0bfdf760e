"""A version of the policy, applied: the whole stored history becomes what it would be, had it always been in force.

The state `applying` is in the graph, and every unit of work that writes asks for it first. So once the transactions
that had begun before are over, nothing else is written, while everything is read all the while. Then the evidence is
written where the messages say something else, the views where they do not follow from the evidence, and last of all
the version is in force. Every step asks the graph what is left to do: killed anywhere, the same call finishes it.

The report is kept before anything but the state is written. So while there is none, whatever goes wrong ends as if
nobody had tried: the version is taken away again, and writers go on.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import anyio

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.connection import WRITES, Connection, Reader, Row, Transaction, Writer
from graph.errors import ErasuresOpenError, PolicyApplyingError, PolicyWrittenError, TransactionsOpenError
from graph.namespaces import DECLARED, declared_namespaces, namespace_from
from graph.policies import State, read_policy
from graph.rebuild import rebuild
from graph.rehearing import Hand, Reheard, reheard, write_evidence
from graph.simulating import check_declared, report_text, simulate
from identity.differences import hears_alike
from identity.identifiers import ProfileId
from identity.messages import micros
from identity.policy import Policy

OVER_SECONDS = 60
LOOK_SECONDS = 0.05
AWAY_SECONDS = 10
CHUNK = 1_000

# a label scan: a few nodes; the write to the version in force is a lock, so that two do not begin at once
LOCK_VERSIONS = """
MATCH (v:PolicyVersion {state: 'in_force'})
SET v.touched = $now
WITH v
MATCH (any:PolicyVersion)
RETURN any.number AS number, any.state AS state, any.hash AS hash, any.text AS text, any.by AS by,
  any.note AS note, any.report AS report
ORDER BY number
"""

# policy_version_number (unique)
BEGIN_VERSION = """
MERGE (v:PolicyVersion {number: $number})
SET v += $facts
"""

# policy_version_number (unique)
KEEP_REPORT = """
MATCH (v:PolicyVersion {number: $number})
USING INDEX SEEK v:PolicyVersion(number)
SET v.report = $report
"""

# policy_version_number (unique); a label scan: a few nodes
PUT_IN_FORCE = """
MATCH (v:PolicyVersion {number: $number, state: 'applying'})
USING INDEX SEEK v:PolicyVersion(number)
SET v.state = 'in_force', v.in_force_at = $now
WITH v
MATCH (old:PolicyVersion {state: 'in_force'})
WHERE old.number < v.number
SET old.state = 'past', old.past_at = $now
RETURN v.number AS number
"""

# no index: the transactions that are open, not data
OPEN = """
SHOW TRANSACTIONS
YIELD database, transactionId, metaData
WHERE database = $database
RETURN transactionId AS id, metaData.applying AS token, metaData.selfsame AS may
"""

# a label scan: the one version, of a few nodes
HALF = """
MATCH (v:PolicyVersion {state: 'applying'})
RETURN v.number AS number, v.by AS by, v.note AS note
"""

# policy_version_number (unique)
TAKE_AWAY = """
MATCH (v:PolicyVersion {number: $number})
USING INDEX SEEK v:PolicyVersion(number)
WHERE v.state = 'applying' AND v.report IS NULL
DELETE v
"""

# a label scan: those that are under way or were interrupted
ERASURES = """
MATCH (e:Erasure)
RETURN count(*) AS many
"""

# profile_id (unique), in the order of ids
PROFILES_PAGE = """
MATCH (p:Profile)
USING INDEX SEEK p:Profile(id)
WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $page
RETURN p.id AS id
ORDER BY id
"""

# profile_id (unique)
DROP_TRAITS = """
UNWIND $ids AS id
MATCH (p:Profile {id: id})
USING INDEX SEEK p:Profile(id)
SET p += $nothing
"""


@dataclass(frozen=True, slots=True)
class Applier:
    """Who applies, and what the world outside hands in."""

    by: str
    note: str
    now: Callable[[], datetime]
    mint: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Applied:
    """How an application ended. number: of the version in force now. report: JSON text; None where nothing changed."""

    number: int
    report: str | None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """One application. report: where an earlier execution kept it, and so had begun to write."""

    number: int
    old: Policy
    new: Policy
    report: str | None
    resumed: bool


async def apply(connection: Connection, candidate: Policy | None, applier: Applier) -> Applied:
    """Put a policy in force as one change; what is stored is then what `simulate` said. Without a candidate: resume.

    The policy that is in force already changes nothing. Interrupted anywhere, the same call finishes it.
    Raises PolicyApplyingError while another application lives or another version is half applied; PolicyInvalidError
    where the candidate contradicts what sources declared; TransactionsOpenError when older transactions do not end;
    ErasuresOpenError. Nothing is written then. After any other error nothing is, either, unless writing had begun.
    """
    token = secrets.token_hex(8)
    async with _alive(connection, token):
        begun = await connection.writer.write(_begin, candidate, applier, connection.writer.database, token)
        if isinstance(begun, Applied):
            return begun
        async with _taken_away_on_error(connection.writer, begun):
            await _over(connection.writer)
            report = await _carried_out(connection, begun, applier)
        await connection.writer.write(_put_in_force, begun, report, applier)
    return Applied(begun.number, report, begun.resumed)


async def abandon(connection: Connection) -> int | None:
    """Take away the version that is half applied, where nothing else was written; its number, None without one.

    Raises PolicyApplyingError while the application lives, PolicyWrittenError when it has begun to write.
    """
    return await connection.writer.write(_abandon, connection.writer.database)


async def finish_application(
    connection: Connection, now: Callable[[], datetime], mint: Callable[[], str]
) -> Applied | None:
    """Finish, in the name of who began it, the version that is half applied and that no living process applies.

    None without one. Raises what `apply` raises.
    """
    rows = await connection.reader.rows(HALF)
    if not rows or any(row["token"] for row in await connection.writer.write(_open, connection.writer.database)):
        return None
    return await apply(connection, None, Applier(rows[0]["by"], rows[0]["note"] or "", now, mint))


@asynccontextmanager
async def _alive(connection: Connection, token: str) -> AsyncIterator[None]:
    """A transaction that stays open as long as this application lives: however it dies, Neo4j closes it."""
    async with connection.driver.session(database=connection.writer.database) as session:
        held = await session.begin_transaction(metadata={"applying": token}, timeout=0)
        try:
            await (await held.run("RETURN 1")).consume()
            yield
        finally:
            await held.close()


async def _begin(
    tx: Transaction, candidate: Policy | None, applier: Applier, database: str, token: str
) -> _Run | Applied:
    now = micros(applier.now())
    rows = {row["number"]: row for row in await tx.rows(LOCK_VERSIONS, now=now)}
    in_force = next(row for row in rows.values() if row["state"] == State.IN_FORCE)
    half = next((row for row in rows.values() if row["state"] == State.APPLYING), None)
    others = await _others(tx, database, token)
    if others or (half is not None and candidate is not None and candidate.hash != half["hash"]):
        raise PolicyApplyingError(half["number"] if half else max(rows) + 1, half["by"] if half else "somebody else")
    old = read_policy(in_force["number"], in_force["text"])
    if half is not None:
        return _Run(half["number"], old, read_policy(half["number"], half["text"]), half["report"], resumed=True)
    if candidate is None or candidate.hash == in_force["hash"]:
        return Applied(in_force["number"], None)
    check_declared(candidate, [namespace_from(row["namespace"]) for row in await tx.rows(DECLARED)])
    await _refuse_while_erasing(tx)
    number = max(rows) + 1
    facts = {"state": State.APPLYING.value, "text": candidate.text, "hash": candidate.hash, "recorded_at": now}
    await tx.rows(BEGIN_VERSION, number=number, facts={**facts, "by": applier.by, "note": applier.note})
    return _Run(number, old, candidate, None, resumed=False)


async def _others(tx: Transaction, database: str, token: str | None) -> list[Row]:
    """The applications that live, but for one's own."""
    return [row for row in await tx.rows(OPEN, database=database) if row["token"] not in (None, token)]


async def _refuse_while_erasing(tx: Transaction) -> None:
    """An erasure in parts names identifiers that a policy may give other keys, so one ends before the other begins."""
    (row,) = await tx.rows(ERASURES)
    if row["many"]:
        raise ErasuresOpenError(
            f"{row['many']} erasures are not finished; a running service finishes them, then apply again"
        )


@asynccontextmanager
async def _taken_away_on_error(writer: Writer, run: _Run) -> AsyncIterator[None]:
    """Take the version away again when something goes wrong before anything else was written."""
    try:
        yield
    except (Exception, anyio.get_cancelled_exc_class()):
        with anyio.move_on_after(AWAY_SECONDS, shield=True), suppress(Exception):
            await writer.write(_take_away, run.number)
        raise


async def _take_away(tx: Transaction, number: int) -> None:
    await tx.rows(TAKE_AWAY, number=number)


async def _abandon(tx: Transaction, database: str) -> int | None:
    rows = await tx.rows(LOCK_VERSIONS, now=0)
    half = next((row for row in rows if row["state"] == State.APPLYING), None)
    if half is None:
        return None
    if await _others(tx, database, None):
        raise PolicyApplyingError(half["number"], half["by"])
    if half["report"] is not None:
        raise PolicyWrittenError(
            f"version {half['number']} of the policy has begun to be written; `selfsame policy apply --resume` ends it"
        )
    await _take_away(tx, half["number"])
    return int(half["number"])


async def _over(writer: Writer) -> None:
    """Wait for the transactions that may write and have begun before the state was written; later ones have seen it.

    Raises TransactionsOpenError when they do not end.
    """
    may_write = [row for row in await writer.write(_open, writer.database) if row["may"] == WRITES["selfsame"]]
    before = {row["id"] for row in may_write}
    with anyio.move_on_after(OVER_SECONDS):
        while before:
            before &= {row["id"] for row in await writer.write(_open, writer.database)}
            if before:
                await anyio.sleep(LOOK_SECONDS)
    if before:
        raise TransactionsOpenError(
            f"{len(before)} transactions that began before do not end: {', '.join(sorted(before)[:5])}; nothing was "
            "written; end them, or wait, and apply again"
        )


async def _open(tx: Transaction, database: str) -> Sequence[Row]:
    return await tx.rows(OPEN, database=database)


async def _carried_out(connection: Connection, run: _Run, applier: Applier) -> str:
    """Write everything but the state; the report as it is kept, without any identifier's value."""
    reader, writer, now = connection.reader, connection.writer, micros(applier.now())
    report = run.report
    if report is None:
        await writer.write(_refuse_while_erasing)
        simulated = await simulate(reader, run.old, run.new, now)
        report = report_text(simulated.report.without_values())
        await writer.write(_keep_report, run.number, report)
        await _write_heard(connection, run, simulated.heard, applier)
    else:
        await _write_heard(connection, run, await _heard_again(reader, run, now), applier)
    cause = _cause(run, applier)
    await rebuild(reader, writer, run.new, cause, micros(applier.now()))
    await _drop_traits(connection, run)
    return report


def _cause(run: _Run, applier: Applier) -> Cause:
    return Cause(CauseKind.POLICY, applier.by, decision=f"policy:{run.number}", note=applier.note or None)


async def _keep_report(tx: Transaction, number: int, report: str) -> None:
    await tx.rows(KEEP_REPORT, number=number, report=report)


async def _heard_again(reader: Reader, run: _Run, now: int) -> Reheard | None:
    declared = await declared_namespaces(reader)
    old, new = run.old.with_namespaces(declared), run.new.with_namespaces(declared)
    return None if hears_alike(old, new) else await reheard(reader, old, new, now)


async def _write_heard(connection: Connection, run: _Run, heard: Reheard | None, applier: Applier) -> None:
    if heard is not None:
        policy = run.new.with_namespaces(await declared_namespaces(connection.reader))
        hand = Hand(_cause(run, applier), applier.mint, micros(applier.now()))
        await write_evidence(connection, heard, policy, hand)


async def _drop_traits(connection: Connection, run: _Run) -> None:
    """Take away the properties of traits that the policy no longer names."""
    nothing = {f"t_{name}": None for name in run.old.traits.keys() - run.new.traits.keys()}
    after = ""
    while nothing and (rows := await connection.reader.rows(PROFILES_PAGE, after=after, page=CHUNK)):
        await connection.writer.write(_without, [ProfileId(row["id"]) for row in rows], nothing)
        after = rows[-1]["id"]


async def _without(tx: Transaction, ids: Sequence[ProfileId], nothing: Mapping[str, None]) -> None:
    await tx.rows(DROP_TRAITS, ids=ids, nothing=nothing)


async def _put_in_force(tx: Transaction, run: _Run, report: str, applier: Applier) -> None:
    now = micros(applier.now())
    if await tx.rows(PUT_IN_FORCE, number=run.number, now=now):
        facts = {"report": report, "hash": run.new.hash, "number": run.number}
        await log(tx, Entry(ChangeKind.POLICY, _cause(run, applier), facts), now)
