"""The locked jars on this machine: there and whole, or fetched.

A folder of the cache belongs to one lock. Its file `complete` lists size and time of every jar as they were when the
checksums held; a jar that differs from that list is checked again, so a start with a full cache reads no jar.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from graph.server.errors import StoppedError
from graph.server.folders import CACHE_REMEDY, locked, roomy, writable
from graph.server.jars import Jar, Lock
from graph.server.progress import Tell

COMPLETE = "complete"


def jar_folder(cache: Path, lock: Lock) -> Path:
    """Where the jars of a lock are kept."""
    return cache / "neo4j" / lock.digest


def jars_ready(
    cache: Path,
    lock: Lock,
    tell: Tell,
    stop: Event,
    *,
    room_mb: int,
    repositories: Mapping[str, str] | None = None,
) -> Path:
    """The folder with every jar of the lock; what is missing or damaged is fetched.

    tell: called from several threads, one at a time. stop: once set, ends the work after the files in hand.
    repositories: name → address of Maven repositories, instead of jgo's own. One process fetches, others wait for it.
    Raises JarsUnavailableError, JarRefusedError, DiskFullError, FolderNotWritableError, StoppedError.
    """
    folder = jar_folder(cache, lock)
    if fetched(cache, lock):
        return folder
    with _alone(writable(folder, CACHE_REMEDY), stop):
        _cleared(folder)
        lacking = tuple(jar for jar in lock.jars if not _whole(folder, jar))
        if lacking:
            # jgo takes 0.4 s to import, and a full cache never needs it.
            from graph.server.fetching import fetch

            fetch(lacking, roomy(folder, room_mb, CACHE_REMEDY), tell, stop, repositories)
        (folder / COMPLETE).write_text(_seen(folder, lock) or "", "utf-8")
    return folder


def fetched(cache: Path, lock: Lock) -> bool:
    """Whether every jar of a lock is there as it was when its checksum held; reads no jar."""
    folder = jar_folder(cache, lock)
    listed = _listed(folder)
    return listed is not None and listed == _seen(folder, lock)


def forget(folder: Path) -> None:
    """Have every checksum of a folder checked again by the next `jars_ready`."""
    (folder / COMPLETE).unlink(missing_ok=True)


def _whole(folder: Path, jar: Jar) -> bool:
    path = folder / jar.file_name
    return path.is_file() and path.stat().st_size == jar.size and jar.is_file(path)


def _listed(folder: Path) -> str | None:
    try:
        return (folder / COMPLETE).read_text("utf-8")
    except OSError:
        return None


def _seen(folder: Path, lock: Lock) -> str | None:
    """Names, sizes and times of the jars; nothing when one is missing."""
    try:
        stats = [(jar.file_name, (folder / jar.file_name).stat()) for jar in lock.jars]
    except OSError:
        return None
    return "".join(f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in stats)


def _cleared(folder: Path) -> None:
    """Take away what a fetch left that was killed."""
    for part in folder.glob("part-*"):
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _alone(folder: Path, stop: Event) -> Iterator[None]:
    with (folder / "fetching").open("wb") as file:
        while not locked(file.fileno()):
            if stop.is_set():
                raise StoppedError("fetching Neo4j was called off")
            time.sleep(0.2)
        yield
