"""The queue between requests and the graph: bounded, committed in groups, acknowledged after the commit.

While the committers write, what arrives waits, and the next group takes all of it; so groups grow with the load by
themselves and nothing waits longer than it must. One committer: two are the best for bare writes (design.md §5), but
the groups of a stream meet at the same people and devices, and then one waits for the locks of the other (measured on
the sample company: 1,721 messages/s with one, 1,376 with two).
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from graph.ingestion import Outcome
from identity.messages import Message
from loaders.committing import Commit, commit_good
from loaders.errors import IntakeClosedError, QueueFullError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the intake works.

    group: messages in a commit at most. room: messages that may wait or be written at once. committers: commits at
    the same time. linger_seconds: how long the first of a group waits for others. drain_seconds: how long closing
    waits for what was accepted.
    """

    group: int = 1_000
    room: int = 20_000
    committers: int = 1
    linger_seconds: float = 0.001
    drain_seconds: float = 20.0


@dataclass(slots=True, eq=False)
class _Submission:
    """The messages of one request, and who waits for them. parts: how many are not yet settled."""

    parts: int
    outcomes: list[Outcome | None]
    error: Exception | None = None
    settled: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the messages of one request; `start` is the place of the first among them."""

    submission: _Submission
    start: int
    messages: Sequence[Message]


class Intake:
    """Takes messages from many requests and commits them in groups.

    Use it as `async with Intake(commit).opened() as intake`; leaving drains what was accepted.
    """

    def __init__(self, commit: Commit, pace: Pace | None = None) -> None:
        self._commit = commit
        self._pace = pace or Pace()
        self._queue: deque[_Part] = deque()
        self._arrived = anyio.Event()
        self._open: set[_Submission] = set()
        self._unsettled = 0
        self._closed = True

    @property
    def waiting(self) -> int:
        """How many messages were accepted and are not yet committed."""
        return self._unsettled

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Intake"]:
        """The intake with its committers running.

        Leaving refuses new messages and waits `drain_seconds` for the accepted ones; who waits for any that are left
        then gets IntakeClosedError and may send them again.
        """
        async with anyio.create_task_group() as tasks:
            for _ in range(self._pace.committers):
                tasks.start_soon(self._commit_groups)
            self._closed = False
            try:
                yield self
            finally:
                self._closed = True
                with anyio.move_on_after(self._pace.drain_seconds, shield=True):
                    await self._drained()
                tasks.cancel_scope.cancel()
                self._refuse_rest()

    async def submit(self, messages: Sequence[Message]) -> tuple[Outcome, ...]:
        """What became of each message, in order, once all are committed.

        Raises QueueFullError or IntakeClosedError before anything is taken; DatabaseAwayError and the like when a
        commit failed, and then some may be committed: sending all again is right. A caller that is cancelled does
        not take its messages back.
        """
        if self._closed:
            raise IntakeClosedError("the service is going down; send it again")
        if self._unsettled and self._unsettled + len(messages) > self._pace.room:
            raise QueueFullError(f"{self._unsettled:,} messages are waiting to be written; send it again in a moment")
        if not messages:
            return ()
        submission = self._accepted(messages)
        await submission.settled.wait()
        if submission.error is not None:
            raise submission.error
        return tuple(each for each in submission.outcomes if each is not None)

    def _accepted(self, messages: Sequence[Message]) -> _Submission:
        starts = range(0, len(messages), self._pace.group)
        submission = _Submission(len(starts), [None] * len(messages))
        self._open.add(submission)
        self._unsettled += len(messages)
        self._queue.extend(_Part(submission, start, messages[start : start + self._pace.group]) for start in starts)
        self._arrived.set()
        return submission

    async def _commit_groups(self) -> None:
        while True:
            while not self._queue:
                await self._arrival()
            if len(self._queue) < self._pace.group:
                await anyio.sleep(self._pace.linger_seconds)
            if group := self._taken():
                await self._settle(group)

    async def _arrival(self) -> None:
        if self._arrived.is_set():
            self._arrived = anyio.Event()
        await self._arrived.wait()

    def _taken(self) -> list[_Part]:
        """The next group, as many whole parts as fit; nothing when another committer was quicker."""
        group: list[_Part] = []
        size = 0
        while self._queue and (not group or size + len(self._queue[0].messages) <= self._pace.group):
            group.append(self._queue.popleft())
            size += len(group[-1].messages)
        return group

    async def _settle(self, group: Sequence[_Part]) -> None:
        messages = [message for part in group for message in part.messages]
        try:
            outcomes = await commit_good(self._commit, messages)
        except Exception as error:  # noqa: BLE001 -- every request of the group is told, and answers its sender
            for part in group:
                self._settled(part, error)
            return
        start = 0
        for part in group:
            end = start + len(part.messages)
            part.submission.outcomes[part.start : part.start + len(part.messages)] = outcomes[start:end]
            self._settled(part)
            start = end

    def _settled(self, part: _Part, error: Exception | None = None) -> None:
        submission = part.submission
        self._unsettled -= len(part.messages)
        submission.parts -= 1
        submission.error = submission.error or error
        if submission.parts == 0:
            self._open.discard(submission)
            submission.settled.set()

    async def _drained(self) -> None:
        while self._open:
            await next(iter(self._open)).settled.wait()

    def _refuse_rest(self) -> None:
        for submission in self._open:
            submission.error = IntakeClosedError("the service went down before this was written; send it again")
            submission.settled.set()
        self._open.clear()
        self._queue.clear()
        self._unsettled = 0
