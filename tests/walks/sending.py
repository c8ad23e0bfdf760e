"""Segment-shaped messages as clients send them, in the notation of the stitching cases: identify(u, a), track(a) …"""

from datetime import timedelta
from itertools import count

from identity.messages import Json
from tests.building import START

Sent = dict[str, Json]
_numbers = count(1)


def moment(minutes: float) -> str:
    """So many minutes after the start of all test histories, as a client writes it."""
    return (START + timedelta(minutes=minutes)).isoformat()


def identify(user: Json = None, on: Json = None, **more: Json) -> Sent:
    """i(u, a): somebody says who she is. email, device, at, id: as `message` takes them."""
    return message("identify", user=user, on=on, **more)


def track(on: Json = None, **more: Json) -> Sent:
    """t(a): something happened. name: what."""
    return message("track", on=on, **{"name": "Viewed", **more})


def alias(previous: Json, user: Json = None, **more: Json) -> Sent:
    """al(previous -> user)."""
    return message("alias", user=user, previousId=previous, **more)


def group(user: Json, account: Json, **more: Json) -> Sent:
    """g(u, account)."""
    return message("group", user=user, groupId=account, **more)


def message(
    kind: str,
    *,
    user: Json = None,
    on: Json = None,
    email: Json = None,
    phone: Json = None,
    device: Json = None,
    name: Json = None,
    at: float = 0.0,
    id: Json = None,  # noqa: A002 -- the domain's word
    **more: Json,
) -> Sent:
    """One message. at: minutes after the start; id: its messageId, a new one where none is given."""
    context: Sent = {}
    reached = {field: value for field, value in (("email", email), ("phone", phone)) if value is not None}
    if reached:
        context["traits"] = reached
    if device is not None:
        context["device"] = {"id": device}
    said: Sent = {"userId": user, "anonymousId": on, "event": name, "context": context or None}
    return {
        "type": kind,
        "messageId": id or f"message-{next(_numbers)}",
        "timestamp": moment(at),
        **{field: value for field, value in said.items() if value is not None},
        **more,
    }
