"""`selfsame doctor`: it says what is configured, reachable and wrong, and starts and changes nothing."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.connection import Connection
from selfsame.checkup import Finding, Mark, findings
from selfsame.settings import Settings, load_settings
from tests.serving import Neo4jAddress
from tests.walks.processes import environment, here, selfsame

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine's, but a folder of the test's own."""
    for name in list(os.environ):
        if name.startswith("SELFSAME_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SELFSAME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SELFSAME_PORT", "0")


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch, neo4j_server: Neo4jAddress) -> None:
    monkeypatch.setenv("SELFSAME_NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("SELFSAME_NEO4J_USER", neo4j_server.user)
    monkeypatch.setenv("SELFSAME_NEO4J_PASSWORD", neo4j_server.password)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def found(settings: Settings | None = None) -> list[Finding]:
    return [each async for each in findings(settings or load_settings())]


async def wrong() -> list[tuple[str, str]]:
    """What is wrong: about what, and the sentence."""
    return [(each.about, each.sentence) for each in await found() if each.mark is Mark.WRONG]


@pytest.mark.usefixtures("reached")
async def test_all_is_well_with_a_graph_that_answers(graph: Connection) -> None:
    told = {each.about: each for each in await found()}
    assert {each.mark for each in told.values()} == {Mark.GOOD, Mark.NOTE}
    assert told["graph"].sentence == "0 identifiers, 0 profiles, 0 interactions"
    assert told["keys"] == Finding(Mark.NOTE, "keys", "none; `selfsame keys create` makes one")


async def test_a_local_neo4j_that_does_not_run_is_not_started(tmp_path: Path) -> None:
    assert await wrong() == []
    assert not (tmp_path / "logs").exists()


async def test_a_port_that_is_taken_is_wrong(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    monkeypatch.setenv("SELFSAME_PORT", str(taken_port))
    ((about, sentence),) = await wrong()
    assert (about, sentence) == (
        "address",
        f"127.0.0.1:{taken_port} cannot be listened on (Address already in use); set SELFSAME_PORT",
    )


async def test_a_variable_that_means_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_PROT", "8000")
    assert await wrong() == [("environment", "SELFSAME_PROT means nothing to Selfsame; docs/settings.md has the names")]


@pytest.mark.parametrize(("text", "why"), [("version = ", "policy.toml: "), ("version = 'x'\n", "policy.toml: ")])
async def test_a_policy_that_cannot_be_used_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, why: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    monkeypatch.setenv("SELFSAME_POLICY", str(policy))
    ((about, sentence),) = await wrong()
    assert (about, why in sentence) == ("policy", True)


async def test_a_data_directory_that_cannot_be_made_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SELFSAME_DATA_DIR", str(tmp_path / "file" / "data"))
    ((about, sentence),) = await wrong()
    assert (about, str(tmp_path / "file") in sentence) == ("data", True)


async def test_a_neo4j_that_is_away_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_NEO4J_URI", "bolt://127.0.0.1:1")
    ((about, sentence),) = await wrong()
    assert (about, "Neo4j at bolt://127.0.0.1:1 does not answer" in sentence) == ("Neo4j", True)


@pytest.mark.usefixtures("reached")
async def test_a_wrong_password_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_NEO4J_PASSWORD", "wrong")
    ((about, _),) = await wrong()
    assert about == "Neo4j"


async def test_the_command_shows_where_each_setting_comes_from_and_no_password(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    config = tmp_path / "selfsame.toml"
    config.write_text("log_level = 'debug'\n")
    ended = here(environment(tmp_path, neo4j_server, SELFSAME_CONFIG=str(config)), "doctor")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "all is well"), ended.stdout
    rows = [line.split("│") for line in ended.stdout.splitlines() if line.startswith("│")]
    shown = {name.strip(): (value.strip(), origin.strip()) for _, name, value, origin, _ in rows}
    assert shown["SELFSAME_PORT"] == ("0", "environment")
    assert shown["SELFSAME_LOG_LEVEL"] == ("debug", str(config))
    assert shown["SELFSAME_NEO4J_HEAP_MB"] == ("512", "environment")
    assert shown["SELFSAME_POLICY"] == ("default", "default")
    assert neo4j_server.password not in ended.stdout


def test_the_command_ends_with_1_when_something_is_wrong(tmp_path: Path) -> None:
    ended = selfsame(environment(tmp_path, SELFSAME_PROT="8000"), "doctor")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, "something is wrong")
    assert "✗ environment: SELFSAME_PROT means nothing" in ended.stdout
