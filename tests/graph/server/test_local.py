"""The local Neo4j while it runs, as its owner and its neighbours see it. One start for the file."""

import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from neo4j import AsyncDriver, AsyncGraphDatabase
from neo4j.exceptions import AuthError, Neo4jError

from graph.server.configuration import ServerSettings
from graph.server.errors import DataOwnedError, DiskFullError, FolderNotWritableError, PortTakenError
from graph.server.local import LocalNeo4j, RunningServer, running_server, start_local
from graph.server.progress import Phase, Step

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
HEARD: list[Step] = []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
async def server(anyio_backend: str, folder: Path) -> AsyncIterator[LocalNeo4j]:
    HEARD.clear()
    server = await start_local(ServerSettings(folder, heap_mb=512, page_cache_mb=64), HEARD.append)
    yield server
    await server.stop()


@pytest.fixture
async def driver(server: LocalNeo4j) -> AsyncIterator[AsyncDriver]:
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        yield driver


def port_of(server: LocalNeo4j) -> int:
    return int(server.uri.rpartition(":")[2])


async def test_it_answers(driver: AsyncDriver) -> None:
    records, _, _ = await driver.execute_query("RETURN 1 AS one")
    assert [record["one"] for record in records] == [1]


async def test_its_start_was_told_step_by_step(server: LocalNeo4j) -> None:
    assert [step.phase for step in HEARD[-2:]] == [Phase.STARTING, Phase.READY]


async def test_it_answers_nobody_without_the_password(server: LocalNeo4j) -> None:
    async with AsyncGraphDatabase.driver(server.uri, auth=("neo4j", "neo4j")) as driver:
        with pytest.raises(AuthError):
            await driver.verify_connectivity()


async def test_it_listens_on_this_machine_alone(server: LocalNeo4j) -> None:
    """Linux routes all of 127.0.0.0/8 here: a server that listens everywhere would answer on 127.0.0.2, too."""
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port_of(server))) != 0


@pytest.mark.parametrize("name", ["neo4j.password", "server.json", "neo4j.lock"])
async def test_its_secrets_are_its_owner_s_alone(server: LocalNeo4j, folder: Path, name: str) -> None:
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


async def test_a_neighbour_finds_it(server: LocalNeo4j, folder: Path) -> None:
    found = RunningServer(server.uri, "neo4j", server.password, server.pid, os.getpid())
    assert running_server(folder) == found


async def test_a_second_owner_is_refused_with_the_holder_s_number(server: LocalNeo4j, folder: Path) -> None:
    with pytest.raises(DataOwnedError, match=f"process {os.getpid()}, whose Neo4j answers at {server.uri}; stop it"):
        await start_local(ServerSettings(folder))


async def test_it_reads_no_files_of_this_machine(driver: AsyncDriver, folder: Path) -> None:
    (folder / "secret.csv").write_text("a,b\n")
    with pytest.raises(Neo4jError, match=r"(?i)csv"):
        await driver.execute_query(f"LOAD CSV FROM 'file://{folder}/secret.csv' AS line RETURN line")


async def test_it_reports_to_nobody_and_writes_no_statement_down(driver: AsyncDriver, folder: Path) -> None:
    await driver.execute_query("RETURN 'ada@example.org' AS told")
    shown = "SHOW SETTINGS YIELD name, value WHERE name IN $names RETURN name, value"
    records, _, _ = await driver.execute_query(shown, names=["dbms.usage_report.enabled", "db.logs.query.enabled"])
    values = {record["name"]: record["value"] for record in records}
    assert values == {"dbms.usage_report.enabled": "false", "db.logs.query.enabled": "OFF"}
    assert [path for path in (folder / "logs").iterdir() if b"ada@example.org" in path.read_bytes()] == []


async def test_a_port_that_is_taken_is_named(server: LocalNeo4j, tmp_path: Path) -> None:
    with pytest.raises(PortTakenError, match=f"port {port_of(server)} .*set SELFSAME_NEO4J_PORT"):
        await start_local(ServerSettings(tmp_path, bolt_port=port_of(server)))


async def test_too_little_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="1000000000 MB are needed; set SELFSAME_DATA_DIR"):
        await start_local(ServerSettings(tmp_path, room_mb=10**9))


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderNotWritableError, match=r"file/data cannot be written .*; set SELFSAME_DATA_DIR"):
        await start_local(ServerSettings(tmp_path / "file" / "data"))


async def test_where_nothing_runs_nothing_is_found(tmp_path: Path) -> None:
    assert running_server(tmp_path) is None
