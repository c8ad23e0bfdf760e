"""`selfsame keys`: make an API key, list them."""

from typing import Annotated

import typer
from rich.table import Table

from graph.keys import Scope, all_keys
from identity.messages import SourceName
from selfsame.access import create_key
from selfsame.cli.exits import Exit, finish, shown
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import now
from selfsame.errors import InputInvalidError
from selfsame.settings import load_settings

SCOPES = "`write` sends messages, `read` asks, `steward` also decides who is who, `admin` may do all but send."

app = typer.Typer(no_args_is_help=True, help="API keys: make one, list them.")


@app.command()
def create(
    scope: Annotated[Scope, typer.Option(help=SCOPES)],
    source: Annotated[str | None, typer.Option(help="The source whose messages a writing key sends.")] = None,
    label: Annotated[str | None, typer.Option(help="A note for people: who has this key.")] = None,
) -> None:
    """Make a key and print it; it is stored nowhere, so this is the only time it can be seen."""

    async def work() -> Exit:
        if scope is not Scope.WRITE and source:
            raise InputInvalidError("only a writing key has a source; leave --source out")
        named = SourceName(source or "web") if scope is Scope.WRITE else None
        async with reached_in_sight(load_settings()) as connection:
            print(await create_key(connection.writer, scope, now(), named, label))
        return Exit.DONE

    finish(work)


@app.command("list")
def list_keys() -> None:
    """List the keys, oldest first: the start of each hash, its scope, its source; never its text."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            keys = await all_keys(connection.reader)
        table = Table("hash", "scope", "source", "made", "label")
        for key in keys:
            table.add_row(key.hash[:12], key.scope, key.source, f"{key.created_at:%Y-%m-%d %H:%M}", key.label)
        shown.print(table)
        return Exit.DONE

    finish(work)
