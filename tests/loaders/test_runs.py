"""Loading files into the real Neo4j: counts, repeats, kills, dead letters, dry runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from graph.dead_letters import dead_letters
from graph.errors import DatabaseAwayError, RunHeldError
from graph.ingestion import Outcome, commit_batch
from graph.runs import Counts, Hold, RunState, runs
from identity.messages import Message, SourceName
from loaders.errors import ColumnsChangedError, FileUnreadableError, MappingInvalidError
from loaders.mapping import SourceMapping
from loaders.runs import Into, Progress, RunReport, dry_run, load_file
from loaders.shapes import Drift
from loaders.sources import Source
from tests.building import RECEIVED, default_policy, minting
from tests.loaders.mappings import IDENTIFIED, mapping
from tests.loaders.segment import item

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
WEB = Source(name=SourceName("web"))
SKIPPING = '[[skip]]\nwhen = "kind == \'test\'"\nbecause = "a test"\n'
CONTACTS = SKIPPING + IDENTIFIED + 'id = "id"\ntraits = { name = "name", at = { time = "at" } }\n'


class Killed(BaseException):
    """The end of the process, as far as the load can tell."""


class Stage:
    """A graph to load into; `commits_left` commits until it is killed or the database goes away."""

    def __init__(self, graph: Connection) -> None:
        self.graph = graph
        self.mint = minting()
        self.commits_left: int | None = None
        self.fate: BaseException = Killed()
        self.told: list[Progress] = []
        self.hold = Hold()
        self.drifted: Callable[[Drift], None] | None = None

    async def commit(self, messages: Sequence[Message]) -> tuple[Outcome, ...]:
        if self.commits_left == 0:
            raise self.fate
        if self.commits_left is not None:
            self.commits_left -= 1
        return await commit_batch(self.graph.writer, messages, default_policy(), lambda: next(self.mint), RECEIVED)

    async def load(self, path: Path, made: SourceMapping | None = None) -> RunReport:
        mint, now = lambda: next(self.mint), lambda: RECEIVED
        into = Into(self.graph, self.commit, mint, now, hold=self.hold, drifted=self.drifted)
        source = made.source if made else WEB
        return await load_file(path, source, into, mapping=made, tell=self.told.append)

    async def count(self, label: str) -> int:
        rows = await self.graph.reader.rows(f"MATCH (n:{label}) RETURN count(n) AS many")
        return int(rows[0]["many"])


@pytest.fixture
def stage(graph: Connection) -> Stage:
    return Stage(graph)


def web_file(folder: Path, many: int) -> Path:
    path = folder / "web.jsonl"
    path.write_bytes(b"".join(orjson.dumps(item(messageId=f"m{number}")) + b"\n" for number in range(many)))
    return path


def contacts_file(folder: Path, rows: str) -> Path:
    path = folder / "contacts.csv"
    path.write_text("id,name,at,kind\n" + rows)
    return path


async def test_a_file_of_segment_messages_is_loaded_without_a_mapping(stage: Stage, tmp_path: Path) -> None:
    report = await stage.load(web_file(tmp_path, 2_500))
    assert report.counts == Counts(records=2_500, messages=2_500, committed=2_500)
    assert await stage.count("Interaction") == 2_500


async def test_progress_is_told_in_bytes_and_records(stage: Stage, tmp_path: Path) -> None:
    path = web_file(tmp_path, 2_500)
    await stage.load(path)
    assert [each.counts.records for each in stage.told] == [1_000, 2_000, 2_500]
    assert stage.told[-1].read == stage.told[-1].size == path.stat().st_size


async def test_loading_a_file_again_has_no_effect(stage: Stage, tmp_path: Path) -> None:
    path = web_file(tmp_path, 10)
    await stage.load(path)
    again = await stage.load(path)
    assert again.counts == Counts(records=10, messages=10, repeats=10)
    assert await stage.count("Interaction") == 10


async def test_a_load_that_is_killed_goes_on_where_it_stopped(stage: Stage, tmp_path: Path) -> None:
    path = web_file(tmp_path, 3_500)
    stage.commits_left = 2
    with pytest.raises(Killed):
        await stage.load(path)
    (killed,) = await runs(stage.graph.reader)
    assert (killed.state, killed.position, killed.counts.committed) == (RunState.RUNNING, 2_000, 2_000)

    stage.commits_left = None
    report = await stage.load(path)
    assert (report.resumed_at, report.counts) == (2_000, Counts(records=3_500, messages=3_500, committed=3_500))
    (finished,) = await runs(stage.graph.reader)
    assert (finished.id, finished.state) == (killed.id, RunState.FINISHED)


async def test_a_load_that_lives_elsewhere_is_refused_and_one_that_failed_is_free(stage: Stage, tmp_path: Path) -> None:
    path = web_file(tmp_path, 1_500)
    stage.commits_left = 1
    with pytest.raises(Killed):
        await stage.load(path)
    stage.commits_left, stage.fate, stage.hold = 0, DatabaseAwayError("away"), Hold("there:2")
    with pytest.raises(RunHeldError):
        await stage.load(path)
    stage.hold = replace(stage.hold, take_over=True)
    with pytest.raises(DatabaseAwayError):
        await stage.load(path)
    stage.commits_left, stage.hold = None, Hold("yonder:3")
    report = await stage.load(path)
    assert (report.resumed_at, report.counts) == (1_000, Counts(records=1_500, messages=1_500, committed=1_500))


async def test_changed_columns_are_told_before_anything_is_written(stage: Stage, tmp_path: Path) -> None:
    made = mapping(IDENTIFIED + 'id = "id"\n')
    told: list[Drift] = []

    def strict(drift: Drift) -> None:
        told.append(drift)
        raise ColumnsChangedError("no")

    stage.drifted = told.append
    path = contacts_file(tmp_path, "1,A,2026-01-01,\n")
    await stage.load(path, made)
    await stage.load(path, made)
    assert told == []
    stage.drifted = strict
    path.write_text("id,name,when\n2,3,soon\n")
    with pytest.raises(ColumnsChangedError):
        await stage.load(path, made)
    assert told == [Drift(("when",), ("at", "kind"), (("name", "text", "number"),))]
    assert (await stage.count("Run"), await stage.count("Interaction")) == (2, 1)


async def test_a_load_goes_on_after_the_database_was_away(stage: Stage, tmp_path: Path) -> None:
    path = web_file(tmp_path, 1_500)
    stage.commits_left, stage.fate = 1, DatabaseAwayError("away")
    with pytest.raises(DatabaseAwayError):
        await stage.load(path)
    stage.commits_left = None
    assert (await stage.load(path)).resumed_at == 1_000
    assert await stage.count("Interaction") == 1_500


async def test_a_changed_file_begins_anew(stage: Stage, tmp_path: Path) -> None:
    stage.commits_left = 1
    with pytest.raises(Killed):
        await stage.load(web_file(tmp_path, 1_500))
    stage.commits_left = None
    report = await stage.load(web_file(tmp_path, 1_501))
    assert (report.resumed_at, report.counts.repeats, report.counts.committed) == (0, 1_000, 501)


async def test_bad_records_are_dead_letters_and_the_good_ones_beside_them_are_kept(
    stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "web.jsonl"
    path.write_bytes(b"\n".join([
        orjson.dumps(item(messageId="m1")), b"{", orjson.dumps(item("nonsense", messageId="m3")),
        orjson.dumps({"type": "track", "event": "E", "userId": "undefined", "messageId": "m4"}),
        orjson.dumps(item(messageId="m5")),
    ]))  # fmt: skip
    report = await stage.load(path)
    assert report.counts == Counts(records=5, messages=3, committed=2, rejected=3, warned=1)
    letters = await dead_letters(stage.graph.reader)
    assert {(each.rejection.place, each.rejection.code) for each in letters} == {
        ("web.jsonl:2", "not_json"),
        ("web.jsonl:3.type", "unknown_type"),
        ("web.jsonl:4", "no_usable_identifier"),
    }
    assert {each.run for each in letters} == {report.run.id if report.run else None}
    assert all(each.rejection.raw and each.rejection.sentence for each in letters)
    assert sorted(each.place for each in report.noted.rejections) == ["web.jsonl:2", "web.jsonl:3.type", "web.jsonl:4"]


async def test_loading_again_keeps_each_dead_letter_once(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "web.jsonl"
    path.write_text("{\n{\n")
    await stage.load(path)
    await stage.load(path)
    assert await stage.count("DeadLetter") == 2


async def test_a_csv_file_is_loaded_by_its_mapping(stage: Stage, tmp_path: Path) -> None:
    rows = "1,Ada,2026-01-01,\n2,Bo,soon,\n3,Cy,,test\n4,Di\n5,Ed,,\n"
    report = await stage.load(contacts_file(tmp_path, rows), mapping(CONTACTS))
    assert report.counts == Counts(records=5, messages=3, committed=3, rejected=1, skipped=1, warned=1)
    assert (report.noted.skipped, report.noted.warnings) == ({"a test": 1}, {"invalid_time": 1})
    assert report.noted.rejections[0].place == "contacts.csv:5"


async def test_a_message_that_neo4j_cannot_hold_is_rejected_with_its_line(stage: Stage, tmp_path: Path) -> None:
    made = mapping(CONTACTS.replace('id = "id"', 'id = "id"\nabout = [{ subject = "Deal", id = "name" }]'))
    stage_commit = stage.commit

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        if any(each.message_id == "2" for each in messages):
            raise OverflowError("a number beyond 64 bits")
        return await stage_commit(messages)

    into = Into(stage.graph, commit, lambda: next(stage.mint), lambda: RECEIVED)
    path = contacts_file(tmp_path, "1,A,,\n2,B,,\n3,C,,\n")
    report = await load_file(path, made.source, into, mapping=made)
    (letter,) = await dead_letters(stage.graph.reader)
    assert (report.counts.committed, report.counts.rejected) == (2, 1)
    assert (letter.rejection.place, letter.rejection.raw) == ("contacts.csv:3", "2,B,,")


async def test_declared_namespaces_are_in_force_for_the_load(stage: Stage, tmp_path: Path) -> None:
    text = '[namespaces.crm_contact]\nrole = "Contact"\nunique = true\n' + CONTACTS
    await stage.load(contacts_file(tmp_path, "1,A,,\n"), mapping(text))
    assert await stage.count("Namespace {name: 'crm_contact', unique: true}") == 1


async def test_a_mapping_that_asks_for_an_unknown_column_loads_nothing(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("id,name\n1,A\n")
    with pytest.raises(MappingInvalidError, match="column `kind`"):
        await stage.load(path, mapping(CONTACTS))
    assert (await stage.count("Run"), await stage.count("Interaction")) == (0, 0)


async def test_a_csv_file_without_a_mapping_is_refused(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(MappingInvalidError, match="needs a mapping"):
        await stage.load(contacts_file(tmp_path, ""))


async def test_a_missing_file_is_refused(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="No such file"):
        await stage.load(tmp_path / "none.jsonl")


async def test_a_dry_run_counts_and_shows_and_writes_nothing(stage: Stage, tmp_path: Path) -> None:
    rows = "".join(f"{number},N,2026-01-01,\n" for number in range(15)) + "x,y\n99,N,,test\n98,N,soon,\n"
    made = mapping(CONTACTS)
    report = await dry_run(contacts_file(tmp_path, rows), made.source, RECEIVED, mapping=made)
    assert report.counts == Counts(records=18, messages=16, rejected=1, skipped=1, warned=1)
    assert [each.message_id for each in report.noted.first] == [str(number) for number in range(10)]
    assert (report.run, await stage.count("Run"), await stage.count("DeadLetter")) == (None, 0, 0)


async def test_an_empty_file_is_a_run_of_nothing(stage: Stage, tmp_path: Path) -> None:
    report = await stage.load(contacts_file(tmp_path, ""), mapping(CONTACTS))
    assert (report.counts, report.run.state if report.run else None) == (Counts(), RunState.FINISHED)
