"""Browsers: preflights, beacons, which pages may send, and what a signed user id changes."""

import orjson
import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import SourceName
from loaders.signed_users import signed
from selfsame.clock import now
from selfsame.collecting import Doors
from selfsame.errors import InputInvalidError
from selfsame.keys import Terms, create_key
from selfsame.origins import Origins, origin_of
from tests.walks.sending import identify, track
from tests.walks.service import codes, in_process, sets, taken

SHOP, EVIL = "https://shop.example", "https://evil.example"
SECRET = "s" * 32
PATHS = ("b", "i", "t", "p", "s", "g", "a", "batch", "import", "identify", "track")


@pytest.mark.parametrize("text", ["https://Shop.example/", "http://localhost:3000", "null", "*", "app://x"])
def test_an_origin_is_written_as_browsers_do(text: str) -> None:
    assert origin_of(text) == text.lower().rstrip("/")


@pytest.mark.parametrize("text", ["", "shop.example", "https://shop.example/path", "https://a, https://b", "x://"])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(InputInvalidError, match="no origin"):
        origin_of(text)


def test_a_request_of_no_page_is_always_allowed() -> None:
    only = Origins(frozenset({SHOP}))
    assert [only.allow(each) for each in (None, SHOP, SHOP.upper(), EVIL, "null", "")] == [True] * 3 + [False] * 3


def said(**more: str) -> bytes:
    return orjson.dumps({**track("a1", id="m1"), **more})


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_a_browser_asks_first_and_may_send_from_anywhere(graph: Connection) -> None:
    async with in_process(graph) as company:
        asking = {"origin": SHOP, "access-control-request-method": "POST",
                  "access-control-request-headers": "authorization,x-retry-count"}  # fmt: skip
        for path in PATHS:
            leave = await company.http.options(f"/v1/{path}", headers=asking)
            assert leave.status_code == 204
            assert leave.headers["access-control-allow-origin"] == SHOP
            assert leave.headers["access-control-allow-credentials"] == "true"
            assert leave.headers["access-control-allow-headers"] == "authorization,x-retry-count"
            assert "POST" in leave.headers["access-control-allow-methods"]
        for key, status in ((company.write_key, 200), ("ssw_wrong", 401)):
            beacon = {"origin": SHOP, "content-type": "text/plain;charset=UTF-8"}
            answer = await company.http.post("/v1/t", content=said(writeKey=key), headers=beacon)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, SHOP)
            assert (answer.headers["vary"], answer.headers["access-control-expose-headers"]) == (
                "Origin",
                "Retry-After",
            )
        again = await company.post("track", said(), **{"x-retry-count": "3"})
        assert (taken(again)["repeat"], "access-control-allow-origin" in again.headers) == (1, False)


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_pages_of_other_origins_are_refused_by_the_setting_and_by_the_key(graph: Connection) -> None:
    only = Doors(Origins(frozenset({SHOP, "https://blog.example"})))
    async with in_process(graph, doors=only) as company:
        leave = await company.http.options("/v1/t", headers={"origin": EVIL})
        refused = await company.post("t", said(), origin=EVIL)
        for answer in (leave, refused):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        assert refused.json()["error"]["code"] == "origin_refused"
        key = await create_key(graph.writer, Scope.WRITE, now(), terms=Terms(origins=(SHOP,)))
        assert (await company.post("t", said(), key=key, origin="https://blog.example")).status_code == 403
        assert await graph.reader.rows("MATCH (i:Interaction) RETURN i.id") == []
        assert (await company.post("t", said(), key=key, origin=SHOP)).status_code == 200
        assert taken(await company.post("t", said(), key=key))["repeat"] == 1


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_who_nobody_vouches_for_is_kept_and_joins_nobody_where_signatures_are_required(graph: Connection) -> None:
    async with in_process(graph, doors=Doors(user_secrets=(SECRET,))) as company:
        terms = Terms(requires_signature=True)
        key = await create_key(graph.writer, Scope.WRITE, now(), SourceName("app"), terms=terms)

        async def send(user: str, device: str, signature: str | None) -> list[str]:
            more = {"context": {"userSignature": signature, "traits": {"email": f"{user}@x.com"}}}
            return codes(taken(await company.post("i", orjson.dumps(identify(user, device) | more), key=key)))

        assert await send("u1", "a1", None) == ["not_vouched_for", *["refused_unverified"] * 3]
        assert await company.people() == sets("u1", "a1", "u1@x.com")
        assert {name: told for name, told in (await company.events()).items() if told} == {"a1": ("identify",)}
        assert await company.refused(("anonymous_id", "a1"), ("user_id", "u1")) >= {("a1", "u1", "UNVERIFIED")}
        assert "invalid_signature" in await send("u2", "a1", signed("u1", SECRET))
        assert "invalid_signature" not in await send("u1", "a1", signed("u1", SECRET))
        assert await company.people() == sets("u1 a1", "u2", "u1@x.com", "u2@x.com")
        bare = orjson.dumps({"type": "track", "event": "E", "userId": "u1", "messageId": "bare"})
        answer = (await company.post("t", bare, key=key)).json()
        assert answer["error"]["code"] == "no_usable_identifier"
        assert (await company.events())["u2"] == ()
