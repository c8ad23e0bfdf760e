"""`selfsame hooks`: who is told by webhooks, and what each is owed."""

import base64
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer

from destinations.webhooks import problem_of
from graph.connection import Connection
from graph.deliveries import Delivery, deliveries, hold, resend
from graph.endpoints import (
    MOST_ENDPOINTS,
    Endpoint,
    EndpointState,
    Topic,
    endpoints,
    keep_endpoint,
    remove_endpoint,
)
from identity.messages import micros, moment
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.errors import InputInvalidError
from selfsame.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Who is told by webhooks what happens, and what each is owed.")

LISTED = 20
Which = Annotated[str, typer.Argument(help="An endpoint's id, or its beginning, as `hooks list` shows it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to: an https URL.")],
    topic: Annotated[list[Topic] | None, typer.Option(help="Of what; repeatable. All without it.")] = None,
) -> None:
    """Tell an endpoint what happens from now on, and print the secret by which it is signed."""

    async def work() -> Exit:
        if (problem := problem_of(url)) is not None:
            raise InputInvalidError(f"nothing can be sent to `{url[:80]}`: {problem}")
        topics = tuple(each.value for each in topic or Topic)
        endpoint = Endpoint(mint(), url, topics, _secret(), micros(now()))
        async with reached_in_sight(load_settings()) as connection:
            if len(await endpoints(connection.reader)) >= MOST_ENDPOINTS:
                raise InputInvalidError(f"there are {MOST_ENDPOINTS} endpoints: `selfsame hooks remove` makes room")
            await keep_endpoint(connection.writer, endpoint)
        told.print(f"{endpoint.id} is told from now on; its secret:")
        print(endpoint.secret)
        return Exit.DONE

    finish(work)


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@app.command("list")
def list_endpoints() -> None:
    """Everybody who is told, one a line: id, state, topics, URL, and what is wrong."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            for each in await endpoints(connection.reader):
                print("  ".join([each.id, each.state.value, ",".join(each.topics), each.url, *_trouble(each)]))
        return Exit.DONE

    finish(work)


def _trouble(endpoint: Endpoint) -> list[str]:
    if endpoint.reason is not None:
        return [f"({endpoint.reason})"]
    since = endpoint.failing_since
    return [] if since is None else [f"(takes nothing since {moment(since).isoformat(timespec='seconds')})"]


@app.command()
def rotate(
    which: Which,
    days: Annotated[float, typer.Option(min=0, max=30, help="How long the old one signs beside the new one.")] = 1,
) -> None:
    """Print a new secret; messages carry a signature of each for a while."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            old = await _named(which, connection)
            until = micros(now() + timedelta(days=days))
            new = replace(old, secret=_secret(), former=old.secret, former_until=until)
            await keep_endpoint(connection.writer, new)
        print(new.secret)
        return Exit.DONE

    finish(work)


@app.command()
def pause(which: Which) -> None:
    """Tell an endpoint nothing until `resume`; what it is owed is kept."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            await hold(connection.writer, replace(endpoint, state=EndpointState.PAUSED), None)
        return Exit.DONE

    finish(work)


@app.command()
def resume(which: Which) -> None:
    """Tell an endpoint what it is owed, also one that was disabled."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            well = replace(endpoint, state=EndpointState.ACTIVE, reason=None, failing_since=None)
            await hold(connection.writer, well, micros(now()))
        return Exit.DONE

    finish(work)


@app.command()
def remove(which: Which) -> None:
    """Forget an endpoint and all that it is owed."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            await remove_endpoint(connection.writer, (await _named(which, connection)).id)
        return Exit.DONE

    finish(work)


@app.command("deliveries")
def list_deliveries(
    which: Which, limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = LISTED
) -> None:
    """What an endpoint was or is owed, newest first: id, topic, when, what became of it."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            for each in await deliveries(connection.reader, endpoint.id, limit):
                print("  ".join((each.id, each.type, moment(each.at).isoformat(timespec="seconds"), _became(each))))
        return Exit.DONE

    finish(work)


def _became(owed: Delivery) -> str:
    last = "" if owed.status is None else f", {owed.status} at last"
    if owed.done_at is not None:
        return "taken"
    if owed.due_at is not None:
        return f"tried {owed.tries} times{last}, again {moment(owed.due_at).isoformat(timespec='seconds')}"
    return f"not sent any more after {owed.tries} tries{last}" if owed.tries else "held"


@app.command("resend")
def send_again(
    delivery: Annotated[str, typer.Argument(help="A delivery's id, as `hooks deliveries` shows it.")],
) -> None:
    """Send something once more, under the same id."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            if not await resend(connection.writer, delivery, micros(now())):
                raise InputInvalidError(
                    f"no delivery has the id `{delivery[:80]}`; `selfsame hooks deliveries` lists them"
                )
        return Exit.DONE

    finish(work)


async def _named(which: str, connection: Connection) -> Endpoint:
    found = [each for each in await endpoints(connection.reader) if each.id.startswith(which)]
    if len(found) != 1:
        many = "no endpoint" if not found else f"{len(found)} endpoints"
        raise InputInvalidError(f"{many} of that id: `{which[:80]}`; `selfsame hooks list` shows them")
    return found[0]
