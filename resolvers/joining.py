"""Readings of requests that come side by side are done together: while two are under way, those that come wait for one.

Each reading function takes many keys, so what several requests ask of the same one is one statement. Where sixteen
callers ask for profiles, one costs the database half of what it costs alone, and the service a third less (decision
0011). Who comes alone waits for nobody, and who waits does so for milliseconds.
"""

from asyncio import AbstractEventLoop, Future, Task, TimerHandle, get_running_loop
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context, attach, get_current

from graph.failures import may_pass

# So many readings of one name are under way before others wait for one of them to end.
AT_ONCE = 2
# What is joined has at most so many keys; a batch that is larger gains nothing by others.
MOST_TOGETHER = 32
# And so many where they cannot wait: where one key takes long, others' keys are not to wait long for it.
FEW_TOGETHER = 4
# After how long those that wait go all the same: measured, a portrait takes 2 ms alone, and 16 together 8 ms.
PATIENCE_SECONDS = 0.01
MORE_SECONDS = 0.005  # and so much more for each key that is being read

# The contexts of the other requests for which a task reads, beside the one in whose context it runs.
BESIDE: ContextVar[Sequence[Context]] = ContextVar("BESIDE", default=())

Read = Callable[[Sequence[Any]], Awaitable[Mapping[Any, object]]]


@dataclass(slots=True, eq=False)
class Batch:
    """What one request asks of one reading function in one turn of the event loop: who waits for each key.

    Each field that waits has a future of its own, since one that is given up by graphql-core cancels what it waits for.
    context: of the request, as traces know it. group: with which it is being read.
    """

    read: Read
    waiting: dict[Any, list[Future[Any]]] = field(default_factory=dict)
    context: Context = field(default_factory=get_current)
    group: "_Group | None" = None
    dropped: bool = False
    done: bool = False

    def drop(self) -> None:
        """Nobody waits for it any more: it is not read, and what is read for nobody else is given up."""
        if self.dropped or self.done:
            return
        self.dropped = True
        for each in self._futures():
            each.cancel()
        if self.group is not None:
            self.group.give_up()

    def answer(self, found: Mapping[Any, object]) -> None:
        """Hand out what was found; an unknown key has None."""
        self._end()
        for key, futures in self.waiting.items():
            for future in futures:
                if not future.done():
                    future.set_result(found.get(key))

    def fail(self, error: Exception) -> None:
        """Hand out why nothing was found."""
        self._end()
        for future in self._futures():
            if not future.done():
                future.set_exception(error)

    def _futures(self) -> Iterator[Future[Any]]:
        return (future for futures in self.waiting.values() for future in futures)

    def _end(self) -> None:
        self.done, self.group = True, None  # a circle less for the collector


@dataclass(slots=True, eq=False)
class _Group:
    """Batches that are read together."""

    batches: Sequence[Batch]
    task: Task[None] | None = None

    def give_up(self) -> None:
        if self.task is not None and all(each.dropped for each in self.batches):
            self.task.cancel()


@dataclass(slots=True, eq=False)
class _Lane:
    """What is asked of one reading function with the same arguments. running: how many groups are being read."""

    running: int = 0
    waiting: list[Batch] = field(default_factory=list)
    timer: TimerHandle | None = None
    patience: float = PATIENCE_SECONDS


class Joining:
    """The readings of one process."""

    def __init__(self) -> None:
        self._lanes: dict[object, _Lane] = {}

    def send(self, name: object, batch: Batch) -> None:
        """Read a batch: at once where little of that name is being read, else with the others that wait."""
        loop = get_running_loop()
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane()
        if lane.running < AT_ONCE or len(batch.waiting) >= MOST_TOGETHER:
            self._begin(loop, name, lane, [batch])
            return
        lane.waiting.append(batch)
        if lane.timer is None:
            lane.timer = loop.call_later(lane.patience, self._hurry, loop, name, lane)

    def _hurry(self, loop: AbstractEventLoop, name: object, lane: _Lane) -> None:
        """What is being read takes its time: those that wait go, a few together, side by side."""
        lane.timer = None
        while together := _together(lane, FEW_TOGETHER):
            self._begin(loop, name, lane, together)

    def _begin(self, loop: AbstractEventLoop, name: object, lane: _Lane, batches: Sequence[Batch]) -> None:
        group = _Group(batches)
        for each in batches:
            each.group = group
        lane.running += 1
        lane.patience = PATIENCE_SECONDS + MORE_SECONDS * sum(len(each.waiting) for each in batches)
        group.task = loop.create_task(self._read(loop, name, lane, group))
        group.task.add_done_callback(lambda _: self._ended(loop, name, lane))  # also of one that never began

    async def _read(self, loop: AbstractEventLoop, name: object, lane: _Lane, group: _Group) -> None:
        batches = group.batches
        attach(batches[0].context)  # of this task: it was begun by a timer or another reading, in whosever context
        BESIDE.set([each.context for each in batches[1:]])
        try:
            found = await batches[0].read(_keys(batches))
        except Exception as error:  # noqa: BLE001 -- whoever waits raises it
            if len(batches) == 1 or may_pass(error):
                for each in batches:
                    each.fail(error)
            else:  # whatever it is about, the others have nothing to do with it
                for each in batches:
                    if not each.dropped:
                        self._begin(loop, name, lane, [each])
        else:
            for each in batches:
                each.answer(found)

    def _ended(self, loop: AbstractEventLoop, name: object, lane: _Lane) -> None:
        """Begin with those that waited, or forget the lane."""
        lane.running -= 1
        if lane.running >= AT_ONCE:
            return
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        together = _together(lane)
        if together:
            self._begin(loop, name, lane, together)
            if lane.waiting:
                lane.timer = loop.call_later(lane.patience, self._hurry, loop, name, lane)
        elif not lane.running:
            self._lanes.pop(name, None)


def _together(lane: _Lane, most: int = MOST_TOGETHER) -> Sequence[Batch]:
    """Those that wait, as many as are read together: so many keys at most, and at least one where any waits."""
    waiting = [each for each in lane.waiting if not each.dropped]
    keys = 0
    for number, each in enumerate(waiting):
        keys += len(each.waiting)
        if number and keys > most:
            lane.waiting = waiting[number:]
            return waiting[:number]
    lane.waiting = []
    return waiting


def _keys(batches: Sequence[Batch]) -> Sequence[Any]:
    if len(batches) == 1:
        return list(batches[0].waiting)
    return list(dict.fromkeys(key for each in batches if not each.dropped for key in each.waiting))
