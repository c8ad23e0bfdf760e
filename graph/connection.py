"""The only doors to Neo4j: a Reader for statements that read, a Writer for transactions that write."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter, time_ns
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from neo4j import (
    READ_ACCESS,
    AsyncDriver,
    AsyncGraphDatabase,
    AsyncManagedTransaction,
    AsyncResult,
    Bookmarks,
    unit_of_work,
)
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DatabaseError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from graph.errors import DatabaseAwayError, DatabaseBrokenError
from graph.packing import packed
from graph.telling import TELL, Told

T = TypeVar("T")
P = ParamSpec("P")
Row = Mapping[str, Any]
AWAY = (ServiceUnavailable, SessionExpired)
# Measured on a full disk: the commit that meets it fails as TransactionCommitFailed, and from then on nothing begins.
CANNOT_BEGIN = "Neo.DatabaseError.Transaction.TransactionStartFailed"
# Clients give up after 10 to 15 s; who waits for a database that is away shall hear so before.
PATIENCE_SECONDS = 12
# A deadlock is over at once; the driver would wait a second. The delay doubles with each try.
RETRY_SECONDS = 0.05
# Neo4j does not tell of an open transaction whether it may write; this does, to whoever has to wait for those that may.
WRITES = {"selfsame": "writes"}


class Statements(Protocol):
    """What answers statements, within a transaction or each by itself."""

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        """The rows of one statement, in order."""
        ...


class Transaction(Protocol):
    """What a unit of work may do: run a statement and have all its rows, and note what others shall hear of."""

    @property
    def told(self) -> Told:
        """What those hear who listen, once the work is committed."""
        ...

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        """The rows of one statement, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that ran. began: in ns since 1970. rows: how many it answered. error: the type of what it raised."""

    statement: str
    began: int
    seconds: float
    rows: int
    error: str | None = None


# What is told of every statement once it ran, in the task that ran it. It must not raise and must not take long.
Hear = Callable[[Ran], None]


@dataclass(slots=True)
class _Managed:
    inner: AsyncManagedTransaction
    hear: Hear | None = None
    told: Told = field(default_factory=Told)

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        return await _heard(self.inner.run, statement, parameters, self.hear)


Run = Callable[[str, dict[str, object]], Awaitable[AsyncResult]]

PLANNED = re.compile(r"\s*(MATCH|OPTIONAL|UNWIND|MERGE|CREATE \(|CALL|WITH|RETURN)\b")


async def _heard(run: Run, statement: str, parameters: dict[str, object], hear: Hear | None) -> list[Row]:
    """The rows of a statement, and whoever listens told how long they took."""
    if hear is None:
        return await _rows(run, statement, parameters)
    began, start = time_ns(), perf_counter()
    try:
        rows = await _rows(run, statement, parameters)
    except BaseException as error:
        hear(Ran(statement, began, perf_counter() - start, 0, type(error).__name__))
        raise
    hear(Ran(statement, began, perf_counter() - start, len(rows)))
    return rows


async def _rows(run: Run, statement: str, parameters: dict[str, object]) -> list[Row]:
    """The rows of a statement, as one record that holds them all where its columns have plain names.

    `replan=skip`: in a graph that grows fast, a third of the database's time went into planning the same statements
    again. Each begins at an index (a test explains them all on an empty graph), so no count of nodes makes another plan
    better.
    """
    if not PLANNED.match(statement):
        return await _drained(await run(statement, parameters))
    sent = packed(statement)
    result = await run(f"CYPHER replan=skip {sent.text}", {"p": _Unprinted(parameters)})
    if not sent.columns:
        return await _drained(result)
    record = await result.single(strict=True)
    return [dict(zip(sent.columns, each, strict=True)) for each in record[0]]


class _Unprinted(dict[str, object]):
    """Parameters of which a log shows the names alone.

    The driver writes all that it sends into a line of its log, whether or not anybody reads it: a tenth of the time
    that this process takes to write a batch, and nothing that a log should show.
    """

    def __repr__(self) -> str:
        return f"{{{', '.join(self)}}}"


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
    hear: Hear | None = None

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        """The rows of one reading statement, in order. Raises DatabaseAwayError."""
        with _told():
            async with self.driver.session(
                database=self.database, default_access_mode=READ_ACCESS, bookmarks=self.bookmarked.newest
            ) as session:
                return await _heard(session.run, statement, parameters, self.hear)


@dataclass(frozen=True, slots=True)
class Writer:
    """Runs units of work as managed transactions: deadlocks and leader changes start them again."""

    driver: AsyncDriver
    database: str
    bookmarked: Bookmarked
    hear: Hear | None = None

    async def write(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `work(transaction, …)` once it is committed.

        The work may run several times, so it must not have effects elsewhere. Raises DatabaseAwayError.
        """

        @unit_of_work(metadata=WRITES)
        async def managed(inner: AsyncManagedTransaction) -> T:
            tx = _Managed(inner, self.hear)
            result = await work(tx, *args, **kwargs)
            if rows := tx.told.rows:
                await tx.rows(TELL, rows=rows)
            return result

        with _told():
            async with self.driver.session(database=self.database, bookmarks=self.bookmarked.newest) as session:
                result = await session.execute_write(managed)
                self.bookmarked.newest = await session.last_bookmarks()
                return result

    async def command(self, statement: str, **parameters: object) -> None:
        """Run one statement by itself, outside a managed transaction (schema commands, CALL IN TRANSACTIONS)."""
        async with self.driver.session(database=self.database) as session:
            await (await session.run(statement, parameters)).consume()


@contextmanager
def _told() -> Iterator[None]:
    """What the driver says of a database that is away or broken, in our own words."""
    try:
        yield
    except AWAY as error:
        raise DatabaseAwayError(str(error)) from error
    except DatabaseError as error:
        if error.code != CANNOT_BEGIN:
            raise
        raise DatabaseBrokenError(f"Neo4j has to be started again, its log says why: {error.message}") from error


@dataclass(frozen=True, slots=True)
class Connection:
    """A driver with both doors."""

    driver: AsyncDriver
    reader: Reader
    writer: Writer


@asynccontextmanager
async def connected(
    uri: str, user: str, password: str, database: str = "neo4j", hear: Hear | None = None
) -> AsyncIterator[Connection]:
    """A connection that has answered once. hear: is told of every statement.

    Raises DatabaseAwayError when it does not answer, or refuses the password.
    """
    driver = AsyncGraphDatabase.driver(
        uri,
        auth=(user, password),
        notifications_min_severity="OFF",
        connection_acquisition_timeout=PATIENCE_SECONDS,
        max_transaction_retry_time=PATIENCE_SECONDS,
        initial_retry_delay=RETRY_SECONDS,
        keep_alive=True,
    )
    async with driver:
        try:
            await driver.verify_connectivity()
        except (DriverError, Neo4jError, AuthError, ConfigurationError) as error:
            raise DatabaseAwayError(f"Neo4j at {uri} does not answer: {error}") from error
        seen = Bookmarked()
        yield Connection(driver, Reader(driver, database, seen, hear), Writer(driver, database, seen, hear))


@dataclass(frozen=True, slots=True)
class Pool:
    """The driver's connections to Neo4j: those that are open, and those of them that are in use."""

    open: int
    used: int


def pool_of(driver: AsyncDriver) -> Pool:
    """How many connections the driver holds now."""
    kept = driver._pool.connections  # noqa: SLF001 -- the driver tells of its pool in no other way
    each_of = [each for connections in list(kept.values()) for each in list(connections)]
    return Pool(len(each_of), sum(bool(each.in_use) for each in each_of))
