"""The local store written anew, so that nothing of what was erased is left in any file of it.

Neo4j only marks as deleted, and its transaction logs tell what was written; a copy of what is there now has neither.
The copy is made beside the store and takes its place by renaming; whoever holds the directory next finishes what a kill
cut off: a copy that is whole takes its place, another one is thrown away. The users, and so the password, come along.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream
from anyio.streams.text import TextReceiveStream

from graph.server.configuration import ServerSettings, neo4j_conf
from graph.server.errors import CompactionFailedError, ErasureUnfinishedError
from graph.server.folders import DATA_REMEDY, roomy
from graph.server.process import ended
from graph.server.progress import Phase, Step, Tell

COPIER = Path(__file__).with_name("copying.py")
HOME, FRESH, OLD = "neo4j", "neo4j.new", "neo4j.old"
GATHERED = "first-load"  # what a first load puts aside until it is imported
WHOLE = "whole"
CONF, LOG = "copying.conf", "copying.log"
KEPT = ("data/databases/system", "data/transactions/system", "data/server_id")
WITHOUT_CONNECTORS = ("server.bolt.enabled=true", "server.bolt.enabled=false")


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was copied, and the size of the data directory's store and logs before and after, in bytes."""

    nodes: int
    relationships: int
    before: int
    after: int


def recover(folder: Path) -> None:
    """Finish or throw away what a compaction or a first load left that was cut off.

    Only for who holds the data directory.
    """
    home, fresh, old = (folder / name for name in (HOME, FRESH, OLD))
    if (fresh / WHOLE).exists():
        if home.exists():
            shutil.rmtree(old, ignore_errors=True)
            home.rename(old)
        fresh.rename(home)
        _synced(folder)
    if not home.exists() and old.exists():
        old.rename(home)
    (home / WHOLE).unlink(missing_ok=True)
    for left in (fresh, old, folder / GATHERED):
        if left.exists():
            shutil.rmtree(left)


async def compact(settings: ServerSettings, jars: Path, archive: Path | None, tell: Tell) -> Compacted:
    """Write the store anew. Only for who holds the data directory, while no Neo4j runs on it.

    Raises CompactionFailedError, ErasureUnfinishedError, DiskFullError; the store is as it was then.
    """
    folder = settings.data_dir
    recover(folder)
    if not (folder / HOME / "data" / "databases" / "neo4j").exists():
        raise CompactionFailedError(f"there is no store in {folder}")
    before = _size(folder)
    roomy(folder, (before >> 20) + settings.room_mb, DATA_REMEDY)
    try:
        prepare(settings)
        said = await _copied(settings, jars, archive, tell)
    except BaseException:  # also when it is cancelled: what was copied so far is of no use, and may be large
        shutil.rmtree(folder / FRESH, ignore_errors=True)
        raise
    await anyio.to_thread.run_sync(take_place, folder)
    return Compacted(said["nodes"], said["links"], before, _size(folder))


def _size(folder: Path) -> int:
    files = (path for name in (HOME, "logs") for path in (folder / name).rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file())


def prepare(settings: ServerSettings) -> None:
    """A new home with the users of the old one, and a configuration without connectors."""
    folder = settings.data_dir
    for name in KEPT:
        source, target = folder / HOME / name, folder / FRESH / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy2(source, target)
    (folder / CONF).write_text(neo4j_conf(replace(settings, bolt_port=None)).replace(*WITHOUT_CONNECTORS), "utf-8")


async def _copied(settings: ServerSettings, jars: Path, archive: Path | None, tell: Tell) -> dict[str, int]:
    tell(Step(Phase.COPYING))
    log = settings.data_dir / LOG
    with log.open("wb") as output:
        process = await anyio.open_process(
            _command(settings, jars, archive), stderr=output, cwd=settings.data_dir, start_new_session=True
        )
    try:
        said = await _heard(cast("ByteReceiveStream", process.stdout), tell)
    finally:
        await ended(process, at_once=True)
    if "unfinished" in said:
        raise ErasureUnfinishedError("an erasure was interrupted; what it has to erase is still in the store")
    if "done" not in said:
        reason = said.get("failed", "it ended before it was done")
        raise CompactionFailedError(f"the store was not written anew and is as it was: {reason}; see {log}")
    return cast("dict[str, int]", said["done"])


async def _heard(output: ByteReceiveStream, tell: Tell) -> dict[str, object]:
    """The last thing the copier says; until then how far it is."""
    said: dict[str, object] = {}
    rest = ""
    async for text in TextReceiveStream(output):
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            said = json.loads(line)
            if "total" in said:
                tell(Step(Phase.COPYING, int(str(said["done"])), int(str(said["total"]))))
    return {} if "total" in said else said


def _command(settings: ServerSettings, jars: Path, archive: Path | None) -> Sequence[str]:
    folder = settings.data_dir
    linked = ("--archive", str(archive)) if archive else ()
    return [
        *(sys.executable, "-P", str(COPIER)),
        *("--home", str(folder / HOME), "--to", str(folder / FRESH), "--conf", str(folder / CONF)),
        *("--jars", str(jars), "--heap-mb", str(settings.heap_mb), "--parent", str(os.getpid())),
        *linked,
    ]


def take_place(folder: Path) -> None:
    """Give a store written beside another its name, and remove that one with all logs, which may tell of the erased.

    The logs go first: a copy is whole only when nothing else is left that a later start would not remove.
    """
    shutil.rmtree(folder / "logs", ignore_errors=True)
    _forget_notes(folder)
    fresh = folder / FRESH
    for path in (*fresh.rglob("*"), fresh):
        _synced(path)
    (fresh / WHOLE).touch()
    _synced(fresh / WHOLE)
    _synced(fresh)
    recover(folder)


def _forget_notes(folder: Path) -> None:
    for name in (CONF, LOG):
        (folder / name).unlink(missing_ok=True)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
