"""Runs: executions of loads, so that a killed one goes on where it stopped."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from graph.dead_letters import DeadLetter, ReadBy, RunId, keep_letters
from graph.errors import RunHeldError, RunTakenError
from graph.locks import begun_again
from identity.erasure import Hashing
from identity.messages import Rejection, SourceName, micros, moment

# A batch of a thousand records takes seconds; who has not written one for so long is gone or might as well be.
PATIENCE = timedelta(minutes=5)


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

    mapping: its name and SHA-256, where there is one, and what it was given; sha256: of the file's bytes.
    """

    source: SourceName
    file: str
    sha256: str
    mapping: str | None = None
    mapping_sha256: str | None = None
    given: tuple[str, ...] = ()

    @property
    def read_by(self) -> ReadBy | None:
        """The mapping, as its dead letters name it."""
        return ReadBy(self.mapping, self.mapping_sha256, self.given) if self.mapping else None


@dataclass(frozen=True, slots=True)
class Form:
    """How a load's records are written: by it a dead letter's text is read again, and a change of columns is seen.

    columns: of the header, or of the first records where there is none; types: of each, in a word.
    """

    format: str
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def _nobody_is_gone(_holder: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Hold:
    """Who executes a run. name: of the process; gone: whether the process of a name is known to have ended.

    take_over: to take the run from another process, whether or not that is alive.
    """

    name: str = "a load"
    gone: Callable[[str], bool] = _nobody_is_gone
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """By whom a run was begun or taken up last, when, and with how many records done. times: how often in all.

    by: None once that execution has ended in good order.
    """

    at: datetime
    by: str | None = None
    times: int = 1
    records: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a load. position: the last line of the file that is accounted for; read, size: in bytes."""

    id: RunId
    load: Load
    state: RunState
    position: int
    counts: Counts
    started_at: datetime
    updated_at: datetime
    taken: Taken
    form: Form | None = None
    read: int = 0
    size: int = 0

    @property
    def rate(self) -> float | None:
        """Records a second since it was taken up last; None where no time has passed."""
        seconds = (self.updated_at - self.taken.at).total_seconds()
        return (self.counts.records - self.taken.records) / seconds if seconds > 0 else None

    def held(self, now: datetime, hold: Hold) -> bool:
        """Whether another process than the holder executes it, as far as can be known."""
        by = self.taken.by
        if self.state is RunState.FINISHED or by is None or by == hold.name or hold.gone(by):
            return False
        return self.updated_at > now - PATIENCE


# run_open (unique): of a load one run is unfinished; the write is the lock
OPEN_RUN = """
MERGE (run:Run {open: $open})
ON CREATE SET run += $facts
ON MATCH SET run.touched = $now
RETURN run {.*} AS run
"""

# run_id (unique); the write is the lock
KEEP_RUN = """
MATCH (run:Run {id: $id})
SET run.touched = $now
WITH run
WHERE run.times = $times
SET run += $facts
RETURN run.id AS id
"""


async def begun_run(
    writer: Writer, id_: RunId, load: Load, now: datetime, *, hold: Hold | None = None, form: Form | None = None
) -> Run:
    """The unfinished run of this load, to be taken up where it stopped, or a new one. id_: for a new one.

    From then on it is this execution's alone: an earlier one that still lives fails at its next batch (RunTakenError),
    so what a run counts is counted once. Raises RunHeldError while another process executes it, DatabaseAwayError.
    """
    return await begun_again(writer, _begun, id_, load, now, hold or Hold(), form)


async def _begun(tx: Transaction, id_: RunId, load: Load, now: datetime, hold: Hold, form: Form | None) -> Run:
    new = Run(id_, load, RunState.RUNNING, 0, Counts(), now, now, Taken(now, hold.name), form)
    said = {**run_facts(new), "id": id_}
    rows = await tx.rows(OPEN_RUN, open=_open(load), facts=said, now=micros(now))
    run = run_from(rows[0]["run"])
    tx.told.note(micros(now), runs=[run.id])
    if run.id == id_:
        return run
    if run.held(now, hold) and not hold.take_over:
        raise RunHeldError(run.load.file, str(run.taken.by), run.position, run.updated_at + PATIENCE)
    after = replace(
        run, form=form, updated_at=now, taken=Taken(now, hold.name, run.taken.times + 1, run.counts.records)
    )
    await tx.rows(KEEP_RUN, id=run.id, times=run.taken.times, facts=run_facts(after), now=micros(now))
    return after


def _open(load: Load) -> str:
    """What equal loads have in common."""
    return "\0".join((load.source, load.sha256, load.mapping_sha256 or ""))


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch added. position: the line after it; read, size: bytes of the file up to there, and in all."""

    position: int
    counts: Counts
    rejections: Sequence[Rejection] = ()
    read: int = 0
    size: int = 0


async def advanced_run(writer: Writer, run: Run, step: Step, now: datetime, hashing: Hashing | None = None) -> Run:
    """The run after another batch; the batch's dead letters are kept with it.

    Call it after the batch was committed: a run that is killed in between commits it again, which changes nothing.
    May run twice with the same arguments. Raises RunTakenError when another process has taken the run up since, and
    then nothing is counted; DatabaseAwayError.
    """
    counts = run.counts + step.counts
    after = replace(run, position=step.position, counts=counts, updated_at=now, read=step.read, size=step.size)
    await writer.write(_advanced, after, step.rejections, hashing)
    return after


async def finished_run(writer: Writer, run: Run, now: datetime) -> Run:
    """The run at its end. Raises RunTakenError, DatabaseAwayError."""
    after = replace(run, state=RunState.FINISHED, updated_at=now, taken=replace(run.taken, by=None))
    await writer.write(_advanced, after, (), None)
    return after


async def released_run(writer: Writer, run: Run) -> None:
    """Let others take the run up at once, since this execution ends early. Raises what `finished_run` raises."""
    await writer.write(_advanced, replace(run, taken=replace(run.taken, by=None)), (), None)


async def _advanced(tx: Transaction, run: Run, rejections: Sequence[Rejection], hashing: Hashing | None) -> None:
    moment_ = micros(run.updated_at)
    if not await tx.rows(KEEP_RUN, id=run.id, times=run.taken.times, facts=run_facts(run), now=moment_):
        raise RunTakenError(run.load.file)
    tx.told.note(moment_, runs=[run.id])
    load = run.load
    letters = [DeadLetter("", load.source, each, run.updated_at, run.id, load.read_by) for each in rejections]
    await keep_letters(tx, letters, hashing)


def run_facts(run: Run) -> dict[str, object]:
    """A run as properties, without its id."""
    load, counts, taken = run.load, run.counts, run.taken
    return {
        "open": None if run.state is RunState.FINISHED else _open(load),
        "source": load.source,
        "file": load.file,
        "sha256": load.sha256,
        "mapping": load.mapping,
        "mapping_sha256": load.mapping_sha256,
        "given": list(load.given) or None,
        "state": run.state.value,
        "position": run.position,
        "started_at": micros(run.started_at),
        "updated_at": micros(run.updated_at),
        "read": run.read,
        "size": run.size,
        "by": taken.by,
        "taken_at": micros(taken.at),
        "times": taken.times,
        "taken_records": taken.records,
        **(_form_facts(run.form) if run.form else {}),
        **{each.name: getattr(counts, each.name) for each in fields(Counts)},
    }


def _form_facts(form: Form) -> dict[str, object]:
    return {
        "format": form.format,
        "delimiter": form.delimiter,
        "columns": list(form.columns),
        "types": list(form.types),
    }


def run_from(row: Row) -> Run:
    """A stored run as a value."""
    return Run(
        id=RunId(row["id"]),
        load=Load(
            SourceName(row["source"]),
            row["file"],
            row["sha256"],
            row.get("mapping"),
            row.get("mapping_sha256"),
            tuple(row.get("given") or ()),
        ),
        state=RunState(row["state"]),
        position=row["position"],
        counts=Counts(*(row.get(each.name, 0) for each in fields(Counts))),
        started_at=moment(row["started_at"]),
        updated_at=moment(row["updated_at"]),
        taken=Taken(
            moment(row.get("taken_at") or row["started_at"]),
            row.get("by"),
            row.get("times", 0),
            row.get("taken_records", 0),
        ),
        form=_form_from(row) if row.get("format") else None,
        read=row.get("read", 0),
        size=row.get("size", 0),
    )


def _form_from(row: Row) -> Form:
    return Form(row["format"], row.get("delimiter"), tuple(row["columns"]), tuple(row["types"]))


# A label scan: as many rows as there were loads.
LAST_FORM = """
MATCH (run:Run {state: 'finished', source: $source})
WHERE run.mapping = $mapping AND run.format <> 'kafka'
RETURN run {.*} AS run
ORDER BY run.updated_at DESC, run.id DESC
LIMIT 1
"""


async def last_form(reader: Reader, source: SourceName, mapping: str) -> Form | None:
    """How the records of the last finished load of a source by a mapping's name were written; None for the first.

    What came as a stream says nothing of the columns of a file.
    """
    rows = await reader.rows(LAST_FORM, source=source, mapping=mapping)
    return run_from(rows[0]["run"]).form if rows else None


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


# run_id (unique)
RUNS_NAMED = """
UNWIND $ids AS id
MATCH (run:Run {id: id})
USING INDEX SEEK run:Run(id)
RETURN run {.*} AS run
"""


async def runs_named(reader: Reader, ids: Iterable[RunId]) -> Mapping[RunId, Run]:
    """The runs with these ids that there are. Raises DatabaseAwayError."""
    rows = await reader.rows(RUNS_NAMED, ids=sorted(set(ids)))
    return {run.id: run for run in (run_from(row["run"]) for row in rows)}
