"""Who is told by webhooks is added, changed and removed, as `selfsame hooks` does it, and by the same code.

A secret is told in the answer to the request that makes it, and nowhere else: an answer that is given again under an
idempotency key has none, since what is remembered of it is the endpoint's id.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Annotated

import strawberry

from graph.connection import Transaction
from graph.deliveries import Owed, delivery_by_id, resend
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
from identity.messages import micros
from insight.urls import problem_of
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.nodes import resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.problems import IdempotencyConflict, Invalid, NotFound, NothingToDo, TooLarge, Trouble, already, missing
from resolvers.scalars import Moment
from resolvers.webhooks import Told, WebhookDelivery, WebhookEndpoint, WebhookTopic, WhichEndpoint
from resolvers.world import World

MOST_DAYS = 30


def _endpoint(parent: strawberry.Parent[Told]) -> Endpoint:
    return parent.endpoint


@strawberry.type(description="An endpoint with a new secret.")
class WebhookSecretGiven:
    """An endpoint with a new secret."""

    endpoint: WebhookEndpoint = resolved(_endpoint, "The endpoint.")
    secret: str | None = strawberry.field(
        description="By which its messages are signed, told this once; null in a dry run and in an answer given again."
    )

    is_type_of = stands_for(Told)


def _itself(parent: strawberry.Parent[Endpoint]) -> Endpoint:
    return parent


@strawberry.type(description="An endpoint as it is now, or would be.")
class WebhookEndpointChanged:
    """An endpoint as it is now, or would be."""

    endpoint: WebhookEndpoint = resolved(_itself, "The endpoint.")

    is_type_of = stands_for(Endpoint)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Somebody who is told nothing more."""

    id: str


@strawberry.type(description="An endpoint that is told nothing more, or would not be.")
class WebhookEndpointRemoved:
    """An endpoint that is told nothing more."""

    id: strawberry.ID = strawberry.field(description="The id that it had.")

    is_type_of = stands_for(Forgotten)


def _owed(parent: strawberry.Parent[Owed]) -> Owed:
    return parent


def _owed_to(parent: strawberry.Parent[Owed]) -> Endpoint:
    return parent.endpoint


@strawberry.type(description="Something that is sent once more, or would be.")
class WebhookRedelivered:
    """Something that is sent once more, or would be."""

    delivery: WebhookDelivery = resolved(_owed, "What is sent once more, under the same id.")
    endpoint: WebhookEndpoint = resolved(_owed_to, "To whom; it is held where the endpoint is not active.")

    is_type_of = stands_for(Owed)


WebhookSecretAnswer = Annotated[
    WebhookSecretGiven | NotFound | TooLarge | Invalid | IdempotencyConflict,
    strawberry.union(name="WebhookSecretAnswer", description="What became of an endpoint that gets a secret."),
]
WebhookEndpointAnswer = Annotated[
    WebhookEndpointChanged | NotFound | Invalid | IdempotencyConflict,
    strawberry.union(name="WebhookEndpointAnswer", description="What became of an endpoint that is changed."),
]
WebhookRemovalAnswer = Annotated[
    WebhookEndpointRemoved | NothingToDo | Invalid | IdempotencyConflict,
    strawberry.union(name="WebhookRemovalAnswer", description="What became of an endpoint that is removed."),
]
WebhookDeliveryAnswer = Annotated[
    WebhookRedelivered | NotFound | Invalid | IdempotencyConflict,
    strawberry.union(name="WebhookDeliveryAnswer", description="What became of something that is sent once more."),
]
Url = Annotated[str, strawberry.argument(description="Where to: an https URL.")]
NewUrl = Annotated[str | None, strawberry.argument(description="Where to from now on; as it is without it.")]
Topics = Annotated[
    list[WebhookTopic] | None, strawberry.argument(description="Of what it is told; all topics there are without it.")
]
NewTopics = Annotated[
    list[WebhookTopic] | None, strawberry.argument(description="Of what from now on; as it is without it.")
]
Paused = Annotated[
    bool | None,
    strawberry.argument(description="True holds what it is owed; false tells it all that, also where it was disabled."),
]
Days = Annotated[
    float, strawberry.argument(description="For how many days the former secret signs beside the new one, 0 to 30.")
]
WhichDelivery = Annotated[strawberry.ID, strawberry.argument(description="Its id, which is its `webhook-id`.")]
Since = Annotated[Moment, strawberry.argument(description="What happened at this moment or later.")]


async def create_webhook_endpoint(
    info: Info, url: Url, topics: Topics = None, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Told | Trouble:
    """Tell somebody what happens from now on."""
    context = info.context

    async def work(world: World) -> Told | Trouble:
        _usable(context, url)
        chosen = tuple(each.value for each in Topic) if topics is None else _named(topics)
        endpoint = Endpoint(world.mint(), url, chosen, new_secret(), context.micros)
        if await keep_endpoint(world.writer, endpoint) is None:
            raise refused(Code.TOO_MANY_ENDPOINTS, f"there are {MOST_ENDPOINTS} endpoints; remove one first")
        return Told(endpoint, None if dry_run else endpoint.secret)

    wanted = Wanted("createWebhookEndpoint", (url, topics), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_remembered, _told_again))


async def rotate_webhook_secret(
    info: Info,
    endpoint: WhichEndpoint,
    days: Days = 1.0,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Told | Trouble:
    """Give an endpoint another secret."""
    context = info.context

    async def work(world: World) -> Told | Trouble:
        if not 0 <= days <= MOST_DAYS:
            raise refused(Code.VALUE_INVALID, f"`days` is a number from 0 to {MOST_DAYS}")
        secret, until = new_secret(), micros(context.now + timedelta(days=days))
        changed = partial(rotated, secret=secret, until=until, now=context.micros)
        found = await change_endpoint(world.writer, endpoint, changed)
        return Told(found, None if dry_run else secret) if found else _unknown()

    wanted = Wanted("rotateWebhookSecret", (endpoint, days), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_remembered, _told_again))


async def change_webhook_endpoint(
    info: Info,
    endpoint: WhichEndpoint,
    url: NewUrl = None,
    topics: NewTopics = None,
    paused: Paused = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Endpoint | Trouble:
    """Tell an endpoint elsewhere or of something else, hold it or go on."""
    context = info.context

    async def work(world: World) -> Endpoint | Trouble:
        if url is None and topics is None and paused is None:
            raise refused(Code.VALUE_INVALID, "say what is to be different: `url`, `topics` or `paused`")
        if url is not None:
            _usable(context, url)
        chosen = None if topics is None else _named(topics)
        return await _changed(world, endpoint, partial(_as_asked, url, chosen, paused, context.micros))

    wanted = Wanted("changeWebhookEndpoint", (endpoint, url, topics, paused), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_remembered, _again))


def _as_asked(url: str | None, topics: tuple[str, ...] | None, held: bool | None, now: int, old: Endpoint) -> Endpoint:
    new = replace(old, url=url or old.url, topics=topics or old.topics)
    if held is None:
        return new
    if held:
        return paused(new)
    return new if old.state is EndpointState.ACTIVE else resumed(new, now)


async def recover_webhooks(
    info: Info, endpoint: WhichEndpoint, since: Since, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Endpoint | Trouble:
    """Tell an endpoint at once what it did not take since a moment."""
    context = info.context

    async def work(world: World) -> Endpoint | Trouble:
        return await _changed(world, endpoint, partial(recovered, since=since, now=context.micros))

    wanted = Wanted("recoverWebhooks", (endpoint, since), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_remembered, _again))


async def remove_webhook_endpoint(
    info: Info, endpoint: WhichEndpoint, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Forgotten | Trouble:
    """Tell an endpoint nothing more."""

    async def work(world: World) -> Forgotten | Trouble:
        if await remove_endpoint(world.writer, endpoint):
            return Forgotten(endpoint)
        return already("unknown_endpoint", "no endpoint has this id")

    async def again(_: Asking, __: str) -> Forgotten | Trouble:
        return Forgotten(endpoint)

    wanted = Wanted("removeWebhookEndpoint", (endpoint,), idempotency_key, dry_run)
    return await done(info.context, wanted, work, Memory(_removed, again))


async def redeliver_webhook(
    info: Info, delivery: WhichDelivery, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Owed | Trouble:
    """Send something once more."""
    context = info.context

    async def work(world: World) -> Owed | Trouble:
        return await resend(world.writer, delivery, context.micros) or _undelivered()

    async def again(context: Asking, id_: str) -> Owed | Trouble:
        return await delivery_by_id(context.world.reader, id_) or _undelivered()

    wanted = Wanted("redeliverWebhook", (delivery,), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_sent, again))


def _usable(context: Asking, url: str) -> None:
    """Raises GraphQLError; the sentence does not repeat the URL, which may hold a word of entry."""
    problem = problem_of(url, private=context.world.hooks_private)
    if problem is not None:
        raise refused(Code.WEBHOOK_URL, f"nothing can be sent to this URL: {problem}")


def _named(topics: list[WebhookTopic]) -> tuple[str, ...]:
    if not topics:
        raise refused(Code.WEBHOOK_TOPICS)
    return tuple(dict.fromkeys(str(each.value) for each in topics))


async def _changed(world: World, id_: str, changed: Changed) -> Endpoint | Trouble:
    return await change_endpoint(world.writer, id_, changed) or _unknown()


def _unknown() -> Trouble:
    return missing("unknown_endpoint", "no endpoint has this id; `webhookEndpoints` lists them")


def _undelivered() -> Trouble:
    return missing("unknown_delivery", "nothing of this id is owed to any endpoint; what was taken is kept for a week")


async def _remembered(_: Transaction, kept: Endpoint | None) -> str | None:
    return kept.id if kept else None


async def _removed(_: Transaction, gone: bool) -> str | None:
    return "done" if gone else None


async def _sent(_: Transaction, owed: Owed | None) -> str | None:
    return owed.delivery.id if owed else None


async def _again(context: Asking, id_: str) -> Endpoint | Trouble:
    """The endpoint as it is now."""
    return next((each for each in await endpoints(context.world.reader) if each.id == id_), None) or _unknown()


async def _told_again(context: Asking, id_: str) -> Told | Trouble:
    """The endpoint as it is now, without a secret: whoever lost it rotates it."""
    found = await _again(context, id_)
    return Told(found) if isinstance(found, Endpoint) else found
