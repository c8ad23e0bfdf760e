"""Locks on identifiers, taken in the order of keys, each once; units of work that begin anew, or are only tried."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar, cast

from neo4j.exceptions import ConstraintError

from graph.connection import Transaction, Writer
from graph.regions import Change
from identity.identifiers import IdentifierKey

T = TypeVar("T")
P = ParamSpec("P")
TRIES = 12

# identifier_key (unique); the write is the lock; how many acts there are is known without reading them
LOCK = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
SET i.touched = $now
WITH count(i) AS found
RETURN found, COUNT { (:Act) } AS acts
"""


class StartAgainError(Exception):
    """What was read is gone since; the transaction must begin anew."""


async def lock(tx: Transaction, change: Change, keys: Iterable[IdentifierKey], now: int) -> None:
    """Lock those of the stored identifiers that the transaction has not locked yet. now: µs, only the lock's value.

    What the change remembers of them is forgotten, since another transaction may have changed it before.
    Raises StartAgainError when one of them is gone.
    """
    missing = sorted(set(keys) - change.locked - change.new.keys())
    if not missing:
        return
    row = (await tx.rows(LOCK, keys=missing, now=now))[0]
    if row["found"] != len(missing):
        raise StartAgainError
    change.locked |= set(missing)
    change.decided = change.decided or row["acts"] > 0
    for key in missing:
        change.stored.pop(key, None)


async def begun_again(
    writer: Writer, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """The result of a unit of work that starts anew when another transaction got in its way.

    That is when something read was gone, or when a unique key was written meanwhile. Raises what the last try raised.
    """
    for _ in range(TRIES - 1):
        try:
            return await writer.write(work, *args, **kwargs)
        except (ConstraintError, StartAgainError):
            continue
    return await writer.write(work, *args, **kwargs)


class _Unwritten(Exception):  # noqa: N818 -- no error: it carries a result out of a transaction that is rolled back
    def __init__(self, result: object) -> None:
        self.result = result


async def tried(writer: Writer, work: Callable[[Transaction], Awaitable[T]], *, keep: Callable[[T], bool]) -> T:
    """The result of a unit of work, as `begun_again` gives it. keep: whether it is committed, else all is rolled back.

    So a preview is the very work that it previews.
    """

    async def whole(tx: Transaction) -> T:
        result = await work(tx)
        if not keep(result):
            raise _Unwritten(result)
        return result

    try:
        return await begun_again(writer, whole)
    except _Unwritten as rolled_back:
        return cast("T", rolled_back.result)
