"""What kind of happening an interaction is: a page view, an order, a meeting; and what its kind tells of it.

The kind follows from the type and the name alone, which stand in every row of a timeline, so that no kind costs a
statement of its own. The standard names are those of Segment's e-commerce, email and mobile specifications and those
that the mappings of loaders/catalog/ write. Whoever sends names of her own says of which kind they are, once for all
messages that have come and will come; all others are track events, with everything they said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from identity.messages import Json, MessageKind
from insight.things import Money, money_in, text_in

Facts = Mapping[str, Json]


class Kind(StrEnum):
    """The kinds of interactions; the words are the schema's types."""

    PAGE_VIEW = "PageView"
    SCREEN_VIEW = "ScreenView"
    TRACK = "TrackEvent"
    ORDER = "OrderEvent"
    TICKET = "TicketEvent"
    MESSAGE = "Message"
    MEETING = "Meeting"
    FORM = "FormSubmission"
    PAYMENT = "Payment"
    SENSOR = "SensorReading"
    IDENTIFY = "IdentifyEvent"
    GROUP = "GroupEvent"
    ALIAS = "AliasEvent"


BY_TYPE: Mapping[str, Kind] = {
    MessageKind.IDENTIFY.value: Kind.IDENTIFY,
    MessageKind.TRACK.value: Kind.TRACK,
    MessageKind.PAGE.value: Kind.PAGE_VIEW,
    MessageKind.SCREEN.value: Kind.SCREEN_VIEW,
    MessageKind.GROUP.value: Kind.GROUP,
    MessageKind.ALIAS.value: Kind.ALIAS,
}

# What track messages of a kind are called, letter by letter: a timeline finds them by it through an index.
NAMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ORDER: (
        "Checkout Started", "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered",
        "Order Placed", "Order Completed", "Order Updated", "Order Fulfilled", "Order Refunded", "Order Cancelled",
        "Bought in Shop",
        "Order pending", "Order processing", "Order on-hold", "Order completed", "Order cancelled", "Order refunded",
        "Order failed", "Shopify orders/paid", "Shopify orders/cancelled", "Shopify orders/fulfilled",
    ),
    Kind.TICKET: (
        "Ticket Created", "Ticket Changed", "Ticket Updated", "Ticket Closed", "Ticket Associated", "Case Opened",
        "Salesforce Case", "HubSpot Ticket",
    ),
    Kind.MESSAGE: (
        "Message Sent", "Message Received", "Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked",
        "Email Bounced", "Email Marked as Spam", "Unsubscribed", "Push Notification Received",
        "Push Notification Tapped", "Push Notification Bounced", "SMS Sent", "SMS Received", "Instagram Message",
        "Instagram Comment", "Slack message", "Slack app_mention",
    ),
    Kind.MEETING: ("Meeting Booked", "Meeting Cancelled", "Meeting Missed", "Meeting Held", "Meeting Guest"),
    Kind.FORM: ("Form Submitted", "Form Partly Answered", "Lead Ad Answered"),
    Kind.PAYMENT: (
        "Payment Made", "Payment Failed", "Payment Refunded", "Stripe charge.succeeded", "Stripe charge.failed",
        "Stripe charge.refunded", "Stripe invoice.paid", "Stripe invoice.payment_failed", "Square Payment APPROVED",
        "Square Payment PENDING", "Square Payment COMPLETED", "Square Payment CANCELED", "Square Payment FAILED",
    ),
    Kind.SENSOR: ("Sensor Reading",),
}  # fmt: skip

BY_NAME: Mapping[str, Kind] = {name: kind for kind, names in NAMES.items() for name in names}
Word = Literal["order", "ticket", "message", "meeting", "form", "payment", "sensor", "track"]
# The words by which mappings and settings speak of the kinds that are known by names; `track` takes a name back.
WORDS: Mapping[Word, Kind] = {
    "order": Kind.ORDER,
    "ticket": Kind.TICKET,
    "message": Kind.MESSAGE,
    "meeting": Kind.MEETING,
    "form": Kind.FORM,
    "payment": Kind.PAYMENT,
    "sensor": Kind.SENSOR,
    "track": Kind.TRACK,
}
LONGEST_NAME_BYTES = 512  # as names of messages are cut
Named = tuple[tuple[str, Kind], ...]  # names of somebody's own, each with its kind


@dataclass(frozen=True, slots=True)
class Names:
    """By which names track messages are of a kind: the standard ones, and those that sources have of their own.

    own: these alone. of_orders: by what an order is known to be somebody's: a payment is about one as well.
    """

    own: Named
    by_name: Mapping[str, Kind]
    of_kind: Mapping[Kind, tuple[str, ...]]
    of_orders: tuple[str, ...]

    def kind_of(self, type_: str, name: str | None) -> Kind:
        """The kind of an interaction of a type and a name. Cost: two look-ups."""
        kind = BY_TYPE[type_]
        return self.by_name.get(name, kind) if kind is Kind.TRACK and name is not None else kind

    def of(self, kinds: Iterable[Kind]) -> tuple[str, ...]:
        """The names by which interactions of these kinds are found."""
        return tuple(name for kind in dict.fromkeys(kinds) for name in self.of_kind[kind])


def names_with(own: Named) -> Names:
    """The standard names, and others beside them; what a standard name means stays."""
    by_name = {**BY_NAME, **{name: kind for name, kind in own if name not in BY_NAME}}
    of_kind = {kind: tuple(name for name, its in by_name.items() if its is kind) for kind in NAMES}
    return Names(own, by_name, of_kind, of_kind[Kind.ORDER] + of_kind[Kind.PAYMENT])


STANDARD = names_with(())


def named_kinds(told: Mapping[Word, Sequence[str]]) -> Named:
    """The names that somebody lists by the words of their kinds, in order. Raises ValueError with the reason."""
    found: dict[str, Kind] = {}
    for word, names in told.items():
        for name in names:
            if not name or len(name.encode()) > LONGEST_NAME_BYTES:
                raise ValueError(f"kinds.{word}: a name has 1 to {LONGEST_NAME_BYTES} bytes")
            kind = WORDS[word]
            if BY_NAME.get(name, kind) is not kind:
                raise ValueError(f"kinds.{word}: `{name}` is a standard name, of another kind")
            if found.setdefault(name, kind) is not kind:
                raise ValueError(f"kinds.{word}: `{name}` stands under two kinds")
    return tuple(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order as it was sent. product: the id or the number by which the source knows it."""

    product: str | None
    name: str | None
    quantity: float | None
    price: Money | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a form, as a text; question: as the form calls it."""

    question: str
    answer: str | None


def page_text(name: str, properties: Facts, context: Facts) -> str | None:
    """What is said of a page: in the properties of its message, else in the circumstances."""
    page = context.get("page")
    return text_in(properties, name) or (text_in(page, name) if isinstance(page, dict) else None)


def lines_of(properties: Facts) -> tuple[Line, ...]:
    """The lines of an order, in their order, as `products` or `lines` list them."""
    listed = properties.get("products") or properties.get("lines") or properties.get("line_items")
    currency = text_in(properties, "currency")
    return tuple(_line(each, currency) for each in _objects(listed))


def _line(each: Facts, currency: str | None) -> Line:
    quantity = each.get("quantity")
    return Line(
        text_in(each, "product_id", "sku"),
        text_in(each, "name", "title"),
        float(quantity) if isinstance(quantity, int | float) and not isinstance(quantity, bool) else None,
        money_in({"currency": currency, **each}, "price"),
    )


def answers_of(properties: Facts) -> tuple[Answer, ...]:
    """The answers of a form: an object of them, or a list as Typeform, Calendly and Google Ads send it."""
    answers = properties.get("answers")
    if isinstance(answers, dict):
        return tuple(Answer(question, _told(said)) for question, said in answers.items())
    return tuple(
        Answer(_question(each, number), _told(_said(each))) for number, each in enumerate(_objects(answers), start=1)
    )


def _question(each: Facts, number: int) -> str:
    field = each.get("field")
    inside = text_in(field, "title", "ref", "id") if isinstance(field, dict) else None
    return text_in(each, "question", "column_name", "column_id", "name") or inside or str(number)


def _said(each: Facts) -> Json:
    """Typeform names the field of an answer by its type: `{"type": "email", "email": …}`."""
    kind = each.get("type")
    names = ("answer", "string_value", "value", *([kind] if isinstance(kind, str) else []))
    return next((each[name] for name in names if each.get(name) is not None), None)


def _told(value: Json) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(filter(None, map(_told, value)))
        case dict():
            return text_in(value, "label", "value") or _told(value.get("labels"))
    return str(value)


def _objects(value: Json) -> Sequence[dict[str, Json]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
