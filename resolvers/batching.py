"""Loaders made from reading functions: a list of n parents costs one statement for a field, whatever n.

A reading function takes the reader, many keys, and arguments that are the same for all of them, and answers a mapping
in which unknown keys have no entry. Keys that sibling fields ask in one turn of the event loop are read together.
"""

from asyncio import Future, Task, current_task
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Concatenate, Generic, ParamSpec, TypeVar, cast

from strawberry.dataloader import DataLoader

from graph.connection import Reader

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")
P = ParamSpec("P")
Reading = Callable[Concatenate[Reader, Sequence[K], P], Awaitable[Mapping[K, V]]]


class Known(Generic[V]):
    """An answer that is there already; to wait for it takes no time."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, V]:
        yield from ()
        return self.value


class Batching:
    """The loaders of one request: one for each reading function with its arguments, made when first asked."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._loaders: dict[object, DataLoader[object, object]] = {}
        self._known: dict[object, Known[object]] = {}
        self._reading: set[Task[object]] = set()

    def stop(self) -> None:
        """Cancel what is being read: nobody waits for it any more.

        A loader reads in a task of its own, since many fields wait for it; so it does not end with them.
        """
        for each in self._reading:
            each.cancel()

    def ask(self, read: Reading[K, P, V], key: K, *args: P.args, **kwargs: P.kwargs) -> Awaitable[V | None]:
        """What `read` answers for a key, or None; read once in a request, together with other keys asked now."""
        wanted = (read, args, tuple(kwargs.items()))
        known = self._known.get((wanted, key))
        if known is not None:
            return cast("Awaitable[V | None]", known)
        return cast("Awaitable[V | None]", self._loader(wanted, read, *args, **kwargs).load(key))

    def know(self, value: V, read: Reading[K, P, V], key: K, *args: P.args, **kwargs: P.kwargs) -> None:
        """Answer later questions for a key with a value that was read in another way."""
        self._known[(read, args, tuple(kwargs.items())), key] = Known(value)

    def _loader(
        self, wanted: object, read: Reading[K, P, V], *args: P.args, **kwargs: P.kwargs
    ) -> DataLoader[object, object]:
        loader = self._loaders.get(wanted)
        if loader is None:
            loader = self._loaders[wanted] = cast(
                "DataLoader[object, object]", batched(self._noted(read), self.reader, *args, **kwargs)
            )
        return loader

    def _noted(self, read: Reading[K, P, V]) -> Reading[K, P, V]:
        async def noted(reader: Reader, keys: Sequence[K], /, *args: P.args, **kwargs: P.kwargs) -> Mapping[K, V]:
            if (task := current_task()) is None:
                return await read(reader, keys, *args, **kwargs)
            self._reading.add(task)
            try:
                return await read(reader, keys, *args, **kwargs)
            finally:
                self._reading.discard(task)

        return noted


def batched(read: Reading[K, P, V], reader: Reader, *args: P.args, **kwargs: P.kwargs) -> DataLoader[K, V | None]:
    """A loader that answers in the order asked, with None for keys that `read` does not know."""

    async def load(keys: list[K]) -> list[V | None]:
        found = await read(reader, keys, *args, **kwargs)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load, max_batch_size=1_000)


def then(answer: Awaitable[V], shape: Callable[[V], R]) -> R | Awaitable[R]:
    """What `shape` makes of an answer: at once where it is known already, so that nothing waits for what is there."""
    if isinstance(answer, Known):
        return shape(answer.value)
    if isinstance(answer, Future) and answer.done():
        return shape(answer.result())
    return _later(answer, shape)


async def _later(answer: Awaitable[V], shape: Callable[[V], R]) -> R:
    return shape(await answer)
