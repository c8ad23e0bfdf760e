"""A table whose load was killed goes on at its key, a Parquet file after its row, what is before it unread."""

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.connection import Connection
from graph.runs import Counts
from loaders.formats.records import Selection
from loaders.runs import Into, Origin, load_file
from loaders.tables import Table
from tests.building import RECEIVED
from tests.loaders.formats.postgres import postgres
from tests.loaders.mappings import IDENTIFIED, mapping
from tests.loaders.test_runs import Killed, Stage

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


# Of 1,500 rows one in each thousand is told, so that there is something to die after.
TOLD = (700, 1_400)
MOSTLY_PASSED = "[[skip]]\nwhen = \"name == 'N'\"\nbecause = 'many'\n" + IDENTIFIED


def name_of(number: int) -> str:
    return "X" if number in TOLD else "N"


async def gone_on(graph: Connection, origin: Origin) -> tuple[int, Counts]:
    """Load, die after the first batch, and load again: where it went on, and the counts of both."""
    stage, made = Stage(graph), mapping(MOSTLY_PASSED)
    into = Into(graph, stage.commit, lambda: next(stage.mint), lambda: RECEIVED)
    stage.commits_left = 1
    with pytest.raises(Killed):
        await load_file(origin, made.source, into, mapping=made)
    stage.commits_left = None
    report = await load_file(origin, made.source, into, mapping=made)
    return report.resumed_at, report.counts


def counts(records: int) -> Counts:
    return Counts(records=records, messages=2, committed=2, skipped=records - 2)


async def test_a_table_that_was_killed_goes_on_at_its_key(graph: Connection, tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT)")
        rows = [(number * 2, name_of(number)) for number in range(1, 1_501)]
        database.executemany("INSERT INTO contacts VALUES (?, ?)", rows)
    table = Table(f"sqlite:///{path}", Selection("contacts", key="id"))
    assert await gone_on(graph, table) == (2_000, counts(1_501))


async def test_a_table_of_postgresql_that_was_killed_goes_on_at_its_key(graph: Connection) -> None:
    named = "CASE WHEN n IN (700, 1400) THEN 'X' ELSE 'N' END AS name"
    query = f"SELECT n * 2 AS id, {named} FROM generate_series(1, 1500) AS n"
    with postgres() as url:
        assert await gone_on(graph, Table(url, Selection(query=query, key="id"))) == (2_000, counts(1_501))


async def test_a_parquet_file_that_was_killed_goes_on_after_its_row(graph: Connection, tmp_path: Path) -> None:
    path, numbers = tmp_path / "some.parquet", range(1, 1_501)
    table = pa.table({"id": list(numbers), "name": list(map(name_of, numbers))})
    pq.write_table(table, path, row_group_size=400)
    assert await gone_on(graph, path) == (1_000, counts(1_500))
