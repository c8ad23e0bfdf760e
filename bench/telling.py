"""Messages told to the graph without HTTP, in batches: what a benchmark stands on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson

from bench.world import World
from graph.ingestion import commit_batch
from identity.messages import Message, SourceName
from identity.policy import Policy
from loaders.segment_messages import Sending, message_from
from loaders.sources import Source
from selfsame.clock import mint, now
from selfsame.settings import configured_policy, load_settings

START = datetime(2026, 1, 1, tzinfo=UTC)
TOGETHER = 1_000


def said(
    name: str, second: int, *, user: str | None = None, cookie: str | None = None, email: str | None = None
) -> Message:
    """One message. name: its id, unique; second: when, after the start of 2026."""
    text = {
        "type": "track",
        "event": "Product Viewed",
        "userId": user,
        "anonymousId": cookie,
        "context": {"traits": {"email": email}} if email else {},
        "messageId": name,
        "timestamp": (START + timedelta(seconds=second)).isoformat(),
    }
    source = Source(name=SourceName("bench"))
    given = {field: value for field, value in text.items() if value is not None}
    read = message_from(orjson.dumps(given), "bench", Sending(source, now()))
    if isinstance(read, Message):
        return read
    raise ValueError(read.sentence)


def policy() -> Policy:
    """The policy that a benchmark runs under: the configured one."""
    return configured_policy(load_settings())


async def tell(world: World, messages: Sequence[Message], ruling: Policy) -> None:
    """Commit one batch."""
    await commit_batch(world.connection.writer, messages, ruling, mint, now())


async def tell_all(world: World, messages: Iterable[Message]) -> None:
    """Commit many messages, a thousand at a time."""
    ruling, waiting = policy(), iter(messages)
    while some := tuple(islice(waiting, TOGETHER)):
        await tell(world, some, ruling)
