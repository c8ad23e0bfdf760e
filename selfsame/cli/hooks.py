"""`selfsame hooks`: who is told by webhooks, and what each is owed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import orjson
import typer

from destinations.deliveries import reason_of
from destinations.webhooks import Letter, send
from graph.backlog import again_page, forget_page
from graph.connection import Connection
from graph.deliveries import (
    Delivery,
    DeliveryState,
    Owed,
    body_of,
    deliveries,
    delivery_by_id,
    resend,
    standing_of,
)
from graph.endpoints import (
    MOST_ENDPOINTS,
    Changed,
    Endpoint,
    EndpointState,
    Topic,
    change_endpoint,
    endpoints,
    keep_endpoint,
    new_secret,
    paused,
    recovered,
    remove_endpoint,
    resumed,
    rotated,
)
from identity.messages import micros, moment
from insight.urls import problem_of
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.errors import InputInvalidError
from selfsame.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, help="Who is told by webhooks what happens, and what each is owed.")

LISTED = 20
OwedId = Annotated[str, typer.Argument(help="A delivery's id, as `hooks deliveries` shows it.")]
Which = Annotated[str, typer.Argument(help="An endpoint's id, or its beginning, as `hooks list` shows it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to: an https URL.")],
    topic: Annotated[list[Topic] | None, typer.Option(help="Of what; repeatable. All without it.")] = None,
) -> None:
    """Tell an endpoint what happens from now on, and print the secret by which it is signed."""

    async def work() -> Exit:
        settings = load_settings()
        _refuse(url, settings)
        topics = tuple(each.value for each in topic or Topic)
        endpoint = Endpoint(mint(), url, topics, new_secret(), micros(now()))
        async with reached_in_sight(settings) as connection:
            if await keep_endpoint(connection.writer, endpoint) is None:
                raise InputInvalidError(f"there are {MOST_ENDPOINTS} endpoints: `selfsame hooks remove` makes room")
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
        settings = load_settings()
        _refuse(url, settings)
        topics = tuple(each.value for each in topic or ())
        async with reached_in_sight(settings) as connection:
            await _change(which, connection, lambda old: replace(old, url=url or old.url, topics=topics or old.topics))
        return Exit.DONE

    finish(work)


async def _change(which: str, connection: Connection, changed: Changed) -> Endpoint:
    """An endpoint as it is after a change."""
    endpoint = await change_endpoint(connection.writer, (await _named(which, connection)).id, changed)
    return endpoint or await _named(which, connection)  # which raises where somebody removed it meanwhile


def _refuse(url: str | None, settings: Settings) -> None:
    if url is not None and (problem := problem_of(url, private=settings.hooks_private)) is not None:
        raise InputInvalidError(f"nothing can be sent to `{url[:80]}`: {problem}")


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
        secret, at = new_secret(), now()
        until = micros(at + timedelta(days=days))
        async with reached_in_sight(load_settings()) as connection:
            await _change(which, connection, partial(rotated, secret=secret, until=until, now=micros(at)))
        print(secret)
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
        letter = Letter(f"msg_test_{mint()}", endpoint.url, body, endpoint.signing(micros(at)), settings.hooks_private)
        answer = await send(letter, at)
        print(f"{'taken' if answer.taken else 'not taken'}: {reason_of(answer)}")
        return Exit.DONE if answer.taken else Exit.WRONG

    finish(work)


@app.command()
def pause(which: Which) -> None:
    """Tell an endpoint nothing until `resume`; what it is owed is kept."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            await _change(which, connection, paused)
        return Exit.DONE

    finish(work)


@app.command()
def resume(which: Which) -> None:
    """Tell an endpoint what it is owed, also one that was disabled."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            await _make_due(connection, await _change(which, connection, partial(resumed, now=micros(now()))))
        return Exit.DONE

    finish(work)


async def _make_due(connection: Connection, endpoint: Endpoint) -> None:
    """Go through what an endpoint is owed to the end; who is stopped in between is gone on for by the service."""
    while await again_page(connection.writer, endpoint.id):
        pass


@app.command()
def remove(which: Which) -> None:
    """Forget an endpoint and all that it is owed."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _named(which, connection)
            await remove_endpoint(connection.writer, endpoint.id)
            while await forget_page(connection.writer, endpoint.id):
                pass
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
                print("  ".join((each.id, each.type, _shown(each.at), _became(each, endpoint))))
        return Exit.DONE

    finish(work)


def _shown(at: int) -> str:
    return moment(at).isoformat(timespec="seconds")


@app.command("delivery")
def show_delivery(delivery: OwedId) -> None:
    """What is or was sent under an id, and each try: when, and with which status it was answered."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = _owed(delivery, await delivery_by_id(connection.reader, delivery))
        print(body_of(found.delivery))
        for each in found.delivery.attempts:
            print(f"{_shown(each.at)}  {each.status or 'no answer'}")
        print(_became(found.delivery, found.endpoint))
        return Exit.DONE

    finish(work)


def _owed(id_: str, found: Owed | None) -> Owed:
    if found is None:
        raise InputInvalidError(f"no delivery has the id `{id_[:80]}`; `selfsame hooks deliveries` lists them")
    return found


def _became(owed: Delivery, endpoint: Endpoint) -> str:
    last = "" if owed.status is None else f", {owed.status} at last"
    match standing_of(owed, endpoint):
        case DeliveryState.TAKEN:
            return "taken"
        case DeliveryState.GIVEN_UP:
            return f"not sent any more after {owed.tries} tries{last}"
        case DeliveryState.HELD:
            return f"held after {owed.tries} tries{last}" if owed.tries else "held"
        case DeliveryState.WAITING:
            return f"tried {owed.tries} times{last}, again {_shown(owed.due_at or owed.at)}"


@app.command("resend")
def send_again(delivery: OwedId) -> None:
    """Send something once more, under the same id."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = _owed(delivery, await resend(connection.writer, delivery, micros(now())))
            _say_held(found.endpoint)
        return Exit.DONE

    finish(work)


@app.command("recover")
def send_failed_again(
    which: Which,
    since: Annotated[datetime, typer.Option(help="What happened at this moment (UTC) or later.")],
) -> None:
    """Send an endpoint at once all that it did not take since a moment, also what is not sent any more."""

    async def work() -> Exit:
        start = micros(since if since.tzinfo else since.replace(tzinfo=UTC))
        async with reached_in_sight(load_settings()) as connection:
            endpoint = await _change(which, connection, partial(recovered, since=start, now=micros(now())))
            await _make_due(connection, endpoint)
            after = await _named(endpoint.id, connection)
            print(after.again.many if after.again else 0)
            _say_held(after)
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
