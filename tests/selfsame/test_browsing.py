"""Which pages may ask, and that none asks without its browser asking first."""

import pytest
from starlette.requests import Request

from graph.connection import Connection
from graph.keys import ApiKey, Scope
from selfsame.browsing import page_refused
from selfsame.clock import now
from selfsame.keys import Terms, create_key
from selfsame.origins import Origins
from tests.building import START
from tests.walks.service import in_process

APP, EVIL = "https://app.example", "https://evil.example"
JSON, BEARER = {"content-type": "application/json"}, {"authorization": "Bearer ssr_1"}
BASIC, CROSS = {"authorization": "Basic c3NyXzE6"}, {"sec-fetch-site": "cross-site"}
NOBODY = Origins(frozenset())


def why_not(method: str, *headers: dict[str, str], own: tuple[str, ...] = (), others: Origins = NOBODY) -> str | None:
    sent = {name: value for each in ({"host": "selfsame.example"}, *headers) for name, value in each.items()}
    pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
    request = Request({"type": "http", "method": method, "headers": pairs})
    refusal = page_refused(request, ApiKey("h", Scope.READ, None, START, origins=own), others)
    return refusal and refusal.code


@pytest.mark.parametrize("headers", [BASIC, BEARER, {**BASIC, "content-type": "text/plain"}, {}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_that_are_no_browsers_notice_nothing(method: str, headers: dict[str, str]) -> None:
    assert why_not(method, headers, own=(APP,)) is None


@pytest.mark.parametrize("site", [{"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
def test_a_page_of_the_service_itself_may_ask(site: dict[str, str]) -> None:
    assert why_not("POST", JSON, BASIC, site, {"origin": "https://selfsame.example"}) is None
    assert why_not("POST", JSON, BASIC, {"origin": "https://selfsame.example"}) is None


@pytest.mark.parametrize("page", [CROSS, {"sec-fetch-site": "same-site"}, {"origin": APP}, {**CROSS, "origin": APP}])
@pytest.mark.parametrize(
    ("method", "kind"),
    [("GET", ""), ("GET", "application/json"), ("POST", "text/plain"), ("POST", ""),
     ("POST", "multipart/form-data; b=1"), ("POST", "application/x-www-form-urlencoded"),
     ("POST", "text/plain; application/json")],
)  # fmt: skip
def test_what_a_browser_sends_without_asking_first_is_refused(method: str, kind: str, page: dict[str, str]) -> None:
    assert why_not(method, BASIC, page, {"content-type": kind}, own=(APP,)) == "preflight_needed"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", JSON | BASIC),
        ("GET", BEARER),
        ("GET", BASIC | {"apollo-require-preflight": "1"}),
        ("GET", BASIC | {"graphql-require-preflight": "1"}),
    ],
)
def test_a_page_asks_where_its_origin_is_named_exactly(method: str, headers: dict[str, str]) -> None:
    page = {**CROSS, "origin": APP}
    assert why_not(method, headers, page, own=(APP,)) is None
    assert why_not(method, headers, page, others=Origins(frozenset({APP}))) is None
    assert why_not(method, headers, page) == "origin_refused"
    for other in (EVIL, "https://app.example.evil.example", "http://app.example", "https://app.example:8443", "null"):
        assert why_not(method, headers, {**CROSS, "origin": other}, own=(APP,)) == "origin_refused"
    assert why_not(method, headers, page, own=(EVIL,), others=Origins(frozenset({APP}))) == "origin_refused"


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_a_page_asks_first_and_reads_what_it_may(graph: Connection) -> None:
    question = {"query": "{ segments { name } }"}
    async with in_process(graph) as company:
        asking = {"origin": EVIL, "access-control-request-method": "POST",
                  "access-control-request-headers": "authorization,content-type"}  # fmt: skip
        leave = await company.http.options("/graphql", headers=asking)
        assert (leave.status_code, leave.headers["access-control-allow-origin"]) == (204, EVIL)
        assert leave.headers["access-control-allow-headers"] == "authorization,content-type"
        assert "access-control-allow-credentials" not in leave.headers
        key = await create_key(graph.writer, Scope.READ, now(), terms=Terms(origins=(APP,)))
        for origin, status in ((APP, 200), (EVIL, 403)):
            headers = {"origin": origin, "authorization": f"Bearer {key}"}
            answer = await company.http.post("/graphql", json=question, headers=headers)
            assert answer.status_code == status
            codes = [each["extensions"]["code"] for each in answer.json().get("errors", ())]
            assert codes == ([] if status == 200 else ["origin_refused"])
            assert answer.headers["access-control-allow-origin"] == origin
            assert "Retry-After" in answer.headers["access-control-expose-headers"]
