"""Interactions: anything that happened, as pages of a timeline and one by one, with what was sent."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Annotated

import msgspec
import strawberry

from graph.counting import count_of_interactions
from graph.interactions import EVERYTHING, Ask, Payload, TimelinePage, payloads_of, timelines_of, timelines_of_types
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import InteractionFilter as Wanted
from graph.interactions import TimeOrder as By
from identity.identifiers import ProfileId
from identity.messages import MessageKind
from insight.interactions import NAMES, Kind, Names
from resolvers.asking import Asking, Info
from resolvers.batching import then
from resolvers.errors import Code, refused
from resolvers.identifiers import IdentifierName
from resolvers.nodes import Node, resolved
from resolvers.paging import Connection, Counting, Micros, counting, one_more, page_of, place_in, stopped_at
from resolvers.scalars import JsonValue, Moment, stored_json

MOST_NAMES = 20
TRACKED = MessageKind.TRACK.value
NOTHING = Wanted(types=("",), names=("",))


@strawberry.enum(description="What kind of message it came as; the words are Segment's.")
class InteractionType(Enum):
    """What kind of message it came as."""

    IDENTIFY = strawberry.enum_value("identify", description="Somebody said who she is.")
    TRACK = strawberry.enum_value("track", description="Somebody did something that has a name.")
    PAGE = strawberry.enum_value("page", description="Somebody saw a page.")
    SCREEN = strawberry.enum_value("screen", description="Somebody saw a screen of an app.")
    GROUP = strawberry.enum_value("group", description="Somebody belongs to an account.")
    ALIAS = strawberry.enum_value("alias", description="Two identifiers were declared to be the same.")


@strawberry.enum(description="Kinds of track messages that have a type of their own, known by their names.")
class InteractionKind(Enum):
    """Kinds of track messages that are known by their names; the values are those of insight/interactions.py."""

    ORDER = strawberry.enum_value(Kind.ORDER.value, description="As `OrderEvent`.")
    TICKET = strawberry.enum_value(Kind.TICKET.value, description="As `TicketEvent`.")
    MESSAGE = strawberry.enum_value(Kind.MESSAGE.value, description="As `Message`.")
    MEETING = strawberry.enum_value(Kind.MEETING.value, description="As `Meeting`.")
    FORM = strawberry.enum_value(Kind.FORM.value, description="As `FormSubmission`.")
    PAYMENT = strawberry.enum_value(Kind.PAYMENT.value, description="As `Payment`.")
    SENSOR = strawberry.enum_value(Kind.SENSOR.value, description="As `SensorReading`.")


@strawberry.input(description="Which interactions a timeline shows; what is not given does not matter.")
class InteractionFilter:
    """Which interactions a timeline shows."""

    types: list[InteractionType] | None = strawberry.field(default=None, description="Of any of these types.")
    kinds: list[InteractionKind] | None = strawberry.field(
        default=None, description="Of any of these kinds; they are found in an index, by their names."
    )
    names: list[str] | None = strawberry.field(default=None, description="Of any of these names, at most 20.")
    start: Moment | None = strawberry.field(default=None, description="At this moment or later.")
    end: Moment | None = strawberry.field(default=None, description="At this moment or earlier.")


@strawberry.enum(description="In which order things come that have a moment.")
class TimeOrder(Enum):
    """In which order things come that have a moment; the values are those of graph/interactions.py."""

    NEWEST_FIRST = strawberry.enum_value(
        "newest", description="The newest first; what happens while you page stands before the first page."
    )
    OLDEST_FIRST = strawberry.enum_value(
        "oldest", description="The oldest first; what happens while you page comes at the end."
    )


@strawberry.type(description="One identifier as a message carried it, before normalisation.")
class Sighting:
    """One identifier as a message carried it."""

    namespace: str = strawberry.field(description="Its namespace.")
    value: str = strawberry.field(description="The value as it was sent.")
    place: str = strawberry.field(description="Where in the message it stood, such as `userId`.")


@strawberry.type(description="Something wrong in a message that was kept all the same.")
class Warning:  # noqa: A001 -- the schema's word
    """Something wrong in a message that was kept all the same."""

    code: str = strawberry.field(description="A stable word.")
    place: str = strawberry.field(description="Where in the message.")
    sentence: str = strawberry.field(description="What is wrong.")


def sent(shape: Callable[[Payload], object]) -> Callable[..., object]:
    """A resolver of something that was sent with an interaction: all of it is read by one statement."""

    def resolver(parent: strawberry.Parent[StoredInteraction], info: Info) -> object:
        payload = info.context.batching.ask(payloads_of, parent.id)
        return then(payload, lambda found: None if found is None else shape(found))

    return resolver


def _sightings(payload: Payload) -> list[Sighting]:
    read = msgspec.json.decode(payload.identifiers or "[]", type=list[list[str | bool]])
    return [
        Sighting(namespace=str(namespace), value=str(value), place=str(place)) for namespace, value, place, *_ in read
    ]


def _warnings(payload: Payload) -> list[Warning]:
    return [_warning(each) for each in payload.warnings]


def _warning(text: str) -> Warning:
    """From `code place: sentence`."""
    where, _, sentence = text.partition(": ")
    code, _, place = where.partition(" ")
    return Warning(code=code, place=place, sentence=sentence)


@strawberry.interface(description="Anything that happened; its type says of what kind it is.")
class Interaction(Node):
    """Anything that happened."""

    at: Moment = strawberry.field(description="When it happened, corrected for clocks that are wrong.")
    own_time: Moment | None = strawberry.field(description="When it happened by the sender's clock, if it said so.")
    received_at: Moment = strawberry.field(description="When it was received.")
    type: InteractionType = strawberry.field(description="What kind of message it came as.")
    name: str | None = strawberry.field(description="What happened, such as `Order Completed`; a page's title.")
    channel: str | None = strawberry.field(description="Where it happened, such as `web`, `mobile`, `till`.")
    source: str = strawberry.field(description="The source that sent it.")
    actor: IdentifierName = strawberry.field(description="The identifier that did it.")
    properties: JsonValue | None = resolved(sent(lambda sent: stored_json(sent.properties)), "What was sent about it.")
    traits: JsonValue | None = resolved(
        sent(lambda sent: stored_json(sent.traits)), "What was said of the person with it."
    )
    context: JsonValue | None = resolved(
        sent(lambda sent: stored_json(sent.context)), "Circumstances: page, campaign, library."
    )
    identifiers: list[Sighting] | None = resolved(
        sent(_sightings), "The identifiers of the message as they were received."
    )
    warnings: list[Warning] | None = resolved(sent(_warnings), "What was wrong in the message.")


TypedFilter = Annotated[InteractionFilter | None, strawberry.argument(description="Which ones; all without it.")]


Ordered = Annotated[TimeOrder, strawberry.argument(description="In which order.")]


def timeline(
    context: Asking,
    profile: ProfileId,
    first: int,
    after: str | None,
    wanted: InteractionFilter | None,
    order: TimeOrder = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredInteraction] | Awaitable[Connection[StoredInteraction]]:
    """A page of a profile's interactions, in their order."""
    ask, most = Ask(profile, place_in(after, tuple[Micros, str])), one_more(first)
    asked = wanted_of(wanted, context.world.held.names)
    count = counting(lambda: context.batching.ask(count_of_interactions, profile, asked))
    if asked.types and not asked.names:
        of_types = context.batching.ask(timelines_of_types, ask, most, asked, By(order.value))
        return then(of_types, lambda page: _short(page or TimelinePage(()), first, after, count))
    # the default goes without saying, as in `know_newest`
    by = () if order is TimeOrder.NEWEST_FIRST else (By(order.value),)
    found = context.batching.ask(timelines_of, ask, most, asked, *by)
    return then(found, lambda page: page_of(page or (), first, after, _place, count))


def _short(page: TimelinePage, first: int, after: str | None, count: Counting) -> Connection[StoredInteraction]:
    return stopped_at(page_of(page.found, first, after, _place, count), page.end, after)


def _place(interaction: StoredInteraction) -> tuple[int, str]:
    return interaction.at, interaction.id


def wanted_of(asked: InteractionFilter | None, known: Names) -> Wanted:
    """Which interactions a filter shows. known: of which kind they are by their names.

    Raises GraphQLError where it names too many.
    """
    if asked is None:
        return EVERYTHING
    types, names, kinds = asked.types or (), asked.names or (), asked.kinds or ()
    if len(names) > MOST_NAMES or len(types) > len(MessageKind) or len(kinds) > len(NAMES):
        raise refused(Code.TOO_MANY_VALUES, f"a filter has at most {MOST_NAMES} names, each type and each kind once")
    wanted = Wanted(tuple(str(each.value) for each in types), tuple(dict.fromkeys(names)), asked.start, asked.end)
    return _among(wanted, known.of(Kind(str(each.value)) for each in kinds)) if kinds else wanted


def _among(wanted: Wanted, names: Sequence[str]) -> Wanted:
    """What is wanted as far as it is a track message of one of these names, which is what a kind is."""
    both = tuple(name for name in names if name in wanted.names) if wanted.names else tuple(names)
    if not both or (wanted.types and TRACKED not in wanted.types):
        return NOTHING
    return replace(wanted, types=(TRACKED,), names=both)


def know_newest(
    context: Asking, profile: ProfileId, newest: Sequence[StoredInteraction], firsts: frozenset[int]
) -> None:
    """Answer later questions for first pages from interactions that were read with the profile."""
    for first in firsts:
        context.batching.know(tuple(newest[: first + 1]), timelines_of, Ask(profile), first + 1, EVERYTHING)
