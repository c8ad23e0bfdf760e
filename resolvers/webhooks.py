"""Webhooks out as a caller sees them: who is told, and what became of what each was or is owed. Scope `admin`."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import strawberry

from graph.counting import Counted
from graph.deliveries import Attempt as StoredAttempt
from graph.deliveries import Delivery as StoredDelivery
from graph.deliveries import (
    DeliveryPlace,
    DeliveryState,
    Owed,
    body_of,
    deliveries_of,
    standing_of,
    waiting_for,
)
from graph.endpoints import Again as StoredAgain
from graph.endpoints import Endpoint as StoredEndpoint
from graph.endpoints import endpoints
from resolvers.asking import Info
from resolvers.batching import then
from resolvers.nodes import resolved, stands_for
from resolvers.paging import USUAL, After, Connection, First, Micros, all_counted, one_more, page_of, place_in
from resolvers.scalars import Moment


@strawberry.enum(description="What an endpoint can be told of; docs/webhooks-out.md says what each message holds.")
class WebhookTopic(Enum):
    """What an endpoint can be told of; the values are those of graph/endpoints.py."""

    PROFILE_CHANGED = strawberry.enum_value("profile.changed", description="Something of people is different.")
    PROFILE_MERGED = strawberry.enum_value("profile.merged", description="Profiles became one.")
    PROFILE_SPLIT = strawberry.enum_value("profile.split", description="A profile became several.")
    IDENTITY_CHANGED = strawberry.enum_value("identity.changed", description="Each row of the log of changes.")
    INTERACTION_ADDED = strawberry.enum_value("interaction.added", description="People did something new.")
    LOAD_PROGRESSED = strawberry.enum_value("load.progressed", description="A load went on.")
    SEGMENT_ENTERED = strawberry.enum_value("segment.entered", description="People entered a kept segment.")
    SEGMENT_LEFT = strawberry.enum_value("segment.left", description="People left a kept segment.")
    SEGMENT_REMOVED = strawberry.enum_value("segment.removed", description="A segment is kept no longer.")


@strawberry.enum(description="Whether an endpoint is told.")
class WebhookEndpointState(Enum):
    """Whether an endpoint is told."""

    ACTIVE = strawberry.enum_value("active", description="It is told as things happen.")
    PAUSED = strawberry.enum_value("paused", description="Somebody holds what it is owed.")
    DISABLED = strawberry.enum_value("disabled", description="It took nothing for five days, or answered 410.")


@strawberry.enum(description="What became of something that an endpoint is owed.")
class WebhookDeliveryState(Enum):
    """What became of something that an endpoint is owed."""

    TAKEN = strawberry.enum_value("taken", description="It was answered with 2xx.")
    WAITING = strawberry.enum_value("waiting", description="It is sent at `nextTryAt`.")
    HELD = strawberry.enum_value("held", description="It is sent once the endpoint is active.")
    GIVEN_UP = strawberry.enum_value("given_up", description="It is not sent any more, unless somebody asks for it.")


def _attempted(parent: strawberry.Parent[StoredAttempt]) -> Moment:
    return Moment(parent.at)


@strawberry.type(description="One try to send something.")
class WebhookAttempt:
    """One try to send something."""

    at: Moment = resolved(_attempted, "When it had come to its end.")
    status: int | None = strawberry.field(description="The HTTP status of the answer; null where there was none.")


def _id(parent: strawberry.Parent[Owed]) -> strawberry.ID:
    return strawberry.ID(parent.delivery.id)


def _topic(parent: strawberry.Parent[Owed]) -> WebhookTopic:
    return WebhookTopic(parent.delivery.type)


def _at(parent: strawberry.Parent[Owed]) -> Moment:
    return Moment(parent.delivery.at)


def _became(parent: strawberry.Parent[Owed]) -> WebhookDeliveryState:
    return WebhookDeliveryState(standing_of(parent.delivery, parent.endpoint).value)


def _tries(parent: strawberry.Parent[Owed]) -> int:
    return parent.delivery.tries


def _status(parent: strawberry.Parent[Owed]) -> int | None:
    return parent.delivery.status


def _next(parent: strawberry.Parent[Owed]) -> Moment | None:
    waits = standing_of(parent.delivery, parent.endpoint) is DeliveryState.WAITING
    return Moment(parent.delivery.due_at) if waits and parent.delivery.due_at is not None else None


def _taken(parent: strawberry.Parent[Owed]) -> Moment | None:
    return None if parent.delivery.done_at is None else Moment(parent.delivery.done_at)


def _attempts(parent: strawberry.Parent[Owed]) -> Sequence[StoredAttempt]:
    return parent.delivery.attempts


def _body(parent: strawberry.Parent[Owed]) -> str:
    return body_of(parent.delivery)


@strawberry.type(description="Something that an endpoint was or is owed.")
class WebhookDelivery:
    """Something that an endpoint was or is owed."""

    id: strawberry.ID = resolved(_id, "Its `webhook-id`, the same at each try.")
    topic: WebhookTopic = resolved(_topic, "What it tells of.")
    at: Moment = resolved(_at, "When that happened.")
    state: WebhookDeliveryState = resolved(_became, "What became of it.")
    tries: int = resolved(_tries, "How often it was tried in vain since somebody last asked for it.")
    status: int | None = resolved(_status, "The HTTP status of the last answer; null where there was none.")
    next_try_at: Moment | None = resolved(_next, "When it is sent, or sent again; null unless it is `WAITING`.")
    taken_at: Moment | None = resolved(_taken, "When it was taken; null where it was not.")
    attempts: list[WebhookAttempt] = resolved(_attempts, "The latest 100 tries, the first one first.")
    body: str = resolved(_body, "What is sent: JSON that holds ids and never a value.")

    is_type_of = stands_for(Owed)


def _since(parent: strawberry.Parent[StoredAgain]) -> Moment:
    return Moment(parent.since)


def _asked(parent: strawberry.Parent[StoredAgain]) -> Moment:
    return Moment(parent.at)


@strawberry.type(description="That what an endpoint is owed is made due at once, and how far that is done.")
class WebhookRecovery:
    """That what an endpoint is owed is made due at once, and how far that is done."""

    since: Moment = resolved(_since, "Of what happened at this moment or later.")
    asked_at: Moment = resolved(_asked, "When somebody asked for it.")
    many: int = strawberry.field(description="How many were made due so far.")
    done: bool = strawberry.field(description="Whether all of it was looked at.")


def _endpoint_id(parent: strawberry.Parent[StoredEndpoint]) -> strawberry.ID:
    return strawberry.ID(parent.id)


def _topics(parent: strawberry.Parent[StoredEndpoint]) -> list[WebhookTopic]:
    return [WebhookTopic(each) for each in parent.topics]


def _state(parent: strawberry.Parent[StoredEndpoint]) -> WebhookEndpointState:
    return WebhookEndpointState(parent.state.value)


def _created(parent: strawberry.Parent[StoredEndpoint]) -> Moment:
    return Moment(parent.created_at)


def _failing(parent: strawberry.Parent[StoredEndpoint]) -> Moment | None:
    return None if parent.failing_since is None else Moment(parent.failing_since)


def _former(parent: strawberry.Parent[StoredEndpoint], info: Info) -> Moment | None:
    last = max((each.until for each in parent.formers), default=0)
    return Moment(last) if info.context.micros < last else None


def _recovery(parent: strawberry.Parent[StoredEndpoint]) -> StoredAgain | None:
    return parent.again


def _waiting(parent: strawberry.Parent[StoredEndpoint], info: Info) -> int | Awaitable[int]:
    return then(info.context.batching.ask(waiting_for, parent.id), _number)


def _number(found: Counted | None) -> int:
    return found.number if found else 0


def _deliveries(
    parent: strawberry.Parent[StoredEndpoint], info: Info, first: First = USUAL, after: After = None
) -> Connection[Owed] | Awaitable[Connection[Owed]]:
    begin = place_in(after, tuple[Micros, str])
    place = DeliveryPlace(parent.id, *begin) if begin else DeliveryPlace(parent.id)
    found = info.context.batching.ask(deliveries_of, place, one_more(first))

    def page(owed: Sequence[StoredDelivery] | None) -> Connection[Owed]:
        shown = [Owed(parent, each) for each in owed or ()]
        return page_of(shown, first, after, lambda each: (each.delivery.seq, each.delivery.id))

    return then(found, page)


@strawberry.type(description="Who is told by webhooks what happens.")
class WebhookEndpoint:
    """Who is told by webhooks what happens. The secret is no field of it: it is told once, where it is made."""

    id: strawberry.ID = resolved(_endpoint_id, "Its id, as `selfsame hooks list` shows it.")
    url: str = strawberry.field(description="Where to.")
    topics: list[WebhookTopic] = resolved(_topics, "Of what it is told.")
    state: WebhookEndpointState = resolved(_state, "Whether it is told.")
    reason: str | None = strawberry.field(description="Why it is `DISABLED`: what it answered at last; else null.")
    created_at: Moment = resolved(_created, "Since when it is told.")
    failing_since: Moment | None = resolved(_failing, "Since when it takes nothing; null while it is well.")
    former_secret_until: Moment | None = resolved(
        _former, "Until when a secret before this one signs beside it; null where none does."
    )
    waiting: int = resolved(_waiting, "How much there is to be sent, now, later or once it is resumed; 10,000 at most.")
    recovery: WebhookRecovery | None = resolved(
        _recovery, "How far it is with what was last resumed or recovered; null where nothing ever was."
    )
    deliveries: Connection[WebhookDelivery] = resolved(_deliveries, "What it was or is owed, newest first.")


@dataclass(frozen=True, slots=True)
class Told:
    """An endpoint, and its secret where it is told for the only time."""

    endpoint: StoredEndpoint
    secret: str | None = None


WhichEndpoint = Annotated[strawberry.ID, strawberry.argument(description="The id of the endpoint.")]


async def webhook_endpoints(info: Info, first: First = USUAL, after: After = None) -> Connection[StoredEndpoint]:
    """Everybody who is told, the oldest first. One statement: there are 100 at most."""
    most, place = one_more(first), place_in(after, tuple[Micros, str])
    found = await endpoints(info.context.world.reader)
    left = [each for each in found if place is None or _place(each) > place]
    return page_of(left[:most], first, after, _place, all_counted(len(found)))


def _place(endpoint: StoredEndpoint) -> tuple[int, str]:
    return endpoint.created_at, endpoint.id


async def webhook_endpoint(info: Info, id: WhichEndpoint) -> StoredEndpoint | None:  # noqa: A002 -- the schema's word
    """Who is told, by id; None where nobody has it."""
    found = await endpoints(info.context.world.reader)
    return next((each for each in found if each.id == id), None)
