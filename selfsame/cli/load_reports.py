"""How a load is shown: a bar with the rate while it lasts, and what became of the records at its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from graph.runs import Counts
from loaders.kafka.settings import Subscription
from loaders.runs import Noted, Origin, RunReport, Tell
from loaders.runs import Progress as Loaded
from loaders.tables import Table
from selfsame.cli.exits import Exit, shown, told


@contextmanager
def progress_of(origin: Origin) -> Iterator[Tell]:
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
        task = bars.add_task(origin.name, total=_size(origin), records=0, rate=0.0)

        def tell(loaded: Loaded) -> None:
            records, seconds = loaded.counts.records, bars.tasks[0].elapsed
            rate = records / seconds if seconds else 0.0
            bars.update(task, completed=loaded.read, total=loaded.size or None, records=records, rate=rate)

        yield tell


def _size(origin: Origin) -> int | None:
    """For the bar; that a file cannot be read is told by who reads it, and how many rows there are nobody knows."""
    return origin.stat().st_size or 1 if isinstance(origin, Path) and origin.is_file() else None


def show(origin: Origin | Subscription, report: RunReport) -> None:
    """The end of a load, of a stream, or of a dry run with its first messages."""
    if report.resumed_at:
        what = "the key" if isinstance(origin, Table) else "line"
        told.print(f"{origin.name}: went on after {what} {report.resumed_at:,}", markup=False)
    for remark in report.noted.remarks:
        told.print(f"{origin.name}: {remark}", markup=False)
    print(f"{origin.name}: {_counted(report.counts, dry=report.run is None)}")
    _show_noted(report.noted, report.counts)
    for message in report.noted.first:
        who = ", ".join(f"{each.namespace}={each.value}" for each in message.sightings)
        shown.print(f"  {message.kind} {message.name or ''} [{message.message_id}] {who}", markup=False)


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


def exit_of(reports: Sequence[RunReport], worst: Exit) -> Exit:
    """How a command ends that showed these. worst: of what could not be loaded at all."""
    if worst is not Exit.DONE:
        return worst
    return Exit.REJECTED if any(each.counts.rejected for each in reports) else Exit.DONE
