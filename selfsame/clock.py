"""The clock and chance; every other room is handed what they say."""

from datetime import UTC, datetime

import uuid_utils


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def mint() -> str:
    """A new opaque id: a UUID of version 7, random, and in order of time so that an index grows at its end."""
    return str(uuid_utils.uuid7())
