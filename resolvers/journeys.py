"""Journeys: a profile's interactions as sessions."""

from collections.abc import Awaitable

import strawberry

from graph.journeys import journeys_of
from identity.identifiers import ProfileId
from insight.journeys import Session as StoredSession
from resolvers.asking import Asking
from resolvers.batching import then
from resolvers.paging import Connection, Micros, one_more, page_of, place_in
from resolvers.scalars import Moment


@strawberry.type(
    description="A run of interactions without a long pause; the policy says how long, 30 minutes by default."
)
class Session:
    """A run of interactions without a long pause."""

    start: Moment = strawberry.field(description="The moment of its first interaction.")
    end: Moment = strawberry.field(description="The moment of its last interaction.")
    count: int = strawberry.field(description="How many interactions it has.")
    names: list[str] = strawberry.field(
        description="What happened, each name once, in the order of its first time; the type where there is no name."
    )


def journey(
    context: Asking, profile: ProfileId, first: int, after: str | None
) -> Connection[StoredSession] | Awaitable[Connection[StoredSession]]:
    """A page of a profile's sessions, newest first."""
    place = place_in(after, tuple[Micros])
    asked = (profile, place[0] if place else None)
    idle_minutes = context.world.policy.session_idle_minutes
    found = context.batching.ask(journeys_of, asked, one_more(first), idle_minutes)
    return then(found, lambda sessions: page_of(sessions or (), first, after, lambda session: (session.start,)))
