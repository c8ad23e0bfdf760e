"""Starts, stops and kills of the local Neo4j: nothing committed is lost, nobody is left behind."""

import os
import signal
import time
from pathlib import Path

import anyio
import pytest
from neo4j import AsyncGraphDatabase

from graph.server.configuration import ServerSettings
from graph.server.errors import PasswordLostError, StartFailedError
from graph.server.local import LocalNeo4j, local_neo4j, running_server, start_local
from graph.server.owning import owned
from graph.server.password import CANDIDATE, STORED
from tests.serving import owner_command, served, until

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


def small(folder: Path) -> ServerSettings:
    return ServerSettings(folder, heap_mb=512, page_cache_mb=64)


async def remember(server: LocalNeo4j, word: str) -> None:
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        await driver.execute_query("CREATE (:Word {is: $word})", word=word)


async def remembered(server: LocalNeo4j) -> list[str]:
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        records, _, _ = await driver.execute_query("MATCH (w:Word) RETURN w.is AS word ORDER BY word")
        return [record["word"] for record in records]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_clean_stop_is_quick_and_keeps_everything(tmp_path: Path) -> None:
    async with local_neo4j(small(tmp_path)) as first:
        await remember(first, "kept")
        began = time.monotonic()
        await first.stop()
        assert time.monotonic() - began < 5
        assert (await first.wait(), first.exited, alive(first.pid)) == (0, True, False)
        assert running_server(tmp_path) is None
    async with local_neo4j(small(tmp_path)) as second:
        assert (second.password, await remembered(second)) == (first.password, ["kept"])
    assert (tmp_path / "logs" / "neo4j.log.1").exists()


async def test_a_killed_neo4j_is_noticed_and_loses_nothing_committed(tmp_path: Path) -> None:
    first = await start_local(small(tmp_path))
    await remember(first, "kept")
    os.kill(first.pid, signal.SIGKILL)
    with anyio.fail_after(5):
        assert await first.wait() == -signal.SIGKILL
    await first.stop()
    async with local_neo4j(small(tmp_path)) as second:
        assert await remembered(second) == ["kept"]


async def test_a_killed_owner_leaves_no_neo4j_behind_and_a_next_one_goes_on(tmp_path: Path) -> None:
    with served(tmp_path) as (_, owner):
        found = running_server(tmp_path)
        assert found
        assert found.owner == owner.pid
        owner.kill()
        owner.wait()
        async with local_neo4j(small(tmp_path)) as heir:
            assert not alive(found.pid)
            assert heir.password == found.password


async def test_an_owner_killed_while_it_starts_leaves_nobody_behind(tmp_path: Path) -> None:
    async with await anyio.open_process(owner_command(tmp_path)) as owner:
        await until((tmp_path / "logs" / "neo4j.log").exists, 30)
        owner.kill()
        await owner.wait()
    (await owned(tmp_path)).release()


async def test_ctrl_c_stops_owner_and_neo4j(tmp_path: Path) -> None:
    with served(tmp_path) as (_, owner):
        found = running_server(tmp_path)
        assert found
        os.killpg(owner.pid, signal.SIGINT)
        assert owner.wait(20) == 0
        assert not alive(found.pid)


async def test_a_launcher_told_to_end_ends_cleanly(tmp_path: Path) -> None:
    server = await start_local(small(tmp_path))
    os.kill(server.pid, signal.SIGTERM)
    with anyio.fail_after(5):
        assert await server.wait() == 0
    await server.stop()


async def test_a_start_called_off_leaves_nobody_behind(tmp_path: Path) -> None:
    with anyio.move_on_after(1.5) as waiting:
        await start_local(small(tmp_path))
    assert waiting.cancelled_caught
    with anyio.fail_after(2):
        (await owned(tmp_path)).release()


async def test_a_kill_between_change_and_store_of_the_password_does_not_lock_out(tmp_path: Path) -> None:
    (tmp_path / CANDIDATE).write_text("written-before-neo4j-learned-it")
    async with local_neo4j(small(tmp_path)) as server:
        assert server.password == "written-before-neo4j-learned-it"
    (tmp_path / STORED).rename(tmp_path / CANDIDATE)  # Neo4j learned it, and the kill came before the rename
    async with local_neo4j(small(tmp_path)) as server:
        assert server.password == "written-before-neo4j-learned-it"
    assert not (tmp_path / CANDIDATE).exists()
    (tmp_path / STORED).write_text("something else")
    with pytest.raises(PasswordLostError, match="put the right one there"):
        await start_local(small(tmp_path))
    assert running_server(tmp_path) is None


async def test_a_start_that_fails_shows_why_and_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "neo4j").mkdir()
    (tmp_path / "neo4j" / "data").write_text("no folder")
    with pytest.raises(StartFailedError, match=r"(?s)Neo4j did not start: .*The end of .*neo4j\.log:"):
        await start_local(small(tmp_path))
    (tmp_path / "neo4j" / "data").unlink()
    await (await start_local(small(tmp_path))).stop()


async def test_a_java_that_refuses_is_heard(tmp_path: Path) -> None:
    with pytest.raises(StartFailedError, match=r"(?i)heap"):
        await start_local(ServerSettings(tmp_path, heap_mb=1))
