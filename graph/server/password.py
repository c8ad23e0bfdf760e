"""The password of the local Neo4j: made on the first start, kept beside the data, never lost between two steps.

The new one is written to a file of its own before Neo4j learns it, and renamed afterwards; a start that was killed in
between finds the one or the other in force.
"""

import os
import secrets
from pathlib import Path

from neo4j import AsyncDriver, AsyncGraphDatabase
from neo4j.exceptions import AuthError

from graph.server.errors import PasswordLostError

USER = "neo4j"
FIRST = "neo4j"
STORED = "neo4j.password"
CANDIDATE = "neo4j.password.new"
CHANGE = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"


def stored_password(folder: Path) -> str:
    """The password in force. Raises OSError when none was stored yet."""
    return (folder / STORED).read_text("utf-8").strip()


async def settled_password(uri: str, folder: Path) -> str:
    """The password that opens this Neo4j, made and stored if it still has its first one.

    Raises PasswordLostError when no known password opens it.
    """
    for name in (STORED, CANDIDATE):
        known = _read(folder / name)
        if known and await _opens(uri, known):
            (folder / name).replace(folder / STORED)
            return known
    new = _read(folder / CANDIDATE) or _candidate(folder / CANDIDATE)
    await _change(uri, new, folder)
    (folder / CANDIDATE).replace(folder / STORED)
    return new


def _read(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.exists() else ""


def _candidate(path: Path) -> str:
    new = secrets.token_urlsafe(24)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(new)
        file.flush()
        os.fsync(file.fileno())
    return new


async def _opens(uri: str, password: str) -> bool:
    async with _driver(uri, password) as driver:
        try:
            await driver.verify_connectivity()
        except AuthError:
            return False
    return True


async def _change(uri: str, new: str, folder: Path) -> None:
    async with _driver(uri, FIRST) as driver, driver.session(database="system") as session:
        try:
            await (await session.run(CHANGE, old=FIRST, new=new)).consume()
        except AuthError as error:
            raise PasswordLostError(
                f"the Neo4j in {folder} does not know the password in {folder / STORED}; put the right one there, "
                "or move the folder away to start with an empty database"
            ) from error


def _driver(uri: str, password: str) -> AsyncDriver:
    return AsyncGraphDatabase.driver(uri, auth=(USER, password), notifications_min_severity="OFF")
