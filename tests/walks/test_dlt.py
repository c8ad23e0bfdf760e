"""Pipelines of dlt into a running service: real sources, twice, with the service away, with bad rows."""

import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from graph.connection import Connection
from graph.dead_letters import dead_letters
from tests.serving import Neo4jAddress, require
from tests.walks.processes import Served, done, environment, here, served
from tests.walks.test_shared_data import FOLDER

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy0wMTIzNDU2Nzg5"
NOWHERE = "http://127.0.0.1:9"  # where nobody listens
TICKETS = """
source = "desk"
[[message]]
kind = "track"
name = { const = "Ticket Opened" }
id = { template = "ticket:{id}" }
time = "opened"
identifiers = [{ namespace = "email", value = "requester.email" }]
about = [{ subject = "Ticket", id = "id", facts = { tags = "tags" } }]
"""
PEOPLE = """
source = "crm"
[namespaces.crm_contact]
role = "Contact"
unique = true
[[message]]
kind = "identify"
time = "seen"
identifiers = [
  { namespace = "crm_contact", value = "id", key = true, when = "name" },
  { namespace = "email", value = "email", when = "name" },
]
traits = { name = "name", balance = "balance" }
"""


@pytest.fixture
async def service(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """A service that hears rows, and a dlt that keeps everything in the folder of the test."""
    require(find_spec("dlt"), "dlt")
    for name, value in {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": str(tmp_path),
        "LOAD__WORKERS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "people.toml").write_text(PEOPLE)
    (tmp_path / "tickets.toml").write_text(TICKETS)
    mappings = {
        "people": tmp_path / "people.toml",
        "tickets": tmp_path / "tickets.toml",
        "customer": EXAMPLES / "chinook_customers.toml",
    }
    hooks = {name: {"mapping": str(path), "secrets": [SECRET]} for name, path in mappings.items()}
    settings = environment(tmp_path / "data", neo4j_server, SELFSAME_WEBHOOKS=json.dumps(hooks))
    async with served(settings) as running:
        yield running


def pipeline(folder: Path, url: str, name: str = "crm", **options: Any) -> Any:  # noqa: ANN401 - dlt need not be there
    import dlt  # noqa: PLC0415 - an optional part

    from selfsame.dlt import selfsame  # noqa: PLC0415 - stands on it

    destination = selfsame(url=url, secret=SECRET, **options)
    return dlt.pipeline(name, destination=destination, pipelines_dir=str(folder / "pipelines"))


def database(folder: Path) -> str:
    with sqlite3.connect(folder / "crm.sqlite") as crm:
        crm.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, name TEXT, balance NUMERIC(9, 2), seen DATE)"
        )
        rows = [(number, f"p{number}@example.com", f"Person {number}", 10.5, "2026-01-31") for number in range(1, 31)]
        rows[6] = (7, "p7@example.com", None, None, "2026-01-31")
        crm.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", rows)
    crm.close()
    return f"sqlite:///{folder / 'crm.sqlite'}"


def state(graph: Connection) -> Any:  # noqa: ANN401 - an awaitable of rows
    """All that is there but the dead letters and what only counts."""
    return graph.reader.rows(
        "MATCH (i:Identifier) OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile) "
        "RETURN i.key AS key, i.interactions AS many, p.id AS profile, p.t_name AS name ORDER BY key"
    )


async def test_a_database_and_an_api_are_loaded_once_the_service_is_there_and_twice_changes_nothing(
    service: Served, graph: Connection, tmp_path: Path
) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: PLC0415 - an optional part
    from dlt.sources.sql_database import sql_database  # noqa: PLC0415 - as above

    source = database(tmp_path)
    with pytest.raises(PipelineStepFailed, match=r"table people: http://\S+/webhooks/people does not answer"):
        pipeline(tmp_path, NOWHERE).run(sql_database(source))
    pipeline(tmp_path, service.url).run()
    first = await state(graph)
    assert len(first) == 58  # two for each person but the one whose row says nothing of her
    (letter,) = await dead_letters(graph.reader)
    assert (letter.rejection.place, letter.rejection.code) == ("people:id=7", "no_identifier")
    replay = here(service.settings, "deadletters", "replay", "--all")
    assert replay.stdout.startswith("0 loaded (0 committed), 1 fail again"), replay.stdout
    assert "people:id=7: no identifier that people.toml names has a value" in replay.stdout

    again = pipeline(tmp_path, service.url, "other")
    again.run(sql_database(source), write_disposition="replace")
    assert await state(graph) == first
    strict = pipeline(tmp_path, service.url, "strict", strict=True)
    with pytest.raises(PipelineStepFailed, match=r"table people: 1 rows became dead letters: people:id=7 \(no_ident"):
        strict.run(sql_database(source))
    with pytest.raises(PipelineStepFailed, match=r"table people: .* \(unknown_source\)"):
        pipeline(tmp_path, service.url, "lost", webhooks={"people": "nobody"}).run(sql_database(source))
    assert await state(graph) == first
    await _an_api_is_loaded_with_what_is_nested_in_its_records(service, graph, tmp_path)
    assert done(service.settings, "verify") == "verify: 0 differences\n"


class _Desk(BaseHTTPRequestHandler):
    """Two pages of tickets."""

    def do_GET(self) -> None:
        page = 2 if "page=2" in self.path else 1
        tickets = [
            {
                "id": page * 10 + at,
                "opened": "2026-02-03T04:05:06Z",
                "requester": {"email": f"p{at}@example.com"},
                "tags": ["a"],
            }
            for at in range(3)
        ]
        body = json.dumps({"tickets": tickets, "pages": 2}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def desk() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Desk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


async def _an_api_is_loaded_with_what_is_nested_in_its_records(
    service: Served, graph: Connection, tmp_path: Path
) -> None:
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415 - an optional part

    with desk() as url:
        paging = {"type": "page_number", "base_page": 1, "total_path": "pages"}
        asked = {
            "client": {"base_url": url, "paginator": paging},
            "resources": [{"name": "tickets", "endpoint": {"path": "tickets", "data_selector": "tickets"}}],
        }
        for name in ("desk", "again"):
            pipeline(tmp_path, service.url, name).run(rest_api_source(asked))
    rows = await graph.reader.rows("MATCH (i:Interaction)-[:ABOUT]->(t:Ticket) RETURN i.id AS id ORDER BY id")
    assert [row["id"] for row in rows] == [f"desk:ticket:{page}{at}" for page in (1, 2) for at in range(3)]


@pytest.mark.shared_data
async def test_chinook_gives_the_same_people_by_dlt_and_by_load(
    service: Served, graph: Connection, tmp_path: Path
) -> None:
    """Without an id a record is known by its hash, and dlt leaves out empty cells: nine customers have none."""
    from dlt.sources.sql_database import sql_database  # noqa: PLC0415 - an optional part

    file = FOLDER / "chinook-sql" / "Chinook_Sqlite.sqlite"
    require(file.exists(), "the sample data of Chinook")
    url = f"sqlite:///{file}"
    pipeline(tmp_path, service.url).run(sql_database(url, table_names=["Customer"]))
    first = await state(graph)
    assert len(first) == 2 * 59
    loaded = done(service.settings, "load", "--sql", url, "--mapping", EXAMPLES / "chinook_customers.toml")
    assert loaded.startswith("Customer: 59 records, 50 committed, 9 known already")
    assert [{**row, "many": 0} for row in await state(graph)] == [{**row, "many": 0} for row in first]
