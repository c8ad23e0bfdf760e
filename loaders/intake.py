"""The queue between requests and the graph: bounded, committed in groups, acknowledged after the commit.

While the committers write, what arrives waits, and the next group takes all of it; so groups grow with the load by
themselves and nothing waits longer than it must. Two committers, as is best for bare writes (design.md §5), each with a
lane of its own, so that they seldom meet at one person (docs/decisions/0007). While little waits one of them writes all
of it, since a transaction has its price.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from opentelemetry.context import Context, get_current

from graph.ingestion import Outcome
from identity.messages import Message
from loaders.committing import SENT_IN, Commit, commit_good
from loaders.errors import IntakeClosedError, QueueFullError
from loaders.lanes import Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the intake works.

    group: messages in a commit at most. room: messages that may wait or be written at once. committers: commits at
    the same time. spread: how many messages wait in a lane before its own committer begins. linger_seconds: how long
    the first of a group waits for others. drain_seconds: how long closing waits for what was accepted.
    """

    group: int = 1_000
    room: int = 20_000
    committers: int = 2
    spread: int = 200
    linger_seconds: float = 0.001
    drain_seconds: float = 20.0


@dataclass(slots=True, eq=False)
class _Submission:
    """The messages of one request, and who waits for them. parts: how many are not yet settled.

    sent_in: the context of the request, as traces know it.
    """

    parts: int
    outcomes: list[Outcome | None]
    error: Exception | None = None
    settled: anyio.Event = field(default_factory=anyio.Event)
    sent_in: Context = field(default_factory=get_current)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the messages of one request. places: where each of them stands in it."""

    submission: _Submission
    places: Sequence[int]
    messages: Sequence[Message]


@dataclass(slots=True)
class _Lane:
    """What waits for one committer. waiting: how many messages; busy: it is writing."""

    parts: deque[_Part] = field(default_factory=deque)
    arrived: anyio.Event = field(default_factory=anyio.Event)
    waiting: int = 0
    busy: bool = False

    def put(self, part: _Part) -> None:
        self.parts.append(part)
        self.waiting += len(part.messages)
        self.arrived.set()

    async def arrival(self) -> None:
        """Until something is put in that was not yet told of."""
        await self.arrived.wait()
        self.arrived = anyio.Event()

    def take(self, most: int) -> list[_Part]:
        """As many whole parts as fit; always one if there is any."""
        group: list[_Part] = []
        size = 0
        while self.parts and (not size or size + len(self.parts[0].messages) <= most):
            group.append(self.parts.popleft())
            size += len(group[-1].messages)
        self.waiting -= size
        return group


class Intake:
    """Takes messages from many requests and commits them in groups.

    Use it as `async with Intake(commit).opened() as intake`; leaving drains what was accepted.
    """

    def __init__(self, commit: Commit, pace: Pace | None = None) -> None:
        self._commit = commit
        self._pace = pace or Pace()
        self._lanes = [_Lane() for _ in range(self._pace.committers)]
        self._lane_of = Lanes()
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
            for lane in self._lanes:
                tasks.start_soon(self._commit_groups, lane)
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

    def give_up(self) -> None:
        """Take no more, and send everybody away who waits: nothing can be written any more.

        A commit that is under way may still succeed; who sends its messages again hears that they are known.
        """
        self._closed = True
        self._refuse_rest()

    def _accepted(self, messages: Sequence[Message]) -> _Submission:
        parts = list(self._parted(messages))
        submission = _Submission(len(parts), [None] * len(messages))
        self._open.add(submission)
        self._unsettled += len(messages)
        for lane, places in parts:
            lane.put(_Part(submission, places, [messages[place] for place in places]))
        self._lanes[0].arrived.set()  # who writes what is little, wherever it is
        return submission

    def _parted(self, messages: Sequence[Message]) -> Iterator[tuple[_Lane, Sequence[int]]]:
        """The places of a request's messages by lane, in no part more than a group."""
        waiting = [each.waiting for each in self._lanes]
        places: list[list[int]] = [[] for _ in self._lanes]
        for place, message in enumerate(messages):
            number = self._lane_of.of(message, waiting)
            waiting[number] += 1
            places[number].append(place)
        for lane, some in zip(self._lanes, places, strict=True):
            for start in range(0, len(some), self._pace.group):
                yield lane, some[start : start + self._pace.group]

    async def _commit_groups(self, lane: _Lane) -> None:
        while True:
            while not self._may_take(lane):
                await lane.arrival()
            if self._waiting_for(lane) < self._pace.group:
                await anyio.sleep(self._pace.linger_seconds)
            if group := self._taken(lane):
                lane.busy = True
                await self._settle(group)
                lane.busy = False
                self._lanes[0].arrived.set()  # what is left in this lane may be too little for its own committer

    def _may_take(self, lane: _Lane) -> bool:
        """The first committer takes whatever is there; another one begins when its lane has enough."""
        return lane.waiting >= self._pace.spread or (lane is self._lanes[0] and self._waiting_for(lane) > 0)

    def _waiting_for(self, lane: _Lane) -> int:
        return sum(each.waiting for each in self._within_reach(lane))

    def _within_reach(self, lane: _Lane) -> list[_Lane]:
        """Whose messages a committer takes: the first one also those of lanes that have little and rest."""
        if lane is not self._lanes[0]:
            return [lane]
        return [lane, *(each for each in self._lanes[1:] if not each.busy and each.waiting < self._pace.spread)]

    def _taken(self, lane: _Lane) -> list[_Part]:
        """The next group; nothing when another committer was quicker."""
        group: list[_Part] = []
        room = self._pace.group
        for each in self._within_reach(lane):
            if room > 0:
                group += (some := each.take(room))
                room -= sum(len(part.messages) for part in some)
        return group

    async def _settle(self, group: Sequence[_Part]) -> None:
        messages = [message for part in group for message in part.messages]
        SENT_IN.set([each.sent_in for each in dict.fromkeys(part.submission for part in group)])
        try:
            outcomes = await commit_good(self._commit, messages)
        except Exception as error:  # noqa: BLE001 -- every request of the group is told, and answers its sender
            for part in group:
                self._settled(part, error)
            return
        start = 0
        for part in group:
            end = start + len(part.messages)
            for place, outcome in zip(part.places, outcomes[start:end], strict=True):
                part.submission.outcomes[place] = outcome
            self._settled(part)
            start = end

    def _settled(self, part: _Part, error: Exception | None = None) -> None:
        submission = part.submission
        if submission not in self._open:  # its sender was sent away meanwhile
            return
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
        self._lanes = [_Lane() for _ in self._lanes]
        self._unsettled = 0
