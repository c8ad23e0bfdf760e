"""A process that dies between two of its transactions: what was committed stays, nothing after it happens."""

from collections.abc import Callable

from graph.connection import Connection


class KilledError(Exception):
    """As if the process had been killed."""


class Killed:
    """A graph whose writer dies before the first transaction of which `dies` says so, and stays dead.

    dies: asked with the name of each unit of work.
    """

    def __init__(self, graph: Connection, dies: Callable[[str], bool]) -> None:
        self.driver, self.reader, self.inner = graph.driver, graph.reader, graph.writer
        self.database, self.writer = graph.writer.database, self
        self.dies, self.dead = dies, False

    @staticmethod
    def after(graph: Connection, transactions: int) -> "Killed":
        """A graph whose writer dies after so many transactions."""
        left = iter(range(transactions))
        return Killed(graph, lambda _: next(left, None) is None)

    async def write(self, work: Callable[..., object], *args: object, **more: object) -> object:
        self.dead = self.dead or self.dies(work.__name__)
        if self.dead:
            raise KilledError
        return await self.inner.write(work, *args, **more)
