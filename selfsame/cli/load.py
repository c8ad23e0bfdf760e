"""`selfsame load`: files of records into the graph, as recorded runs with progress."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from graph.connection import Connection
from graph.ingestion import Outcome, commit_batch
from graph.pending import drain_pending
from graph.policies import PolicyHeld
from graph.runs import Counts
from graph.tombstones import check_key
from identity.erasure import Hashing
from identity.messages import Message, SourceName, micros
from loaders.files import FORMAT_OF_SUFFIX, Reading
from loaders.mapping import AUTHORITIES, SourceMapping, mapping_named
from loaders.runs import Into, Noted, RunReport, Tell, dry_run, load_file
from loaders.runs import Progress as Loaded
from loaders.sources import Source
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.erasing import hashing_of
from selfsame.errors import InputInvalidError
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

DEFAULT_SOURCE = "web"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be loaded, and how it is read."""

    files: Sequence[Path]
    source: Source
    mapping: SourceMapping | None
    reading: Reading


def load(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSONL files.", show_default=False)],
    mapping: Annotated[
        str | None, typer.Option(help="A mapping file, or the name of one in the catalogue.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option(help="Without a mapping: whose messages these are.")] = DEFAULT_SOURCE,
    authority: Annotated[str, typer.Option(help="Without a mapping: claimed, verified or imported.")] = "claimed",
    form: Annotated[str | None, typer.Option("--format", help="csv or jsonl, where the name does not say it.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file, where its header does not show it.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file; UTF-8 by default.")] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show counts and ten messages.")] = False,
) -> None:
    """Load CSV or JSONL files; without a mapping JSONL is Segment-shaped, one message a line.

    A file that was loaded before changes nothing; one whose load was killed goes on where it stopped.
    """

    async def work() -> Exit:
        settings = load_settings()
        mapped = mapping_named(mapping) if mapping else None
        reading = Reading(_format(form), _delimiter(delimiter), encoding)
        wanted = Wanted(files, mapped.source if mapped else _sender(source, authority), mapped, reading)
        if dry:
            return _exit([await _tried(file, wanted) for file in files])
        async with reached_in_sight(settings) as connection:
            held = await policy_held(settings, connection)
            hashing = hashing_of(settings)
            await check_key(connection.reader, hashing)
            reports = [await _loaded(file, wanted, into(connection, held, hashing)) for file in files]
            await drain_pending(connection.writer, held, micros(now()))
        return _exit(reports)

    finish(work)


def into(connection: Connection, policy: PolicyHeld, hashing: Hashing | None = None) -> Into:
    """A load that goes straight into the graph, by the clock of this machine. hashing: how the erased are known."""

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(connection.writer, messages, policy, mint, now(), hashing=hashing)

    return Into(connection, commit, mint, now, hashing)


def _sender(source: str, authority: str) -> Source:
    if authority not in AUTHORITIES:
        raise InputInvalidError(f"--authority is one of {', '.join(AUTHORITIES)}, not `{authority}`")
    if not source.strip():
        raise InputInvalidError("--source must not be empty")
    return Source(name=SourceName(source), authority=AUTHORITIES[authority])


def _format(given: str | None) -> str | None:
    known = sorted(set(FORMAT_OF_SUFFIX.values()))
    if given is not None and given not in known:
        raise InputInvalidError(f"--format is one of {', '.join(known)}, not `{given}`")
    return given


def _delimiter(given: str | None) -> str | None:
    meant = "\t" if given == r"\t" else given
    if meant is not None and len(meant.encode()) != 1:
        raise InputInvalidError(f"--delimiter is one character (\\t for a tab), not `{given}`")
    return meant


async def _tried(file: Path, wanted: Wanted) -> RunReport:
    with progress_of(file) as tell:
        report = await dry_run(file, wanted.source, now(), mapping=wanted.mapping, reading=wanted.reading, tell=tell)
    _show(file, report)
    for message in report.noted.first:
        who = ", ".join(f"{each.namespace}={each.value}" for each in message.sightings)
        shown.print(f"  {message.kind} {message.name or ''} [{message.message_id}] {who}", markup=False)
    return report


async def _loaded(file: Path, wanted: Wanted, where: Into) -> RunReport:
    with progress_of(file) as tell:
        report = await load_file(file, wanted.source, where, mapping=wanted.mapping, reading=wanted.reading, tell=tell)
    _show(file, report)
    return report


@contextmanager
def progress_of(file: Path) -> Iterator[Tell]:
    """A bar with the rate of records, on the standard error output."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[records]:,} records, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=told, transient=not told.is_terminal) as bars:
        task = bars.add_task(file.name, total=_size(file), records=0, rate=0.0)

        def tell(loaded: Loaded) -> None:
            records, seconds = loaded.counts.records, bars.tasks[0].elapsed
            rate = records / seconds if seconds else 0.0
            bars.update(task, completed=loaded.read, total=loaded.size, records=records, rate=rate)

        yield tell


def _size(file: Path) -> int:
    """For the bar; that a file cannot be read is told by who reads it."""
    return (file.stat().st_size if file.is_file() else 0) or 1


def _show(file: Path, report: RunReport) -> None:
    if report.resumed_at:
        told.print(f"{file.name}: went on after line {report.resumed_at:,}", markup=False)
    print(f"{file.name}: {_counted(report.counts, dry=report.run is None)}")
    _show_noted(report.noted, report.counts)


def _counted(counts: Counts, *, dry: bool) -> str:
    became = [f"{counts.messages:,} messages"] if dry else [
        f"{counts.committed:,} committed", f"{counts.repeats:,} known already"
    ]  # fmt: skip
    rest = {
        "known with another text": counts.differing,
        "passed over": counts.skipped,
        "rejected": counts.rejected,
        "erased before": counts.erased,
        "with warnings": counts.warned,
    }
    return ", ".join(
        [f"{counts.records:,} records", *became, *(f"{many:,} {what}" for what, many in rest.items() if many)]
    )


def _show_noted(noted: Noted, counts: Counts) -> None:
    for because, many in noted.skipped.items():
        print(f"  passed over: {because} ({many:,})")
    for code, many in noted.warnings.items():
        print(f"  warning {code} ({many:,}), first at {noted.examples[code].place}: {noted.examples[code].sentence}")
    for each in noted.rejections:
        print(f"  rejected {each.place}: {each.sentence} ({each.code})")
    if counts.rejected > len(noted.rejections):
        print(f"  {counts.rejected:,} rejected in all; `selfsame deadletters list` has them")


def _exit(reports: Sequence[RunReport]) -> Exit:
    return Exit.REJECTED if any(each.counts.rejected for each in reports) else Exit.DONE
