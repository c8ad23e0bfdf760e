"""The demo as a newcomer runs it, once for all these tests; then what the README promises, on what it loaded."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import pytest
from graphql import OperationType
from pydantic import SecretStr

from graph.connection import connected
from graph.exports import neighbourhood
from graph.keys import Scope
from identity.identifiers import IdentifierKey
from identity.messages import Json
from resolvers.paging import cursor_of
from selfsame.clock import now
from selfsame.demo.fernhill import web_calls
from selfsame.demo.sending import send_calls
from selfsame.drawing import svg_of
from selfsame.errors import CheckFailedError
from selfsame.keys import Terms, create_key
from selfsame.serving import Serving, serving
from selfsame.settings import Settings
from tests.house.reading import ROOT
from tests.pages import Block, blocks, resized
from tests.resolvers.calling import Caller, caller, read
from tests.selfsame.demo.records import company
from tests.serving import Neo4jAddress, empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

README = (ROOT / "README.md").read_text("utf-8")
QUERIES = re.findall(r"--data-urlencode 'query=(.*?)'\n```", README, re.DOTALL)
FEW, MANY = 3, 18
FILLED = "…"
ADA = IdentifierKey("email:ada.quill@mail.example")


@dataclass(frozen=True)
class Shown:
    """How a demo ended and what it said."""

    status: int
    answers: str
    complaints: str


def run_demo(address: Neo4jAddress, folder: Path) -> Shown:
    others = {name: value for name, value in os.environ.items() if not name.startswith("SELFSAME_")}
    ran = subprocess.run(
        [Path(sys.executable).with_name("selfsame"), "demo", "--exit"],
        env={
            **others,
            "SELFSAME_DATA_DIR": str(folder),
            "SELFSAME_PORT": "0",
            "SELFSAME_NEO4J_URI": address.uri,
            "SELFSAME_NEO4J_USER": address.user,
            "SELFSAME_NEO4J_PASSWORD": address.password,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return Shown(ran.returncode, ran.stdout, ran.stderr)


async def _emptied(address: Neo4jAddress) -> None:
    async with connected(address.uri, address.user, address.password) as connection:
        await empty(connection.writer)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(neo4j_server: Neo4jAddress, folder: Path) -> Iterator[Shown]:
    """The first demo on an empty graph, which keeps what was loaded for the other tests here."""
    anyio.run(_emptied, neo4j_server)
    yield run_demo(neo4j_server, folder)
    anyio.run(_emptied, neo4j_server)


@pytest.fixture(scope="module")
def second(first: Shown, neo4j_server: Neo4jAddress, folder: Path) -> Shown:
    return run_demo(neo4j_server, folder)


def test_the_demo_ends_well_and_complains_of_nothing(first: Shown) -> None:
    assert (first.status, first.complaints.strip()) == (0, "")


@pytest.mark.parametrize(
    "sentence",
    [
        r"13,412 records became\n +562 people",
        r"Of 499 true\s+people 379 were found whole",
        r"No two people were wrongly joined",
        r"Ada Quill, known by 8 identifiers",
        r"in the app +unknown",
        r"at the till +known +Bought in Shop",
        r"are\s+the same person",
        r"that\s+does\s+not\s+join\s+them",
        r"shared by 30 people",
        r"Northgate Climbing, part of Northgate Group",
        r"Bram Solberg +Store manager",
        r"verify: 0 differences",
    ],
)
def test_the_demo_tells(first: Shown, sentence: str) -> None:
    assert re.search(sentence, first.answers)


def test_the_demo_fits_a_terminal_of_80_columns_and_a_pipe(first: Shown) -> None:
    assert max(map(len, first.answers.splitlines())) <= 80
    assert "\x1b" not in first.answers


def test_a_second_demo_says_that_everything_is_known_and_tells_the_same(first: Shown, second: Shown) -> None:
    assert second.status == 0
    assert second.answers.count("all known already") == 6
    assert _counts(second) == _counts(first)


def _counts(shown: Shown) -> list[str]:
    start = shown.answers.index("Who is who")
    return shown.answers[start : shown.answers.index("One person")].splitlines()


@asynccontextmanager
async def service(address: Neo4jAddress, folder: Path) -> AsyncIterator[Serving]:
    settings = Settings(
        data_dir=folder,
        port=0,
        neo4j_uri=address.uri,
        neo4j_user=address.user,
        neo4j_password=SecretStr(address.password),
    )
    async with serving(settings) as served:
        yield served


async def test_a_key_that_was_never_given_out_fails_the_demo(neo4j_server: Neo4jAddress, folder: Path) -> None:
    async with service(neo4j_server, folder) as served:
        with pytest.raises(CheckFailedError, match="could not deliver"):
            await send_calls(web_calls(company())[:3], served.url, "ssw_unknown", lambda _: None)


def test_the_readme_has_three_queries() -> None:
    assert len(QUERIES) == 3


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_of_the_readme_is_answered(
    first: Shown, neo4j_server: Neo4jAddress, folder: Path, query: str
) -> None:
    async with service(neo4j_server, folder) as served:
        key = await create_key(served.connection.writer, Scope.READ, now(), terms=Terms(pii=True))
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
            answer = (await client.get(f"{served.url}/graphql", params={"query": query})).json()
    assert "errors" not in answer
    assert all(answer["data"].values())


async def test_the_picture_in_the_readme_is_what_is_drawn_of_the_demo(first: Shown, neo4j_server: Neo4jAddress) -> None:
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        found = await neighbourhood(connection.reader, ADA, 2)
    assert found
    centre = next(node for node, kind in found.graph.nodes(data="kind") if kind == "Profile")
    drawn = svg_of(found.graph, centre, "Who is ada.quill@mail.example?")
    assert drawn == (ROOT / "docs" / "heroine.svg").read_text("utf-8")


@dataclass(frozen=True)
class Reader:
    """Somebody who tries what the docs show on the demo's graph, with an id of the demo wherever a page has `…`."""

    caller: Caller
    ids: Mapping[str, str]

    async def tried(self, block: Block, size: int) -> tuple[Mapping[str, Json], Sequence[str]]:
        """What a block is answered, with pages of a size, and the statements that it costs."""
        before = len(self.caller.statements)
        variables = {name: self._filled(block, name, value) for name, value in block.variables.items()}
        answer = read(await self.caller.post(resized(block.document, size), **variables))
        assert "errors" not in answer, (str(block), answer["errors"])
        return answer["data"], self.caller.statements[before:]

    def _filled(self, block: Block, name: str, value: Json) -> Json:
        wanted = "reopen" if "reopenSuggestion" in block.text else name
        return self.ids[wanted] if value == FILLED else value


SOME_IDS = """{
  profile(by: {identifier: {namespace: "email", value: "ada.quill@mail.example"}}) { id }
  suggestions(first: 1) { edges { node { id } } }
}"""


@pytest.fixture
async def reader(first: Shown, neo4j_server: Neo4jAddress) -> AsyncIterator[Reader]:
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        asked = caller(connection, Scope.ADMIN)
        found = await asked.ask(SOME_IDS)
        ids = {
            "id": found["profile"]["id"],
            "suggestion": found["suggestions"]["edges"][0]["node"]["id"],
            "reopen": cursor_of(("membership", ADA, "account:A-1002")),  # the demo has no suggestion of an account
        }
        yield Reader(asked, ids)


def _shown(*kinds: OperationType) -> list[Block]:
    return [each for each in blocks() if {one.operation for one in each.operations} <= set(kinds)]


async def test_every_query_of_the_docs_costs_as_many_statements_for_long_lists_as_for_short_ones(
    reader: Reader,
) -> None:
    for block in _shown(OperationType.QUERY):
        _, few = await reader.tried(block, FEW)
        data, many = await reader.tried(block, MANY)
        assert len(few) == len(many), (str(block), few, many)
        assert any(data.values()) or block.page != "graphql.md", str(block)


async def test_every_mutation_of_the_docs_is_answered(reader: Reader) -> None:
    """The last test here: what is decided stays decided."""
    for block in _shown(OperationType.MUTATION):
        if not block.answered:
            await reader.tried(block, FEW)
