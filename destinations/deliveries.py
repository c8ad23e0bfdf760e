"""Telling endpoints what they are owed: what is due is sent, tried again over days, and given up at last.

Each endpoint has a lane of its own: 20 of its messages are on their way at once, and the next ones leave when those
have come to an end. One that hangs, fails or is owed a great deal so keeps nobody waiting but itself. One that took
nothing is asked by a single message at a time, a second apart, until it takes one: what it is owed beside that is not
tried in vain.

Several processes share the work: what one has taken is another's after a minute, so what a killed one was sending is
sent again, under the same id. To one endpoint what is due at once goes out in the order of the feed; what has to be
tried again does not hold up what comes after it, so each message says its sequence.
"""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
from anyio.abc import TaskGroup

from destinations.webhooks import Answered, Letter, send
from graph.backlog import work_off
from graph.connection import Connection
from graph.deliveries import (
    Delivery,
    Outcome,
    Taken,
    body_of,
    forget_deliveries,
    lanes_due,
    settle,
    take_due,
)
from graph.owing import owe
from identity.messages import micros

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
LONGEST_KEPT = timedelta(days=30)  # also what an endpoint is still owed, else one that is forgotten fills the graph
FORGET_SECONDS = 300.0
LEASE = timedelta(minutes=1)
AT_ONCE = 20  # of one endpoint
PAGES = 20  # of what was resumed or removed, before other endpoints' turn
ENDING_SECONDS = 1.0
GONE = 410


@dataclass(slots=True)
class Delivering:
    """The lanes of this process. private: whether endpoints may be on this machine or its network.

    running: the endpoints whose lanes are under way. ended: those that were disabled, with the reason, and nobody has
    heard of yet; failed: what ended a lane that `go_on` has not told yet.
    """

    connection: Connection
    now: Callable[[], datetime]
    private: bool = False
    schedule: tuple[timedelta, ...] = SCHEDULE
    running: set[str] = field(default_factory=set, init=False)
    ended: list[tuple[str, str]] = field(default_factory=list, init=False)
    failed: Exception | None = field(default=None, init=False)
    forgot: float = field(default=0.0, init=False)
    closing: bool = field(default=False, init=False)
    lanes: TaskGroup | None = field(default=None, init=False)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Delivering"]:
        """Have lanes, until the end; what is on its way then has a second, and is sent again later after that."""
        self.closing = False
        async with anyio.create_task_group() as self.lanes:
            yield self
            self.closing = True
            self.lanes.cancel_scope.deadline = anyio.current_time() + ENDING_SECONDS

    async def go_on(self) -> list[tuple[str, str]]:
        """Let what is due be told, and do not wait for it; the endpoints that were disabled since, with the reason.

        To be called again after a moment. Raises DatabaseAwayError, also where a lane met it.
        """
        failed, self.failed = self.failed, None
        if failed is not None:
            raise failed
        while await owe(self.connection):
            pass
        await work_off(self.connection.reader, self.connection.writer, PAGES)
        for endpoint in await lanes_due(self.connection.reader, micros(self.now())):
            if self.lanes is not None and endpoint not in self.running:
                self.running.add(endpoint)
                self.lanes.start_soon(self._lane, endpoint)
        await self._forget()
        ended, self.ended = self.ended, []
        return ended

    async def _forget(self) -> None:
        if time.monotonic() - self.forgot < FORGET_SECONDS:
            return
        now = self.now()
        await forget_deliveries(self.connection.writer, micros(now - KEPT), micros(now - LONGEST_KEPT))
        self.forgot = time.monotonic()

    async def _lane(self, endpoint: str) -> None:
        try:
            while not self.closing and await self._told_some(endpoint):
                pass
        except* Exception as group:  # noqa: BLE001 - the edge: a lane that fails ends nobody else's; `go_on` tells it
            self.failed = _first(group)
        finally:
            self.running.discard(endpoint)

    async def _told_some(self, endpoint: str) -> bool:
        """Tell an endpoint the next few things; whether it took one, so that it may have more at once."""
        now = self.now()
        taken = await take_due(self.connection.writer, endpoint, micros(now), micros(now + LEASE), AT_ONCE)
        if taken is None:
            return False
        settling = _Settling(taken)
        async with anyio.create_task_group() as tasks:
            for each in taken.owed:
                tasks.start_soon(self._tell, each, settling)
        return settling.took

    async def _tell(self, owed: Delivery, settling: "_Settling") -> None:
        now, endpoint = self.now(), settling.taken.endpoint
        letter = Letter(owed.id, endpoint.url, body_of(owed), endpoint.signing(micros(now)), self.private)
        answer = await send(letter, now)
        settling.waiting.append(self._outcome(owed, answer))
        async with settling.lock:  # what is answered while another one is committed is committed together
            some, settling.waiting = settling.waiting, []
            if not some:
                return
            settling.took = settling.took or any(each.taken for each in some)
            limit = micros(self.now() - GIVEN_UP)
            reason = await settle(self.connection.writer, endpoint.id, some, limit)
            if reason is not None:
                self.ended.append((endpoint.id, reason))

    def _outcome(self, owed: Delivery, answer: Answered) -> Outcome:
        now, reason = self.now(), reason_of(answer)
        if answer.taken:
            return Outcome(owed.id, micros(now), answer.status, reason, taken=True)
        tries, due = owed.tries + 1, None
        if tries <= len(self.schedule):
            pause = self.schedule[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
            due = micros(now + max(pause, min(timedelta(seconds=answer.retry_after), LONGEST_WAIT)))
        gone = answer.status == GONE
        return Outcome(owed.id, micros(now), answer.status, reason, taken=False, tries=tries, due_at=due, gone=gone)


@dataclass(slots=True)
class _Settling:
    """What is on its way to an endpoint at once. waiting: what became of some of it, and is not remembered yet.

    took: whether it took anything of it.
    """

    taken: Taken
    waiting: list[Outcome] = field(default_factory=list)
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    took: bool = False


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Of several messages that could not be settled any tells why."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner


def reason_of(answer: Answered) -> str:
    """What is said of an answer: its status and its words, or why there was none."""
    return answer.reason if answer.status is None else f"{answer.status} {answer.reason}"
