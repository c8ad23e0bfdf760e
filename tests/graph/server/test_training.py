"""The archive of linked classes helps a start, and never hinders one."""

from pathlib import Path
from threading import Event

import anyio
import pytest
from hypothesis import settings

from graph.server.artifacts import COMPLETE, jars_ready
from graph.server.configuration import ServerSettings
from graph.server.folders import ROOM_MB, cache_home, locked
from graph.server.jars import shipped_lock
from graph.server.local import local_neo4j
from graph.server.progress import Phase, Step, silent
from graph.server.training import _fingerprint, archive_ready
from tests.serving import until

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
def jars() -> Path:
    return jars_ready(cache_home(), shipped_lock(), silent, Event(), room_mb=ROOM_MB)


async def test_a_trial_run_makes_it_once(jars: Path, tmp_path: Path) -> None:
    archive = await archive_ready(jars, ServerSettings(tmp_path), silent)
    assert archive
    assert archive.stat().st_size > 10_000_000
    heard = list[Step]()
    assert await archive_ready(jars, ServerSettings(tmp_path), heard.append) == archive
    assert heard == []


async def test_who_starts_beside_a_trial_waits_for_its_archive(tmp_path: Path) -> None:
    heard = list[Step]()
    with (tmp_path / "trying").open("wb") as trial:
        assert locked(trial.fileno())
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                assert await archive_ready(tmp_path, ServerSettings(tmp_path / "data"), heard.append) == made

            tasks.start_soon(ask)
            await until(lambda: heard)
            made = tmp_path / f"{_fingerprint()}.aot"
            made.write_text("from the other trial")
            trial.close()
    assert heard == [Step(Phase.TRAINING)]
    assert made.read_text() == "from the other trial"


@pytest.mark.parametrize("kept", [20, 20_000_000] if settings.get_current_profile_name() == "prove" else [20_000_000])
async def test_a_damaged_one_does_no_harm(jars: Path, tmp_path: Path, kept: int) -> None:
    archive = await archive_ready(jars, ServerSettings(tmp_path), silent)
    assert archive
    other = tmp_path / "cache" / "neo4j" / shipped_lock().digest
    other.mkdir(parents=True)
    for name in (*(jar.file_name for jar in shipped_lock().jars), COMPLETE):
        (other / name).symlink_to(jars / name)
    (other / archive.name).write_bytes(archive.read_bytes()[:kept])
    async with local_neo4j(ServerSettings(tmp_path / "data", cache_dir=tmp_path / "cache", heap_mb=512)) as server:
        assert not server.exited
