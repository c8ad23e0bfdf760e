"""Runs and dead letters against the real Neo4j."""

from datetime import timedelta

import pytest

from graph.connection import Connection
from graph.runs import (
    Counts,
    Load,
    RunId,
    RunState,
    advanced_run,
    begun_run,
    dead_letters,
    finished_run,
    record_dead_letters,
    runs,
)
from identity.messages import Rejection, SourceName
from tests.building import START

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
WEB, CRM = SourceName("web"), SourceName("crm")
LOAD = Load(CRM, "contacts.csv", "abc", "some.toml", "def")
BAD = Rejection("not_json", "batch[0]", "this is no JSON", None, "{")


async def test_a_new_run_begins_at_the_beginning(graph: Connection) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START)
    assert (run.state, run.position, run.counts) == (RunState.RUNNING, 0, Counts())
    assert await runs(graph.reader) == (run,)


async def test_an_unfinished_run_is_taken_up_with_its_counts(graph: Connection) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START)
    after = await advanced_run(graph.writer, run, 1_001, Counts(records=1_000, committed=990), (), START)
    assert await begun_run(graph.writer, RunId("r2"), LOAD, START) == after
    again = await advanced_run(graph.writer, after, 1_501, Counts(records=500, committed=500), (), START)
    assert again.counts == Counts(records=1_500, committed=1_490)


async def test_a_finished_run_is_not_taken_up(graph: Connection) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START)
    await finished_run(graph.writer, run, START + timedelta(minutes=1))
    assert (await begun_run(graph.writer, RunId("r2"), LOAD, START)).id == "r2"


@pytest.mark.parametrize(
    "other",
    [
        Load(WEB, "contacts.csv", "abc", "some.toml", "def"),
        Load(CRM, "contacts.csv", "changed", "some.toml", "def"),
        Load(CRM, "contacts.csv", "abc", "some.toml", "changed"),
        Load(CRM, "contacts.csv", "abc"),
    ],
)
async def test_another_source_file_or_mapping_is_another_run(graph: Connection, other: Load) -> None:
    await begun_run(graph.writer, RunId("r1"), LOAD, START)
    assert (await begun_run(graph.writer, RunId("r2"), other, START)).id == "r2"


async def test_a_file_by_another_name_is_the_same_file(graph: Connection) -> None:
    await begun_run(graph.writer, RunId("r1"), LOAD, START)
    moved = Load(CRM, "moved.csv", "abc", "some.toml", "def")
    assert (await begun_run(graph.writer, RunId("r2"), moved, START)).id == "r1"


async def test_runs_are_listed_newest_first(graph: Connection) -> None:
    for number in range(3):
        load = Load(CRM, "f.csv", str(number))
        await begun_run(graph.writer, RunId(f"r{number}"), load, START + timedelta(minutes=number))
    assert [each.id for each in await runs(graph.reader, limit=2)] == ["r2", "r1"]


async def test_dead_letters_say_what_was_wrong_and_where(graph: Connection) -> None:
    await record_dead_letters(graph.writer, WEB, [BAD], START)
    (letter,) = await dead_letters(graph.reader)
    assert (letter.source, letter.rejection, letter.at, letter.run) == (WEB, BAD, START, None)


async def test_a_dead_letter_that_comes_again_is_kept_once(graph: Connection) -> None:
    await record_dead_letters(graph.writer, WEB, [BAD, BAD], START)
    await record_dead_letters(graph.writer, WEB, [BAD], START + timedelta(days=1))
    assert [each.at for each in await dead_letters(graph.reader)] == [START]


async def test_nothing_rejected_is_nothing_written(graph: Connection) -> None:
    await record_dead_letters(graph.writer, WEB, [], START)
    assert await dead_letters(graph.reader) == ()


async def test_dead_letters_are_listed_newest_first_by_source_in_pages(graph: Connection) -> None:
    for number in range(3):
        rejection = Rejection("not_json", f"batch[{number}]", "no JSON", f"m{number}")
        source = CRM if number == 1 else WEB
        await record_dead_letters(graph.writer, source, [rejection], START + timedelta(minutes=number))
    assert [each.rejection.message_id for each in await dead_letters(graph.reader)] == ["m2", "m1", "m0"]
    assert [each.rejection.message_id for each in await dead_letters(graph.reader, CRM)] == ["m1"]
    assert [each.rejection.message_id for each in await dead_letters(graph.reader, limit=1, skip=1)] == ["m1"]


async def test_the_letters_of_a_batch_are_kept_with_its_position(graph: Connection) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START)
    await advanced_run(graph.writer, run, 7, Counts(records=1, rejected=1), [BAD], START)
    (letter,) = await dead_letters(graph.reader)
    assert (letter.run, letter.source) == ("r1", CRM)
