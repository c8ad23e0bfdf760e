"""The kinds of interactions, each with what it alone tells. Which kind one is, insight/interactions.py says.

What was sent is read for a page of any kinds by one statement, what they are about by another.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import strawberry

from graph.accounts import accounts_by_key
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import Payload, payloads_of
from graph.things import Campaign as StoredCampaign
from graph.things import Deal as StoredDeal
from graph.things import Order as StoredOrder
from graph.things import Product as StoredProduct
from graph.things import Thing, things_about
from graph.things import Ticket as StoredTicket
from identity.messages import Json
from insight.interactions import Facts, answers_of, lines_of, page_text
from insight.things import moment_in, money_in, text_in
from resolvers.accounts import ACCOUNT
from resolvers.asking import Info
from resolvers.batching import then
from resolvers.interactions import Interaction, sent
from resolvers.nodes import maybe, resolved
from resolvers.scalars import Moment
from resolvers.things import Campaign, Deal, Money, Order, Product, Ticket

Read = Callable[[Facts], object]


def _object(text: str | None) -> dict[str, Json]:
    return msgspec.json.decode(text or "{}", type=dict[str, Any])


def _of_page(name: str) -> Callable[..., object]:
    return sent(lambda payload: page_text(name, _object(payload.properties), _object(payload.context)))


def _of_properties(read: Read) -> Callable[..., object]:
    return sent(lambda payload: read(_object(payload.properties)))


def _text(*names: str) -> Callable[..., object]:
    return _of_properties(lambda told: text_in(told, *names))


def _money(*names: str) -> Callable[..., object]:
    return _of_properties(lambda told: money_in(told, *names))


def _moment(*names: str) -> Callable[..., object]:
    return _of_properties(lambda told: moment_in(told, *names))


Shape = Callable[[Sequence[Thing]], object]


def _about(shape: Shape) -> Callable[..., object]:
    """A resolver of what an interaction is about: all of it is read by one statement."""

    def resolver(parent: strawberry.Parent[StoredInteraction], info: Info) -> object:
        return then(info.context.batching.ask(things_about, parent.id), lambda things: shape(things or ()))

    return resolver


def _one(kind: type[Thing]) -> Callable[..., object]:
    return _about(lambda things: next((each for each in things if isinstance(each, kind)), None))


def _all(kind: type[Thing]) -> Callable[..., object]:
    return _about(lambda things: [each for each in things if isinstance(each, kind)])


ORDER = "The order it is about; null where none is named."
PRODUCTS = "The products it is about, by their keys; an order's lines say how many."


@strawberry.type(description="Somebody saw a page.")
class PageView(Interaction):
    """Somebody saw a page."""

    url: str | None = resolved(_of_page("url"), "The address of the page.")
    path: str | None = resolved(_of_page("path"), "The path in the address.")
    title: str | None = resolved(_of_page("title"), "The title of the page.")
    referrer: str | None = resolved(_of_page("referrer"), "The address from which the person came.")
    search: str | None = resolved(_of_page("search"), "What follows `?` in the address.")


def _screen(parent: strawberry.Parent[StoredInteraction]) -> str | None:
    return parent.name


@strawberry.type(description="Somebody saw a screen of an app.")
class ScreenView(Interaction):
    """Somebody saw a screen of an app."""

    screen: str | None = resolved(_screen, "What the screen is called.")


@strawberry.type(description="Somebody did something that has a name, of no kind that has a type of its own.")
class TrackEvent(Interaction):
    """Somebody did something that has a name."""

    order: Order | None = resolved(_one(StoredOrder), ORDER)
    products: list[Product] = resolved(_all(StoredProduct), PRODUCTS)
    deal: Deal | None = resolved(_one(StoredDeal), "The deal it is about; null where none is named.")
    ticket: Ticket | None = resolved(_one(StoredTicket), "The ticket it is about; null where none is named.")
    campaign: Campaign | None = resolved(_one(StoredCampaign), "The campaign it is about; null where none is named.")


@strawberry.type(description="One line of an order as it was sent.")
class OrderLine:
    """One line of an order as it was sent."""

    product: str | None = strawberry.field(description="The id or the number of the product in its source.")
    name: str | None = strawberry.field(description="What the product is called, if said.")
    quantity: float | None = strawberry.field(description="How many or how much of it, if said.")
    price: Money | None = strawberry.field(description="What one of it costs, if said.")


@strawberry.type(description="An order began, was made, changed, sent or taken back.")
class OrderEvent(Interaction):
    """Something happened to an order."""

    order: Order | None = resolved(_one(StoredOrder), ORDER)
    products: list[Product] = resolved(_all(StoredProduct), PRODUCTS)
    total: Money | None = resolved(_money("total", "revenue", "value"), "What it came to, as this event has it.")
    currency: str | None = resolved(_text("currency"), "The currency of its amounts.")
    lines: list[OrderLine] | None = resolved(_of_properties(lines_of), "Its lines, as this event has them.")


@strawberry.type(description="Somebody asked for help, or her ticket changed.")
class TicketEvent(Interaction):
    """Something happened to a ticket."""

    ticket: Ticket | None = resolved(_one(StoredTicket), "The ticket; null where none is named.")


@strawberry.type(description="A message to or from somebody: email, text message, chat, push notification.")
class Message(Interaction):
    """A message to or from somebody."""

    subject: str | None = resolved(_text("subject", "email_subject", "title"), "What it is about, if said.")
    text: str | None = resolved(_text("text", "body"), "What it says, if that was sent.")
    medium: str | None = resolved(
        _text("channel", "medium", "platform"),
        "By what it was sent, in the words of its source: a channel, a platform.",
    )
    direction: str | None = resolved(_text("direction"), "`in` or `out`, in the words of its source, if said.")


@strawberry.type(description="A meeting was booked, held, missed or cancelled.")
class Meeting(Interaction):
    """A meeting was booked, held, missed or cancelled."""

    meeting_name: str | None = resolved(_text("meeting_name", "title"), "What the meeting is called.")
    starts_at: Moment | None = resolved(_moment("starts_at", "start"), "When it begins or began.")
    ends_at: Moment | None = resolved(_moment("ends_at", "end"), "When it ends or ended.")
    status: str | None = resolved(_text("status"), "Where it stands, in the words of its source.")


@strawberry.type(description="One answer of a form.")
class FormAnswer:
    """One answer of a form."""

    question: str = strawberry.field(description="What was asked, as the form calls it; else its number.")
    answer: str | None = strawberry.field(description="What was answered, as a text; null where nothing was.")


@strawberry.type(description="Somebody filled in a form, or answered a lead ad.")
class FormSubmission(Interaction):
    """Somebody filled in a form."""

    form: str | None = resolved(
        _text("form_title", "form_name", "form", "form_id"), "What the form is called, or its id."
    )
    answers: list[FormAnswer] | None = resolved(_of_properties(answers_of), "What was answered, as far as it was sent.")
    campaign: Campaign | None = resolved(_one(StoredCampaign), "The campaign it is about; null where none is named.")


@strawberry.type(description="Somebody paid, tried to, or had money back.")
class Payment(Interaction):
    """Somebody paid."""

    amount: Money | None = resolved(_money("amount", "total", "revenue"), "How much.")
    refunded: Money | None = resolved(_money("refunded"), "How much of it went back, if said.")
    method: str | None = resolved(_text("method", "payment_method", "source_type"), "How it was paid, if said.")
    status: str | None = resolved(_text("status"), "Where it stands, in the words of its source.")
    order: Order | None = resolved(_one(StoredOrder), ORDER)


def _number(told: Facts) -> float | None:
    value = told.get("value")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@strawberry.type(description="A thing measured something: a track message called `Sensor Reading`.")
class SensorReading(Interaction):
    """A thing measured something."""

    metric: str | None = resolved(_text("metric", "sensor"), "What was measured, such as `temperature`.")
    value: float | None = resolved(_of_properties(_number), "The value, where it is a number.")
    unit: str | None = resolved(_text("unit"), "In which unit, such as `°C`.")


@strawberry.type(description="Somebody said who she is, or what is true of her.")
class IdentifyEvent(Interaction):
    """Somebody said who she is."""


def _said(payload: Payload, name: str) -> str | None:
    return text_in(_object(payload.account), name)


def _group(parent: strawberry.Parent[StoredInteraction], info: Info) -> object:
    payload = info.context.batching.ask(payloads_of, parent.id)

    async def find() -> object:
        found = await payload
        key = _said(found, "key") if found else None
        return await info.context.batching.ask(accounts_by_key, key) if key else None

    return find()


@strawberry.type(description="It was said that somebody belongs to an account.")
class GroupEvent(Interaction):
    """It was said that somebody belongs to an account."""

    account = strawberry.field(
        resolver=_group, graphql_type=maybe(ACCOUNT), description="The account; null where it is known no more."
    )
    role: str | None = resolved(sent(lambda payload: _said(payload, "role")), "As what, if said.")


@strawberry.type(description="Two identifiers were declared to be the same.")
class AliasEvent(Interaction):
    """Two identifiers were declared to be the same."""

    previous_id: str | None = resolved(sent(lambda payload: payload.previous), "What the user was known as, as sent.")


KINDS: tuple[type[Interaction], ...] = (
    PageView,
    ScreenView,
    TrackEvent,
    OrderEvent,
    TicketEvent,
    Message,
    Meeting,
    FormSubmission,
    Payment,
    SensorReading,
    IdentifyEvent,
    GroupEvent,
    AliasEvent,
)
