"""Runs and dead letters against the real Neo4j."""

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from graph.connection import Connection
from graph.dead_letters import RunId, dead_letters, record_dead_letters
from graph.errors import RunHeldError, RunTakenError
from graph.runs import (
    Counts,
    Form,
    Hold,
    Load,
    RunState,
    Step,
    advanced_run,
    begun_run,
    finished_run,
    last_form,
    released_run,
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
    after = await advanced_run(graph.writer, run, Step(1_001, Counts(records=1_000, committed=990)), START)
    taken = await begun_run(graph.writer, RunId("r2"), LOAD, START)
    assert (taken.id, taken.position, taken.counts) == ("r1", after.position, after.counts)
    again = await advanced_run(graph.writer, taken, Step(1_501, Counts(records=500, committed=500)), START)
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


HERE, THERE = Hold("here:1"), Hold("there:2")


async def test_a_load_that_another_process_executes_is_refused_until_it_was_silent_for_five_minutes(
    graph: Connection,
) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START, hold=HERE)
    await advanced_run(graph.writer, run, Step(7, Counts(records=6)), START + timedelta(minutes=1))
    with pytest.raises(RunHeldError, match=r"being loaded by here:1, which has come to line 7.*after .*--take-over"):
        await begun_run(graph.writer, RunId("r2"), LOAD, START + timedelta(minutes=5), hold=THERE)
    late = await begun_run(graph.writer, RunId("r2"), LOAD, START + timedelta(minutes=6), hold=THERE)
    assert (late.id, late.taken.by, late.taken.times, late.taken.records) == ("r1", "there:2", 2, 6)


@pytest.mark.parametrize("other", [Hold("there:2", gone=lambda name: name == "here:1"), Hold("x", take_over=True)])
async def test_a_load_of_a_dead_process_or_one_that_is_to_be_taken_over_goes_on_at_once(
    graph: Connection, other: Hold
) -> None:
    await begun_run(graph.writer, RunId("r1"), LOAD, START, hold=HERE)
    assert (await begun_run(graph.writer, RunId("r2"), LOAD, START, hold=other)).id == "r1"


async def test_who_lost_a_load_to_another_counts_nothing_more(graph: Connection) -> None:
    mine = await begun_run(graph.writer, RunId("r1"), LOAD, START, hold=HERE)
    theirs = await begun_run(graph.writer, RunId("r2"), LOAD, START, hold=replace(THERE, take_over=True))
    with pytest.raises(RunTakenError):
        await advanced_run(graph.writer, mine, Step(9, Counts(records=8, rejected=1), [BAD]), START)
    with pytest.raises(RunTakenError):
        await released_run(graph.writer, mine)
    assert await runs(graph.reader) == (theirs,)
    assert await dead_letters(graph.reader) == ()


async def test_a_load_that_ended_in_good_order_is_free(graph: Connection) -> None:
    await released_run(graph.writer, await begun_run(graph.writer, RunId("r1"), LOAD, START, hold=HERE))
    assert (await begun_run(graph.writer, RunId("r2"), LOAD, START, hold=THERE)).id == "r1"


async def test_of_two_that_begin_one_load_at_the_same_moment_one_is_refused(graph: Connection) -> None:
    ended: list[str] = []

    async def begin(name: str) -> None:
        try:
            ended.append((await begun_run(graph.writer, RunId(name), LOAD, START, hold=Hold(name))).id)
        except RunHeldError:
            ended.append("refused")

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(begin, f"r{number}")
    assert ended.count("refused") == 3
    assert len(await runs(graph.reader)) == 1


async def test_a_run_says_how_far_it_is_and_how_fast_since_it_was_taken_up(graph: Connection) -> None:
    run = await begun_run(graph.writer, RunId("r1"), LOAD, START)
    assert run.rate is None
    await advanced_run(graph.writer, run, Step(11, Counts(records=10), read=50, size=200), START)
    again = await begun_run(graph.writer, RunId("r2"), LOAD, START + timedelta(hours=1))
    step = Step(31, Counts(records=20), read=150, size=200)
    await advanced_run(graph.writer, again, step, START + timedelta(hours=1, seconds=4))
    (shown,) = await runs(graph.reader)
    assert (shown.rate, shown.read, shown.size) == (5, 150, 200)


async def test_the_columns_of_the_last_finished_load_are_remembered(graph: Connection) -> None:
    for number, columns in enumerate((("a",), ("b", "c"), ("d",))):
        load, form = (
            Load(CRM, "f.csv", str(number), "some.toml", "x"),
            Form("csv", ";", columns, ("text",) * len(columns)),
        )
        run = await begun_run(graph.writer, RunId(f"r{number}"), load, START, form=form)
        if number < 2:
            await finished_run(graph.writer, run, START + timedelta(minutes=number))
    assert await last_form(graph.reader, CRM, "some.toml") == Form("csv", ";", ("b", "c"), ("text", "text"))
    assert await last_form(graph.reader, CRM, "other.toml") is None
    assert await last_form(graph.reader, WEB, "some.toml") is None


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
    await advanced_run(graph.writer, run, Step(7, Counts(records=1, rejected=1), [BAD]), START)
    (letter,) = await dead_letters(graph.reader)
    assert (letter.run, letter.source) == ("r1", CRM)
