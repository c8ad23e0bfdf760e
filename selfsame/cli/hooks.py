"""`selfsame hooks`: who is told by webhooks, and what each is owed."""

import base64
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
import typer

from destinations.deliveries import body_of, reason_of, secrets_of
from destinations.webhooks import Letter, problem_of, send
from graph.connection import Connection
from graph.deliveries import Delivery, deliveries, delivery_by_id, hold, recover, resend
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
Owed = Annotated[str, typer.Argument(help="A delivery's id, as `hooks deliveries` shows it.")]
Which = Annotated[str, typer.Argument(help="An endpoint's id, or its beginning, as `hooks list` shows it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to: an https URL.")],
    topic: Annotated[list[Topic] | None, typer.Option(help="Of what; repeatable. All without it.")] = None,
) -> None:
    """Tell an endpoint what happens from now on, and print the secret by which it is signed."""

    async def work() -> Exit:
        _refuse(url)
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


@app.command()
def update(
    which: Which,
    url: Annotated[str | None, typer.Option(help="Where to from now on.")] = None,
    topic: Annotated[list[Topic] | None, typer.Option(help="Of what from now on; repeatable.")] = None,
) -> None:
    """Tell an endpoint elsewhere, or of something else; what it is owed is kept, and its secret."""

    async def work() -> Exit:
        if url is None and not topic:
            raise InputInvalidError("say what is to be different: --url or --topic")
        _refuse(url)
        async with reached_in_sight(load_settings()) as connection:
            old = await _named(which, connection)
            topics = tuple(each.value for each in topic) if topic else old.topics
            await keep_endpoint(connection.writer, replace(old, url=url or old.url, topics=topics))
        return Exit.DONE

    finish(work)


def _refuse(url: str | None) -> None:
    if url is not None and (problem := problem_of(url)) is not None:
        raise InputInvalidError(f"nothing can be sent to `{url[:80]}`: {problem}")


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
    return [] if since is None else [f"(takes nothing since {_shown(since)})"]


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
def test(which: Which) -> None:
    """Send an endpoint a message of type `test` now, signed as all are, and say what it answers."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            endpoint = await _named(which, connection)
        at = now()
        body = orjson.dumps({"type": "test", "timestamp": at.isoformat(), "data": {}}).decode()
        secrets_ = secrets_of(endpoint, micros(at))
        answer = await send(Letter(f"msg_test_{mint()}", endpoint.url, body, secrets_, settings.hooks_private), at)
        print(f"{'taken' if answer.taken else 'not taken'}: {reason_of(answer)}")
        return Exit.DONE if answer.taken else Exit.WRONG

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
    which: Which,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = LISTED,
    failed: Annotated[bool, typer.Option("--failed", help="Only what it was sent and did not take so far.")] = False,
) -> None:
    """What an endpoint was or is owed, newest first: id, topic, when, what became of it."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            for each in await deliveries(connection.reader, endpoint.id, limit, failed=failed):
                print("  ".join((each.id, each.type, _shown(each.at), _became(each))))
        return Exit.DONE

    finish(work)


def _shown(at: int) -> str:
    return moment(at).isoformat(timespec="seconds")


@app.command("delivery")
def show_delivery(delivery: Owed) -> None:
    """What is or was sent under an id, and each try: when, and with which status it was answered."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await _owed(delivery, connection)
        print(body_of(found))
        for each in found.attempts:
            print(f"{_shown(each.at)}  {each.status or 'no answer'}")
        print(_became(found))
        return Exit.DONE

    finish(work)


async def _owed(id_: str, connection: Connection) -> Delivery:
    found = await delivery_by_id(connection.reader, id_)
    if found is None:
        raise InputInvalidError(f"no delivery has the id `{id_[:80]}`; `selfsame hooks deliveries` lists them")
    return found


def _became(owed: Delivery) -> str:
    last = "" if owed.status is None else f", {owed.status} at last"
    if owed.done_at is not None:
        return "taken"
    if owed.due_at is not None:
        return f"tried {owed.tries} times{last}, again {_shown(owed.due_at)}"
    return f"not sent any more after {owed.tries} tries{last}" if owed.tries else "held"


@app.command("resend")
def send_again(delivery: Owed) -> None:
    """Send something once more, under the same id."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await _owed(delivery, connection)
            await resend(connection.writer, found.id, micros(now()))
            _say_held(await _named(found.endpoint, connection))
        return Exit.DONE

    finish(work)


@app.command("recover")
def send_failed_again(
    which: Which,
    since: Annotated[datetime, typer.Option(help="What happened at this moment (UTC) or later.")],
) -> None:
    """Send an endpoint at once all that it did not take since a moment, also what is not sent any more."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            start = since if since.tzinfo else since.replace(tzinfo=UTC)
            print(await recover(connection.writer, endpoint.id, micros(start), micros(now())))
            _say_held(endpoint)
        return Exit.DONE

    finish(work)


def _say_held(endpoint: Endpoint) -> None:
    if endpoint.state is not EndpointState.ACTIVE:
        told.print(f"it is held until `selfsame hooks resume {endpoint.id}`: the endpoint is {endpoint.state.value}")


async def _named(which: str, connection: Connection) -> Endpoint:
    found = [each for each in await endpoints(connection.reader) if each.id.startswith(which)]
    if len(found) != 1:
        many = "no endpoint" if not found else f"{len(found)} endpoints"
        raise InputInvalidError(f"{many} of that id: `{which[:80]}`; `selfsame hooks list` shows them")
    return found[0]
