"""Runs: executions of loads, so that a killed one goes on where it stopped; and the records that could not be used."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from graph.connection import Reader, Row, Transaction, Writer
from identity.erasure import ERASED, Hashing, told_in
from identity.messages import Rejection, SourceName, micros, moment

RunId = NewType("RunId", str)


class RunState(StrEnum):
    """Where a run stands; one that was killed stays `running` until it is taken up again."""

    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of a run so far.

    records: that were read, of which `skipped` were passed over on purpose. messages: that they gave, of which
    `committed` are new, `repeats` were known, `differing` known with another text. rejected: records, or messages of
    theirs, that could not be used. warned: messages with something wrong in them. erased: messages that an
    erasure keeps out. After a kill the last batch may be
    counted as repeats.
    """

    records: int = 0
    messages: int = 0
    committed: int = 0
    repeats: int = 0
    differing: int = 0
    rejected: int = 0
    skipped: int = 0
    warned: int = 0
    erased: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Load:
    """What a run loads: equal loads are one, and an unfinished one is taken up again.

    mapping: its name and SHA-256, where there is one; sha256: of the file's bytes.
    """

    source: SourceName
    file: str
    sha256: str
    mapping: str | None = None
    mapping_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a load. position: the last line of the file that is accounted for."""

    id: RunId
    load: Load
    state: RunState
    position: int
    counts: Counts
    started_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used, as it was kept. run: the load that met it; None for a request."""

    id: str
    source: SourceName
    rejection: Rejection
    at: datetime
    run: RunId | None = None


# A label scan: as many rows as there were loads; of several unfinished ones the latest.
UNFINISHED = """
MATCH (run:Run {state: 'running', source: $source, sha256: $sha256})
WHERE coalesce(run.mapping_sha256, '') = $mapping_sha256
RETURN run {.*} AS run
ORDER BY run.updated_at DESC, run.id
LIMIT 1
"""

# One row, by run_id (unique).
KEEP_RUN = """
MERGE (run:Run {id: $id})
SET run += $facts
"""


async def begun_run(writer: Writer, id_: RunId, load: Load, now: datetime) -> Run:
    """The unfinished run of this load, to be taken up where it stopped, or a new one. Raises DatabaseAwayError.

    id_: for a new one. Two processes that load one file at once share a run, and its counts are then of no use; what
    they load is right all the same.
    """
    return await writer.write(_begun, id_, load, now)


async def _begun(tx: Transaction, id_: RunId, load: Load, now: datetime) -> Run:
    sought = {"source": load.source, "sha256": load.sha256, "mapping_sha256": load.mapping_sha256 or ""}
    rows = await tx.rows(UNFINISHED, **sought)
    if rows:
        return run_from(rows[0]["run"])
    run = Run(id_, load, RunState.RUNNING, 0, Counts(), now, now)
    await tx.rows(KEEP_RUN, id=run.id, facts=_facts(run))
    return run


async def advanced_run(
    writer: Writer,
    run: Run,
    position: int,
    counts: Counts,
    rejections: Sequence[Rejection],
    now: datetime,
    hashing: Hashing | None = None,
) -> Run:
    """The run after another batch, which `counts` counts; the batch's dead letters are kept with it.

    Call it after the batch was committed: a run that is killed in between commits it again, which changes nothing.
    May run twice with the same arguments. Raises DatabaseAwayError.
    """
    after = replace(run, position=position, counts=run.counts + counts, updated_at=now)
    await writer.write(_advanced, after, rejections, hashing)
    return after


async def finished_run(writer: Writer, run: Run, now: datetime) -> Run:
    """The run at its end. Raises DatabaseAwayError."""
    after = replace(run, state=RunState.FINISHED, updated_at=now)
    await writer.write(_advanced, after, (), None)
    return after


async def _advanced(tx: Transaction, run: Run, rejections: Sequence[Rejection], hashing: Hashing | None) -> None:
    await tx.rows(KEEP_RUN, id=run.id, facts=_facts(run))
    await _keep_letters(tx, [_letter(run.load.source, each, run.updated_at, run.id) for each in rejections], hashing)


def _facts(run: Run) -> dict[str, object]:
    load, counts = run.load, run.counts
    return {
        "source": load.source,
        "file": load.file,
        "sha256": load.sha256,
        "mapping": load.mapping,
        "mapping_sha256": load.mapping_sha256,
        "state": run.state.value,
        "position": run.position,
        "started_at": micros(run.started_at),
        "updated_at": micros(run.updated_at),
        **{each.name: getattr(counts, each.name) for each in fields(Counts)},
    }


def run_from(row: Row) -> Run:
    """A stored run as a value."""
    return Run(
        id=RunId(row["id"]),
        load=Load(SourceName(row["source"]), row["file"], row["sha256"], row.get("mapping"), row.get("mapping_sha256")),
        state=RunState(row["state"]),
        position=row["position"],
        counts=Counts(*(row.get(each.name, 0) for each in fields(Counts))),
        started_at=moment(row["started_at"]),
        updated_at=moment(row["updated_at"]),
    )


# A label scan: as many rows as there were loads.
RUNS = """
MATCH (run:Run)
RETURN run {.*} AS run
ORDER BY run.started_at DESC, run.id DESC
LIMIT $limit
"""


async def runs(reader: Reader, limit: int = 100) -> tuple[Run, ...]:
    """The latest runs, newest first. Raises DatabaseAwayError."""
    return tuple(run_from(row["run"]) for row in await reader.rows(RUNS, limit=limit))


# dead_letter_id (unique), in the order of ids; what is there stays as it was first met
KEEP_LETTERS = """
UNWIND $rows AS row
MERGE (letter:DeadLetter {id: row.id})
ON CREATE SET letter += row
"""


# tombstone_hash (unique)
TOMBSTONED = """
UNWIND $hashes AS hash
MATCH (t:Tombstone {hash: hash})
USING INDEX SEEK t:Tombstone(hash)
RETURN t.hash AS hash
"""

# the number of nodes of a label, from the store's own statistics
ARE_TOMBSTONES = "RETURN COUNT { (:Tombstone) } AS many"


async def record_dead_letters(
    writer: Writer, source: SourceName, rejections: Sequence[Rejection], now: datetime, hashing: Hashing | None = None
) -> None:
    """Keep records that could not be used; the same at the same place is kept once. Raises DatabaseAwayError.

    hashing: how the erased are known; of a record in which one of them stands the text is not kept.
    """
    if rejections:
        await writer.write(_keep_letters, [_letter(source, each, now, None) for each in rejections], hashing)


async def _keep_letters(tx: Transaction, rows: Sequence[dict[str, object]], hashing: Hashing | None) -> None:
    if rows:
        kept = await _without_erased(tx, rows, hashing) if hashing else rows
        await tx.rows(KEEP_LETTERS, rows=sorted(kept, key=lambda row: str(row["id"])))


async def _without_erased(
    tx: Transaction, rows: Sequence[dict[str, object]], hashing: Hashing
) -> list[dict[str, object]]:
    if not (await tx.rows(ARE_TOMBSTONES))[0]["many"]:
        return list(rows)
    told = [{hashing.of_identifier(key) for key in told_in(" ".join(_texts(row)))} for row in rows]
    hashes = sorted(set().union(*told))
    erased = {row["hash"] for row in await tx.rows(TOMBSTONED, hashes=hashes)}
    return [
        {**row, "raw": ERASED, "message_id": None, "sentence": ERASED} if names & erased else row
        for row, names in zip(rows, told, strict=True)
    ]


def _texts(row: Mapping[str, object]) -> list[str]:
    return [str(row[name]) for name in ("raw", "message_id", "sentence") if row[name]]


def _letter(source: SourceName, rejection: Rejection, now: datetime, run: RunId | None) -> dict[str, object]:
    said = (source, rejection.code, rejection.place, rejection.message_id or "", rejection.raw or rejection.sentence)
    return {
        "id": hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest(),
        "source": source,
        "code": rejection.code,
        "place": rejection.place,
        "sentence": rejection.sentence,
        "message_id": rejection.message_id,
        "raw": rejection.raw,
        "at": micros(now),
        "run": run,
    }


# A label scan: as many rows as there are dead letters, which is why somebody looks at them.
DEAD_LETTERS = """
MATCH (letter:DeadLetter)
WHERE $source IS null OR letter.source = $source
RETURN letter {.*} AS letter
ORDER BY letter.at DESC, letter.id DESC
SKIP $skip
LIMIT $limit
"""


async def dead_letters(
    reader: Reader, source: SourceName | None = None, limit: int = 100, skip: int = 0
) -> tuple[DeadLetter, ...]:
    """The records that could not be used, newest first, of one source or of all. Raises DatabaseAwayError."""
    rows = await reader.rows(DEAD_LETTERS, source=source, skip=skip, limit=limit)
    return tuple(_letter_from(row["letter"]) for row in rows)


def _letter_from(row: Row) -> DeadLetter:
    run = row.get("run")
    return DeadLetter(
        id=row["id"],
        source=SourceName(row["source"]),
        rejection=Rejection(row["code"], row["place"], row["sentence"], row.get("message_id"), row.get("raw")),
        at=moment(row["at"]),
        run=RunId(run) if run else None,
    )
