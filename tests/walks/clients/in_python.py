"""A program that sends by one of the real clients for Python, a step for each line on its standard input.

It knows nothing of the service but an address and a key, as any program that uses these clients.
"""

import sys
import time
from collections.abc import Callable, Mapping

from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment
from snowplow_tracker import Emitter, SelfDescribing, SelfDescribingJson, StructuredEvent, Subject, Tracker

Steps = Mapping[str, Callable[[], object]]
SOON = 0.1


def segment(url: str, key: str, user: str, device: str) -> Steps:
    return _segment_like(Segment(key, host=url, max_retries=60, upload_interval=SOON), user, device)


def segment_gzip(url: str, key: str, user: str, device: str) -> Steps:
    return _segment_like(Segment(key, host=url, max_retries=60, upload_interval=SOON, gzip=True), user, device)


def rudderstack(url: str, key: str, user: str, device: str) -> Steps:
    return _segment_like(RudderStack(key, host=url, max_retries=60, upload_interval=SOON), user, device)


def _segment_like(client: Segment | RudderStack, user: str, device: str) -> Steps:
    order = {"order_id": f"order-{user}", "total": 12.5}
    return {
        "anonymous": lambda: client.track(anonymous_id=device, event="Viewed"),
        "login": lambda: client.identify(user, {"email": f"{user}@example.com"}, anonymous_id=device),
        "purchase": lambda: client.track(user, "Order Completed", order, anonymous_id=device),
        "logout": lambda: client.track(user, "Signed Out", anonymous_id=device),
        "end": lambda: (client.flush(), client.join()),
    }


def snowplow(url: str, key: str, user: str, device: str) -> Steps:
    return _snowplow(Emitter(f"{url}/{key}", batch_size=1, max_retry_delay_seconds=1), "shop", user, device)


def snowplow_pixel(url: str, key: str, user: str, device: str) -> Steps:
    return _snowplow(Emitter(url, batch_size=1, method="get", max_retry_delay_seconds=1), key, user, device)


def _snowplow(emitter: Emitter, app_id: str, user: str, device: str) -> Steps:
    subject = Subject().set_domain_user_id(device)
    tracker = Tracker("clients", emitter, subject, app_id=app_id)
    order = SelfDescribingJson("iglu:com.example/order_completed/jsonschema/1-0-0", {"order_id": f"order-{user}"})

    def login() -> None:
        subject.set_user_id(user)
        tracker.track(StructuredEvent("account", "Signed In"))

    def end() -> None:
        while emitter.event_store.size():
            emitter.flush()
            time.sleep(SOON)

    return {
        "anonymous": lambda: tracker.track(StructuredEvent("shop", "Viewed")),
        "login": login,
        "purchase": lambda: tracker.track(SelfDescribing(order)),
        "logout": lambda: tracker.track(StructuredEvent("account", "Signed Out")),
        "end": end,
    }


CLIENTS = {each.__name__: each for each in (segment, segment_gzip, rudderstack, snowplow, snowplow_pixel)}


def main(which: str, *where: str) -> None:
    """Take the steps that are asked for, and say of each that it was taken; it may not have arrived yet."""
    steps = CLIENTS[which](*where)
    for line in sys.stdin:
        steps[line.strip()]()
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
