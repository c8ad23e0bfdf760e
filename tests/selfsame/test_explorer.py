"""The pages that the service shows to browsers, and what it tells browsers to do with them."""

import gzip
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request

from selfsame.explorer import led_to_page, pages_in
from tests.house.reading import ROOT

pytestmark = pytest.mark.anyio
SCRIPT = b"console.log('a part')"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page of one part, beside a file that is none of it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "secret.js").write_text("no part")
    (tmp_path / "graphiql.html").write_text("<!doctype html><title>A page</title>")
    (tmp_path / "assets" / "page-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "page-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


def browser(folder: Path) -> httpx.AsyncClient:
    shown = httpx.ASGITransport(Starlette(routes=pages_in(folder).routes()))
    return httpx.AsyncClient(transport=shown, base_url="http://service")


async def test_a_page_runs_no_script_but_its_own_and_stands_in_no_frame(built: Path) -> None:
    answer = await browser(built).get("/graphiql")
    rules = dict(each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; "))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (rules["default-src"], rules["script-src"], rules["frame-ancestors"]) == ("'none'", "'self'", "'none'")
    assert not any("http" in each or "*" in each or "unsafe-eval" in each for each in rules.values())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("takes", "encoding"), [("gzip, br", "gzip"), ("identity", None)])
async def test_a_part_is_kept_for_ever_and_comes_compressed_to_who_takes_it(
    built: Path, takes: str, encoding: str | None
) -> None:
    answer = await browser(built).get("/assets/page-1a2b.js", headers={"accept-encoding": takes})
    assert (answer.status_code, answer.content, answer.headers.get("content-encoding")) == (200, SCRIPT, encoding)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["secret.js", "..%2fsecret.js", "%2e%2e%2fsecret.js", "page-1a2b.js.gz", "..", ""])
async def test_nothing_else_is_a_part(built: Path, name: str) -> None:
    assert (await browser(built).get(f"/assets/{name}")).status_code == 404


async def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await browser(tmp_path / "nothing").get("/graphiql")
    assert answer.status_code == 404
    assert "make explorer" in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "accept", "query", "led"),
    [
        ("GET", "text/html,application/xhtml+xml,*/*;q=0.8", "", True),
        ("GET", "text/html", "query={segments{name}}", False),
        ("GET", "*/*", "", False),
        ("GET", "application/json", "", False),
        ("POST", "text/html", "", False),
    ],
)
def test_only_a_browser_without_a_question_is_led_to_the_page(method: str, accept: str, query: str, led: bool) -> None:
    headers = [(b"accept", accept.encode())]
    asked = Request({"type": "http", "method": method, "headers": headers, "query_string": query.encode()})
    way = led_to_page(asked)
    assert (way.headers["location"] if way else None) == ("graphiql" if led else None)


def test_the_lock_has_a_hash_for_every_package_and_names_no_registry() -> None:
    lock = (ROOT / "explorer" / "package-lock.json").read_text("utf-8")
    assert lock.count('"integrity"') == lock.count('"version"') - lock.count('"version": "0.0.0"')
    assert "://registry" not in lock
    assert '"resolved"' not in lock


def test_what_the_first_tabs_ask_fits_the_schema() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    examples = sorted((ROOT / "explorer" / "src" / "examples").glob("*.graphql"))
    assert {each.name: validate(schema, parse(each.read_text("utf-8"))) for each in examples} == {
        each.name: [] for each in examples
    }
    assert len(examples) == 4
