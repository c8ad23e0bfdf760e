"""What a vendor's signed webhook asks to have erased is erased, also when the service ends right after its answer."""

from collections.abc import Mapping

import orjson
import pytest

from graph.connection import Connection
from graph.requests import EVERY, PrivacyRequest, RequestState, carry_out, requests_in, settle_request
from identity.erasure import Scope
from identity.messages import Json, micros
from identity.requests import Wish
from selfsame.clock import now
from selfsame.hooks import Hook, hooks_from
from tests.graph.erasing import readable, tools
from tests.serving import until_async
from tests.walks.service import Company, differences, in_process, taken
from tests.walks.vendors import Sent, deliver, example, settings_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

OMAR = "omar.shop@fernhill.example"
CUSTOMER = 706405506930370001
SHOP = "fernhill.myshopify.example"


def hooks(erasures: str) -> Mapping[str, Hook]:
    return hooks_from({"shopify": settings_of("shopify", erasures=erasures)})


def asking(topic: str, body: Json, shop: str = SHOP) -> Sent:
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": shop, "X-Shopify-Event-Id": f"ask-{topic}"}
    return Sent("shopify", headers, orjson.dumps(body))


REDACT = asking("customers/redact", {"shop_domain": SHOP, "customer": {"id": CUSTOMER, "email": OMAR}})


async def requests(graph: Connection) -> list[PrivacyRequest]:
    return list(await requests_in(graph.reader, EVERY))


async def told(company: Company, *sent: Sent) -> None:
    for each in sent:
        assert taken(await deliver(company, each))["rejected_total"] == 0


async def test_a_redacted_customer_is_erased_once_and_the_log_says_who_asked(graph: Connection) -> None:
    async with in_process(graph, hooks=hooks("profile")) as company:
        await told(company, example("shopify", "customer"), example("shopify", "order"))
        answer = taken(await deliver(company, REDACT))
        assert (answer["committed"], answer["requests"]) == (0, 1)
    assert await readable(graph, OMAR), "the service ended before it carried anything out"
    async with in_process(graph, hooks=hooks("profile")) as company:
        await until_async(lambda: all_settled(graph))
        assert await readable(graph, OMAR) == []
        (request,) = await requests(graph)
        assert (request.state, request.key, request.by) == (RequestState.DONE, None, "source:shopify")
        await told(company, REDACT)  # Shopify sends again what it got no answer to
        again = taken(await deliver(company, example("shopify", "order")))
        assert (again["committed"], again["erased"]) == (0, 1)
        assert await requests(graph) == [request]
    (change,) = await graph.reader.rows("MATCH (c:Change {kind: 'erased'}) RETURN c.by AS by, c.scope AS scope")
    assert (change["by"], change["scope"]) == ("source:shopify", "profile")
    assert await differences(graph) == ()


async def all_settled(graph: Connection) -> bool:
    return all(each.state is RequestState.DONE for each in await requests(graph))


async def test_unless_the_settings_say_otherwise_somebody_decides(graph: Connection) -> None:
    async with in_process(graph, hooks=hooks("ask")) as company:
        await told(company, example("shopify", "customer"), REDACT)
        await told(company, asking("customers/data_request", {"customer": {"id": CUSTOMER}}))
    erasure, access = await requests(graph)
    assert {erasure.wish, access.wish} == {Wish.ERASURE, Wish.ACCESS}
    assert {erasure.state, access.state} == {RequestState.WAITING}
    assert await settle_request(graph.writer, access.id, RequestState.REFUSED, "tests", now())
    assert not await settle_request(graph.writer, access.id, RequestState.DONE, "tests", now())
    assert await readable(graph, OMAR)
    assert await carry_out(graph, erasure, Scope.PROFILE, "tests", tools(micros(now()))) >= 2
    assert await readable(graph, OMAR) == []


async def test_a_whole_shop_is_never_erased_unasked_and_no_other_shop_with_it(graph: Connection) -> None:
    async with in_process(graph, hooks=hooks("profile")) as company:
        await told(company, example("shopify", "customer"))
        for number in range(2):
            other = {"X-Shopify-Shop-Domain": f"{SHOP}.other", "X-Shopify-Event-Id": f"e{number}"}
            headers = {**example("shopify", "customer").headers, **other}
            await told(company, Sent("shopify", headers, orjson.dumps({"id": number + 1})))
        await told(company, asking("shop/redact", {"shop_domain": SHOP}))
    (request,) = await requests(graph)
    assert (request.state, request.whole) == (RequestState.WAITING, True)
    await carry_out(graph, request, Scope.PROFILE, "tests", tools(micros(now())))
    left = await graph.reader.rows("MATCH (i:Identifier:Contact) RETURN i.key AS key ORDER BY key")
    assert [row["key"] for row in left] == [f"shopify_customer:{SHOP}.other:{number}" for number in (1, 2)]
    assert [each.state for each in await requests(graph)] == [RequestState.DONE]
