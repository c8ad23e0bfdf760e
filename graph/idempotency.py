"""Keys that callers choose: a unit of work is done once under each, and who comes again hears what became of it.

A key is written in the transaction of the work itself, so neither is there without the other, and it is the first thing
that a transaction writes: a second caller with the same key waits for the first. Work that was rolled back leaves no
key. Keys and arguments are kept as hashes, and what became of the work without any value.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, TypeVar

from graph.connection import Row, Statements, Transaction, Writer
from graph.locks import tried

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

KEPT_MICROS = 48 * 3_600_000_000
DROPPED_AT_ONCE = 10_000

# What there is to remember of the result of a unit of work; None where the key shall not stay.
Remember = Callable[[Transaction, R], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done under a key. arguments: the hash of what was asked for; outcome: as `Remember` wrote it."""

    arguments: str
    outcome: str


class DoneBeforeError(Exception):
    """The work was done under this key before; nothing was written now."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("done before")
        self.kept = kept


# idempotency_key_key (unique); the write is the lock
TAKE = """
MERGE (k:IdempotencyKey {key: $key})
ON CREATE SET k.arguments = $arguments, k.at = $now
SET k.touched_at = $now
RETURN k.arguments AS arguments, k.outcome AS outcome
"""

# idempotency_key_key (unique)
KEEP = """
MATCH (k:IdempotencyKey {key: $key})
USING INDEX SEEK k:IdempotencyKey(key)
SET k.outcome = $outcome
"""

# idempotency_key_key (unique)
LET_GO = """
MATCH (k:IdempotencyKey {key: $key})
USING INDEX SEEK k:IdempotencyKey(key)
DELETE k
"""

# idempotency_key_key (unique)
FIND = """
MATCH (k:IdempotencyKey {key: $key})
USING INDEX SEEK k:IdempotencyKey(key)
WHERE k.outcome IS NOT NULL
RETURN k.arguments AS arguments, k.outcome AS outcome
"""

# idempotency_key_at (range)
DROP = """
MATCH (k:IdempotencyKey)
USING INDEX SEEK k:IdempotencyKey(at)
WHERE k.at < $before
WITH k
LIMIT $most
DELETE k
RETURN count(k) AS many
"""


async def done_before(graph: Statements, key: str) -> Kept | None:
    """What was done under a key. One statement."""
    rows = await graph.rows(FIND, key=key)
    return _kept(rows[0]) if rows else None


def _kept(row: Row) -> Kept:
    return Kept(row["arguments"], row["outcome"])


@dataclass(frozen=True, slots=True)
class OnceWriter(Writer, Generic[R]):
    """A Writer whose units of work are done once under a key. now: µs; the key and the arguments are hashes."""

    key: str = ""
    arguments: str = ""
    now: int = 0
    remember: Remember[R] | None = None

    async def write(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of the work once it is committed with its key. Raises DoneBeforeError, DatabaseAwayError."""

        async def once(tx: Transaction) -> T:
            (row,) = await tx.rows(TAKE, key=self.key, arguments=self.arguments, now=self.now)
            if row["outcome"] is not None:
                raise DoneBeforeError(_kept(row))
            result = await work(tx, *args, **kwargs)
            outcome = await self.remember(tx, result) if self.remember else None  # type: ignore[arg-type]  # the caller's pair
            await (tx.rows(LET_GO, key=self.key) if outcome is None else tx.rows(KEEP, key=self.key, outcome=outcome))
            return result

        return await Writer.write(self, once)


@dataclass(frozen=True, slots=True)
class RehearsingWriter(Writer):
    """A Writer that does a unit of work and takes all of it back: what it says is what doing it would give."""

    async def write(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of the work, rolled back. Raises DatabaseAwayError."""

        async def whole(tx: Transaction) -> T:
            return await work(tx, *args, **kwargs)

        plain = Writer(self.driver, self.database, self.bookmarked, self.hear)
        return await tried(plain, whole, keep=lambda _: False)


async def drop_keys(writer: Writer, before: int) -> int:
    """Drop keys that were first used before a moment (µs), some thousands at once; how many. Twice is once."""
    return await writer.write(_dropped, before)


async def _dropped(tx: Transaction, before: int) -> int:
    return int((await tx.rows(DROP, before=before, most=DROPPED_AT_ONCE))[0]["many"])
