"""Records whose rest is still to be fetched: kept until they are told, so that no end of a process loses one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.connection import Reader, Transaction, Writer
from identity.messages import SourceName, micros, moment


@dataclass(frozen=True, slots=True)
class PendingFetch:
    """A record that waits. webhook: that heard it; record: its text; tries: how often it was fetched in vain."""

    id: str
    source: SourceName
    webhook: str
    place: str
    record: str
    at: datetime
    tries: int = 0


def pending(source: SourceName, webhook: str, place: str, record: str, at: datetime) -> PendingFetch:
    """A record that waits from now on; of the same record there is one."""
    id_ = hashlib.sha256(f"{source}\0{webhook}\0{record}".encode("utf-8", "replace")).hexdigest()
    return PendingFetch(id_, source, webhook, place, record, at)


# pending_fetch_id (unique), in the order of ids
KEEP_FETCHES = """
UNWIND $rows AS row
MERGE (f:PendingFetch {id: row.id})
ON CREATE SET f += row
"""


async def keep_fetches(writer: Writer, waiting: Sequence[PendingFetch]) -> None:
    """Keep records that wait; one that waits already stays as it is. Raises DatabaseAwayError."""
    if waiting:
        await writer.write(_kept, sorted(waiting, key=lambda each: each.id))


async def _kept(tx: Transaction, waiting: Sequence[PendingFetch]) -> None:
    rows = [
        {
            "id": each.id,
            "source": each.source,
            "webhook": each.webhook,
            "place": each.place,
            "record": each.record,
            "at": micros(each.at),
            "tries": each.tries,
            "due_at": micros(each.at),
        }
        for each in waiting
    ]
    await tx.rows(KEEP_FETCHES, rows=rows)


# pending_fetch_due (range), in its order
DUE_FETCHES = """
MATCH (f:PendingFetch)
USING INDEX SEEK f:PendingFetch(due_at)
WHERE f.due_at <= $now
RETURN f {.*} AS fetch
ORDER BY f.due_at, f.id
LIMIT $limit
"""


async def due_fetches(reader: Reader, now: datetime, limit: int = 100) -> tuple[PendingFetch, ...]:
    """The records that are to be fetched now, the first due first. Raises DatabaseAwayError."""
    rows = await reader.rows(DUE_FETCHES, now=micros(now), limit=limit)
    return tuple(
        PendingFetch(
            id=row["fetch"]["id"],
            source=SourceName(row["fetch"]["source"]),
            webhook=row["fetch"]["webhook"],
            place=row["fetch"]["place"],
            record=row["fetch"]["record"],
            at=moment(row["fetch"]["at"]),
            tries=row["fetch"]["tries"],
        )
        for row in rows
    )


# pending_fetch_id (unique)
PUT_OFF = """
MATCH (f:PendingFetch {id: $id})
USING INDEX SEEK f:PendingFetch(id)
SET f.due_at = $due, f.tries = f.tries + 1
"""


async def put_off(writer: Writer, id_: str, due: datetime) -> None:
    """Try a record again at a later moment. Raises DatabaseAwayError."""
    await writer.write(_put_off, id_, micros(due))


async def _put_off(tx: Transaction, id_: str, due: int) -> None:
    await tx.rows(PUT_OFF, id=id_, due=due)


# pending_fetch_id (unique)
END_FETCH = """
MATCH (f:PendingFetch {id: $id})
USING INDEX SEEK f:PendingFetch(id)
DELETE f
"""


async def end_fetch(writer: Writer, id_: str) -> None:
    """Forget a record that was told; call it after that is committed. Raises DatabaseAwayError."""
    await writer.write(_ended, id_)


async def _ended(tx: Transaction, id_: str) -> None:
    await tx.rows(END_FETCH, id=id_)


# a label scan: those that wait
COUNT_FETCHES = "MATCH (f:PendingFetch) RETURN count(f) AS many"


async def waiting_fetches(reader: Reader) -> int:
    """How many records wait for their rest. Raises DatabaseAwayError."""
    return int((await reader.rows(COUNT_FETCHES))[0]["many"])
