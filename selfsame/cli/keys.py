"""`selfsame keys`: make an API key, list them."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from graph.keys import ApiKey, Scope, all_keys
from identity.messages import Authority, SourceName
from selfsame.access import Terms, create_key
from selfsame.cli.exits import Exit, finish, shown
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import now
from selfsame.errors import InputInvalidError
from selfsame.origins import origin_of
from selfsame.settings import load_settings

SENT_WITH = {each.name.lower(): each for each in (Authority.CLAIMED, Authority.VERIFIED)}
SCOPES = "`write` sends messages, `read` asks, `steward` also decides who is who, `admin` may do all but send."

app = typer.Typer(no_args_is_help=True, help="API keys: make one, list them.")


@app.command()
def create(
    scope: Annotated[Scope, typer.Option(help=SCOPES)],
    source: Annotated[str | None, typer.Option(help="The source whose messages a writing key sends.")] = None,
    label: Annotated[str | None, typer.Option(help="A note for people: who has this key.")] = None,
    authority: Annotated[
        str,
        typer.Option(help="How far what is sent is believed: claimed, or verified where only servers have the key."),
    ] = "claimed",
    origin: Annotated[
        list[str] | None, typer.Option(help="A web origin whose pages may send with it; none is any. May be repeated.")
    ] = None,
    require_signature: Annotated[
        bool, typer.Option("--require-signature", help="A user id that nobody signed links nothing.")
    ] = False,
    expires: Annotated[
        datetime | None, typer.Option(help="From this moment (UTC) on it opens nothing.", show_default="never")
    ] = None,
) -> None:
    """Make a key and print it; it is stored nowhere, so this is the only time it can be seen."""

    async def work() -> Exit:
        if scope is not Scope.WRITE and source:
            raise InputInvalidError("only a writing key has a source; leave --source out")
        terms = Terms(_authority(authority), tuple(map(origin_of, origin or ())), require_signature)
        if scope is not Scope.WRITE and terms != Terms():
            raise InputInvalidError("only a writing key sends: leave out --authority, --origin, --require-signature")
        named = SourceName(source or "web") if scope is Scope.WRITE else None
        end = expires and expires.replace(tzinfo=expires.tzinfo or UTC)
        if end is not None and end <= now():
            raise InputInvalidError("--expires names a moment that is over; a key made so would open nothing")
        async with reached_in_sight(load_settings()) as connection:
            print(await create_key(connection.writer, scope, now(), named, label, terms, expires_at=end))
        return Exit.DONE

    finish(work)


def _authority(word: str) -> Authority:
    if word not in SENT_WITH:
        raise InputInvalidError(f"--authority is one of {', '.join(SENT_WITH)}")
    return SENT_WITH[word]


@app.command("list")
def list_keys() -> None:
    """List the keys, oldest first: the start of each hash, its scope, its source, its terms; never its text."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            keys = await all_keys(connection.reader)
        table = Table("hash", "scope", "source", "made", "expires", "label", "terms")
        for key in keys:
            made, end = _minute(key.created_at), _minute(key.expires_at) if key.expires_at else None
            table.add_row(key.hash[:12], key.scope, key.source, made, end, key.label, _terms(key))
        shown.print(table)
        return Exit.DONE

    finish(work)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _terms(key: ApiKey) -> str:
    """What is special about a writing key, in a few words."""
    if key.scope is not Scope.WRITE:
        return ""
    signature = ("signature required",) if key.requires_signature else ()
    return ", ".join((key.authority.name.lower(), *key.origins, *signature))
