"""Starting, finding and stopping the local Neo4j."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import anyio
import anyio.to_thread
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

from graph.server.artifacts import forget, jars_ready
from graph.server.compaction import Compacted, compact, recover
from graph.server.configuration import ServerSettings
from graph.server.errors import StartFailedError
from graph.server.folders import DATA_REMEDY, cache_home, roomy, writable
from graph.server.importing import Imported, imported
from graph.server.jars import shipped_lock
from graph.server.owning import Ownership, holder_of, owned
from graph.server.password import USER, settled_password, stored_password
from graph.server.process import Launched, ended, launched
from graph.server.progress import Phase, Step, Tell, silent
from graph.server.training import archive_ready

ADDRESS = "server.json"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A local Neo4j that some process of this machine owns. pid: of the Neo4j; owner: of that process."""

    uri: str
    user: str
    password: str
    pid: int
    owner: int


class LocalNeo4j:
    """A local Neo4j that this process owns, from the moment it answers until `stop`."""

    def __init__(self, uri: str, password: str, started: Launched, ownership: Ownership, folder: Path) -> None:
        self.uri = uri
        self.user = USER
        self.password = password
        self._started = started
        self._ownership: Ownership | None = ownership
        self._address = folder / ADDRESS
        self._given_up = False

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._started.process.pid

    @property
    def exited(self) -> bool:
        """Whether its process has ended, by itself or by `stop`."""
        return self._started.process.returncode is not None

    async def wait(self) -> int:
        """The exit status of its process, once it ends; below zero when a signal ended it."""
        return await self._started.process.wait()

    def give_up(self) -> None:
        """Let its end be a kill, as it works no more: a clean one was waited for in vain for 30 s on a full disk."""
        self._given_up = True

    async def stop(self) -> None:
        """Stop Neo4j cleanly and give its data directory back. May run twice; is not cut short by cancelling."""
        if ownership := await self.ended():
            ownership.release()

    async def ended(self) -> Ownership | None:
        """Stop Neo4j cleanly and keep its data directory, which is the caller's then; None when it was given back."""
        if not (ownership := self._ownership):
            return None
        self._ownership = None
        self._address.unlink(missing_ok=True)
        try:
            await ended(self._started.process, at_once=self._given_up)
        except BaseException:
            ownership.release()
            raise
        return ownership


async def start_local(settings: ServerSettings, progress: Tell | None = None) -> LocalNeo4j:
    """Start the local Neo4j of a data directory; it has answered a query when this returns.

    The first start on a machine fetches 176 MB and takes a minute or more; later ones take some seconds.
    progress: hears each step; while fetching it is called from other threads.
    Raises ServerError: no network, no room, no permission, a directory or a port in use, a start that failed.
    """
    tell = progress or silent
    folder = roomy(writable(settings.data_dir, DATA_REMEDY), settings.room_mb, DATA_REMEDY)
    ownership = await owned(folder)
    try:
        recover(folder)
        server = await _started(settings, ownership, tell)
    except BaseException:
        ownership.release()
        raise
    tell(Step(Phase.READY))
    return server


async def compact_local(settings: ServerSettings, progress: Tell | None = None) -> Compacted:
    """Write the store of a data directory anew, with nothing in its files of what was deleted.

    Raises ServerError; DataOwnedError at once while a service has the directory.
    """
    tell = progress or silent
    ownership = await owned(writable(settings.data_dir, DATA_REMEDY))
    try:
        jars = await _jars(settings, tell)
        return await compact(settings, jars, await archive_ready(jars, settings, tell), tell)
    finally:
        ownership.release()


async def import_local(
    settings: ServerSettings, arguments: Sequence[str], expected: Imported, progress: Tell | None = None
) -> None:
    """Put what files hold in place of a store that holds nothing. Only for who holds the data directory.

    arguments: of Neo4j's importer; expected: what the files hold. Raises ImportFailedError, DiskFullError; the store is
    as it was then.
    """
    tell = progress or silent
    await imported(settings, await _jars(settings, tell), arguments, expected, tell)


@asynccontextmanager
async def local_neo4j(settings: ServerSettings, progress: Tell | None = None) -> AsyncIterator[LocalNeo4j]:
    """`start_local` for a while: the Neo4j is stopped at the end, whatever happened."""
    server = await start_local(settings, progress)
    try:
        yield server
    finally:
        await server.stop()


def running_server(data_dir: Path) -> RunningServer | None:
    """The Neo4j that another process runs on this data directory; none if nobody does, or if it does not answer yet."""
    holder = holder_of(data_dir)
    if holder is None:
        return None
    with suppress(OSError, ValueError, KeyError):
        address = json.loads((data_dir / ADDRESS).read_text("utf-8"))
        return RunningServer(address["uri"], address["user"], stored_password(data_dir), address["pid"], holder.pid)
    return None


async def _started(settings: ServerSettings, ownership: Ownership, tell: Tell) -> LocalNeo4j:
    jars = await _jars(settings, tell)
    archive = await archive_ready(jars, settings, tell)
    tell(Step(Phase.STARTING))
    options = ("--archive", str(archive)) if archive else ()
    try:
        return await _answering(await launched(settings, jars, ownership.descriptor, options), settings, ownership)
    except StartFailedError:
        if not await _mended(settings, jars, tell):
            raise
    return await _answering(await launched(settings, jars, ownership.descriptor), settings, ownership)


async def _jars(settings: ServerSettings, tell: Tell) -> Path:
    stop = Event()
    cache = settings.cache_dir or cache_home()
    try:
        return await anyio.to_thread.run_sync(
            lambda: jars_ready(cache, shipped_lock(), tell, stop, room_mb=settings.room_mb), abandon_on_cancel=True
        )
    finally:
        stop.set()


async def _mended(settings: ServerSettings, jars: Path, tell: Tell) -> bool:
    """Whether a jar was damaged and is whole again; every checksum is taken, which costs a second or two."""
    before = _times(jars)
    forget(jars)
    await _jars(settings, tell)
    return _times(jars) != before


def _times(jars: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in jars.glob("*.jar")}


async def _answering(started: Launched, settings: ServerSettings, ownership: Ownership) -> LocalNeo4j:
    uri = f"bolt://127.0.0.1:{started.port}"
    try:
        password = await settled_password(uri, settings.data_dir)
        await _asked(uri, password, started)
        ownership.note(uri)
        _published(settings.data_dir / ADDRESS, uri, started.process.pid)
    except BaseException:
        await ended(started.process)
        raise
    return LocalNeo4j(uri, password, started, ownership, settings.data_dir)


async def _asked(uri: str, password: str, started: Launched) -> None:
    async with AsyncGraphDatabase.driver(uri, auth=(USER, password)) as driver:
        try:
            await driver.execute_query("RETURN 1", database_="neo4j")
        except (DriverError, Neo4jError) as error:
            raise StartFailedError(f"Neo4j started but does not answer: {error}; its log is {started.log}") from error


def _published(path: Path, uri: str, pid: int) -> None:
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"uri": uri, "user": USER, "pid": pid}, file)
    fresh.replace(path)
