"""One owner per data directory: a lock that lives as long as its owner or its Neo4j, and a note of who that is."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from graph.server.errors import DataOwnedError
from graph.server.folders import locked

LOCK = "neo4j.lock"
PATIENCE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a data directory. uri: empty until its Neo4j answers."""

    pid: int
    uri: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """A held data directory. Its descriptor is handed to the Neo4j child, so that the lock outlives a killed owner."""

    descriptor: int

    def note(self, uri: str) -> None:
        """Write down for others who holds the directory, and where its Neo4j answers."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps({"pid": os.getpid(), "uri": uri}).encode(), 0)

    def release(self) -> None:
        """Give the directory back."""
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)


async def owned(folder: Path) -> Ownership:
    """Hold the data directory.

    A holder that was killed keeps it until its Neo4j has noticed, for which this waits.
    Raises DataOwnedError at once when a living process holds it, after 40 s when it does not become free.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _freed(descriptor, folder)
    except BaseException:
        os.close(descriptor)
        raise
    ownership = Ownership(descriptor)
    ownership.note("")
    return ownership


async def _freed(descriptor: int, folder: Path) -> None:
    """Return once the lock is ours; raise once that is hopeless."""
    with anyio.move_on_after(PATIENCE_SECONDS):
        while not locked(descriptor):
            holder = _noted(folder)
            if holder and _alive(holder.pid):
                raise _refusal(folder, holder)
            await anyio.sleep(0.1)
        return
    raise _refusal(folder, _noted(folder))


def holder_of(folder: Path) -> Holder | None:
    """The living process that holds the data directory, if there is one."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        holder = None if locked(descriptor) else _noted(folder)
    finally:
        os.close(descriptor)
    return holder if holder and _alive(holder.pid) else None


def _noted(folder: Path) -> Holder | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads((folder / LOCK).read_text("utf-8"))
        return Holder(int(note["pid"]), str(note["uri"]))
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refusal(folder: Path, holder: Holder | None) -> DataOwnedError:
    who = f"process {holder.pid}" if holder else "a process that does not say its number"
    where = f", whose Neo4j answers at {holder.uri}" if holder and holder.uri else ""
    return DataOwnedError(f"{folder} is in use by {who}{where}; stop it, or set SELFSAME_DATA_DIR to another folder")
