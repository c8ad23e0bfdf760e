"""Jars come whole and checked, or not at all; from a tiny repository on this machine."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from graph.server.artifacts import forget, jars_ready
from graph.server.errors import (
    DiskFullError,
    FolderNotWritableError,
    JarRefusedError,
    JarsUnavailableError,
    StoppedError,
)
from graph.server.jars import Jar
from graph.server.progress import Phase, Step, silent
from tests.graph.server.repository import Repository, lock_of, serving

# jgo leaves an answer that it does not read to the collector, which closes the connection and complains of it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def repository() -> Iterator[Repository]:
    with serving() as repository:
        yield repository
        gc.collect()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.server.fetching.PAUSES", (0.0, 0.0, 0.0))


def ready(cache: Path, repository: Repository, *jars: Jar, room_mb: int = 0) -> Path:
    return jars_ready(cache, lock_of(*jars), silent, Event(), room_mb=room_mb, repositories=repository.places)


def test_jars_are_fetched_once(tmp_path: Path, repository: Repository) -> None:
    jars = [repository.holds("oak", b"leaf" * 99), repository.holds("elm", b"seed")]
    folder = ready(tmp_path, repository, *jars)
    assert [jar.is_file(folder / jar.file_name) for jar in jars] == [True, True]
    assert ready(tmp_path, repository, *jars) == folder
    assert sorted(repository.jars_asked) == ["elm-1.0.jar", "oak-1.0.jar"]


def test_progress_ends_with_all_bytes(tmp_path: Path, repository: Repository) -> None:
    repository.broken = 1
    jar, steps = repository.holds("oak", b"leaf" * 9_999), list[Step]()
    jars_ready(tmp_path, lock_of(jar), steps.append, Event(), room_mb=0, repositories=repository.places)
    assert steps[-1] == Step(Phase.FETCHING, jar.size, jar.size)


def test_a_fetch_goes_on_where_it_stopped(tmp_path: Path, repository: Repository) -> None:
    here, lost = repository.holds("oak", b"leaf"), Jar("org.fern", "elm", "1.0", "", "0" * 64, 4)
    with pytest.raises(JarsUnavailableError):
        ready(tmp_path, repository, here, lost)
    repository.asked.clear()
    ready(tmp_path, repository, here, repository.holds("elm", b"seed"))
    assert repository.jars_asked == ["elm-1.0.jar"]


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, repository: Repository) -> None:
    jar = repository.holds("oak", b"leaf")
    path = ready(tmp_path, repository, jar) / jar.file_name
    path.write_bytes(b"loaf")
    ready(tmp_path, repository, jar)
    assert path.read_bytes() == b"leaf"


def test_damage_that_size_and_time_do_not_show_is_found_when_asked_for(tmp_path: Path, repository: Repository) -> None:
    jar = repository.holds("oak", b"leaf")
    folder = ready(tmp_path, repository, jar)
    path, was = folder / jar.file_name, (folder / jar.file_name).stat()
    path.write_bytes(b"loaf")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    ready(tmp_path, repository, jar)
    assert path.read_bytes() == b"loaf"
    forget(folder)
    ready(tmp_path, repository, jar)
    assert path.read_bytes() == b"leaf"


def test_a_connection_that_breaks_is_tried_again(tmp_path: Path, repository: Repository) -> None:
    repository.broken = 2
    jar = repository.holds("oak", b"leaf" * 99)
    assert jar.is_file(ready(tmp_path, repository, jar) / jar.file_name)


def test_a_jar_with_another_checksum_is_refused_and_not_kept(tmp_path: Path, repository: Repository) -> None:
    wanted = repository.holds("oak", b"leaf")
    repository.holds("oak", b"loaf")
    with pytest.raises(JarRefusedError, match=r"org\.fern:oak:1\.0 .* never had the checksum"):
        ready(tmp_path, repository, wanted)
    assert list(tmp_path.rglob("*.jar")) == []


def test_no_network_is_said_with_what_to_do(tmp_path: Path, repository: Repository) -> None:
    jar = repository.holds("oak", b"leaf")
    gone = Repository(address="http://127.0.0.1:1")
    with pytest.raises(JarsUnavailableError, match="Is there a network"):
        ready(tmp_path, gone, jar)


def test_too_little_room_is_said_before_anything_is_fetched(tmp_path: Path, repository: Repository) -> None:
    with pytest.raises(DiskFullError, match="MB free, 1000000000 MB are needed; set XDG_CACHE_HOME"):
        ready(tmp_path, repository, repository.holds("oak", b"leaf"), room_mb=10**9)
    assert repository.asked == []


def test_a_full_cache_needs_no_room(tmp_path: Path, repository: Repository) -> None:
    jar = repository.holds("oak", b"leaf")
    ready(tmp_path, repository, jar)
    assert ready(tmp_path, repository, jar, room_mb=10**9)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderNotWritableError, match=r"file/cache/.* cannot be written .*set XDG_CACHE_HOME"):
        ready(tmp_path / "file" / "cache", repository, repository.holds("oak", b"leaf"))


def test_fetching_can_be_called_off(tmp_path: Path, repository: Repository) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        jars_ready(
            tmp_path,
            lock_of(repository.holds("oak", b"leaf")),
            silent,
            stop,
            room_mb=0,
            repositories=repository.places,
        )
