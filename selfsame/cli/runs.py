"""`selfsame runs` and `selfsame deadletters`: what was loaded, and what could not be."""

from typing import Annotated

import typer
from rich.table import Table

from graph.runs import dead_letters
from graph.runs import runs as latest_runs
from identity.messages import SourceName
from selfsame.cli.exits import Exit, finish, shown
from selfsame.cli.reaching import reached_in_sight
from selfsame.settings import load_settings

letters = typer.Typer(no_args_is_help=True, help="The records that could not be used.")


def runs(most: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 20) -> None:
    """List the loads, newest first."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await latest_runs(connection.reader, most)
        table = Table("begun", "source", "file", "mapping", "state", "records", "committed", "known", "rejected")
        for run in found:
            counts = (run.counts.records, run.counts.committed, run.counts.repeats, run.counts.rejected)
            load = run.load
            begun = f"{run.started_at:%Y-%m-%d %H:%M:%S}"
            table.add_row(begun, load.source, load.file, load.mapping, run.state, *(f"{each:,}" for each in counts))
        shown.print(table)
        return Exit.DONE

    finish(work)


@letters.callback()
def _verbs() -> None:
    """With a callback, a single verb stays a verb."""


@letters.command("list")
def list_letters(
    source: Annotated[str | None, typer.Option(help="Of this source alone.")] = None,
    most: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 100,
) -> None:
    """List the records that could not be used, newest first: when, where, why."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await dead_letters(connection.reader, SourceName(source) if source else None, most)
        for each in found:
            said = each.rejection
            print(f"{each.at:%Y-%m-%d %H:%M:%S} {each.source} {said.place} {said.code}: {said.sentence}")
        return Exit.DONE

    finish(work)
