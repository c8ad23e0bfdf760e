"""The web shop's and the app's calls, sent over HTTP by the client that shops really use."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import anyio
import anyio.to_thread

from selfsame.demo.visits import Call
from selfsame.errors import CheckFailedError, EnvironmentRefusesError

try:
    from segment.analytics.client import Client
except ModuleNotFoundError:  # it comes with the extra `demo`, and the other commands do without it
    Client = None

UPLOAD = 500  # messages; of ours about 300 kB, and the client sends up to 475 kB at once
PATIENCE_SECONDS = 30
TOLD_EVERY_SECONDS = 0.1

Tell = Callable[[int], None]


async def send_calls(calls: Sequence[Call], url: str, write_key: str, tell: Tell) -> None:
    """Send every call, in order, and return once the service has acknowledged all of them.

    tell: hears how many are acknowledged. Sending the same again changes nothing, since each call has an id.
    Raises CheckFailedError when the client gives any of them up, EnvironmentRefusesError when it is not installed.
    """
    if Client is None:
        raise EnvironmentRefusesError("the demo sends by the Segment client; install it: pip install 'selfsame[demo]'")
    failures: list[Exception] = []
    client = Client(
        write_key,
        host=url,
        gzip=True,
        max_queue_size=len(calls) + 1,
        upload_size=UPLOAD,
        timeout=PATIENCE_SECONDS,
        max_total_backoff_duration=PATIENCE_SECONDS,
        on_error=lambda error, _: failures.append(error),
    )
    try:
        await anyio.to_thread.run_sync(_enqueue, client, calls)
        while (left := client.queue.unfinished_tasks) and not failures:
            tell(len(calls) - left)
            await anyio.sleep(TOLD_EVERY_SECONDS)
    finally:
        await anyio.to_thread.run_sync(client.join, abandon_on_cancel=True)
    if failures:
        raise CheckFailedError(f"the Segment client could not deliver some of the calls: {failures[0]}")
    tell(len(calls))


def _enqueue(client: Client, calls: Sequence[Call]) -> None:
    for call in calls:
        # The client writes its own name into the context it is handed.
        taken, _ = getattr(client, call.kind)(**deepcopy(call.arguments))
        if not taken:
            raise CheckFailedError("the Segment client took a call for too much; its queue is full")
