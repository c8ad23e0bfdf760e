"""`selfsame runs`: what was loaded, and what is being loaded."""

from datetime import datetime
from typing import Annotated

import typer

from graph.runs import Run, RunState
from graph.runs import runs as latest_runs
from loaders.formats.records import STREAM
from selfsame.cli.exits import Exit, finish
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import now
from selfsame.holding import hold
from selfsame.settings import load_settings


def runs(most: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 20) -> None:
    """List the loads, newest first: how far each has come, and how fast."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await latest_runs(connection.reader, most)
        for run in found:
            print(_said(run, now()))
        return Exit.DONE

    finish(work)


def _said(run: Run, moment: datetime) -> str:
    load, counts = run.load, run.counts
    by = f" by {load.mapping}" if load.mapping else ""
    head = f"{run.id} {run.started_at:%Y-%m-%d %H:%M:%S} {load.source} {load.file}{by} {state_of(run, moment)}"
    became = {"committed": counts.committed, "known already": counts.repeats, "rejected": counts.rejected}
    told = [f"{counts.records:,} records", *(f"{many:,} {what}" for what, many in became.items() if many)]
    come = [] if run.form is not None and run.form.format == STREAM else [f"line {run.position:,}"]
    come += [f"{100 * run.read // run.size}%"] if run.size else []
    come += [f"{run.rate:,.0f}/s"] if run.rate else []
    return f"{head}: {', '.join(told)}" + (f" ({', '.join(come)})" if come else "")


def state_of(run: Run, moment: datetime) -> str:
    """Finished, running, or stopped: begun by a process that is gone, so that the same load goes on with it."""
    if run.state is RunState.FINISHED:
        return run.state.value
    return run.state.value if run.held(moment, hold()) else "stopped"
