"""`selfsame merge`, `unmerge` and `undo`, as a person or a script meets them."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from selfsame.cli.exits import Exit
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here
from tests.walks.sending import identify, track

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
def settings(graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path) -> dict[str, str]:
    settings = environment(tmp_path / "data", neo4j_server)
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, [identify("u1", "a1"), identify("u2", "a2"), track("a3")])))
    done(settings, "load", file)
    return settings


async def people(graph: Connection) -> set[tuple[str, ...]]:
    rows = await graph.reader.rows("MATCH (p:Profile)<-[:IDENTIFIES]-(i) RETURN p.id AS id, collect(i.value) AS who")
    return {tuple(sorted(row["who"])) for row in rows}


async def test_a_merge_is_tried_then_done_then_taken_back(graph: Connection, settings: Mapping[str, str]) -> None:
    tried = done(settings, "merge", "anonymous_id:a3", "user_id:u1", "--dry-run")
    assert tried.startswith("nothing was written; this would be:")
    assert await people(graph) == {("a1", "u1"), ("a2", "u2"), ("a3",)}
    merged = done(settings, "merge", "anonymous_id:a3", "user_id:u1", "--note", "seen at the desk")
    assert await people(graph) == {("a1", "a3", "u1"), ("a2", "u2")}
    decision = merged.splitlines()[0].removeprefix("decision ")
    done(settings, "undo", decision)
    assert await people(graph) == {("a1", "u1"), ("a2", "u2"), ("a3",)}


async def test_a_merge_that_a_rule_forbids_says_which(graph: Connection, settings: Mapping[str, str]) -> None:
    refused = here(settings, "merge", "user_id:u1", "user_id:u2")
    assert refused.returncode == Exit.REJECTED
    assert "user_id:u1 and user_id:u2; --override lets the second replace the first" in refused.stdout
    done(settings, "merge", "user_id:u1", "user_id:u2", "--override")
    assert await people(graph) == {("a1", "a2", "u1", "u2"), ("a3",)}


async def test_of_a_file_the_good_rows_are_done_and_the_bad_ones_named(
    graph: Connection, settings: Mapping[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "apart.csv"
    file.write_text(
        "user_id:u1,anonymous_id:a1\nuser_id:u9,user_id:u1\nnonsense,user_id:u1\nuser_id:u2,anonymous_id:a2\n"
    )
    told = here(settings, "unmerge", "--file", str(file))
    assert told.returncode == Exit.REJECTED
    assert told.stdout.splitlines()[-1] == "2 of 4 decided"
    assert "apart.csv:2: nothing is known of user_id:u9" in told.stderr
    assert "apart.csv:3: `nonsense` is no identifier" in told.stderr
    assert await people(graph) == {("a1",), ("u1",), ("a2",), ("u2",), ("a3",)}


async def test_a_file_is_tried_as_a_whole_and_gives_what_it_said(
    graph: Connection, settings: Mapping[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "same.csv"
    row = "anonymous_id:a3,user_id:u1\n"
    file.write_text(f"{row}{row}anonymous_id:a3,user_id:u2\nnonsense,user_id:u1\nanonymous_id:a1,anonymous_id:a2\n")
    answers = []
    for how in (["--dry-run"], []):
        told = here(settings, "merge", "--file", str(file), "--json", *how)
        assert told.returncode == Exit.REJECTED
        answers.append([{**orjson.loads(line), "decision": None} for line in told.stdout.splitlines()])
        if how:
            assert await people(graph) == {("a1", "u1"), ("a2", "u2"), ("a3",)}
    tried, done_ = answers
    assert tried == done_
    assert [each["decided"] for each in tried] == [True, False, False, False, False]
    assert "are one person already" in tried[1]["why"]
    assert "user_id:u1 and user_id:u2" in tried[2]["why"]
    assert tried[0]["after"][0]["identifiers"] == ["anonymous_id:a1", "anonymous_id:a3", "user_id:u1"]


async def test_a_file_of_unmerges_is_tried_as_a_whole_too(
    graph: Connection, settings: Mapping[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "apart.csv"
    file.write_text("user_id:u1,anonymous_id:a1\nanonymous_id:a1,user_id:u1\nuser_id:u2,anonymous_id:a2\n")
    before = await people(graph)
    tried = here(settings, "unmerge", "--file", str(file), "--dry-run")
    assert (tried.returncode, await people(graph)) == (Exit.REJECTED, before)
    assert tried.stdout.splitlines()[-1] == "2 of 3 would be decided"
    assert "apart.csv:2: " in tried.stderr
    told = here(settings, "unmerge", "--file", str(file))
    assert (told.returncode, told.stdout.splitlines()[-1]) == (Exit.REJECTED, "2 of 3 decided")
    assert await people(graph) == {("a1",), ("u1",), ("a2",), ("u2",), ("a3",)}


async def test_of_a_file_each_row_is_taken_out_of_its_person(
    graph: Connection, settings: Mapping[str, str], tmp_path: Path
) -> None:
    done(settings, "merge", "anonymous_id:a3", "user_id:u1")
    file = tmp_path / "out.csv"
    file.write_text("anonymous_id:a1,anonymous_id:a3\nanonymous_id:a2,user_id:u2\nanonymous_id:a2,anonymous_id:a3\n")
    told = here(settings, "unmerge", "--take-out", "--file", str(file))
    assert (told.returncode, told.stdout.splitlines()[-1]) == (Exit.REJECTED, "1 of 3 decided")
    assert "out.csv:2: these are all identifiers of the person" in told.stderr
    assert "out.csv:3: " in told.stderr
    assert ("u1",) in await people(graph)
    assert ("a2", "u2") in await people(graph)


async def test_identifiers_are_taken_out(graph: Connection, settings: Mapping[str, str]) -> None:
    done(settings, "unmerge", "--take-out", "anonymous_id:a1")
    assert ("a1",) in await people(graph)
    left = here(settings, "unmerge", "--take-out", "user_id:u2", "anonymous_id:a2")
    assert left.returncode == Exit.REJECTED
    assert "these are all identifiers of the person" in left.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["merge"],
        ["merge", "user_id:u1"],
        ["merge", "user_id:u1", "user_id:u1"],
        ["merge", "user_id:u1", f"user_id:{'x' * 513}"],
        ["unmerge", "user_id:u1", "user_id:\x1b\u202e"],
        ["unmerge", "user_id:u1", "us\x1ber_id:u1"],
        ["unmerge", "user_id:u1", "email:\u0430nn@example.com"],
        ["unmerge", "u1", "u2"],
        ["undo", "nothing"],
    ],
)
async def test_what_means_nothing_is_refused(settings: Mapping[str, str], arguments: list[str]) -> None:
    told = here(settings, *arguments)
    assert (told.returncode, told.stdout) == (Exit.USAGE, "")
    assert told.stderr.startswith("selfsame: ")
    assert "\x1b" not in told.stderr
