"""`python -m tests.kafka.dying BROKERS TOPIC`: a member of a group that dies between the graph's commit and its own."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

import anyio

from graph.ingestion import Outcome
from identity.messages import Message, SourceName
from loaders.kafka.settings import Subscription, client_settings
from loaders.runs import Work
from loaders.sources import Source
from loaders.streams import Pace, consume, opened_topics
from selfsame.cli.load import into
from selfsame.reach import reached
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

# Its death is noticed after so long, by default after 45 s.
MISSED = {"session.timeout.ms": "3000", "heartbeat.interval.ms": "1000"}


async def main(brokers: str, topic: str) -> None:
    settings, subscription = load_settings(), Subscription((topic,), client_settings(None, brokers, None) | MISSED)
    async with reached(settings) as connection:
        where = into(connection, await policy_held(settings, connection))

        async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
            await where.commit(messages)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        work = Work(Source(name=SourceName("web")), None, replace(where, commit=commit))
        pace = Pace(anyio.Event(), lambda _: None, print)
        with opened_topics(subscription, print) as topics:
            await consume(topics, subscription, work, pace)


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
