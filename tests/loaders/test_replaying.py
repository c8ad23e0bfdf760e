"""Dead letters that are replayed: what is loaded leaves the list, what fails stays, what was not kept whole says so."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from graph.dead_letters import (
    Chosen,
    DeadLetter,
    ReadBy,
    count_letters,
    dead_letters,
    drop_letters,
    record_dead_letters,
)
from graph.errors import DatabaseAwayError
from graph.ingestion import Outcome, try_batch
from graph.runs import runs
from identity.erasure import ERASED
from identity.messages import Message, Rejection, SourceName
from identity.requests import Asked
from loaders.errors import MappingInvalidError
from loaders.formats.records import Found
from loaders.mapping import SourceMapping
from loaders.replaying import How, record_again, replay
from loaders.runs import Into, load_file
from loaders.wire import RAW_LIMIT, bounded, was_cut
from selfsame.hooks import hooks_from
from tests.building import RECEIVED, default_policy
from tests.loaders.mappings import IDENTIFIED, mapping
from tests.loaders.segment import item
from tests.loaders.test_runs import Killed, Stage
from tests.walks.vendors import example, settings_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
STRICT = IDENTIFIED.replace('value = "id"', 'value = "code"')
LENIENT = IDENTIFIED.replace('value = "id"', 'value = { first = ["code", "id"] }')
WEB = SourceName("web")


@pytest.fixture
def stage(graph: Connection) -> Stage:
    return Stage(graph)


def into(stage: Stage) -> Into:
    return Into(stage.graph, stage.commit, lambda: next(stage.mint), lambda: RECEIVED)


def by(made: SourceMapping) -> How:
    return How(lambda _by, _source: made)


async def loaded(stage: Stage, folder: Path) -> None:
    """Three rows, of which two name nobody under the mapping of that day; one of those goes over two lines."""
    path = folder / "some.csv"
    path.write_text('id;code;name\n1;;Ada\n2;c2;"Bo ""B"""\n3;;"Cy\nD"\n')
    made = mapping(STRICT + 'traits = { name = "name" }\n')
    report = await load_file(path, made.source, into(stage), mapping=made)
    assert (report.counts.committed, report.counts.rejected) == (1, 2)


async def names(stage: Stage) -> list[str]:
    rows = await stage.graph.reader.rows("MATCH (p:Profile) RETURN p.t_name AS name ORDER BY name")
    return [row["name"] for row in rows]


async def test_rows_of_a_file_are_loaded_through_the_mended_mapping_and_leave_the_list(
    stage: Stage, tmp_path: Path
) -> None:
    await loaded(stage, tmp_path)
    mended = mapping(LENIENT + 'traits = { name = "name" }\n')
    done = await replay(Chosen(), by(mended), into(stage))
    assert (done.loaded, done.failed, done.counts.committed) == (2, 0, 2)
    assert await names(stage) == ["Ada", 'Bo "B"', "Cy\nD"]
    assert await dead_letters(stage.graph.reader) == ()
    report = await load_file(tmp_path / "some.csv", mended.source, into(stage), mapping=mended)
    assert (report.counts.committed, report.counts.repeats) == (0, 3)


async def test_what_fails_again_stays_once_with_its_new_reason(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)
    before = await dead_letters(stage.graph.reader)
    worse = mapping(LENIENT + "[[skip]]\nwhen = \"contains(id, `1`)\"\nbecause = 'x'\n", 'source = "crm"\n')
    done = await replay(Chosen(), by(worse), into(stage))
    assert (done.loaded, done.failed, {each.code for each in done.rejections}) == (0, 2, {"not_mappable"})
    after = await dead_letters(stage.graph.reader)
    assert {each.rejection.code for each in after} == {"not_mappable"}
    assert [(each.at, each.run, each.rejection.raw, each.rejection.place) for each in sorted(after, key=raw_of)] == [
        (each.at, each.run, each.rejection.raw, each.rejection.place) for each in sorted(before, key=raw_of)
    ]
    await replay(Chosen(), by(worse), into(stage))
    assert await dead_letters(stage.graph.reader) == after


def raw_of(letter: DeadLetter) -> str:
    return letter.rejection.raw or ""


async def test_a_replay_that_is_killed_after_its_commit_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)
    how = by(mapping(LENIENT))
    killed = into(stage)

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        await stage.commit(messages)
        raise Killed

    with pytest.raises(Killed):
        await replay(Chosen(), how, Into(stage.graph, commit, killed.mint, killed.now))
    assert len(await dead_letters(stage.graph.reader)) == 2
    done = await replay(Chosen(), how, into(stage))
    assert (done.loaded, done.counts.repeats, await dead_letters(stage.graph.reader)) == (2, 2, ())


async def test_a_dry_run_says_what_would_be_and_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)
    before = await dead_letters(stage.graph.reader)

    async def trial(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        mint = lambda: next(stage.mint)  # noqa: E731 -- as short as its use
        return await try_batch(stage.graph.writer, messages, default_policy(), mint, RECEIVED)

    tried = Into(stage.graph, trial, lambda: next(stage.mint), lambda: RECEIVED)
    done = await replay(Chosen(), by(mapping(LENIENT)), tried, dry=True)
    assert (done.loaded, done.counts.committed) == (2, 2)
    assert (await dead_letters(stage.graph.reader), await stage.count("Interaction")) == (before, 1)


async def test_messages_are_replayed_as_they_were_sent(stage: Stage) -> None:
    sent = orjson.dumps(item("nonsense", messageId="m1")).decode()
    bare = orjson.dumps({"userId": "u2", "event": "E", "messageId": "m2"}).decode()
    await record_dead_letters(stage.graph.writer, WEB, [
        Rejection("cannot_be_written", "batch[0]", "a number", "m3", orjson.dumps(item(messageId="m3")).decode()),
        Rejection("unknown_type", "batch[3].type", "the type", "m1", sent),
        Rejection("unknown_type", "body.type", "the type", "m2", bare),
    ], RECEIVED)  # fmt: skip
    how = How(lambda _by, _source: mapping(LENIENT), kind="track")
    done = await replay(Chosen(), how, into(stage))
    assert (done.loaded, done.failed, done.counts.committed) == (2, 1, 2)
    (left,) = await dead_letters(stage.graph.reader)
    assert (left.rejection.message_id, left.rejection.place) == ("m1", "batch[3].type")


UNREPLAYED = {
    "of somebody who was erased": Rejection("not_json", "a.jsonl:1", "no", None, ERASED),
    "was not kept": Rejection("not_json", "a.jsonl:2", "no"),
    "only the beginning": Rejection("too_large", "a.jsonl:3", "no", None, bounded("x" * (RAW_LIMIT + 1))),
    "mend the file": Rejection("broken_encoding", "a.jsonl:4", "no", None, "\ufffd"),
}


async def test_what_was_not_kept_as_it_was_sent_stays_and_says_so(stage: Stage) -> None:
    await record_dead_letters(stage.graph.writer, WEB, list(UNREPLAYED.values()), RECEIVED)
    done = await replay(Chosen(), by(mapping(LENIENT)), into(stage))
    assert (done.loaded, done.failed, len(done.kept)) == (0, 0, 4)
    assert all(any(said in why for why in done.kept) for said in UNREPLAYED), done.kept
    assert await count_letters(stage.graph.reader, Chosen()) == 4


async def test_a_mapping_that_is_gone_or_of_another_source_is_said(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)

    def missing(by: ReadBy, _source: SourceName) -> SourceMapping:
        raise MappingInvalidError(f"{by.mapping}: no such file")

    (why,) = (await replay(Chosen(), How(missing), into(stage))).kept
    assert "some.toml: no such file" in why
    assert "--mapping" in why
    other = mapping(LENIENT, 'source = "shop"\n')
    (why,) = (await replay(Chosen(), How(missing, other), into(stage))).kept
    assert "for the source shop, not for crm" in why


async def test_letters_are_chosen_and_dropped_by_what_is_said_of_them(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)
    await record_dead_letters(stage.graph.writer, WEB, [Rejection("not_json", "batch[0]", "no", None, "{")], RECEIVED)
    (run,) = await runs(stage.graph.reader)
    (letter,) = await dead_letters(stage.graph.reader, WEB)
    reader = stage.graph.reader
    for chosen, many in (
        (Chosen(run=run.id), 2),
        (Chosen(code="not_json"), 1),
        (Chosen((letter.id[:12],)), 1),
        (Chosen((letter.id[:12],), SourceName("crm")), 0),
        (Chosen(source=WEB), 1),
        (Chosen(), 3),
    ):
        assert await count_letters(reader, chosen) == many
    assert await drop_letters(stage.graph.writer, Chosen(source=SourceName("crm"))) == 2
    assert await dead_letters(reader) == (letter,)


async def test_a_database_that_goes_away_leaves_the_list_as_it_is(stage: Stage, tmp_path: Path) -> None:
    await loaded(stage, tmp_path)
    stage.commits_left, stage.fate = 0, DatabaseAwayError("away")
    with pytest.raises(DatabaseAwayError):
        await replay(Chosen(), by(mapping(LENIENT)), into(stage))
    assert await count_letters(stage.graph.reader, Chosen()) == 2


def test_a_row_whose_columns_are_not_known_cannot_be_read_again() -> None:
    assert "load the file again" in str(record_again("1;2", "a.csv:2", None))
    assert record_again('{"a": 1}', "body", None) == Found({"a": 1}, "body", '{"a": 1}')


@pytest.mark.parametrize(("text", "cut"), [("x" * 100, False), ("x" * RAW_LIMIT, True), ("ä" * RAW_LIMIT, True)])
def test_a_text_that_may_have_been_cut_is_known(text: str, cut: bool) -> None:
    assert was_cut(bounded(text)) is was_cut(bounded(text.encode())) is cut
    assert len(bounded(text).encode()) <= RAW_LIMIT


async def test_a_letter_names_the_mapping_that_it_went_through_last_and_its_version(
    stage: Stage, tmp_path: Path
) -> None:
    await loaded(stage, tmp_path)
    strict = mapping(STRICT + 'traits = { name = "name" }\n')
    letters = await dead_letters(stage.graph.reader)
    assert {each.read_by for each in letters} == {ReadBy("some.toml", strict.sha256)}
    worse = mapping(LENIENT + "[[skip]]\nwhen = \"contains(id, `1`)\"\nbecause = 'x'\n", 'source = "crm"\n')
    await replay(Chosen(), by(worse), into(stage))
    letters = await dead_letters(stage.graph.reader)
    assert {each.read_by for each in letters} == {ReadBy("some.toml", worse.sha256)}


async def test_a_letter_of_a_webhook_is_read_by_the_mapping_of_that_webhook_and_asks_what_it_asked(
    stage: Stage,
) -> None:
    hook = hooks_from({"shop_eu": settings_of("shopify", mapping="shopify", source="shop_eu")})["shop_eu"]
    order = example("shopify", "order")
    headers = {name.lower().replace("-", "_"): value for name, value in order.headers.items()}
    asking = {**headers, "x_shopify_topic": "customers/redact"}
    raws = [
        orjson.dumps({"body": orjson.loads(order.body), "headers": headers}).decode(),
        orjson.dumps({"body": {"customer": {"id": 7}}, "headers": asking}).decode(),
    ]
    letters = [Rejection("not_mappable", f"webhook:shop_eu[{at}]", "no", None, raw) for at, raw in enumerate(raws)]
    heard = ReadBy("shopify.toml", "0" * 64, (), "shop_eu")
    await record_dead_letters(stage.graph.writer, SourceName("shop_eu"), letters, RECEIVED, read_by=heard)
    (first, _) = await dead_letters(stage.graph.reader)
    assert first.read_by == heard
    asked: list[Asked] = []

    async def ask(more: Sequence[Asked]) -> None:
        asked.extend(more)

    def named(by: ReadBy, source: SourceName) -> SourceMapping:
        assert (by.webhook, source) == ("shop_eu", "shop_eu")
        return hook.mapping

    done = await replay(Chosen(), How(named, ask=ask), into(stage))
    assert (done.loaded, done.counts.committed, [each.value[-2:] for each in asked]) == (2, 1, [":7"])
    (row,) = await stage.graph.reader.rows("MATCH (i:Identifier:Contact) RETURN i.namespace AS namespace")
    assert row["namespace"] == "shop_eu_customer"
