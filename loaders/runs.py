"""Loading a file or a table: a recorded run that shows its progress, goes on where it was killed, and loses nothing."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread

from graph.connection import Connection
from graph.dead_letters import RunId
from graph.errors import GraphError
from graph.ingestion import Outcome, Status
from graph.runs import (
    Counts,
    Form,
    Hold,
    Load,
    Run,
    Step,
    advanced_run,
    begun_run,
    finished_run,
    last_form,
    released_run,
)
from identity.erasure import Hashing
from identity.messages import Message, Rejection, Warned
from loaders.committing import Commit, commit_many
from loaders.declaring import declare_source
from loaders.errors import FileUnreadableError, MappingInvalidError
from loaders.files import opened_records
from loaders.formats.records import Found, Line, Passed, Reading, Records
from loaders.formats.streams import STANDARD_INPUT
from loaders.mapping import SourceMapping, check_columns
from loaders.segment_messages import Sending, message_from
from loaders.shapes import SEEN, Drift, drift_between, form_of
from loaders.sources import Source
from loaders.tables import Table, opened_table
from loaders.translating import Translated, of_a_file, translated, translated_message
from loaders.wire import bounded

BATCH = 1_000
SHOWN_REJECTIONS = 20
SHOWN_MESSAGES = 10
RELEASE_SECONDS = 5  # for a last word to a database that may be the reason why a load ends


@dataclass(frozen=True, slots=True)
class Into:
    """Where a load goes, and what the world outside hands in. commit: a group of messages in one transaction.

    hashing: how the erased are known; of records that cannot be used and tell one of them the text is not kept.
    hold: which process this is, so that two of them do not load one file at once. drifted: hears how the columns differ
    from those of the source's last load, before anything is written; what it raises ends the load.
    """

    connection: Connection
    commit: Commit
    mint: Callable[[], str]
    now: Callable[[], datetime]
    hashing: Hashing | None = None
    hold: Hold = field(default_factory=Hold)
    drifted: Callable[[Drift], None] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load has come.

    read, size: bytes of the file, or rows; size 0 where nobody knows it. counts: of this run, with
    earlier executions.
    """

    read: int
    size: int
    counts: Counts


Tell = Callable[[Progress], None]


@dataclass(slots=True)
class Noted:
    """What a load met on its way, for people. first: the first messages of a dry run; remarks: of how it was read."""

    rejections: list[Rejection] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Warned] = field(default_factory=dict)
    first: list[Message] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    def warned(self, warnings: Iterable[Warned]) -> None:
        """Count warnings by code, and keep the first of each."""
        for each in warnings:
            self.warnings[each.code] += 1
            self.examples.setdefault(each.code, each)

    def add(self, other: "Noted") -> None:
        """Take in what a later part met."""
        self.rejections += other.rejections[: SHOWN_REJECTIONS - len(self.rejections)]
        self.skipped.update(other.skipped)
        self.warnings.update(other.warnings)
        self.examples = {**other.examples, **self.examples}


@dataclass(frozen=True, slots=True)
class RunReport:
    """The end of a load.

    run: as it is recorded; None for a dry run. counts: of the whole run. resumed_at: the line after which it went on,
    0 for the beginning. noted: of this execution; of the rejections the first 20, all of them are dead letters.
    """

    run: Run | None
    counts: Counts
    resumed_at: int
    noted: Noted


Origin = Path | Table


async def load_file(
    origin: Origin,
    source: Source,
    into: Into,
    *,
    mapping: SourceMapping | None = None,
    reading: Reading | None = None,
    tell: Tell | None = None,
) -> RunReport:
    """Load the records of a file or a table in batches of 1,000; without a mapping, Segment-shaped messages.

    source: whose records they are, the mapping's own where there is one. Loading a file again changes nothing; one
    that was killed goes on after the last batch that was committed, a table behind its key. The standard input begins
    anew, since nobody knows whether it is the same. Raises FileUnreadableError, PartMissingError, MappingInvalidError,
    NamespaceConflictError, NameConflictError and RunHeldError before anything is loaded; DatabaseAwayError and
    SourceAwayError in between, and then the same call goes on; RunTakenError when another process took the load over.
    """
    load = await load_of(origin, source, mapping, into.mint)
    with begun_reading(origin, reading, mapping) as opened:
        records, form = opened.records, opened.form
        await _tell_drift(load, form, into)
        await declare_source(into.connection.writer, source)
        async with executed(load, into, form) as begun:
            noted, resumed_at = Noted(remarks=records.remarks), begun.run.position
            for batch in batches(_from(records, opened.lines, resumed_at)):
                begun.run = await commit_lines(batch, begun.run, Work(source, mapping, into, records.size), noted)
                if tell is not None:
                    tell(Progress(batch[-1].read, records.size, begun.run.counts))
            run = await finished_run(into.connection.writer, begun.run, into.now())
    return RunReport(run, run.counts, resumed_at, noted)


async def load_of(origin: Origin, source: Source, mapping: SourceMapping | None, mint: Callable[[], str]) -> Load:
    """What is loaded, as its run names it. Raises FileUnreadableError."""
    return Load(source.name, origin.name, await _sha256(origin, mint), *loaded_by(mapping))


@dataclass(frozen=True, slots=True)
class Opened:
    """Records that are being read: all their lines, and how they are written as the first of them show."""

    records: Records
    form: Form
    lines: Iterable[Line]


@contextmanager
def begun_reading(origin: Origin, reading: Reading | None, mapping: SourceMapping | None) -> Iterator[Opened]:
    """A file or a table while it is read. Raises FileUnreadableError, PartMissingError, MappingInvalidError."""
    with ExitStack() as stack:
        records = stack.enter_context(_opened(origin, _reading(reading, mapping)))
        _check(records, mapping)
        lines = stack.enter_context(_begun_lines(records))
        first = list(islice(lines, SEEN))
        yield Opened(records, form_of(records, first), chain(first, lines))


@contextmanager
def _begun_lines(records: Records) -> Iterator[Iterator[Line]]:
    """All lines; what reads them is closed before what they are read from."""
    lines = iter(records)
    try:
        yield lines
    finally:
        if isinstance(lines, Generator):
            lines.close()


def _from(records: Records, begun: Iterable[Line], position: int) -> Iterable[Line]:
    """The lines after a position: of those that were begun, or where there is a shorter way to it, by that."""
    if position and records.seekable:
        return records.after(position)
    return (line for line in begun if line.number > position) if position else begun


async def _tell_drift(load: Load, form: Form, into: Into) -> None:
    """Segment-shaped messages have no columns of their own."""
    if into.drifted is None or load.mapping is None:
        return
    before = await last_form(into.connection.reader, load.source, load.mapping)
    drift = drift_between(before, form) if before is not None else None
    if drift:
        into.drifted(drift)


@dataclass(slots=True)
class Begun:
    """A run that this process executes, as it stands now."""

    run: Run


@asynccontextmanager
async def executed(load: Load, into: Into, form: Form) -> AsyncIterator[Begun]:
    """The run of a load while this process executes it; where that ends before its time, others may take it up."""
    writer = into.connection.writer
    begun = Begun(await begun_run(writer, RunId(into.mint()), load, into.now(), hold=into.hold, form=form))
    try:
        yield begun
    except (Exception, anyio.get_cancelled_exc_class()):
        with anyio.move_on_after(RELEASE_SECONDS, shield=True), suppress(GraphError):
            await released_run(writer, begun.run)
        raise


async def dry_run(
    origin: Origin,
    source: Source,
    now: datetime,
    *,
    mapping: SourceMapping | None = None,
    reading: Reading | None = None,
    tell: Tell | None = None,
    hear: Callable[[Sequence[Message]], None] | None = None,
) -> RunReport:
    """What loading a file or a table would read and send, without a graph: counts, rejections, the first ten messages.

    hear: is given all messages, batch by batch.
    Raises FileUnreadableError, PartMissingError, MappingInvalidError, SourceAwayError.
    """
    counts = Counts()
    with _opened(origin, _reading(reading, mapping)) as records:
        noted = Noted(remarks=records.remarks)
        _check(records, mapping)
        for batch in batches(records):
            read = [_translated(line, source, mapping, now) for line in batch]
            messages = [message for each in read for message in each.messages]
            noted.first += messages[: SHOWN_MESSAGES - len(noted.first)]
            if hear is not None:
                hear(messages)
            noted.warned(warning for each in messages for warning in each.warnings)
            counts += replace(_read_counts(read, noted), warned=sum(bool(each.warnings) for each in messages))
            await anyio.lowlevel.checkpoint()
            if tell is not None:
                tell(Progress(batch[-1].read, records.size, counts))
    return RunReport(None, counts, 0, noted)


def _reading(reading: Reading | None, mapping: SourceMapping | None) -> Reading:
    """How to read: what the caller says, else what the mapping says."""
    said = reading or Reading()
    return said if mapping is None else said.over(mapping.reading)


def _opened(origin: Origin, reading: Reading) -> AbstractContextManager[Records]:
    return opened_table(origin) if isinstance(origin, Table) else opened_records(origin, reading)


def loaded_by(mapping: SourceMapping | None) -> tuple[str, str, tuple[str, ...]] | tuple[None, None]:
    """What a load says of its mapping: the last fields of `Load`."""
    return (None, None) if mapping is None else (mapping.file, mapping.sha256, mapping.given)


async def _sha256(origin: Origin, mint: Callable[[], str]) -> str:
    """What tells one load from another; of the standard input nobody knows before it has ended."""
    if isinstance(origin, Table):
        return origin.sha256
    if origin == STANDARD_INPUT:
        return f"standard input {mint()}"
    try:
        return await anyio.to_thread.run_sync(_digest, origin)
    except OSError as error:
        raise FileUnreadableError(f"{origin}: {error.strerror}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(records: Records, mapping: SourceMapping | None) -> None:
    if mapping is None and records.columns is not None:
        raise MappingInvalidError(
            f"{records.name}: a table such as a CSV file needs a mapping that says what its columns mean"
        )
    if mapping is not None and records.columns is not None:
        check_columns(mapping, records.columns)


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in lists of 1,000."""
    each = iter(lines)
    while batch := list(islice(each, BATCH)):
        yield batch


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be made of lines. source: whose they are; size: of the whole, as `Records` has it."""

    source: Source
    mapping: SourceMapping | None
    into: Into
    size: int = 0


async def commit_lines(batch: Sequence[Line], run: Run, work: Work, noted: Noted) -> Run:
    """Commit the messages of some lines, then the position after them; the run as it stands then.

    May run twice: what is known changes nothing. Raises what `commit_many` and `advanced_run` raise.
    """
    now = work.into.now()
    step = await step_of(batch, work.source, work.mapping, work.into.commit, noted, now)
    step = replace(step, size=work.size)
    return await advanced_run(work.into.connection.writer, run, step, now, work.into.hashing)


async def step_of(
    batch: Sequence[Line],
    source: Source,
    mapping: SourceMapping | None,
    commit: Commit,
    noted: Noted,
    now: datetime,
) -> Step:
    """Commit the messages of some lines; what that adds to a run, with the records that could not be used."""
    read = [_translated(line, source, mapping, now) for line in batch]
    pairs = [
        (line.content, message)
        for line, each in zip(batch, read, strict=True)
        if isinstance(line.content, Found)
        for message in each.messages
    ]
    outcomes = await commit_many(commit, [message for _, message in pairs])
    refused = [
        replace(each.rejection, place=found.place, raw=bounded(found.raw))
        for (found, _), each in zip(pairs, outcomes, strict=True)
        if each.rejection is not None
    ]
    rejections = [each.rejection for each in read if each.rejection is not None] + refused
    noted.warned(warning for each in outcomes for warning in each.warnings)
    counts = _read_counts(read, noted) + _outcome_counts(outcomes)
    noted.rejections += refused[: SHOWN_REJECTIONS - len(noted.rejections)]
    return Step(batch[-1].number, counts, rejections, batch[-1].read)


def _translated(line: Line, source: Source, mapping: SourceMapping | None, now: datetime) -> Translated:
    found = line.content
    if isinstance(found, Rejection):
        return Translated(rejection=found)
    if isinstance(found, Passed):
        return Translated(skipped=found.because)
    if mapping is not None:
        return of_a_file(translated(found, mapping, now))
    sending = Sending(source, now, stand_in=found.id, first_at=found.at)
    return translated_message(message_from(found.raw.encode(), found.place, sending))


def _read_counts(read: Sequence[Translated], noted: Noted) -> Counts:
    rejections = [each.rejection for each in read if each.rejection is not None]
    noted.rejections += rejections[: SHOWN_REJECTIONS - len(noted.rejections)]
    noted.skipped.update(each.skipped for each in read if each.skipped is not None)
    return Counts(
        records=len(read),
        messages=sum(len(each.messages) for each in read),
        rejected=len(rejections),
        skipped=sum(each.skipped is not None for each in read),
    )


def _outcome_counts(outcomes: Sequence[Outcome]) -> Counts:
    found = Counter(each.status for each in outcomes)
    return Counts(
        committed=found[Status.COMMITTED],
        repeats=found[Status.REPEAT],
        differing=found[Status.REPEAT_DIFFERS],
        rejected=found[Status.REJECTED],
        warned=sum(bool(each.warnings) for each in outcomes),
        erased=found[Status.ERASED],
    )
