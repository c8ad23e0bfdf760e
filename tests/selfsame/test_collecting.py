"""What /v1 answers to what can be used."""

import base64
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import SourceName
from selfsame.clock import now
from selfsame.keys import create_key
from tests.walks.sending import alias, group, identify, track
from tests.walks.service import Company, codes, in_process, sets, taken

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ASKED = "MATCH (i:Interaction) RETURN i.id AS id, i.type AS type ORDER BY id"


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with in_process(graph) as running:
        yield running


async def stored(graph: Connection) -> list[tuple[str, str]]:
    return [(row["id"], row["type"]) for row in await graph.reader.rows(ASKED)]


async def test_what_is_answered_with_200_is_committed(company: Company, graph: Connection) -> None:
    answer = await company.batch([identify("u1", id="m1"), track("a1", id="m2")])
    assert answer == {
        "success": True,
        "committed": 2,
        "repeat": 0,
        "repeat_differs": 0,
        "erased": 0,
        "rejected_total": 0,
        "warnings_total": 0,
        "rejected": [],
        "warnings": [],
    }
    assert await stored(graph) == [("web:m1", "identify"), ("web:m2", "track")]


async def test_an_empty_batch_is_taken(company: Company) -> None:
    answer = await company.batch([])
    assert (answer["success"], answer["committed"]) == (True, 0)


async def test_the_same_again_is_a_repeat_and_another_payload_is_flagged(company: Company, graph: Connection) -> None:
    await company.batch([track("a1", id="m1", name="Viewed")])
    assert (await company.batch([track("a1", id="m1", name="Viewed")]))["repeat"] == 1
    assert (await company.batch([track("a1", id="m1", name="Bought")]))["repeat_differs"] == 1
    assert await company.events() == {"a1": ("Viewed",)}


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias"])
async def test_the_address_of_a_single_call_says_its_kind(company: Company, graph: Connection, kind: str) -> None:
    body = {"userId": "u1", "messageId": "m1", "event": "x", "groupId": "acme", "previousId": "a1"}
    answer = taken(await company.post(kind, orjson.dumps(body)))
    assert (answer["success"], answer["committed"], answer["warnings"]) == (True, 1, [])
    assert await stored(graph) == [("web:m1", kind)]


async def test_import_is_batch(company: Company, graph: Connection) -> None:
    taken(await company.post("import", orjson.dumps({"batch": [track("a1", id="m1")]})))
    assert await stored(graph) == [("web:m1", "track")]


async def test_warnings_name_message_and_place(company: Company) -> None:
    answer = await company.batch([identify("null", "a1", id="m1")])
    (warning,) = answer["warnings"]
    assert (warning["messageId"], warning["code"], warning["place"]) == ("m1", "blocked_identifier", "userId")


async def test_of_many_warnings_a_hundred_are_listed(company: Company) -> None:
    answer = await company.batch([identify("null", "a1") for _ in range(150)])
    assert (answer["warnings_total"], len(answer["warnings"])) == (150, 100)


async def test_gzip_is_unpacked_whether_it_is_said_or_not(company: Company) -> None:
    body = orjson.dumps({"batch": [track("a1")]})
    assert taken(await company.zipped(body))["committed"] == 1


async def test_a_group_and_an_alias_are_taken(company: Company) -> None:
    await company.batch([group("u1", "acme", traits={"name": "Acme"}), alias("a1", "u1")])
    assert await company.people() == sets("u1 a1")
    found = await company.ask('{ account(by: {key: {namespace: "account", value: "acme"}}) { name } }')
    assert found == {"account": {"name": "Acme"}}


# Keys in the header and in the body


def body_with(key: str | None) -> bytes:
    return orjson.dumps({"batch": [track("a1", id="m1")], "writeKey": key})


async def answered(company: Company, body: bytes, **headers: str) -> httpx.Response:
    return await company.http.post("/v1/batch", content=body, headers=headers)


async def test_a_key_in_the_body_will_do(company: Company, graph: Connection) -> None:
    assert (await answered(company, body_with(company.write_key))).status_code == 200
    assert (await answered(company, body_with("ssw_unknown"))).status_code == 401
    assert (await answered(company, body_with(None))).status_code == 401
    assert await stored(graph) == [("web:m1", "track")]


async def test_the_header_alone_counts_where_keys_differ(company: Company, graph: Connection) -> None:
    shop = await create_key(graph.writer, Scope.WRITE, now(), SourceName("shop"))
    assert (await company.post("batch", body_with(shop))).status_code == 200
    assert await stored(graph) == [("web:m1", "track")]
    assert (await company.post("batch", body_with(shop), key="ssw_unknown")).status_code == 401


async def test_a_bearer_token_will_do_and_the_key_says_the_source(company: Company, graph: Connection) -> None:
    shop = await create_key(graph.writer, Scope.WRITE, now(), SourceName("shop"))
    assert (await answered(company, body_with(None), authorization=f"Bearer {shop}")).status_code == 200
    assert await stored(graph) == [("shop:m1", "track")]


async def test_a_password_beside_the_key_does_not_matter(company: Company) -> None:
    basic = base64.b64encode(f"{company.write_key}:whatever".encode()).decode()
    assert (await answered(company, body_with(None), authorization=f"Basic {basic}")).status_code == 200


async def test_a_large_body_is_read_aside_and_taken_whole(company: Company) -> None:
    answer = await company.batch([track(f"a{number}", properties={"text": "x" * 500}) for number in range(500)])
    assert (answer["committed"], codes(answer)) == (500, [])
