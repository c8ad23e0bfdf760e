"""The feed of what happens, read once in this process for everybody who listens, however many and however slow.

Nobody is sent anything: who listens asks for what comes after the number up to which she has heard. What happened
lately is remembered; who is further behind reads it from the graph. So one who is slow takes no memory, holds up
nobody, and hears everything as long as it is kept.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import anyio

from graph.connection import Reader
from graph.feed import READ_AT_ONCE, Bounds, Entry, entries_after, feed_bounds
from resolvers.errors import Code, refused

MOST_ENTRIES = 1_000
MOST_NAMES = 200_000  # mints and ids in what is remembered, some 30 MB
MOST_LISTENERS = 5_000
UNSEEN_SECONDS = 0.05  # what one reader saw may take a moment until another one sees it


class Feed:
    """What happened lately, as far as somebody listens. closing: the service goes down."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._recent: deque[Entry] = deque()
        self._names = 0
        self._read: int | None = None
        self._listeners = Counter[str]()
        self._news = anyio.Event()
        self.closing = anyio.Event()

    @property
    def listened(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    @property
    def listeners(self) -> int:
        """How many subscriptions are open in this process."""
        return self._listeners.total()

    def close(self) -> None:
        """Let everybody go who listens: the service goes down, and each knows from where to go on."""
        self.closing.set()
        self._tell()

    async def read(self, last: int | None = None) -> None:
        """Read what is new, if anybody listens. last: the number of the last entry, if that is known.

        Raises DatabaseAwayError.
        """
        if not self.listened:
            self._forget()
            return
        if last is not None and last == self._read:
            return
        if self._read is None:
            self._read = (await feed_bounds(self._reader)).last
            self._tell()
        while found := await entries_after(self._reader, self._read):
            self._remember(found)
            if len(found) < READ_AT_ONCE:
                return

    def _remember(self, found: Sequence[Entry]) -> None:
        self._recent.extend(found)
        self._read = found[-1].seq
        self._names += sum(map(_names, found))
        while len(self._recent) > MOST_ENTRIES or (self._names > MOST_NAMES and len(self._recent) > 1):
            self._names -= _names(self._recent.popleft())
        self._tell()

    def _forget(self) -> None:
        self._recent.clear()
        self._names, self._read = 0, None

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def bounds(self) -> Bounds:
        """Which numbers are kept. Raises DatabaseAwayError."""
        return await feed_bounds(self._reader)

    def check_room(self, holder: str, most: int) -> None:
        """Raises GraphQLError `too_many_subscriptions` where a holder of keys has so many, or all have too many."""
        if self._listeners[holder] >= most:
            raise refused(Code.TOO_MANY_SUBSCRIPTIONS, f"this key has {most} subscriptions open in this process")
        if self.listeners >= MOST_LISTENERS:
            raise refused(Code.TOO_MANY_SUBSCRIPTIONS)

    @contextmanager
    def listening(self, holder: str = "", most: int = MOST_LISTENERS) -> Iterator[None]:
        """Be one of those who listen. Raises GraphQLError `too_many_subscriptions`."""
        self.check_room(holder, most)
        self._listeners[holder] += 1
        try:
            yield
        finally:
            self._listeners[holder] -= 1
            if not self._listeners[holder]:
                del self._listeners[holder]

    async def after(self, seq: int) -> AsyncIterator[Entry]:
        """Everything after a number, in order, for ever; it ends when the service goes down. For who is `listening`.

        Raises GraphQLError `sequence_gone` when what comes next is no longer kept, and DatabaseAwayError.
        """
        while not self.closing.is_set():
            news = self._news
            found = await self._next(seq)
            for entry in found:
                if self.closing.is_set():
                    return
                yield entry
                seq = entry.seq
            if not found and self._knows_more(seq):
                await anyio.sleep(UNSEEN_SECONDS)
            elif not found:
                await news.wait()

    def _knows_more(self, seq: int) -> bool:
        return self._read is not None and seq < self._read

    async def _next(self, seq: int) -> Sequence[Entry]:
        if self._recent and self._recent[0].seq <= seq + 1:
            place = seq + 1 - self._recent[0].seq
            return [self._recent[each] for each in range(place, min(place + READ_AT_ONCE, len(self._recent)))]
        if not self._knows_more(seq):
            return ()
        found = await entries_after(self._reader, seq)
        if not found and (await self.bounds()).first > seq + 1:
            raise refused(Code.SEQUENCE_GONE)
        return found


def _names(entry: Entry) -> int:
    return 1 + len(entry.touched) + len(entry.messages) + len(entry.changes)
