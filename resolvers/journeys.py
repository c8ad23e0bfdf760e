"""Journeys: a profile's interactions as sessions, and the touchpoints that say from where she came."""

from asyncio import gather
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec
import strawberry

from graph.counting import count_of_sessions
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import Payload, interactions_by_id, payloads_of
from graph.interactions import TimeOrder as By
from graph.journeys import journeys_of
from identity.identifiers import ProfileId
from identity.messages import MessageId
from insight.journeys import Moment as StoredMoment
from insight.journeys import Said, touchpoints_of
from insight.journeys import Session as StoredSession
from insight.journeys import Touchpoint as StoredTouchpoint
from resolvers.asking import Asking, Info
from resolvers.batching import then
from resolvers.interactions import Interaction, Ordered, TimeOrder
from resolvers.nodes import resolved
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    Counting,
    Edge,
    First,
    Micros,
    PageInfo,
    all_counted,
    counting,
    one_more,
    page_of,
    place_in,
)
from resolvers.scalars import Moment

MOST_LOOKED_AT = 50  # interactions of a session: what says from where somebody came stands at its beginning


@strawberry.enum(description="By which way somebody came; the default grouping of Google Analytics 4.")
class MarketingChannel(Enum):
    """By which way somebody came; the values are those of insight/channels.py."""

    DIRECT = strawberry.enum_value("direct", description="Nothing says from where.")
    CROSS_NETWORK = strawberry.enum_value("cross_network", description="A campaign over several networks.")
    PAID_SHOPPING = strawberry.enum_value("paid_shopping", description="A paid link on a shopping site.")
    PAID_SEARCH = strawberry.enum_value("paid_search", description="A paid link of a search engine.")
    PAID_SOCIAL = strawberry.enum_value("paid_social", description="A paid link in a social network.")
    PAID_VIDEO = strawberry.enum_value("paid_video", description="A paid link on a video site.")
    DISPLAY = strawberry.enum_value("display", description="A banner.")
    PAID_OTHER = strawberry.enum_value("paid_other", description="Another paid link.")
    ORGANIC_SHOPPING = strawberry.enum_value("organic_shopping", description="A link on a shopping site.")
    ORGANIC_SOCIAL = strawberry.enum_value("organic_social", description="A link in a social network.")
    ORGANIC_VIDEO = strawberry.enum_value("organic_video", description="A link on a video site.")
    ORGANIC_SEARCH = strawberry.enum_value("organic_search", description="A search engine.")
    REFERRAL = strawberry.enum_value("referral", description="A link on another site.")
    EMAIL = strawberry.enum_value("email", description="An email.")
    AFFILIATES = strawberry.enum_value("affiliates", description="A link of a partner who is paid for sales.")
    AUDIO = strawberry.enum_value("audio", description="A podcast or a radio programme.")
    SMS = strawberry.enum_value("sms", description="A text message.")
    MOBILE_PUSH = strawberry.enum_value("mobile_push", description="A notification on a phone.")
    UNASSIGNED = strawberry.enum_value("unassigned", description="None of these.")


def _interaction(parent: strawberry.Parent[StoredTouchpoint], info: Info) -> Awaitable[StoredInteraction | None]:
    return info.context.batching.ask(interactions_by_id, MessageId(parent.id))


def _channel(parent: strawberry.Parent[StoredTouchpoint]) -> MarketingChannel:
    return MarketingChannel(parent.channel.value)


@strawberry.type(description="An interaction that counts for attribution, because it says from where somebody came.")
class Touchpoint:
    """An interaction that counts for attribution."""

    interaction: Interaction | None = resolved(_interaction, "What happened; null once it is erased.")
    channel: MarketingChannel = resolved(_channel, "By which way she came.")
    source: str | None = strawberry.field(description="The source that the campaign names, else the referrer's host.")
    medium: str | None = strawberry.field(description="The medium of the campaign, such as `cpc` or `email`.")
    campaign: str | None = strawberry.field(description="The name of the campaign.")
    term: str | None = strawberry.field(description="The search term of the campaign.")
    content: str | None = strawberry.field(description="Which link or advertisement of the campaign.")
    referrer: str | None = strawberry.field(description="The address of the page of another site that led to it.")


def _moments(
    parent: strawberry.Parent[StoredSession],
    info: Info,
    first: First = USUAL,
    after: After = None,
    order: Ordered = TimeOrder.OLDEST_FIRST,
) -> Awaitable[Connection[StoredInteraction]]:
    return _happened(info.context, parent, first, after, order)


async def _happened(
    context: Asking, session: StoredSession, first: int, after: str | None, order: TimeOrder
) -> Connection[StoredInteraction]:
    """A page of a session: which interactions it has is known, so that only those of the page are read."""
    most, place = one_more(first), place_in(after, tuple[Micros, str])
    newest = order is TimeOrder.NEWEST_FIRST
    moments = session.moments[::-1] if newest else session.moments
    rest = [
        each
        for each in moments
        if place is None or ((each.at, each.id) < place if newest else (each.at, each.id) > place)
    ][:most]
    waiting = [context.batching.ask(interactions_by_id, MessageId(each.id)) for each in rest]
    found = [one for one in await gather(*waiting) if one is not None]
    return page_of(found, first, after, lambda each: (each.at, each.id), all_counted(len(session.moments)))


def _touchpoints(parent: strawberry.Parent[StoredSession], info: Info) -> Awaitable[Sequence[StoredTouchpoint]]:
    return _touched(info.context, parent)


async def _touched(context: Asking, session: StoredSession) -> Sequence[StoredTouchpoint]:
    looked_at = session.moments[:MOST_LOOKED_AT]
    waiting = [context.batching.ask(payloads_of, MessageId(each.id)) for each in looked_at]
    said = await gather(*waiting)
    return touchpoints_of([_said(moment, each) for moment, each in zip(looked_at, said, strict=True)])


def _said(moment: StoredMoment, payload: Payload | None) -> Said:
    return Said(
        moment.id, *(_object(text) for text in ((payload.properties, payload.context) if payload else ("", "")))
    )


def _object(text: str | None) -> dict[str, Any]:
    return msgspec.json.decode(text or "{}", type=dict[str, Any])


@strawberry.type(
    description="A run of interactions without a long pause; the policy says how long, 30 minutes by default."
)
class Session:
    """A run of interactions without a long pause."""

    start: Moment = strawberry.field(description="The moment of its first interaction.")
    end: Moment = strawberry.field(description="The moment of its last interaction.")
    count: int = strawberry.field(description="How many interactions it has.")
    names: list[str] = strawberry.field(
        description="What happened, each name once, in the order of its first time, at most 100; the type where "
        "there is no name."
    )
    interactions: Connection[Interaction] = resolved(_moments, "What happened in it.")
    touchpoints: list[Touchpoint] = resolved(
        _touchpoints, "From where she came, in the order of time: among its first 50 interactions."
    )


@dataclass(frozen=True, slots=True)
class JourneyShown:
    """A page of sessions."""

    edges: list[Edge[StoredSession]]
    page_info: PageInfo
    count: Counting | None
    order: TimeOrder


async def _all_touchpoints(parent: strawberry.Parent[JourneyShown], info: Info) -> Sequence[StoredTouchpoint]:
    """Side by side, so that what the sessions say is read by one statement."""
    found: list[StoredTouchpoint] = []
    await _read_together(info.context, [edge.node for edge in parent.edges])
    for edge in parent.edges if parent.order is TimeOrder.OLDEST_FIRST else reversed(parent.edges):
        found += await _touched(info.context, edge.node)
    return found


async def _read_together(context: Asking, several: Sequence[StoredSession]) -> None:
    waiting = [
        context.batching.ask(payloads_of, MessageId(each.id))
        for session in several
        for each in session.moments[:MOST_LOOKED_AT]
    ]
    await gather(*waiting)


@strawberry.type(description="A page of sessions with the touchpoints in them.")
class Journey(Connection[Session]):
    """A page of sessions with the touchpoints in them."""

    touchpoints: list[Touchpoint] = resolved(
        _all_touchpoints, "From where she came in the sessions of this page, in the order of time."
    )


def journey(
    context: Asking, profile: ProfileId, first: int, after: str | None, order: TimeOrder
) -> JourneyShown | Awaitable[JourneyShown]:
    """A page of a profile's sessions, in their order, with what is asked of all of them."""

    def shown(page: Connection[StoredSession]) -> JourneyShown:
        return JourneyShown(page.edges, page.page_info, page.count, order)

    found = sessions(context, profile, first, after, order)
    return shown(found) if isinstance(found, Connection) else then(found, shown)


def sessions(
    context: Asking, profile: ProfileId, first: int, after: str | None, order: TimeOrder
) -> Connection[StoredSession] | Awaitable[Connection[StoredSession]]:
    """A page of a profile's sessions, in their order. A cursor holds where what was read of the last one ends."""
    place = place_in(after, tuple[Micros])
    asked = (profile, place[0] if place else None)
    idle_minutes = context.world.policy.session_idle_minutes
    found = context.batching.ask(journeys_of, asked, one_more(first), idle_minutes, By(order.value))
    count = counting(lambda: context.batching.ask(count_of_sessions, profile, idle_minutes))
    edge = _start if order is TimeOrder.NEWEST_FIRST else _end
    return then(found, lambda several: page_of(several or (), first, after, edge, count))


def _start(session: StoredSession) -> tuple[int]:
    return (session.start,)


def _end(session: StoredSession) -> tuple[int]:
    return (session.end,)
