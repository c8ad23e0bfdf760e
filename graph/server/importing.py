"""Files imported by Neo4j's own importer (`neo4j-admin database import`), whose jars are among those of the server.

It writes a store from nothing and runs offline. The new store is made beside the old one and takes its place by
renaming, as a compaction's does: killed at any moment, the old store is there, or the new one whole.
"""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream
from anyio.streams.text import TextReceiveStream

from graph.server.compaction import FRESH, prepare, take_place
from graph.server.configuration import ServerSettings
from graph.server.errors import ImportFailedError
from graph.server.folders import DATA_REMEDY, roomy
from graph.server.process import ended
from graph.server.progress import Phase, Step, Tell

IMPORTER = Path(__file__).with_name("importer.py")
OFF_HEAP_MB = 1_024  # by default it takes nine tenths of what the machine has free
LOG = "importing.log"
STAGE = re.compile(r"\((\d)/(\d)\)")
COUNTED = re.compile(r"^\s*(\d+) (nodes|relationships)\s*$", re.MULTILINE)
TAIL_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What files hold, or a store that was made of them. size: of the files, in bytes."""

    nodes: int
    relationships: int
    size: int = 0


async def imported(
    settings: ServerSettings, jars: Path, arguments: Sequence[str], expected: Imported, tell: Tell
) -> None:
    """Import files and put the store that they make in the place of the one that is there.

    Only for who holds the data directory, while no Neo4j runs on it. Raises ImportFailedError, DiskFullError; the store
    is as it was then.
    """
    folder = settings.data_dir
    shutil.rmtree(folder / FRESH, ignore_errors=True)
    roomy(folder, (expected.size >> 20) + settings.room_mb, DATA_REMEDY)
    tell(Step(Phase.IMPORTING, 0, 100))
    try:
        prepare(settings)
        _check(await _said(settings, jars, arguments, tell), expected)
    except BaseException:  # also when it is cancelled: what was written so far is of no use, and may be large
        shutil.rmtree(folder / FRESH, ignore_errors=True)
        raise
    await anyio.to_thread.run_sync(take_place, folder)


async def _said(settings: ServerSettings, jars: Path, arguments: Sequence[str], tell: Tell) -> str:
    """All that the importer says, once it has ended well."""
    log = settings.data_dir / LOG
    with log.open("wb") as output:
        process = await anyio.open_process(
            _command(settings, jars, arguments), stderr=output, cwd=settings.data_dir, start_new_session=True
        )
    text = ""
    try:
        async for part in TextReceiveStream(cast("ByteReceiveStream", process.stdout), errors="replace"):
            text += part
            _tell_stage(text, tell)
        status = await process.wait()
    finally:
        await ended(process, at_once=True)
    if status:
        raise _failure(text + log.read_text("utf-8", "replace"))
    log.unlink()
    return text


def _command(settings: ServerSettings, jars: Path, arguments: Sequence[str]) -> list[str]:
    return [
        *(sys.executable, "-P", str(IMPORTER)),
        *("--home", str(settings.data_dir / FRESH), "--jars", str(jars)),
        *("--heap-mb", str(settings.heap_mb), "--parent", str(os.getpid())),
        *("--", *arguments, f"--max-off-heap-memory={OFF_HEAP_MB}m"),
    ]


def _tell_stage(text: str, tell: Tell) -> None:
    for done, total in STAGE.findall(text)[-1:]:
        tell(Step(Phase.IMPORTING, 100 * (int(done) - 1) // int(total), 100))


def _check(text: str, expected: Imported) -> None:
    counted = {what: int(many) for many, what in COUNTED.findall(text)}
    found = Imported(counted.get("nodes", 0), counted.get("relationships", 0))
    if (found.nodes, found.relationships) != (expected.nodes, expected.relationships):
        raise ImportFailedError(
            f"the importer made {found.nodes:,} nodes and {found.relationships:,} relationships of {expected.nodes:,} "
            f"and {expected.relationships:,}; the store is as it was"
        )


def _failure(said: str) -> ImportFailedError:
    return ImportFailedError(
        f"Neo4j's importer did not take the files, and the store is as it was: {said.strip()[-TAIL_CHARACTERS:]}"
    )
