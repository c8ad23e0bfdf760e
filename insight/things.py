"""What is said of an order, a product, a deal, a ticket or a campaign, as texts, moments and amounts of money."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from identity.messages import Json, micros

MOST_PLACES = 40  # an amount with more digits is none


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as a decimal text, exactly as it was told; currency: its code of three letters, where it is known."""

    amount: str
    currency: str | None


def text_in(facts: Mapping[str, Json], *names: str) -> str | None:
    """The first of these facts that is a text or a number, as a text; None without any."""
    for name in names:
        value = facts.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


def money_in(facts: Mapping[str, Json], *names: str) -> Money | None:
    """The first of these facts that is an amount, in the currency that stands beside it."""
    for name in names:
        amount = _amount(text_in(facts, name))
        if amount is not None:
            return Money(amount, text_in(facts, "currency"))
    return None


def _amount(text: str | None) -> str | None:
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount.adjusted()) > MOST_PLACES:
        return None
    return format(amount, "f")


def moment_in(facts: Mapping[str, Json], *names: str) -> int | None:
    """The first of these facts that is a moment in ISO 8601, or a day, in µs; without an offset it is UTC."""
    for name in names:
        try:
            read = datetime.fromisoformat(text_in(facts, name) or "")
            return micros(read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            continue
    return None


def flag_in(facts: Mapping[str, Json], name: str) -> bool | None:
    """Whether a fact holds; None where nobody said so."""
    value = facts.get(name)
    return value if isinstance(value, bool) else None
