"""`selfsame keys`: make an API key, list them, put another in its place, take it back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from graph.connection import Connection
from graph.keys import USUAL, ApiKey, KeyBounds, Scope, all_keys, revoke_key
from identity.messages import Authority, SourceName
from identity.policy import NAMESPACE_PATTERN
from selfsame.cli.exits import Exit, finish, shown
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import now
from selfsame.errors import InputInvalidError
from selfsame.keys import Terms, create_key, renew_key
from selfsame.origins import origin_of
from selfsame.settings import load_settings

SENT_WITH = {each.name.lower(): each for each in (Authority.CLAIMED, Authority.VERIFIED)}
SCOPES = "`write` sends messages, `read` asks, `steward` also decides who is who, `admin` may do all but send."

LEAST_OF_HASH = 6

app = typer.Typer(no_args_is_help=True, help="API keys: make one, list them, rotate, revoke.")


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
        list[str] | None, typer.Option(help="A web origin whose pages may use it; none is any. May be repeated.")
    ] = None,
    require_signature: Annotated[
        bool, typer.Option("--require-signature", help="A user id that nobody signed links nothing.")
    ] = False,
    expires: Annotated[
        datetime | None, typer.Option(help="From this moment (UTC) on it opens nothing.", show_default="never")
    ] = None,
    pii: Annotated[
        bool, typer.Option("--pii", help="A key of scope `read` is shown personal data; `steward`, `admin` always are.")
    ] = False,
    account: Annotated[
        list[str] | None,
        typer.Option(
            help="`namespace:value` of an account beyond which a key of scope `read` sees nothing; repeatable."
        ),
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Everybody may have it: SELFSAME_INTROSPECTION may keep the schema from it."),
    ] = False,
    documents_only: Annotated[
        bool, typer.Option("--documents-only", help="It asks documents of SELFSAME_DOCUMENTS, nothing else.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="How many requests a second it may send.", show_default="as set")
    ] = None,
    cost_rate: Annotated[
        int | None, typer.Option(min=1, help="What its questions may cost a minute.", show_default="as set")
    ] = None,
    cost: Annotated[
        int | None, typer.Option(min=1, help="What one of its questions may cost.", show_default="as set")
    ] = None,
) -> None:
    """Make a key and print it; it is stored nowhere, so this is the only time it can be seen."""

    async def work() -> Exit:
        if scope is not Scope.WRITE and source:
            raise InputInvalidError("only a writing key has a source; leave --source out")
        origins, accounts = tuple(map(origin_of, origin or ())), tuple(map(_account, account or ()))
        terms = Terms(
            _authority(authority),
            origins,
            require_signature,
            pii,
            accounts,
            KeyBounds(rate, cost_rate, cost, public, documents_only),
        )
        _check_terms(scope, terms)
        named = SourceName(source or "web") if scope is Scope.WRITE else None
        end = expires and expires.replace(tzinfo=expires.tzinfo or UTC)
        if end is not None and end <= now():
            raise InputInvalidError("--expires names a moment that is over; a key made so would open nothing")
        async with reached_in_sight(load_settings()) as connection:
            print(await create_key(connection.writer, scope, now(), named, label, terms, expires_at=end))
        return Exit.DONE

    finish(work)


def _check_terms(scope: Scope, terms: Terms) -> None:
    if scope is not Scope.WRITE and (terms.authority, terms.requires_signature) != (Authority.CLAIMED, False):
        raise InputInvalidError("only a writing key sends: leave out --authority and --require-signature")
    if scope is not Scope.READ and (terms.pii or terms.accounts):
        raise InputInvalidError("--pii and --account are for keys of scope `read`")
    if scope is Scope.WRITE and replace(terms.bounds, rate=None) != USUAL:
        raise InputInvalidError("of a writing key only the --rate can be bounded: it asks nothing")


def _account(key: str) -> str:
    namespace, colon, value = key.partition(":")
    if not colon or not value or not NAMESPACE_PATTERN.match(namespace):
        raise InputInvalidError(f"`{key[:80]}` is no key of an account, such as account:fern")
    return key


def _authority(word: str) -> Authority:
    if word not in SENT_WITH:
        raise InputInvalidError(f"--authority is one of {', '.join(SENT_WITH)}")
    return SENT_WITH[word]


Which = Annotated[str, typer.Argument(help="Its label, or the start of its hash as `keys list` shows it.")]


@app.command()
def rotate(
    which: Which,
    days: Annotated[float, typer.Option(min=0, max=365, help="How long the old one works beside the new one.")] = 7,
) -> None:
    """Make a key on the same terms and print it; the old one works for some days more."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            old = await _named(which, connection)
            print(await renew_key(connection.writer, old, now(), timedelta(days=days)))
        return Exit.DONE

    finish(work)


@app.command()
def revoke(which: Which) -> None:
    """Take a key back: within 5 s it opens nothing any more, in whatever process."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            key = await _named(which, connection, replaced=True)
            await revoke_key(connection.writer, key.hash, now())
            shown.print(f"{key.hash[:12]} is revoked")
        return Exit.DONE

    finish(work)


async def _named(which: str, connection: Connection, *, replaced: bool = False) -> ApiKey:
    """The one key that is meant, among those that work. replaced: also those that another has replaced, by hash."""
    living = [each for each in await all_keys(connection.reader) if each.revoked_at is None and not _ended(each)]
    found = [each for each in living if each.label == which and each.replaced_by is None]
    if not found and len(which) >= LEAST_OF_HASH:
        found = [each for each in living if each.hash.startswith(which) and (replaced or each.replaced_by is None)]
    if len(found) != 1:
        many = f"{len(found)} keys" if found else "no key that works"
        raise InputInvalidError(
            f"`{which[:80]}` names {many}; name one by its label, or by {LEAST_OF_HASH} or more characters of its hash"
        )
    return found[0]


def _ended(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at <= now()


@app.command("list")
def list_keys() -> None:
    """List the keys, oldest first: the start of each hash, its scope, its terms, its use; never its text."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            keys = await all_keys(connection.reader)
        table = Table("hash", "scope", "source", "made", "used", "ends", "label", "terms")
        for key in keys:
            table.add_row(
                key.hash[:12],
                key.scope,
                key.source,
                _minute(key.created_at),
                _minute(key.used_at),
                "revoked" if key.revoked_at else _minute(key.expires_at),
                key.label,
                ", ".join(_terms(key)),
            )
        shown.print(table)
        return Exit.DONE

    finish(work)


def _minute(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _terms(key: ApiKey) -> Sequence[str]:
    """What is special about a key, in a few words."""
    if key.scope is not Scope.WRITE:
        return ("personal data",) * key.pii + key.accounts + key.origins + _bounds(key.bounds)
    signature = ("signature required",) if key.requires_signature else ()
    return (key.authority.name.lower(), *key.origins, *signature, *_bounds(key.bounds))


def _bounds(bounds: KeyBounds) -> tuple[str, ...]:
    said = ((bounds.rate, "{:g}/s"), (bounds.cost_rate, "cost {:,}/min"), (bounds.cost, "cost {:,}"))
    words = ("public",) * bounds.public + ("documents only",) * bounds.documents_only
    return words + tuple(text.format(value) for value, text in said if value is not None)
