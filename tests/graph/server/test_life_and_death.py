"""Starts, stops and kills of the local Neo4j: nothing committed is lost, nobody is left behind."""

import os
import signal
from pathlib import Path

import anyio
import pytest
from neo4j import AsyncGraphDatabase

from graph.server.configuration import ServerSettings
from graph.server.errors import PasswordLostError, StartFailedError
from graph.server.local import LocalNeo4j, RunningServer, local_neo4j, running_server, start_local
from graph.server.owning import owned
from graph.server.password import CANDIDATE, STORED
from tests.serving import PATIENCE_SECONDS, owner_command, served, until

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def small(folder: Path) -> ServerSettings:
    return ServerSettings(folder, heap_mb=512, page_cache_mb=64)


async def remember(server: LocalNeo4j, word: str) -> None:
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        await driver.execute_query("CREATE (:Word {is: $word})", word=word)


async def remembered(server: LocalNeo4j | RunningServer) -> list[str]:
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        records, _, _ = await driver.execute_query("MATCH (w:Word) RETURN w.is AS word ORDER BY word")
        return [record["word"] for record in records]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_store_outlives_every_end_of_its_neo4j(tmp_path: Path) -> None:
    """One walk over many starts, since each costs some ten seconds of work; how each life ends is told beside it."""
    await a_start_that_fails_shows_why_and_the_end_of_its_log(tmp_path)
    password = "written-before-neo4j-learned-it"
    (tmp_path / CANDIDATE).write_text(password)
    with served(tmp_path) as (address, owner):
        assert address.password == password
        found = running_server(tmp_path)
        assert found
        assert (found.owner, found.password) == (owner.pid, password)
        owner.kill()
        owner.wait()
        async with local_neo4j(small(tmp_path)) as heir:
            assert not alive(found.pid)
            assert heir.password == password
            await remember(heir, "before a kill")
            await a_killed_neo4j_is_noticed(heir)
    (tmp_path / STORED).rename(tmp_path / CANDIDATE)  # as if Neo4j had learned it, and the kill came before the rename
    async with local_neo4j(small(tmp_path)) as third:
        assert (third.password, await remembered(third)) == (password, ["before a kill"])
        assert not (tmp_path / CANDIDATE).exists()
        await remember(third, "before an end")
        await a_launcher_told_to_end_ends_cleanly(third)
    async with local_neo4j(small(tmp_path)) as fourth:
        assert (fourth.password, await remembered(fourth)) == (password, ["before a kill", "before an end"])
        await remember(fourth, "before a stop")
        await a_stop_is_clean(fourth, tmp_path)
    await another_password_locks_out(tmp_path)
    await ctrl_c_stops_owner_and_neo4j(tmp_path, ["before a kill", "before a stop", "before an end"])
    assert (tmp_path / "logs" / "neo4j.log.1").exists()


async def a_start_that_fails_shows_why_and_the_end_of_its_log(folder: Path) -> None:
    (folder / "neo4j").mkdir()
    (folder / "neo4j" / "data").write_text("no folder")
    with pytest.raises(StartFailedError, match=r"(?s)Neo4j did not start: .*The end of .*neo4j\.log:"):
        await start_local(small(folder))
    (folder / "neo4j" / "data").unlink()


async def a_killed_neo4j_is_noticed(server: LocalNeo4j) -> None:
    os.kill(server.pid, signal.SIGKILL)
    with anyio.fail_after(PATIENCE_SECONDS):
        assert await server.wait() == -signal.SIGKILL


async def a_launcher_told_to_end_ends_cleanly(server: LocalNeo4j) -> None:
    os.kill(server.pid, signal.SIGTERM)
    with anyio.fail_after(PATIENCE_SECONDS):
        assert await server.wait() == 0


async def a_stop_is_clean(server: LocalNeo4j, folder: Path) -> None:
    """It ends by itself: one that was killed because it took too long has another status."""
    await server.stop()
    assert (await server.wait(), server.exited, alive(server.pid)) == (0, True, False)
    assert running_server(folder) is None


async def another_password_locks_out(folder: Path) -> None:
    right = (folder / STORED).read_text()
    (folder / STORED).write_text("something else")
    with pytest.raises(PasswordLostError, match="put the right one there"):
        await start_local(small(folder))
    assert running_server(folder) is None
    (folder / STORED).write_text(right)


async def ctrl_c_stops_owner_and_neo4j(folder: Path, words: list[str]) -> None:
    with served(folder) as (_, owner):
        found = running_server(folder)
        assert found
        assert await remembered(found) == words
        os.killpg(owner.pid, signal.SIGINT)
        assert owner.wait(20) == 0
        assert not alive(found.pid)


async def test_an_owner_killed_while_it_starts_leaves_nobody_behind(tmp_path: Path) -> None:
    async with await anyio.open_process(owner_command(tmp_path)) as owner:
        await until((tmp_path / "logs" / "neo4j.log").exists)
        owner.kill()
        await owner.wait()
    (await owned(tmp_path)).release()


async def test_a_start_called_off_leaves_nobody_behind(tmp_path: Path) -> None:
    with anyio.move_on_after(1.5) as waiting:
        await start_local(small(tmp_path))
    assert waiting.cancelled_caught
    with anyio.fail_after(PATIENCE_SECONDS):
        (await owned(tmp_path)).release()


async def test_a_java_that_refuses_is_heard(tmp_path: Path) -> None:
    with pytest.raises(StartFailedError, match=r"(?i)heap"):
        await start_local(ServerSettings(tmp_path, heap_mb=1))
