"""The only doors to Neo4j: a Reader for statements that read, a Writer for transactions that write."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncResult, Bookmarks
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from graph.errors import DatabaseAwayError

T = TypeVar("T")
P = ParamSpec("P")
Row = Mapping[str, Any]
AWAY = (ServiceUnavailable, SessionExpired)


class Transaction(Protocol):
    """What a unit of work may do: run a statement and have all its rows."""

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        """The rows of one statement, in order."""
        ...


@dataclass(slots=True)
class _Managed:
    inner: AsyncManagedTransaction

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        result = await self.inner.run(statement, parameters)
        return await _drained(result)


async def _drained(result: AsyncResult) -> list[Row]:
    keys = result.keys()
    return [dict(zip(keys, record, strict=True)) async for record in result]


@dataclass(slots=True)
class Bookmarked:
    """The newest bookmarks of this process, so that its readers see what its writers committed."""

    newest: Bookmarks = field(default_factory=Bookmarks)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads by autocommit statements, each in a session of its own: safe for tasks that run side by side."""

    driver: AsyncDriver
    database: str
    bookmarked: Bookmarked

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        """The rows of one reading statement, in order. Raises DatabaseAwayError."""
        try:
            async with self.driver.session(
                database=self.database, default_access_mode=READ_ACCESS, bookmarks=self.bookmarked.newest
            ) as session:
                return await _drained(await session.run(statement, parameters))
        except AWAY as error:
            raise DatabaseAwayError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Writer:
    """Runs units of work as managed transactions: deadlocks and leader changes start them again."""

    driver: AsyncDriver
    database: str
    bookmarked: Bookmarked

    async def write(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `work(transaction, …)` once it is committed.

        The work may run several times, so it must not have effects elsewhere. Raises DatabaseAwayError.
        """

        async def managed(inner: AsyncManagedTransaction) -> T:
            return await work(_Managed(inner), *args, **kwargs)

        try:
            async with self.driver.session(database=self.database, bookmarks=self.bookmarked.newest) as session:
                result = await session.execute_write(managed)
                self.bookmarked.newest = await session.last_bookmarks()
                return result
        except AWAY as error:
            raise DatabaseAwayError(str(error)) from error

    async def command(self, statement: str, **parameters: object) -> None:
        """Run one statement by itself, outside a managed transaction (schema commands, CALL IN TRANSACTIONS)."""
        async with self.driver.session(database=self.database) as session:
            await (await session.run(statement, parameters)).consume()


@dataclass(frozen=True, slots=True)
class Connection:
    """A driver with both doors."""

    driver: AsyncDriver
    reader: Reader
    writer: Writer


@asynccontextmanager
async def connected(uri: str, user: str, password: str, database: str = "neo4j") -> AsyncIterator[Connection]:
    """A connection that has answered once. Raises DatabaseAwayError when it does not, or refuses the password."""
    driver = AsyncGraphDatabase.driver(
        uri, auth=(user, password), notifications_min_severity="OFF", connection_acquisition_timeout=20, keep_alive=True
    )
    async with driver:
        try:
            await driver.verify_connectivity()
        except (DriverError, Neo4jError, AuthError, ConfigurationError) as error:
            raise DatabaseAwayError(f"Neo4j at {uri} does not answer: {error}") from error
        seen = Bookmarked()
        yield Connection(driver, Reader(driver, database, seen), Writer(driver, database, seen))
