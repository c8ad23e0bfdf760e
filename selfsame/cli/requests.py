"""`selfsame requests`: what sources ask to have erased or handed out, listed, carried out, refused."""

from collections.abc import Sequence
from typing import Annotated

import typer

from graph.connection import Connection
from graph.erasure import Tools
from graph.requests import (
    EVERY,
    OPEN,
    PrivacyRequest,
    RequestState,
    carry_out,
    requests_in,
    requests_named,
    settle_request,
)
from identity.erasure import Scope
from identity.messages import micros
from identity.requests import Wish
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import now
from selfsame.erasing import needed_hashing
from selfsame.errors import InputInvalidError
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

requests = typer.Typer(no_args_is_help=True, help="What sources ask to have erased or handed out.")
SHOWN_ID = 12
LEAST_ID = 6
Ids = Annotated[list[str], typer.Argument(help="Ids, or their beginnings, as `list` shows them.")]


@requests.command("list")
def list_requests(
    every: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    most: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 100,
) -> None:
    """List what is open, the oldest first: id, when, which source, what, about whom."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await requests_in(connection.reader, EVERY if every else OPEN, most)
        for each in found:
            print(_said(each))
        return Exit.DONE

    finish(work)


def _said(request: PrivacyRequest) -> str:
    head = f"{request.id[:SHOWN_ID]} {request.asked_at:%Y-%m-%d %H:%M:%S} {request.source} {request.wish}"
    about = f" of all of {request.key}" if request.whole else f" of {request.key}"
    settled = f" {request.settled_at:%Y-%m-%d %H:%M:%S} by {request.by}" if request.settled_at else ""
    return f"{head}{about if request.key else ''}: {request.state}{settled}"


@requests.command("grant")
def grant(
    ids: Ids,
    scope: Annotated[
        Scope, typer.Option(help="Of an erasure: the whole profile, or the vendor's record alone.")
    ] = Scope.PROFILE,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Carry out what is asked: erase; or note that somebody's data were handed out (`selfsame export`)."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            found = await _open(connection, ids)
            if not (sure or _confirmed(found)):
                print("nothing was done")
                return Exit.DONE
            held = await policy_held(settings, connection)
            for each in found:
                if each.wish is Wish.ACCESS:
                    await settle_request(connection.writer, each.id, RequestState.DONE, who(), now())
                    print(f"{each.id[:SHOWN_ID]} noted as handed out")
                else:
                    tools = Tools(held, needed_hashing(settings), micros(now()))
                    many = await carry_out(connection, each, scope, who(), tools)
                    print(f"{each.id[:SHOWN_ID]} erased, {many:,} identifiers")
        return Exit.DONE

    finish(work)


@requests.command("refuse")
def refuse(ids: Ids) -> None:
    """Settle requests without doing anything; they name nobody from then on."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            for each in await _open(connection, ids):
                await settle_request(connection.writer, each.id, RequestState.REFUSED, who(), now())
                print(f"{each.id[:SHOWN_ID]} refused")
        return Exit.DONE

    finish(work)


async def _open(connection: Connection, ids: Sequence[str]) -> tuple[PrivacyRequest, ...]:
    """The open requests that are named. Raises InputInvalidError where an id is too short or there is none."""
    if any(len(each) < LEAST_ID for each in ids):
        raise InputInvalidError(f"of an id at least {LEAST_ID} characters are needed")
    found = tuple(each for each in await requests_named(connection.reader, ids) if each.state in OPEN)
    for each in ids:
        if not any(request.id.startswith(each) for request in found):
            raise InputInvalidError(f"`{each}` is no open request; `selfsame requests list` has those that are")
    return found


def _confirmed(found: Sequence[PrivacyRequest]) -> bool:
    for each in found:
        told.print(_said(each), markup=False, soft_wrap=True)
    try:
        return typer.confirm("Carry this out? An erasure cannot be taken back.", err=True)
    except typer.Abort as error:
        raise InputInvalidError("nobody answered whether to carry it out; --yes does it without asking") from error
