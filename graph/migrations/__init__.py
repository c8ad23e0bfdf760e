"""The schema's history: numbered files beside this one, each applied once, in order, never taken back.

A file is `NNNN_name.cypher`: statements that end a line with `;`, comments on lines of their own after `//`.
Neo4j does not let a schema command share a transaction with data, so a statement is a transaction of its own, and a
crash in the middle of a file applies the file again: every statement must be one that may run twice (`IF NOT EXISTS`,
`MERGE`). All of an empty graph in one transaction was no sooner done, 10 to 12 s of processor time in either case: it
waits for a Java that is cold, not for commits.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import anyio
from neo4j.exceptions import ClientError, TransientError

from graph.connection import Reader, Transaction, Writer
from graph.errors import MigrationChangedError, SchemaTooNewError
from identity.messages import micros

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.cypher\Z")
SCHEMA_TRIES = 10


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. checksum: SHA-256 of its text, in hexadecimal."""

    number: int
    name: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the database remembers of a migration."""

    number: int
    name: str
    checksum: str


def shipped() -> tuple[Migration, ...]:
    """The migrations this version of the code knows, in order."""
    found = ((FILE_NAME.match(file.name), file) for file in files(__name__).iterdir())
    read = (parsed(int(match[1]), match[2], file.read_text("utf-8")) for match, file in found if match)
    return tuple(sorted(read, key=lambda each: each.number))


def parsed(number: int, name: str, text: str) -> Migration:
    """The migration a file's text describes."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("//")]
    statements = (each.strip() for each in re.split(r";[ \t]*$", "\n".join(lines), flags=re.MULTILINE))
    checksum = hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()
    return Migration(number, name, checksum, tuple(each for each in statements if each))


def missing(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """The migrations the database still lacks, in order.

    Raises SchemaTooNewError when it holds one that is not known, MigrationChangedError when one reads otherwise today.
    """
    by_number = {each.number: each for each in known}
    for each in applied:
        today = by_number.get(each.number)
        if today is None:
            raise SchemaTooNewError(
                f"the database holds migration {each.number:04} `{each.name}`, which this version does not know: "
                f"install the version of Selfsame that wrote it, or a newer one"
            )
        if today.checksum != each.checksum:
            raise MigrationChangedError(
                f"migration {each.number:04} `{each.name}` was applied with another text: "
                f"restore the file as it was and put the change into a new migration"
            )
    there = {each.number for each in applied}
    return tuple(each for each in known if each.number not in there)


# A label scan: a few rows.
APPLIED = """
MATCH (migration:Migration)
RETURN migration.number AS number, migration.name AS name, migration.checksum AS checksum
ORDER BY number
"""


async def applied_migrations(reader: Reader | Transaction) -> tuple[Applied, ...]:
    """What the database says was applied, in order; nothing for an empty database. Raises DatabaseAwayError."""
    return tuple(Applied(row["number"], row["name"], row["checksum"]) for row in await reader.rows(APPLIED))


async def migrate(writer: Writer, now: datetime, known: Sequence[Migration] | None = None) -> tuple[Migration, ...]:
    """Bring the database to the shape this version needs, and answer what had to be applied; may run at any time.

    Several processes may ask at once: one works, the others wait for it. Returns when all indexes are online.
    Raises SchemaTooNewError, MigrationChangedError, DatabaseAwayError.
    """
    known = shipped() if known is None else known
    await _schema_command(writer, LOCK_IS_ONE)
    applied = await writer.write(_apply_missing, writer, now, known)
    await writer.command(AWAIT_INDEXES)
    return applied


async def _apply_missing(
    transaction: Transaction, writer: Writer, now: datetime, known: Sequence[Migration]
) -> tuple[Migration, ...]:
    await transaction.rows(LOCK, at=micros(now))
    todo = missing(known, await applied_migrations(transaction))
    # Each in its own transactions while this one holds the lock: one older than a new constraint cannot write.
    for migration in todo:
        for statement in migration.statements:
            await _schema_command(writer, statement)
        await writer.write(_record, migration, now)
    return todo


async def _record(transaction: Transaction, migration: Migration, now: datetime) -> None:
    row = {"number": migration.number, "name": migration.name, "checksum": migration.checksum, "at": micros(now)}
    await transaction.rows(RECORD, **row)


async def _schema_command(writer: Writer, statement: str) -> None:
    """Two processes that create one constraint at once get an error instead of «exists already»; asking again helps."""
    for attempt in range(1, SCHEMA_TRIES + 1):
        try:
            return await writer.command(statement)
        except (TransientError, ClientError) as error:
            if attempt == SCHEMA_TRIES or not _passes(error):
                raise
        await anyio.sleep(0.1 * attempt)
    return None


def _passes(error: TransientError | ClientError) -> bool:
    return isinstance(error, TransientError) or "AlreadyExists" in (error.code or "")


# A label of its own: the first migration makes a constraint on :Migration, which waits for holders of its label.
LOCK_IS_ONE = """
CREATE CONSTRAINT migration_lock_name IF NOT EXISTS
FOR (lock:MigrationLock) REQUIRE lock.name IS UNIQUE
"""

# One row, by migration_lock_name (unique).
LOCK = """
MERGE (lock:MigrationLock {name: 'migrations'})
SET lock.taken_at = $at
"""

# One row, by migration_number (unique).
RECORD = """
MERGE (migration:Migration {number: $number})
SET migration += {name: $name, checksum: $checksum, at: $at}
"""

AWAIT_INDEXES = """
CALL db.awaitIndexes(300)
"""
