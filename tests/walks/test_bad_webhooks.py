"""Webhooks that are forged, sent again, malformed or early: each is answered, nothing is lost, nothing is a 500."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from time import time

import anyio
import httpx
import orjson
import pytest

from graph.connection import Connection
from graph.dead_letters import dead_letters
from graph.errors import NamespaceConflictError
from graph.namespaces import declare, declared_namespaces
from loaders.formats.records import Found
from loaders.intake import Pace
from loaders.translating import translated
from loaders.wire import json_value
from selfsame.clock import now
from selfsame.hooks import hooks_from
from selfsame.webhooks import declare_at_start
from tests.walks.service import Company, in_process, taken
from tests.walks.vendors import TOKEN, Sent, deliver, example, hooks, settings_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

BODIES = {
    "no JSON": (b"{", "not_json"),
    "nothing": (b"", "no_identifier"),
    "a list": (b"[]", "no_identifier"),
    "a number": (b"7", "no_identifier"),
    "nested": (b"[" * 100_000 + b"]" * 100_000, "not_json"),
    "a zip bomb": (gzip.compress(b" " * 50_000_000), "not_unpackable"),
    "no person": (b'{"id": 7}', "no_identifier"),
    "line items that are no list": (b'{"customer": {"id": 1}, "line_items": 7}', "not_mappable"),
}


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    async with in_process(graph, hooks=hooks()) as running:
        yield running


def told(answer: httpx.Response) -> tuple[int, str]:
    read = answer.json()
    assert read["success"] is False
    return answer.status_code, read["error"]["code"]


async def nothing(graph: Connection) -> bool:
    (row,) = await graph.reader.rows(
        "MATCH (n) WHERE n:Identifier OR n:Interaction OR n:DeadLetter RETURN count(n) AS many"
    )
    return row["many"] == 0


async def test_what_nobody_signed_is_refused_and_leaves_nothing(company: Company, graph: Connection) -> None:
    sent = example("stripe", "customer")
    assert told(await company.http.post("/webhooks/stripe", content=sent.body)) == (401, "signature_missing")
    forged = await deliver(company, sent, **{"Stripe-Signature": f"t={sent.at},v1={'0' * 64}"})
    assert told(forged) == (401, "signature_wrong")
    changed = replace(sent, body=sent.body + b" ")
    assert told(await deliver(company, changed, **sent.signed)) == (401, "signature_wrong")
    old = replace(sent, at=str(int(time()) - 400))
    assert told(await deliver(company, old)) == (401, "webhook_replayed")
    assert told(await company.http.post("/webhooks/nobody", content=b"{}")) == (404, "unknown_source")
    assert told(await company.http.get("/webhooks/stripe")) == (405, "webhook_method")
    large = await company.http.post("/webhooks/stripe", content=b" " * (6 * 1024 * 1024))
    assert told(large) == (413, "body_too_large")
    assert await nothing(graph)


async def test_a_signed_webhook_that_cannot_be_used_is_kept_and_answered_200(
    company: Company, graph: Connection
) -> None:
    headers = example("shopify", "order").headers
    for name, (body, code) in BODIES.items():
        answer = taken(await deliver(company, Sent("shopify", headers, body)))
        assert [each["code"] for each in answer["rejected"]] == [code], name
    letters = await dead_letters(graph.reader)
    assert sorted(each.rejection.code for each in letters) == sorted(code for _, code in BODIES.values())
    assert {each.source for each in letters} == {"shopify"}


async def test_a_dead_letter_holds_all_that_its_mapping_needs_to_read_it_again(
    company: Company, graph: Connection
) -> None:
    broken = replace(example("shopify", "order"), body=b'{"line_items": 7, "id": 5, "customer": {"id": 1}}')
    taken(await deliver(company, broken))
    (letter,) = await dead_letters(graph.reader)
    mended = (letter.rejection.raw or "").replace('"line_items":7', '"line_items":[]')
    again = translated(Found(json_value(mended.encode()), "again", mended), hooks()["shopify"].mapping, now())
    assert [each.sightings[0].value for each in again.messages] == ["fernhill.myshopify.example:1"]


async def test_strange_values_are_kept_or_left_out_and_never_a_500(company: Company) -> None:
    order = orjson.loads(example("shopify", "order").body)
    strange = {
        "id": orjson.Fragment(b"123456789012345678901234567890"),
        "email": "nul\0@fernhill.example",
        "name": orjson.Fragment(rb'"\ud83d"'),
        "note_attributes": {f"k{number}": number for number in range(50_000)},
        "total_price_set": [[]],
        "currency": {"a": 1},
    }
    sent = Sent("shopify", example("shopify", "order").headers, orjson.dumps(order | strange))
    answer = taken(await deliver(company, sent))
    assert (answer["committed"], answer["rejected_total"]) == (1, 0)


async def test_a_first_contact_is_answered_and_is_no_record(company: Company, graph: Connection) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    woo = await company.http.post("/webhooks/woocommerce", content=b"webhook_id=5", headers=form)
    assert (woo.status_code, woo.text) == (200, "")
    other = await company.http.post("/webhooks/woocommerce", content=b"order=5", headers=form)
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": TOKEN}
    meta = await company.http.get("/webhooks/facebook", params=query)
    assert (meta.status_code, meta.text, meta.headers["content-type"]) == (
        200,
        "1158201444",
        "text/plain; charset=utf-8",
    )
    stranger = await company.http.get("/webhooks/facebook", params=query | {"hub.verify_token": "guessed"})
    assert told(stranger) == (403, "verify_token_wrong")
    assert (await company.http.head("/webhooks/mindbody")).status_code == 200
    hello = Sent("slack", {}, b'{"type": "url_verification", "challenge": "3eZbrw1a"}')
    assert (await deliver(company, hello)).text == "3eZbrw1a"
    assert told(await company.http.post("/webhooks/slack", content=hello.body)) == (401, "signature_missing")
    assert told(other) == (401, "signature_missing")
    assert await nothing(graph)


async def test_an_event_of_a_test_mode_is_passed_over(company: Company, graph: Connection) -> None:
    body = orjson.loads(example("stripe", "customer").body) | {"livemode": False}
    answer = taken(await deliver(company, Sent("stripe", {}, orjson.dumps(body))))
    assert answer["skipped"] == ["an event of Stripe's test mode"]
    assert await nothing(graph)


async def test_a_full_queue_is_a_503_and_the_same_webhook_sent_again_is_taken(graph: Connection) -> None:
    orders = [customer(number) for number in range(20)]
    answers: list[httpx.Response] = []

    async def send(company: Company, each: Sent) -> None:
        answers.append(await deliver(company, each))

    async with in_process(graph, Pace(room=3, group=1), hooks=hooks()) as company:
        async with anyio.create_task_group() as tasks:
            for each in orders:
                tasks.start_soon(send, company, each)
        full = [each for each in answers if each.status_code == 503]
        assert full
        assert {(told(each), each.headers["retry-after"]) for each in full} == {((503, "queue_full"), "1")}
        again = [taken(await deliver(company, each)) for each in orders]
        assert sum(each["committed"] for each in again) == len(full)
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many")
    assert (row["many"], await dead_letters(graph.reader)) == (len(orders), ())


def customer(number: int) -> Sent:
    """A delivery about one of several customers."""
    sent = example("shopify", "customer")
    body = orjson.loads(sent.body) | {"id": number, "email": f"c{number}@fernhill.example", "phone": None}
    return replace(sent, headers={**sent.headers, "X-Shopify-Event-Id": f"e{number}"}, body=orjson.dumps(body))


async def test_two_accounts_at_one_vendor_share_no_ids(graph: Connection) -> None:
    two = hooks_from(
        {name: settings_of("stripe", mapping="stripe", source=name) for name in ("stripe_eu", "stripe_us")}
    )
    async with in_process(graph, hooks=two) as company:
        sent = example("stripe", "checkout")
        for name in two:
            await company.http.post(f"/webhooks/{name}", content=sent.body, headers=sent.signed)
        rows = await graph.reader.rows("MATCH (i:Identifier:Contact) RETURN i.key AS key ORDER BY key")
    assert [row["key"] for row in rows] == ["stripe_eu_customer:cus_Fern0001", "stripe_us_customer:cus_Fern0001"]


async def test_namespaces_are_declared_before_anything_is_heard_and_a_conflict_is_told(graph: Connection) -> None:
    await declare_at_start(graph.writer, hooks())
    await declare_at_start(graph.writer, hooks())
    assert "stripe_customer" in {each.name for each in await declared_namespaces(graph.reader)}
    other = replace(hooks()["stripe"].mapping.source.namespaces[0], unique=False)
    with pytest.raises(NamespaceConflictError, match="stripe_customer"):
        await declare(graph.writer, [other], "another")
