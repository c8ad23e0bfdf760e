"""What a start tells while it lasts, and how it looks in a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text


class Phase(StrEnum):
    """The steps of a start, each with the words for a person."""

    FETCHING = "Fetching Neo4j (once)"
    TRAINING = "Preparing Neo4j for quick starts (once)"
    STARTING = "Starting Neo4j"
    COPYING = "Writing the store anew"
    IMPORTING = "Importing the files"
    READY = "Neo4j is ready"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a start is.

    done and total: bytes while fetching, nodes and relationships while copying, hundredths while importing,
    else 0.
    """

    phase: Phase
    done: int = 0
    total: int = 0


Tell = Callable[[Step], None]


def silent(_: Step) -> None:
    """Tell nobody."""


@contextmanager
def shown(console: Console) -> Iterator[Tell]:
    """A `progress` that draws one line per phase on the console, nothing without one; any thread may call it."""
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(), _Bytes())
    bars = Progress(*columns, TimeElapsedColumn(), console=console)
    tasks: dict[Phase, TaskID] = {}

    def tell(step: Step) -> None:
        if step.phase not in tasks:
            _all_done(bars)
            if step.phase is Phase.READY:
                return
            bars.start()
            tasks[step.phase] = bars.add_task(step.phase, total=step.total or None)
        bars.update(tasks[step.phase], completed=step.done, total=step.total or None)

    try:
        yield tell
    finally:
        if tasks:  # a bar that was never drawn would end with an empty line
            bars.stop()


class _Bytes(DownloadColumn):
    def render(self, task: Task) -> Text:
        return super().render(task) if task.description == Phase.FETCHING else Text()


def _all_done(bars: Progress) -> None:
    for task in bars.tasks:
        whole = task.total or 1
        bars.update(task.id, total=whole, completed=whole)
