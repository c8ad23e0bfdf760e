"""Telling endpoints what they are owed: what is due is sent, tried again over days, and given up at last.

Several processes share the work: what one has taken is another's after a minute, so what a killed one was sending is
sent again, under the same id. To one endpoint what is due at once goes out in the order of the feed; what has to be
tried again does not hold up what comes after it, so each message says its sequence.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import anyio.to_thread
import orjson

from destinations.webhooks import Answered, Letter, send
from graph.connection import Connection
from graph.deliveries import (
    Delivery,
    Endpoint,
    EndpointState,
    Refusal,
    endpoints,
    forget_done,
    owe,
    settle_refused,
    settle_taken,
    take_due,
)
from identity.messages import micros, moment

# How long after each try in vain the next one comes, as data: three days in all.
SCHEDULE = tuple(
    timedelta(**each)
    for each in (
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        {"hours": 2},
        {"hours": 5},
        {"hours": 10},
        {"hours": 14},
        {"hours": 20},
        {"hours": 24},
    )
)
JITTER = 0.2
LONGEST_WAIT = timedelta(days=1)
GIVEN_UP = timedelta(days=5)  # an endpoint that took nothing for so long is told nothing more
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=1)
AT_ONCE = 20
GONE = 410


@dataclass(frozen=True, slots=True)
class Delivering:
    """What telling needs. private: whether endpoints may be on this machine or its network."""

    connection: Connection
    now: Callable[[], datetime]
    private: bool = False
    schedule: tuple[timedelta, ...] = SCHEDULE

    async def go_on(self) -> list[tuple[str, str]]:
        """Tell what is due; the endpoints that were disabled by it, with the reason. Raises DatabaseAwayError."""
        while await owe(self.connection):
            pass
        told = {each.id: each for each in await endpoints(self.connection.reader)}
        ended: list[tuple[str, str]] = []
        if not told:
            return ended
        while due := await self._due():
            async with anyio.create_task_group() as tasks:
                for each in due:
                    tasks.start_soon(self._tell, each, told.get(each.endpoint), ended)
            told = {each.id: each for each in await endpoints(self.connection.reader)}
        await forget_done(self.connection.writer, micros(self.now() - KEPT))
        return ended

    async def _due(self) -> tuple[Delivery, ...]:
        now = self.now()
        return await take_due(self.connection.writer, micros(now), micros(now + LEASE), AT_ONCE)

    async def _tell(self, owed: Delivery, endpoint: Endpoint | None, ended: list[tuple[str, str]]) -> None:
        if endpoint is None or endpoint.state is not EndpointState.ACTIVE:
            return
        now = self.now()
        letter = Letter(owed.id, endpoint.url, body_of(owed), secrets_of(endpoint, micros(now)), self.private)
        answer = await anyio.to_thread.run_sync(send, letter, now, abandon_on_cancel=True)
        writer, at = self.connection.writer, micros(self.now())
        if answer.taken:
            await settle_taken(writer, owed.id, endpoint.id, answer.status or 0, at)
        elif await settle_refused(writer, owed.id, endpoint.id, self._refusal(owed, answer), at):
            ended.append((endpoint.id, _reason(answer)))

    def _refusal(self, owed: Delivery, answer: Answered) -> Refusal:
        now, tries = self.now(), owed.tries + 1
        due = None
        if tries <= len(self.schedule):
            pause = self.schedule[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
            due = now + max(pause, min(timedelta(seconds=answer.retry_after), LONGEST_WAIT))
        return Refusal(
            tries,
            None if due is None else micros(due),
            answer.status,
            _reason(answer),
            answer.status == GONE,
            micros(now - GIVEN_UP),
        )


def _reason(answer: Answered) -> str:
    return answer.reason if answer.status is None else f"{answer.status} {answer.reason}"


def body_of(owed: Delivery) -> str:
    """What is sent: the same at each try, `timestamp` is when it happened."""
    said = orjson.loads(owed.body)
    happened = moment(owed.at).isoformat()
    return orjson.dumps({"type": said["type"], "timestamp": happened, "data": said["data"]}).decode()


def secrets_of(endpoint: Endpoint, now: int) -> tuple[str, ...]:
    """By which a message is signed: while a secret is being replaced, by the former one too. now: µs."""
    former = endpoint.former if endpoint.former is not None and now < endpoint.former_until else None
    return (endpoint.secret,) if former is None else (endpoint.secret, former)
