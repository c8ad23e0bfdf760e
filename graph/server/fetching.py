"""Fetching locked jars through jgo: artefact by artefact, no POM is resolved."""

import errno
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock

from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException
from urllib3.exceptions import HTTPError

from graph.server.errors import (
    DiskFullError,
    FolderNotWritableError,
    JarRefusedError,
    JarsUnavailableError,
    ServerError,
    StoppedError,
)
from graph.server.folders import CACHE_REMEDY
from graph.server.jars import Jar
from graph.server.progress import Phase, Step, Tell

THREADS = 8
PAUSES = (0.0, 0.5, 1.5, 3.5)  # seconds before each attempt
WAIT_SECONDS = 30
FULL = (errno.ENOSPC, errno.EDQUOT)


def fetch(jars: tuple[Jar, ...], folder: Path, tell: Tell, stop: Event, repositories: Mapping[str, str] | None) -> None:
    """Fetch jars into the folder, eight at a time; each appears there whole and with its checksum, or not at all.

    Raises JarsUnavailableError, JarRefusedError, DiskFullError, FolderNotWritableError, StoppedError.
    """
    places = repositories or GlobalSettings.load().repositories
    with _disk_trouble(folder), TemporaryDirectory(dir=folder, prefix="part-") as part:
        fetching = _Fetching(folder, Path(part), places, _Told(tell, sum(jar.size for jar in jars)), stop)
        with ThreadPoolExecutor(THREADS) as threads:
            work = [threads.submit(fetching.jar, jar) for jar in jars]
            try:
                for each in work:
                    each.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise


@dataclass(slots=True)
class _Told:
    """The bytes of all files in one count; what an attempt that failed has counted is taken back."""

    tell: Tell
    total: int
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self, count: int) -> None:
        with self.lock:
            self.done += count
            self.tell(Step(Phase.FETCHING, self.done, self.total))


@dataclass(frozen=True, slots=True)
class _Fetching:
    folder: Path
    part: Path
    places: Mapping[str, str]
    told: _Told
    stop: Event

    def jar(self, jar: Jar) -> None:
        failures = []
        for pause in PAUSES:
            if self.stop.wait(pause):
                raise StoppedError("fetching Neo4j was called off")
            try:
                return self._attempted(jar)
            except (RequestException, HTTPError, RuntimeError, JarRefusedError) as error:
                failures.append(error)
        raise _given_up(jar, failures[-1])

    def _attempted(self, jar: Jar) -> None:
        counted = 0

        @contextmanager
        def counting(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            def count(more: int) -> None:
                nonlocal counted
                counted += more
                self.told.add(more)

            yield count

        try:
            with TemporaryDirectory(dir=self.part) as own:
                path = self._downloaded(jar, Path(own), PythonResolver(progress_callback=counting))
                _require_checksum(path, jar)
                path.replace(self.folder / jar.file_name)
        except BaseException:
            self.told.add(-counted)
            raise

    def _downloaded(self, jar: Jar, own: Path, resolver: PythonResolver) -> Path:
        context = MavenContext(
            resolver=resolver, repo_cache=own, remote_repos=dict(self.places) or None, timeout=WAIT_SECONDS
        )
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier).resolve()


def _require_checksum(path: Path, jar: Jar) -> None:
    if not jar.is_file(path):
        raise JarRefusedError(jar.coordinate)


def _given_up(jar: Jar, last: Exception) -> ServerError:
    if isinstance(last, JarRefusedError):
        return JarRefusedError(
            f"{jar.coordinate} was fetched {len(PAUSES)} times and never had the checksum of the lock; "
            "does a proxy change files on their way? Nothing of it was kept"
        )
    return JarsUnavailableError(
        f"Neo4j cannot be fetched: {jar.coordinate} did not come in {len(PAUSES)} attempts. Is there a network? "
        f"Run the same command again, it goes on where it stopped. The last trouble: {last}"
    )


@contextmanager
def _disk_trouble(folder: Path) -> Iterator[None]:
    try:
        yield
    except RequestException:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(f"the disk of {folder} ran full while Neo4j was fetched; {CACHE_REMEDY}") from error
        raise FolderNotWritableError(f"{folder} cannot be written ({error.strerror}); {CACHE_REMEDY}") from error
