"""What every test may ask for: a real Neo4j, a migrated and empty graph in it."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, Phase, settings

from graph.connection import Connection, connected
from graph.migrations import migrate
from tests.building import START
from tests.serving import Neo4jAddress, empty, forget_schema, in_memory, kept_running, served

# Times say nothing on a machine that others use, too; long proofs are `make prove`.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "prove", deadline=None, max_examples=3_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# A fault is looked for in every test that passes by it, so each takes few examples, always the same, and shrinks none.
settings.register_profile(
    "mutate",
    deadline=None,
    max_examples=30,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Where a change is let in or not, each run tries the same examples, so that it says something of the change; new ones
# are looked for by every other run, and by `make prove`.
settings.register_profile("gate", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("gate" if os.environ.get("SELFSAME_REQUIRE_ALL") else "dev")


# Java's second compiler earns nothing back in the minutes that a Neo4j of the tests lives: see the commit for figures.
ONE_COMPILER = "-XX:TieredStopAtLevel=1"


def pytest_configure(config: pytest.Config) -> None:
    """Every Neo4j that is started from here, also by a command, inherits it; not in the hours of `make prove`."""
    if config.getoption("--hypothesis-profile", None) != "prove":
        os.environ.setdefault("JAVA_TOOL_OPTIONS", ONE_COMPILER)


HERE = Path(__file__).parent
# Where mutmut keeps what it measured of each test, from the folder in which it runs them.
MEASURED = Path("mutmut-stats.json")


# The files that take longest. They wait more than they work, and some start what all their tests share.
LONG = (
    "walks/test_kills.py",
    "graph/server/test_compaction.py",
    "selfsame/demo/test_demo.py",
    "graph/server/test_life_and_death.py",
    "walks/test_four_services.py",
    "loaders/test_first_load.py",
    "walks/test_graphql_clients.py",
    "walks/test_graphiql.py",
    "walks/test_streams.py",
    "walks/test_clients.py",
    "graph/server/test_training.py",
    "walks/test_two_services.py",
    "walks/test_dlt.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where faults are tried, the quickest tests come first: most faults are noticed by one of them.

    Where tests run side by side the longest come first: at the end nobody waits for one of them, and as whoever has
    nothing left takes over what others would do last, nothing that the tests of a file share is started twice.
    """
    if MEASURED.is_file():
        seconds = json.loads(MEASURED.read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda each: seconds.get(each.nodeid, 0.0))
    elif "PYTEST_XDIST_WORKER" in os.environ:
        places = {HERE / name: place for place, name in enumerate(LONG)}
        items.sort(key=lambda each: places.get(each.path, len(LONG)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jAddress]:
    """The Neo4j of this run, with today's schema."""
    if kept := kept_running():
        anyio.run(_renewed, kept)
        yield kept
        return
    with in_memory(tmp_path_factory.mktemp("neo4j")) as folder, served(folder) as (address, _):
        anyio.run(_renewed, address)
        yield address


@pytest.fixture
async def graph(neo4j_server: Neo4jAddress) -> AsyncIterator[Connection]:
    """The graph, empty but for its schema."""
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        yield connection


async def _renewed(address: Neo4jAddress) -> None:
    async with connected(address.uri, address.user, address.password) as connection:
        await forget_schema(connection)
        await migrate(connection.writer, START)
