"""Bad input by HTTP: each is told by status, code and place; the good beside it is kept; nothing is half written."""

from collections.abc import AsyncIterator
from datetime import datetime

import anyio
import httpx
import orjson
import pytest

from graph.connection import Connection, connected
from graph.dead_letters import DeadLetter, dead_letters
from identity.messages import Json
from loaders.intake import Pace
from tests.serving import Neo4jAddress
from tests.walks.passage import passage
from tests.walks.sending import identify, track
from tests.walks.service import Company, codes, differences, in_process, sets, taken
from tests.walks.vendors import deliver, example, hooks

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MEGABYTE = 1024 * 1024
LARGE = 33 * 1024


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose service is, whatever was sent, in order at the end."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


def told(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and place of an answer that refuses a request."""
    read = answer.json()
    assert read["success"] is False
    assert read["error"]["message"]
    return answer.status_code, read["error"]["code"], read["error"].get("place")


async def letters(graph: Connection) -> list[tuple[str, str]]:
    """Code and place of every dead letter, in the order of places."""
    found: tuple[DeadLetter, ...] = await dead_letters(graph.reader)
    return sorted((each.rejection.place, each.rejection.code) for each in found)


async def nothing(graph: Connection) -> bool:
    """Whether no message left anything."""
    (row,) = await graph.reader.rows("MATCH (n) WHERE n:Identifier OR n:Interaction RETURN count(n) AS many")
    return row["many"] == 0


# A body that cannot be read as a whole

BODIES = {
    "no JSON": b'{"batch": [',
    "nothing": b"",
    "bytes": b"\xff\xfe\x00",
    "a list": b"[]",
    "no batch": b"{}",
    "a batch that is no list": b'{"batch": {}}',
    "nested": b'{"batch": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    "a gzip that ends too early": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_cannot_be_read_is_a_400_and_leaves_nothing(
    company: Company, graph: Connection, body: bytes
) -> None:
    assert told(await company.post("batch", body)) == (400, "body_invalid", "body")
    assert await nothing(graph)


@pytest.mark.parametrize("body", [b'{"userId": ', b"[]", b"7"])
async def test_a_single_call_that_is_no_object_is_a_400(company: Company, graph: Connection, body: bytes) -> None:
    assert told(await company.post("identify", body)) == (400, "body_invalid", "body")
    assert await nothing(graph)


async def test_an_unknown_compression_is_a_400(company: Company) -> None:
    answer = await company.post("batch", b"{}", **{"content-encoding": "br"})
    assert told(answer) == (400, "body_invalid", "Content-Encoding")


async def test_more_than_5_mb_is_a_413(company: Company, graph: Connection) -> None:
    body = orjson.dumps({"batch": [identify("u1")], "padding": "x" * (5 * MEGABYTE)})
    assert told(await company.post("batch", body)) == (413, "body_too_large", "body")
    assert await nothing(graph)


async def test_a_gzip_bomb_is_a_413(company: Company, graph: Connection) -> None:
    assert told(await company.zipped(b" " * (200 * MEGABYTE))) == (413, "body_too_large", "body")
    assert await nothing(graph)


# A message that cannot be used, beside good ones

USELESS: dict[str, tuple[Json, str, str]] = {
    "no identifier": ({"type": "track", "event": "Viewed"}, "no_identifier", "batch[1]"),
    "only blocked values": (track("null", user="undefined"), "no_usable_identifier", "batch[1]"),
    "only empty values": (track("", user="  "), "no_usable_identifier", "batch[1]"),
    "an unknown type": ({"type": "jump", "userId": "u9"}, "unknown_type", "batch[1].type"),
    "no type": ({"userId": "u9"}, "unknown_type", "batch[1].type"),
    "a number": (7, "not_an_object", "batch[1]"),
    "null": (None, "not_an_object", "batch[1]"),
    "more than 32 KB": (track("a9", properties={"text": "x" * LARGE}), "too_large", "batch[1]"),
    "65 levels": (track("a9", properties=[orjson.Fragment(b"[" * 65 + b"]" * 65)]), "not_json", "batch[1]"),
}


@pytest.mark.parametrize(("useless", "code", "place"), USELESS.values(), ids=USELESS.keys())
async def test_a_useless_message_is_rejected_alone_and_kept_as_a_dead_letter(
    company: Company, graph: Connection, useless: Json, code: str, place: str
) -> None:
    answer = taken(
        await company.post("batch", orjson.dumps({"batch": [identify("u1"), useless, identify("u2", "a2")]}))
    )
    assert (answer["success"], answer["committed"], answer["rejected_total"]) == (True, 2, 1)
    assert [(each["code"], each["place"]) for each in answer["rejected"]] == [(code, place)]
    assert await company.people() == sets("u1", "u2 a2")
    assert await letters(graph) == [(place, code)]


async def test_a_useless_single_call_is_a_400_and_kept_as_a_dead_letter(company: Company, graph: Connection) -> None:
    assert told(await company.post("track", b'{"event": "Viewed"}')) == (400, "no_identifier", "body")
    assert told(await company.post("track", b'{"userId": "null"}')) == (400, "no_usable_identifier", "body")
    assert await letters(graph) == [("body", "no_identifier"), ("body", "no_usable_identifier")]
    assert await nothing(graph)


async def test_the_text_of_a_dead_letter_is_the_one_that_was_sent(company: Company, graph: Connection) -> None:
    sent = {"userId": "null", "type": "identify", "messageId": "m1"}
    await company.batch([sent])
    (letter,) = await dead_letters(graph.reader)
    assert (letter.source, letter.rejection.message_id) == ("web", "m1")
    assert orjson.loads(letter.rejection.raw or "") == sent


async def test_the_same_useless_message_again_is_one_dead_letter(company: Company, graph: Connection) -> None:
    for _ in range(2):
        await company.batch([identify("u1", id="m1"), {"type": "track", "messageId": "m2"}])
    assert await letters(graph) == [("batch[1]", "no_identifier")]


async def test_a_thousand_useless_messages_are_counted_and_a_hundred_listed(company: Company) -> None:
    answer = await company.batch([{"type": "track", "event": f"{number}"} for number in range(1_000)])
    assert (answer["rejected_total"], len(answer["rejected"]), answer["rejected"][99]["place"]) == (
        1_000,
        100,
        "batch[99]",
    )


async def test_an_address_in_two_scripts_and_signs_that_cannot_be_seen_make_nobody(company: Company) -> None:
    """The message is kept; what hides in an id is no part of it."""
    mixed, hidden = await company.send(
        identify("u1", email="\u0430nn@example.com"), identify("u\u00002\u001b", "\u0000\u001b", at=1)
    )
    assert (codes(mixed), codes(hidden)) == (["invalid_identifier"], ["blocked_identifier"])
    assert (mixed["committed"], hidden["committed"]) == (1, 1)
    assert await company.people() == sets("u1", "u2")


# Keys


@pytest.mark.parametrize("path", ["batch", "import", "identify", "track", "page", "screen", "group", "alias"])
async def test_an_unknown_write_key_is_a_401(company: Company, graph: Connection, path: str) -> None:
    answer = await company.post(path, b'{"userId": "u1", "batch": []}', key="ssw_unknown")
    assert told(answer) == (401, "key_unknown", None)
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert await nothing(graph)


async def test_no_key_is_a_401(company: Company) -> None:
    assert told(await company.post("batch", b'{"batch": []}', key="")) == (401, "key_missing", None)


async def test_a_reading_key_may_not_send_and_a_writing_key_may_not_ask(company: Company) -> None:
    assert told(await company.post("batch", b'{"batch": []}', key=company.read_key)) == (403, "key_scope", None)
    asked = await company.http.post("/graphql", json={"query": "{ segments { name } }"}, auth=(company.write_key, ""))
    assert (asked.status_code, asked.json()["errors"][0]["extensions"]["code"]) == (403, "key_scope")


# Dates


async def test_dates_out_of_range_are_kept_raw_and_shown_as_the_receipt(company: Company) -> None:
    dates = ("2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday", "2026-13-45", 1767225600, "")
    answer = await company.batch([{"type": "track", "event": "x", "userId": "u1", "timestamp": each} for each in dates])
    assert (answer["committed"], codes(answer)) == (6, ["invalid_time"] * 4)
    found = await company.ask(
        '{ profile(by: {identifier: {namespace: "user_id", value: "u1"}})'
        " { interactions { edges { node { at ownTime receivedAt } } } } }"
    )
    shown = [edge["node"] for edge in found["profile"]["interactions"]["edges"]]
    assert all(each["at"] == each["receivedAt"] for each in shown)
    assert {each["ownTime"] for each in shown} == {"2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", None}
    assert all(datetime.fromisoformat(each["at"]).year >= 2026 for each in shown)


# What may pass


async def test_a_full_queue_is_a_503_and_the_same_sent_again_is_taken(graph: Connection) -> None:
    batches = [[track(f"a{number}-{each}") for each in range(50)] for number in range(12)]
    answers: list[httpx.Response] = []

    async def send(batch: list[Json]) -> None:
        answers.append(await company.post("batch", orjson.dumps({"batch": batch})))

    async with in_process(graph, Pace(room=100, group=50)) as company:
        async with anyio.create_task_group() as tasks:
            for batch in batches:
                tasks.start_soon(send, batch)
        full = [each for each in answers if each.status_code == 503]
        assert full
        assert {told(each) for each in full} == {(503, "queue_full", None)}
        assert {each.headers["retry-after"] for each in full} == {"1"}
        for batch in batches:
            await send(batch)
        repeats = sum(answer.json()["repeat"] for answer in answers[len(batches) :])
        assert repeats == 50 * (len(batches) - len(full))
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many")
    assert row["many"] == 600


async def test_a_database_that_is_away_is_a_503_until_it_is_back(
    graph: Connection, neo4j_server: Neo4jAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way to Neo4j is cut, as by a network that fails, and mended; a batch and a webhook wait at the same time."""
    monkeypatch.setattr("graph.connection.PATIENCE_SECONDS", 2)
    message, hook = identify("u1", "a1", at=2), example("typeform", "response")
    async with (
        passage(neo4j_server.uri) as way,
        connected(way.uri, neo4j_server.user, neo4j_server.password) as connection,
        in_process(connection, hooks=hooks()) as company,
    ):
        await company.batch([track("a1", at=1)])
        way.cut()
        refused: list[httpx.Response] = []

        async def heard() -> None:
            refused.append(await deliver(company, hook))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heard)
            answer = await company.post("batch", orjson.dumps({"batch": [message]}))
        assert [(each.status_code, each.headers["retry-after"]) for each in refused] == [(503, "1")]
        assert (told(answer), answer.headers["retry-after"]) == ((503, "database_away", None), "1")
        ready = await company.http.get("/health/ready")
        assert (told(ready), (await company.http.get("/health/live")).status_code) == (
            (503, "database_away", None),
            200,
        )
        asked = await company.http.post(
            "/graphql", json={"query": "{ segments { name } }"}, auth=(company.read_key, "")
        )
        assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
        way.mend()
        assert (await company.batch([message]))["committed"] == 1
        assert (await company.http.get("/health/ready")).json() == {"status": "ready"}
        assert await company.events() == {"a1 u1": ("Viewed", "identify")}
        assert taken(await deliver(company, hook))["committed"] == 1
