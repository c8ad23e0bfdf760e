"""Rows of databases: typed, streamed, in the order of a key, and from any position on."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from identity.messages import Rejection
from loaders.errors import FileUnreadableError, MappingInvalidError, PartMissingError, SourceAwayError
from loaders.formats.records import Line, Selection, selected
from loaders.tables import Table, opened_table
from tests.loaders.formats.postgres import postgres
from tests.loaders.formats.reading import values


def sqlite(folder: Path, *statements: str) -> str:
    path = folder / "f.sqlite"
    with sqlite3.connect(path) as connection:
        for each in statements:
            connection.execute(each)
    connection.close()
    return f"sqlite:///{path}"


def lines(url: str, selection: Selection, after: int = 0) -> list[Line]:
    with opened_table(Table(url, selection)) as records:
        return list(records.after(after))


PEOPLE = (
    'CREATE TABLE "My People" (id INTEGER, "Name" TEXT, grade)',
    "INSERT INTO \"My People\" VALUES (30, 'C', 1.5), (-7, 'A', 'x'), (20, 'B', NULL)",
    "INSERT INTO \"My People\" VALUES (NULL, 'N', 1), (20, 'b', x'fffe')",
)


def test_a_table_is_read_in_the_order_of_its_key_and_from_a_key_on(tmp_path: Path) -> None:
    url, chosen = sqlite(tmp_path, *PEOPLE), Selection("My People", key="id")
    assert [(each.number, each.content.place) for each in lines(url, chosen)] == [
        (0, "My People:id=None"),
        (-7, "My People:id=-7"),
        (20, "My People:id=20"),
        (20, "My People:id=20"),
        (30, "My People:id=30"),
    ]
    names = [each["Name"] for each in values(lines(url, chosen, after=20)) if isinstance(each, dict)]
    assert sorted(map(str, names)) == ["B", "C", "N", "b"]


def test_without_a_key_a_table_is_read_from_the_beginning(tmp_path: Path) -> None:
    url = sqlite(tmp_path, *PEOPLE)
    found = lines(url, Selection("My People"), after=20)
    assert [(each.number, each.read) for each in found] == [(0, at) for at in range(1, 6)]
    assert values(found)[:2] == [{"id": 30, "Name": "C", "grade": 1.5}, {"id": -7, "Name": "A", "grade": "x"}]


def test_a_query_may_hold_colons_and_percents_and_end_in_a_semicolon(tmp_path: Path) -> None:
    query = "SELECT '12:30 :x' AS a, '100%' AS b, id FROM \"My People\" WHERE id > 20;"
    found = lines(sqlite(tmp_path, *PEOPLE), selected(None, query, "id"))
    assert values(found) == [{"a": "12:30 :x", "b": "100%", "id": 30}]


def test_a_text_that_is_no_utf_8_is_one_bad_row(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'ff' AS TEXT)), ('ok')")
    assert values(lines(url, Selection("t"))) == ["broken_encoding @ t:1", {"a": "ok"}]


def test_nothing_can_be_written(tmp_path: Path) -> None:
    url = sqlite(tmp_path, *PEOPLE)
    with pytest.raises(FileUnreadableError):
        lines(url, Selection(query='DELETE FROM "My People"'))
    assert len(lines(url, Selection("My People"))) == 5


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (Selection("nobody"), "no such table: nobody"),
        (Selection(query="SELEKT 1"), "syntax error"),
        (Selection("My People", key="nr"), "no column `nr`.*id, Name, grade"),
        (Selection(query="SELECT 1 AS ' '"), "has no name"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, chosen: Selection, why: str) -> None:
    with pytest.raises(FileUnreadableError, match=why):
        lines(sqlite(tmp_path, *PEOPLE), chosen)


def test_a_database_that_cannot_be_reached_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="No such file"):
        lines(f"sqlite:///{tmp_path}/none.sqlite", Selection("t"))
    assert not (tmp_path / "none.sqlite").exists()
    for url in ("klingon://u:hidden@h/x", "no url hidden"):
        with pytest.raises(FileUnreadableError) as unknown:
            lines(url, Selection("t"))
        assert "hidden" not in str(unknown.value)
    with pytest.raises(PartMissingError, match="driver oracledb"):
        lines("oracle+oracledb://u:hidden@h/x", Selection("t"))
    with pytest.raises(SourceAwayError) as away:
        lines("postgresql+pg8000://u:hidden@127.0.0.1:9/x", Selection("t"))
    assert "hidden" not in str(away.value)


def test_one_of_table_and_query_is_needed() -> None:
    for table, query in ((None, None), ("t", "SELECT 1")):
        with pytest.raises(MappingInvalidError, match="exactly one"):
            selected(table, query, None)


def test_the_same_rows_are_one_load_whatever_the_password() -> None:
    one, other = (Table(f"postgresql://u:{each}@h/x", Selection("t")) for each in ("p", "q"))
    assert one.sha256 == other.sha256 != Table("postgresql://u:p@h/y", Selection("t")).sha256


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


TYPED = """
SELECT n AS id, timestamptz '2026-01-01 12:00+02' + n * interval '1 day' AS changed, 12.30::numeric(10,2) AS price,
  date '2026-01-31' AS day, '{"a": [1]}'::jsonb AS facts, ARRAY['x','y'] AS tags, true AS ok,
  '6f1c2f2e-0000-4000-8000-000000000001'::uuid AS ref, NULL::text AS none
FROM generate_series(1, 2500) AS n"""


def test_rows_of_postgresql_are_typed_streamed_and_go_on_by_numbers_and_moments(server: str) -> None:
    by_id, by_moment = selected(None, TYPED, "id"), selected(None, TYPED, "changed")
    found = lines(server, by_id)
    assert len(found) == 2_500
    assert values(found[:1]) == [{
        "id": 1, "changed": "2026-01-02T10:00:00+00:00", "price": "12.30", "day": "2026-01-31", "facts": {"a": [1]},
        "tags": ["x", "y"], "ok": True, "ref": "6f1c2f2e-0000-4000-8000-000000000001", "none": None,
    }]  # fmt: skip
    assert [each.number for each in lines(server, by_id, after=2_499)] == [2_499, 2_500]
    position = lines(server, by_moment)[-2].number
    assert values(lines(server, by_moment, after=position)) == values(found[-2:])


def test_a_cursor_of_the_servers_holds_what_is_not_fetched_yet(server: str) -> None:
    """A hundred million rows: were they fetched at once, this would never end."""
    endless = Selection(query="SELECT generate_series(1, 100000000) AS n")
    with opened_table(Table(server, endless)) as records:
        assert [each.number for each, _ in zip(records, range(3), strict=False)] == [0, 0, 0]


def test_nothing_can_be_written_to_postgresql(server: str) -> None:
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (a integer)"))
        connection.execute(
            sa.text("CREATE FUNCTION add() RETURNS int LANGUAGE sql AS 'INSERT INTO kept VALUES (1) RETURNING a'")
        )
    engine.dispose()
    with pytest.raises(SourceAwayError, match="read-only"):
        lines(server, Selection(query="SELECT add() AS a"))


UNREADABLE = """
SELECT n AS id, CASE WHEN n IN (3, 1150) THEN time '24:00' ELSE time '23:00' END AS closes
FROM generate_series(1, 1300) AS n"""


def test_a_value_that_the_driver_cannot_read_is_one_bad_row(server: str) -> None:
    found = lines(server, selected(None, UNREADABLE, "id"))
    assert {each.number for each in found} == set(range(1, 1_301))
    assert len(found) <= 1_300 + 2 * 2, "what is read again is known, and little"
    bad = [each.content for each in found if isinstance(each.content, Rejection)]
    assert [(each.code, each.place) for each in bad] == [("broken_row", f"query:id={n}") for n in (3, 1_150)]
    assert [each.number for each in lines(server, selected(None, UNREADABLE, "id"), after=1_150)][:2] == [1_150, 1_151]


def test_without_a_key_a_value_that_cannot_be_read_ends_the_load_and_says_what_helps(server: str) -> None:
    with pytest.raises(SourceAwayError, match="name a key"):
        lines(server, selected(None, UNREADABLE, None))


def test_no_row_is_lost_that_has_the_key_of_one_that_cannot_be_read(server: str) -> None:
    query = "SELECT n / 3 AS id, CASE n WHEN 4 THEN time '24:00' END AS closes, n FROM generate_series(0, 8) AS n"
    found = values(lines(server, selected(None, query, "id")))
    assert {each["n"] if isinstance(each, dict) else 4 for each in found} == set(range(9))
    assert [each for each in found if isinstance(each, str)] == ["broken_row @ query:id=1"]
