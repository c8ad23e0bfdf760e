"""Loaders made from reading functions: a list of n parents costs one statement for a field, whatever n.

A reading function takes the reader, many keys, and arguments that are the same for all of them, and answers a mapping
in which unknown keys have no entry. Keys that sibling fields ask in one turn of the event loop are read together, and
with those that other requests ask meanwhile (resolvers/joining.py), which no library's loader does.
"""

from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from graph.connection import Reader
from resolvers.joining import Batch, Joining, Read

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")
P = ParamSpec("P")
Reading = Callable[Concatenate[Reader, Sequence[K], P], Awaitable[Mapping[K, V]]]
MOST_KEYS = 1_000


class Known(Generic[V]):
    """An answer that is there already; to wait for it takes no time."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, V]:
        yield from ()
        return self.value


class Batching:
    """What one request reads: each key of a reading function with its arguments once.

    joining: the readings of the process, which other requests share; by itself without one.
    """

    def __init__(self, reader: Reader, joining: Joining | None = None) -> None:
        self.reader = reader
        self._joining = joining or Joining()
        self._asked: dict[object, list[Future[Any]]] = {}
        self._known: dict[object, Known[object]] = {}
        self._gathered: dict[object, Batch] = {}
        self._sent: list[Batch] = []

    def stop(self) -> None:
        """Give up what is being read: nobody waits for it any more. What is asked later is read anew."""
        for each in (*self._gathered.values(), *self._sent):
            each.drop()
        self._gathered.clear()
        self._sent.clear()

    def ask(self, read: Reading[K, P, V], key: K, *args: P.args, **kwargs: P.kwargs) -> Awaitable[V | None]:
        """What `read` answers for a key, or None; read once in a request, together with other keys asked now."""
        wanted = (read, args, tuple(kwargs.items()))
        name = (wanted, key)
        known = self._known.get(name)
        if known is not None:
            return cast("Awaitable[V | None]", known)
        asked = self._asked.get(name)
        if asked is not None and (there := _there(asked)) is not None:
            return there
        mine: Future[V | None] = get_running_loop().create_future()
        if asked is not None and not all(each.cancelled() for each in asked):
            asked.append(mine)
            return mine
        batch = self._gathered.get(wanted)
        if batch is None or len(batch.waiting) >= MOST_KEYS:
            reader = self.reader  # not `self`, which holds the batch: no circle is left to the collector
            batch = self._begun(wanted, lambda keys: read(reader, keys, *args, **kwargs))
        batch.waiting[key] = self._asked[name] = [mine]
        return mine

    def know(self, value: V, read: Reading[K, P, V], key: K, *args: P.args, **kwargs: P.kwargs) -> None:
        """Answer later questions for a key with a value that was read in another way."""
        self._known[(read, args, tuple(kwargs.items())), key] = Known(value)

    def _begun(self, wanted: object, read: Read) -> Batch:
        """A batch that is sent at the end of this turn of the event loop."""
        batch = self._gathered[wanted] = Batch(read)
        get_running_loop().call_soon(self._send, wanted, batch)
        return batch

    def _send(self, wanted: object, batch: Batch) -> None:
        if self._gathered.get(wanted) is batch:
            del self._gathered[wanted]
        if not batch.dropped:
            self._sent.append(batch)
            self._joining.send(wanted, batch)


def _there(asked: Sequence[Future[Any]]) -> Future[Any] | None:
    """The one that is answered already, which nobody can cancel any more."""
    return next((each for each in asked if each.done() and not each.cancelled()), None)


def then(answer: Awaitable[V], shape: Callable[[V], R]) -> R | Awaitable[R]:
    """What `shape` makes of an answer: at once where it is known already, so that nothing waits for what is there."""
    if isinstance(answer, Known):
        return shape(answer.value)
    if isinstance(answer, Future) and answer.done():
        return shape(answer.result())
    return _later(answer, shape)


async def _later(answer: Awaitable[V], shape: Callable[[V], R]) -> R:
    return shape(await answer)
