"""A version of the policy, applied: the whole stored history becomes what it would be, had it always been in force.

The state `applying` is in the graph, and every unit of work that writes asks for it first. So once the transactions
that had begun before are over, nothing else is written, while everything is read all the while. Then the evidence is
written where the messages say something else, the views where they do not follow from the evidence, and last of all
the version is in force. Every step asks the graph what is left to do: killed anywhere, the same call finishes it.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import anyio

from graph.audit import Cause, CauseKind, ChangeKind, entry, log
from graph.connection import Connection, Reader, Row, Transaction, Writer
from graph.errors import PolicyApplyingError, TransactionsOpenError
from graph.namespaces import declared_namespaces
from graph.policies import State, read_policy
from graph.rebuild import rebuild
from graph.rehearing import Reheard, reheard, write_evidence
from graph.simulating import check_declared, report_text, simulate
from identity.identifiers import ProfileId
from identity.messages import micros
from identity.policy import Policy
from identity.rehearing import hears_alike

OVER_SECONDS = 60
LOOK_SECONDS = 0.05
CHUNK = 1_000

# a label scan: a few nodes; the write to the version in force is a lock, so that two do not begin at once
LOCK_VERSIONS = """
MATCH (v:PolicyVersion {state: 'in_force'})
SET v.touched = $now
WITH v
MATCH (any:PolicyVersion)
RETURN any.number AS number, any.state AS state, any.hash AS hash, any.text AS text, any.by AS by,
  any.report AS report
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
RETURN transactionId AS id, metaData.applying AS token
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
    where the candidate contradicts what sources declared; TransactionsOpenError when older transactions do not end.
    Of the first two nothing is written, after the third nothing but the state.
    """
    if candidate is not None:
        check_declared(candidate, await declared_namespaces(connection.reader))
    token = secrets.token_hex(8)
    async with _alive(connection, token):
        begun = await connection.writer.write(_begin, candidate, applier, connection.writer.database, token)
        if isinstance(begun, Applied):
            return begun
        await _over(connection.writer, token)
        report = await _carried_out(connection, begun, applier)
        await connection.writer.write(_put_in_force, begun, report, applier)
    return Applied(begun.number, report, begun.resumed)


@asynccontextmanager
async def _alive(connection: Connection, token: str) -> AsyncIterator[None]:
    """A transaction that stays open as long as this application lives: however it dies, Neo4j closes it."""
    async with connection.driver.session(database=connection.writer.database) as session:
        held = await session.begin_transaction(metadata={"applying": token})
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
    others = [row for row in await tx.rows(OPEN, database=database) if row["token"] not in (None, token)]
    if others or (half is not None and candidate is not None and candidate.hash != half["hash"]):
        raise PolicyApplyingError(half["number"] if half else max(rows) + 1, half["by"] if half else "somebody else")
    if half is not None:
        candidate = read_policy(half["number"], half["text"])
    if candidate is None or (half is None and candidate.hash == in_force["hash"]):
        return Applied(in_force["number"], None)
    number = half["number"] if half else max(rows) + 1
    if half is None:
        facts = {"state": State.APPLYING.value, "text": candidate.text, "hash": candidate.hash, "recorded_at": now}
        await tx.rows(BEGIN_VERSION, number=number, facts={**facts, "by": applier.by, "note": applier.note})
    old = read_policy(in_force["number"], in_force["text"])
    return _Run(number, old, candidate, half["report"] if half else None, half is not None)


async def _over(writer: Writer, token: str) -> None:
    """Wait for the transactions that may have begun before the state was written; later ones have seen it.

    Raises TransactionsOpenError when they do not end.
    """
    before = {row["id"] for row in await writer.write(_open, writer.database) if row["token"] != token}
    with anyio.move_on_after(OVER_SECONDS):
        while before:
            before &= {row["id"] for row in await writer.write(_open, writer.database)}
            if before:
                await anyio.sleep(LOOK_SECONDS)
    if before:
        raise TransactionsOpenError(
            f"{len(before)} transactions that began before do not end: {', '.join(sorted(before)[:5])}; end them, or "
            "wait, and run `selfsame policy apply --resume`"
        )


async def _open(tx: Transaction, database: str) -> Sequence[Row]:
    return await tx.rows(OPEN, database=database)


async def _carried_out(connection: Connection, run: _Run, applier: Applier) -> str:
    """Write everything but the state; the report as it is kept, without any identifier's value."""
    reader, writer, now = connection.reader, connection.writer, micros(applier.now())
    report = run.report
    if report is None:
        simulated = await simulate(reader, run.old, run.new, now)
        report = report_text(simulated.report.without_values())
        await writer.write(_keep_report, run.number, report)
        await _write_heard(connection, run, simulated.heard, applier)
    else:
        await _write_heard(connection, run, await _heard_again(reader, run, now), applier)
    cause = _cause(run, applier)
    await rebuild(reader, writer, run.new, cause, now)
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
        now = micros(applier.now())
        await write_evidence(connection.writer, heard, policy, applier.mint, now)


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
        await log(tx, [entry(ChangeKind.POLICY, _cause(run, applier), now, facts)])
