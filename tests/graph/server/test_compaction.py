"""A store that was written anew has nothing in its files of what was erased, and all the rest."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from graph.connection import Connection, connected
from graph.ingestion import commit_batch
from graph.migrations import migrate
from graph.server.artifacts import jar_folder
from graph.server.compaction import FRESH, HOME, OLD, WHOLE, recover
from graph.server.configuration import ServerSettings
from graph.server.errors import CompactionFailedError, DataOwnedError
from graph.server.folders import cache_home
from graph.server.jars import shipped_lock
from graph.server.local import LocalNeo4j, compact_local, local_neo4j
from graph.server.password import stored_password
from graph.server.progress import Phase, Step
from tests.building import RECEIVED, START, default_policy, identify, minting, track
from tests.graph.erasing import erased
from tests.graph.server.encoding import KEY_BYTES, packed

LONG = "annabel.lee.of.fernhill.outdoors@mail.example.com"
SHORT = "Zoë77"
EVERYTHING = """
CALL () {
  MATCH (n)
  RETURN [labels(n), n {.*}] AS one
  UNION ALL
  MATCH (a)-[r]->(b)
  RETURN [a {.*}, type(r), r {.*}, b {.*}] AS one
}
RETURN one
"""
SCHEMA = "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint, state"


def settings(folder: Path) -> ServerSettings:
    return ServerSettings(folder, heap_mb=512, page_cache_mb=64)


def patterns(value: str, words: list[int]) -> Iterator[re.Pattern[bytes]]:
    """The forms in which a text can stand in a file: plain, as UTF-16, and packed into words of either byte order."""
    forms = {value.encode(each) for each in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")}
    yield from (re.compile(re.escape(form)) for form in forms)
    if words:
        little = b"".join(each.to_bytes(8, "little") for each in words)
        yield re.compile(re.escape(little[KEY_BYTES:]))
        first, rest = words[0].to_bytes(8, "big"), b"".join(each.to_bytes(8, "big") for each in words[1:])
        yield re.compile(re.escape(first[:-KEY_BYTES]) + b"." * KEY_BYTES + re.escape(rest), re.DOTALL)


def holding(folder: Path, value: str, words: list[int]) -> set[tuple[str, int]]:
    """The files that hold a value, each with the number of the form in which it does."""
    found: set[tuple[str, int]] = set()
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found |= {(path.name, number) for number, each in enumerate(patterns(value, words)) if each.search(content)}
    return found


async def told(server: LocalNeo4j) -> list[object]:
    """All that the graph holds, and its schema: what is equal in this is equal in everything that `verify` looks at."""
    async with connected(server.uri, server.user, server.password) as graph:
        rows = await graph.reader.rows(EVERYTHING)
        schema = await graph.reader.rows(SCHEMA)
        return [written(row["one"] for row in rows), written(row for row in schema if row["type"] != "LOOKUP")]


def written(values: Iterable[object]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in values)


async def lived(graph: Connection) -> None:
    await migrate(graph.writer, START)
    mints = minting()
    said = [identify(SHORT, "a1", email=LONG, at=1, traits={"email": LONG, "name": SHORT}), track("a1", at=2)]
    said += [identify("u2", "tab", at=3, traits={"name": "Bø"}), identify("u3", "tab", at=4), track("tab", at=5)]
    await commit_batch(graph.writer, said, default_policy(), lambda: next(mints), RECEIVED)


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_nothing_of_the_erased_is_in_any_file_and_all_the_rest_is_there(tmp_path: Path) -> None:
    async with local_neo4j(settings(tmp_path)) as server:
        async with connected(server.uri, server.user, server.password) as graph:
            await lived(graph)
            await erased(graph, f"user_id:{SHORT}")
        before = await told(server)
        with pytest.raises(DataOwnedError):
            await compact_local(settings(tmp_path))
    words = packed(jar_folder(cache_home(), shipped_lock()), [LONG, SHORT])
    assert words[SHORT]
    plain, in_words = range(4), (4, 5)
    for value in (LONG, SHORT):
        forms = {number for _, number in holding(tmp_path, value, words[value])}
        assert forms & set(plain), value
    assert {number for _, number in holding(tmp_path, SHORT, words[SHORT])} & set(in_words)
    steps: list[Step] = []
    done = await compact_local(settings(tmp_path), steps.append)
    assert {value: holding(tmp_path, value, words[value]) for value in (LONG, SHORT)} == {LONG: set(), SHORT: set()}
    assert steps[-1] == Step(Phase.COPYING, done.nodes + done.relationships, done.nodes + done.relationships)
    assert not any((tmp_path / name).exists() for name in (FRESH, OLD))
    password = stored_password(tmp_path)
    async with local_neo4j(settings(tmp_path)) as server:
        assert server.password == password
        assert await told(server) == before


@pytest.mark.anyio
async def test_where_no_store_is_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(CompactionFailedError, match="no store"):
        await compact_local(settings(tmp_path))


def made(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / {"home": HOME, "fresh": FRESH, "old": OLD}[name]
        path.mkdir()
        (path / "store").write_text(content)
    return folder


def left(folder: Path) -> dict[str, list[str]]:
    return {path.name: sorted(each.read_text() for each in path.iterdir()) for path in folder.iterdir()}


def test_a_copy_that_is_not_whole_is_thrown_away(tmp_path: Path) -> None:
    recover(made(tmp_path, home="before", fresh="half"))
    assert left(tmp_path) == {HOME: ["before"]}


@pytest.mark.parametrize("there", [{"home": "before"}, {"old": "before"}, {"home": "before", "old": "half gone"}])
def test_a_copy_that_is_whole_takes_the_place_of_the_store(tmp_path: Path, there: dict[str, str]) -> None:
    made(tmp_path, **there, fresh="copied")
    (tmp_path / FRESH / WHOLE).touch()
    recover(tmp_path)
    assert left(tmp_path) == {HOME: ["copied"]}


def test_what_is_left_of_the_old_store_goes(tmp_path: Path) -> None:
    recover(made(tmp_path, home="copied", old="before"))
    assert left(tmp_path) == {HOME: ["copied"]}
