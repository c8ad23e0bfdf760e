"""`selfsame map`: mappings drafted, checked, and described for editors."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from loaders.files import opened_records
from loaders.formats.records import Reading
from loaders.mapping import mapping_named
from loaders.mapping_text import Local, schema_text
from loaders.runs import dry_run
from loaders.shapes import SEEN, form_of
from loaders.suggesting import suggested
from selfsame.cli.exits import Exit, finish
from selfsame.cli.load import With, delimiter_meant, format_meant, given_from
from selfsame.cli.load_reports import progress_of, show
from selfsame.clock import now

app = typer.Typer(no_args_is_help=True, help="Mappings: what the columns of a source mean.")
Data = Annotated[Path, typer.Argument(help="A file of records.", show_default=False)]
Delimiter = Annotated[str | None, typer.Option(help="Of a CSV file, where its header does not show it.")]
Encoding = Annotated[str | None, typer.Option(help="Of the file; UTF-8 by default.")]


@app.command()
def suggest(
    file: Data,
    form: Annotated[str | None, typer.Option("--format", help="Where the name does not say it.")] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
) -> None:
    """Print a mapping for a file, drafted by looking at it, each choice with its reason."""

    async def work() -> Exit:
        with opened_records(file, Reading(format_meant(form), delimiter_meant(delimiter), encoding)) as records:
            first = list(islice(records, SEEN))
            print(suggested(file.name, form_of(records, first), first), end="")
        return Exit.DONE

    finish(work)


@app.command()
def check(
    mapping: Annotated[str, typer.Argument(help="A mapping file, or the name of one in the catalogue.")],
    file: Annotated[Path | None, typer.Argument(help="A file of records to try it on.", show_default=False)] = None,
    with_: With = None,
) -> None:
    """Say what is wrong in a mapping; with a file, what it makes of the records, without a graph."""

    async def work() -> Exit:
        found = mapping_named(mapping, Local(given=given_from(with_ or ())))
        if file is None:
            count = f"{len(found.rules)} message{'s' if len(found.rules) != 1 else ''} of a record"
            print(f"{found.file}: can be used, for the source {found.source.name}; {count} at most")
            return Exit.DONE
        with progress_of(file) as tell:
            report = await dry_run(file, found.source, now(), mapping=found, tell=tell)
        show(file, report)
        return Exit.REJECTED if report.counts.rejected else Exit.DONE

    finish(work)


@app.command()
def schema() -> None:
    """Print the JSON Schema of mappings, by which editors complete and check them."""
    print(schema_text(), end="")
