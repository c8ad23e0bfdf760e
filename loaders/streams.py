"""Streams: the records of topics, each committed to the graph first and to its consumer group afterwards.

One thing at a time: some records are read, committed to the graph, and then their offsets to the group. Whatever ends
in between, they are read again and known by their ids, so nothing is lost and nothing is there twice. The broker is
only spoken to between two commits to the graph, so partitions change hands when nothing of them is in flight; the
exception is a database that is away: then reading pauses, and what was read of a partition that is ours no longer is
dropped, for it is another one's to commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import ParamSpec, Protocol, TypeVar

import anyio
import anyio.to_thread

from graph.failures import may_pass
from graph.runs import Counts, Form, Load, Run, Step, advanced_run, finished_run
from loaders.formats.parts import optional_part
from loaders.formats.records import STREAM
from loaders.kafka.partitions import Arrived
from loaders.kafka.records import lines_of
from loaders.kafka.settings import Subscription
from loaders.runs import BATCH, Begun, Noted, RunReport, Work, commit_lines, executed, loaded_by

LINGER_SECONDS = 0.25  # how long records are gathered for one commit
BEAT_SECONDS = 60.0
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds before each attempt while the database is away; the last one goes on

P = ParamSpec("P")
T = TypeVar("T")


class Topics(Protocol):
    """A member of a consumer group. Its methods block, and are called one at a time."""

    def next(self, most: int, seconds: float) -> tuple[Arrived, ...]:
        """Records of the partitions that are ours; waits so long for so many. Raises StreamRefusedError."""
        ...

    def ours(self, records: Sequence[Arrived]) -> tuple[Arrived, ...]:
        """Those of some records whose partitions are still ours."""
        ...

    def done(self, records: Sequence[Arrived]) -> None:
        """Note that records are in the graph; `commit` tells the group."""
        ...

    def commit(self) -> None:
        """Tell the group how far the graph is; what cannot be told now is told by the next call."""
        ...

    def pause(self) -> None:
        """Fetch nothing more for now, and stay in the group."""
        ...

    def resume(self) -> None:
        """Fetch again."""
        ...

    @property
    def lag(self) -> int:
        """How many records wait behind those that are done, as far as is known."""
        ...

    @property
    def ended(self) -> bool:
        """Whether all that is ours has been read to its end."""
        ...


Opener = Callable[[Subscription, Callable[[str], None]], AbstractContextManager[Topics]]


@dataclass(frozen=True, slots=True)
class Flow:
    """How far a stream has come. counts: of this run; lag: records that wait."""

    counts: Counts
    lag: int


async def _nothing() -> None:
    """Nothing is to be done now and then."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a stream does beside reading.

    stop: once it is set, the batch in hand is the last. beat: now and then. hopeless: whether a database that is away
    cannot come back. tell: hears how far it is; troubled: hears in a sentence what it waits for.
    """

    stop: anyio.Event
    tell: Callable[[Flow], None]
    troubled: Callable[[str], None]
    beat: Callable[[], Awaitable[None]] = _nothing
    hopeless: Callable[[], bool] = bool


def opened_topics(subscription: Subscription, hear: Callable[[str], None]) -> AbstractContextManager[Topics]:
    """A member of the group. hear: is told what librdkafka has trouble with.

    Raises PartMissingError; when entered StreamRefusedError, SourceAwayError.
    """
    opener: Opener = optional_part("loaders.kafka.topics", "kafka").opened
    return opener(subscription, hear)


async def consume(topics: Topics, subscription: Subscription, work: Work, pace: Pace) -> RunReport:
    """Load what comes until `pace.stop`, or until the end where the subscription says so; one run for all of it.

    Raises StreamRefusedError; DatabaseAwayError and the like at the start, and later where it is hopeless.
    """
    into = work.into
    load = Load(work.source.name, subscription.name, f"stream {into.mint()}", *loaded_by(work.mapping))
    async with executed(load, into, Form(STREAM)) as begun:
        flowing = _Flowing(topics, work, pace, begun, Noted())
        await flowing.run(until_end=subscription.until_end)
        run = await finished_run(into.connection.writer, begun.run, into.now())
    return RunReport(run, run.counts, 0, flowing.noted)


@dataclass(slots=True)
class _Flowing:
    topics: Topics
    work: Work
    pace: Pace
    begun: Begun
    noted: Noted
    beaten: float = field(default_factory=anyio.current_time)

    async def run(self, *, until_end: bool) -> None:
        while not self.pace.stop.is_set():
            records = await _aside(self.topics.next, BATCH, LINGER_SECONDS)
            if records:
                await self._settled(records)
            await _aside(self.topics.commit)
            self.pace.tell(Flow(self.begun.run.counts, self.topics.lag))
            if until_end and self.topics.ended:
                return
            if anyio.current_time() > self.beaten + BEAT_SECONDS:
                await self._beat()

    async def _settled(self, records: tuple[Arrived, ...]) -> None:
        """Commit records to the graph, however long it takes; those that are lost or left meanwhile are not done."""
        for attempt in count():
            try:
                self.begun.run = await self._committed(records)
            except Exception as error:  # what cannot pass, or in this place never will, ends the stream
                if not may_pass(error) or self.pace.hopeless():
                    raise
                self.pace.troubled(f"waiting, for the graph takes nothing: {error}")
            else:
                self.topics.done(records)
                break
            records = await self._waited(records, PAUSES[min(attempt, len(PAUSES) - 1)])
            if self.pace.stop.is_set():
                return
        if attempt:
            await _aside(self.topics.resume)

    async def _committed(self, records: tuple[Arrived, ...]) -> Run:
        run = self.begun.run
        if not records:
            return run
        lines = lines_of(records, self.work.mapping, self.work.into.now(), after=run.counts.records)
        work = replace(self.work, size=lines[-1].read + self.topics.lag)
        noted = Noted()
        after = await commit_lines(lines, run, work, noted)
        self.noted.add(noted)
        return after

    async def _waited(self, records: tuple[Arrived, ...], seconds: float) -> tuple[Arrived, ...]:
        """What there is to commit after a while in which the group goes on to see us."""
        until = anyio.current_time() + seconds
        while anyio.current_time() < until and not self.pace.stop.is_set():
            await _aside(self.topics.pause)
            more = await _aside(self.topics.next, BATCH, min(LINGER_SECONDS, seconds))
            records = (*self.topics.ours(records), *more)
        return records

    async def _beat(self) -> None:
        """A sign of life, and what is done beside."""
        into, run, self.beaten = self.work.into, self.begun.run, anyio.current_time()
        try:
            step = Step(run.position, Counts(), (), run.read, run.read + self.topics.lag)
            self.begun.run = await advanced_run(into.connection.writer, run, step, into.now(), into.hashing)
            await self.pace.beat()
        except Exception as error:  # the next batch meets it again, and waits
            if not may_pass(error):
                raise


async def _aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of something that blocks; it is let come to its end even when this is cancelled."""
    return await anyio.to_thread.run_sync(partial(work, *args, **kwargs))
