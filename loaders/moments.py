"""Times as senders write them, and the moment to show."""

from datetime import UTC, datetime, timedelta, tzinfo

from identity.messages import EARLIEST_SURE


def iso_moment(text: str, zone: tzinfo = UTC) -> datetime:
    """The aware UTC moment that an ISO 8601 text names; zone: where the text names none.

    Raises ValueError when the text names no moment, or one that no calendar reaches.
    """
    read = datetime.fromisoformat(text.strip())
    return in_utc(read, zone)


def in_utc(read: datetime, zone: tzinfo = UTC) -> datetime:
    """A moment in UTC; zone: where it has none of its own. Raises ValueError at the ends of the calendar."""
    try:
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def shown_moment(own: datetime | None, received: datetime, skew: timedelta = timedelta()) -> datetime:
    """The moment to show for a message: its own time without the sender's skew, never after the receipt.

    skew: how far the sender's clock is behind ours. A time that is missing or before 2000 is shown as the receipt.
    """
    if own is None or own < EARLIEST_SURE:
        return received
    try:
        corrected = own + skew
    except OverflowError:
        return received
    return corrected if EARLIEST_SURE <= corrected <= received else received
