"""GraphiQL in a real browser: somebody mistypes a key, signs in, asks, hears what happens, and signs out."""

import re
import shutil
from pathlib import Path

import anyio.to_thread
import pytest

from graph.connection import Connection
from selfsame.explorer import pages_in
from selfsame.refusals import KEY_UNKNOWN
from tests.walks.clients.running import chromium
from tests.walks.explorer.building import HERE, built
from tests.walks.graphql_clients.running import answer_of
from tests.walks.sending import identify
from tests.walks.service import over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
ADA = "ada.quill@mail.example"


async def test_who_signs_in_asks_and_hears_what_happens_and_leaves_nothing_behind(
    graph: Connection, tmp_path: Path
) -> None:
    browser = chromium()
    place = await anyio.to_thread.run_sync(built)
    shutil.copyfile(HERE / "walk.mjs", tmp_path / "walk.mjs")
    (tmp_path / "node_modules").symlink_to(place / "node_modules")
    async with over_network(graph, pages=pages_in(place / "pages")) as company:
        await company.send(identify("ada", on="a1", email=ADA))
        seen = await answer_of(
            tmp_path,
            "walk.mjs",
            chromium=str(browser),
            url=str(company.http.base_url).rstrip("/"),
            keys={"wrong": "ssr_mistyped", "write": company.write_key, "read": company.read_key},
        )
    assert (seen["address"], seen["refusals"][0]) == ("/graphiql", KEY_UNKNOWN.sentence)
    assert seen["refusals"][1].startswith("this key has scope `write`")
    assert ADA in seen["answer"]
    assert re.search(r'"sequence": "[\d.]+"', seen["heard"])
    assert "its schema: not for this key. Queries are answered" in seen["withoutSchema"]
    assert (seen["keptOfWrong"], seen["left"]) == (0, 0)
    assert (seen["foreign"], seen["complaints"], seen["faults"]) == ([], [], [])


async def test_where_the_page_is_switched_off_nobody_is_led_to_it(graph: Connection) -> None:
    async with over_network(graph, pages=None) as company:
        page = await company.http.get("/graphiql")
        opened = await company.http.get("/graphql", headers={"accept": "text/html"})
    assert (page.status_code, opened.status_code) == (404, 401)
