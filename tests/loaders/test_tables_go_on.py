"""A table whose load was killed goes on at its key, the rows before it unread."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from graph.connection import Connection
from graph.ingestion import Outcome
from graph.runs import Counts
from identity.messages import Message
from loaders.formats.records import Selection
from loaders.runs import Into, load_file
from loaders.tables import Table
from tests.building import RECEIVED
from tests.loaders.mappings import IDENTIFIED, mapping
from tests.loaders.test_runs import Killed, Stage

pytest.importorskip("sqlalchemy", reason="the extra `tables`")
pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


async def test_a_table_that_was_killed_goes_on_at_its_key(graph: Connection, tmp_path: Path) -> None:
    stage, path = Stage(graph), tmp_path / "some.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO contacts VALUES (?, ?)", [(number * 2, "N") for number in range(1, 1_501)])
    made, seen = mapping(IDENTIFIED), list[Message]()

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        seen.extend(messages)
        return await stage.commit(messages)

    into = Into(graph, commit, lambda: next(stage.mint), lambda: RECEIVED)
    table = Table(f"sqlite:///{path}", Selection("contacts", key="id"))
    stage.commits_left = 1
    with pytest.raises(Killed):
        await load_file(table, made.source, into, mapping=made)
    stage.commits_left = None
    seen.clear()
    report = await load_file(replace(table), made.source, into, mapping=made)
    assert (report.resumed_at, len(seen)) == (2_000, 501)
    assert report.counts == Counts(records=1_501, messages=1_501, committed=1_500, repeats=1)
