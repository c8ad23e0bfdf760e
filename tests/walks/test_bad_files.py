"""Bad files and mappings by `selfsame load`: exit status, file, line, reason; good rows are kept, nothing is halved."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from random import Random
from subprocess import CompletedProcess

import pytest
from hypothesis import settings

from graph.connection import Connection
from graph.dead_letters import dead_letters
from graph.runs import runs
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MAPPING = """
source = "crm"
[[message]]
kind = "identify"
time = "seen"
identifiers = [{ namespace = "crm_contact", value = "id", key = true }, { namespace = "email", value = "email" }]
traits = { name = "name" }
[namespaces.crm_contact]
role = "Contact"
unique = true
"""
HEADER = "id,email,name,seen\n"
ANN = "c1,ann@example.com,Ann,2026-01-01\n"
BOB = "c2,bob@example.com,Bob,2026-01-02\n"


@dataclass(frozen=True)
class Desk:
    """A folder with files, and the command that loads them."""

    folder: Path
    settings: dict[str, str]

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self, name: str, content: str | bytes, mapping: str | None = MAPPING) -> "CompletedProcess[str]":
        file = self.file(name, content)
        options = () if mapping is None else ("--mapping", self.file("crm.toml", mapping))
        return here(self.settings, "load", file, *options)


@pytest.fixture
def desk(graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path) -> Desk:
    return Desk(tmp_path, environment(tmp_path / "data", neo4j_server))


async def names(graph: Connection) -> list[str]:
    return [row["name"] for row in await graph.reader.rows("MATCH (p:Profile) RETURN p.t_name AS name ORDER BY name")]


async def nothing(graph: Connection) -> bool:
    """No run was begun, and nothing is there of any record."""
    kept = "MATCH (n) WHERE NOT n:Migration AND NOT n:MigrationLock AND NOT n:PolicyVersion RETURN count(n) AS many"
    (row,) = await graph.reader.rows(kept)
    return row["many"] == 0


UNUSABLE = {
    "an unknown key": (MAPPING + "colour = 'red'\n", "crm.toml: ", "colour"),
    "an unknown column": (MAPPING.replace('"name" }', '"nmae" }'), "crm.toml: message[0].traits.name: ", "`nmae`"),
    "no TOML": ("source = \n", "crm.toml: ", "line 1"),
    "a bad expression": (MAPPING.replace('"seen"', '"seen |"'), "crm.toml: message[0].time", "seen |"),
    "an unknown kind": (MAPPING.replace('"identify"', '"jump"'), "crm.toml: ", "jump"),
}


@pytest.mark.parametrize(("mapping", "place", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_a_mapping_that_cannot_be_used_ends_with_2_and_its_place(
    desk: Desk, graph: Connection, mapping: str, place: str, reason: str
) -> None:
    ended = desk.load("contacts.csv", HEADER + ANN, mapping)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert place in ended.stderr
    assert reason in ended.stderr
    assert await nothing(graph)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("contacts.csv", "", "contacts.csv:1: the file is empty; its first line must name the columns"),
        ("contacts.csv", "id,email,email\n", "contacts.csv:1: column 3 `email` comes twice"),
        ("contacts.doc", HEADER + ANN, "contacts.doc: the name does not say what it is; name the format"),
    ],
)
async def test_a_file_that_cannot_be_read_at_all_ends_with_2(
    desk: Desk, graph: Connection, name: str, content: str, said: str
) -> None:
    ended = desk.load(name, content)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert await nothing(graph)


async def test_a_file_that_is_not_there_and_a_csv_without_mapping_end_with_2(desk: Desk, graph: Connection) -> None:
    absent = here(desk.settings, "load", desk.folder / "absent.jsonl")
    assert (absent.returncode, "absent.jsonl: No such file or directory" in absent.stderr) == (2, True)
    unmapped = desk.load("contacts.csv", HEADER + ANN, None)
    assert (unmapped.returncode, "a CSV file needs a mapping" in unmapped.stderr) == (2, True)
    assert await nothing(graph)


async def test_of_several_files_one_that_cannot_be_read_holds_up_none_of_the_others(
    desk: Desk, graph: Connection
) -> None:
    folder = desk.folder / "several"
    folder.mkdir()
    for name, content in (("a.csv", HEADER + ANN), ("b.csv", ""), ("c.csv", "id,name\n1,X\n"), ("d.csv", HEADER + BOB)):
        (folder / name).write_text(content)
    (desk.folder / "crm.toml").write_text(MAPPING)
    ended = here(desk.settings, "load", folder, "--mapping", desk.folder / "crm.toml")
    assert ended.returncode == 2
    assert "not loaded: b.csv:1: the file is empty" in ended.stderr
    assert "the file has no column" in ended.stderr
    assert ended.stdout.count("1 committed") == 2
    assert await names(graph) == ["Ann", "Bob"]


BAD_ROWS = {
    "a broken encoding": (HEADER + ANN).encode() + b"c9,x\xff@example.com,X,2026-01-01\n" + BOB.encode(),
    "too few cells": HEADER + ANN + "c9,x@example.com\n" + BOB,
    "too many cells": HEADER + ANN + "c9,x@example.com,X,2026-01-01,more\n" + BOB,
    "a quote within a cell": HEADER + ANN + 'c9,"x"@example.com,X,2026-01-01\n' + BOB,
}
SAID = {
    "a broken encoding": "byte 0xff at character 5 is not utf-8; convert it",
    "too few cells": "the row has 2 cells, the header 4 (wrong_columns)",
    "too many cells": "the row has 5 cells, the header 4 (wrong_columns)",
    "a quote within a cell": "(broken_row)",
}


@pytest.mark.parametrize("what", BAD_ROWS)
async def test_a_bad_row_is_told_with_its_line_and_the_others_are_kept(
    desk: Desk, graph: Connection, what: str
) -> None:
    ended = desk.load("contacts.csv", BAD_ROWS[what])
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (
        3,
        "contacts.csv: 3 records, 2 committed, 0 known already, 1 rejected",
    )
    assert "  rejected contacts.csv:3: " in ended.stdout
    assert SAID[what] in ended.stdout
    assert await names(graph) == ["Ann", "Bob"]
    (letter,) = await dead_letters(graph.reader)
    assert (letter.source, letter.rejection.place) == ("crm", "contacts.csv:3")


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("c2,bob@exam", "the row has 2 cells, the header 4; the file ends in the middle of the line (wrong_columns)"),
        ('c2,"bob@exam', "a quote is opened and never closed"),
    ],
)
async def test_a_truncated_last_line_is_told_and_the_whole_file_is_loaded_later(
    desk: Desk, graph: Connection, cut: str, said: str
) -> None:
    ended = desk.load("contacts.csv", HEADER + ANN + cut)
    assert (ended.returncode, await names(graph)) == (3, ["Ann"])
    assert f"rejected contacts.csv:3: {said}" in ended.stdout
    whole = desk.load("contacts.csv", HEADER + ANN + BOB)
    assert (whole.returncode, whole.stdout) == (0, "contacts.csv: 2 records, 1 committed, 1 known already\n")
    assert await names(graph) == ["Ann", "Bob"]


async def test_of_a_truncated_gzip_what_can_be_unpacked_is_loaded_and_the_rest_when_the_file_is_whole(
    desk: Desk, graph: Connection
) -> None:
    """Every row is loaded, or named as lost by a dead letter, and none of them is there twice."""
    chance = Random(1)
    rows = [f"c{number},c{number}@example.com,{chance.random()},2026-01-01\n" for number in range(900)]
    packed = gzip.compress((HEADER + "".join(rows)).encode(), mtime=0)
    ended = desk.load("contacts.csv.gz", packed[: len(packed) // 2])
    (run,) = await runs(graph.reader)
    letters = await dead_letters(graph.reader)
    assert (ended.returncode, run.state, run.counts.rejected) == (3, "finished", len(letters))
    assert {each.rejection.code for each in letters} == {"broken_archive"}
    read, lost = run.counts.committed, [each.rejection.place for each in letters]
    assert 0 < read < 900
    assert lost[-1] == f"contacts.csv.gz:{read + 2}" or lost[0] == f"contacts.csv.gz:{read + 2}"
    whole = desk.load("contacts.csv.gz", packed)
    assert (whole.returncode, whole.stdout) == (
        0,
        f"contacts.csv.gz: 900 records, {900 - read} committed, {read} known already\n",
    )
    assert len(await names(graph)) == 900


ROWS = 500_000 if settings.get_current_profile_name() == "prove" else 1_200


async def test_a_broken_byte_in_the_last_row_but_one_of_many_costs_that_row_alone(
    desk: Desk, graph: Connection
) -> None:
    """In `make prove` it is row 500,000."""
    good = "".join(f"d{number},,,\n" for number in range(ROWS - 1)).encode()
    ended = desk.load("contacts.csv", HEADER.encode() + good + b"c,,Zo\xeb,\n" + BOB.encode())
    said = f"contacts.csv: {ROWS + 1:,} records, {ROWS:,} committed, 0 known already, 1 rejected"
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (3, said)
    (letter,) = await dead_letters(graph.reader)
    assert (letter.rejection.code, letter.rejection.place) == ("broken_encoding", f"contacts.csv:{ROWS + 1}")
    (row,) = await graph.reader.rows("MATCH (i:Interaction)-[:BY]->() RETURN count(i) AS many")
    assert row["many"] == ROWS


async def test_bad_lines_of_jsonl_are_told_listed_and_kept_once(desk: Desk, graph: Connection) -> None:
    lines = ['{"type":"identify","userId":"u1","messageId":"m1"}', "{", '{"type":"track","event":"x"}', "7"]
    for known in ("1 committed, 0 known already", "0 committed, 1 known already"):
        ended = desk.load("some.jsonl", "\n".join(lines), None)
        assert (ended.returncode, ended.stdout.splitlines()[0]) == (3, f"some.jsonl: 4 records, {known}, 3 rejected")
    listed = done(desk.settings, "deadletters", "list").splitlines()
    assert sorted(line.split(" ", 6)[3:6] for line in listed) == [
        ["web", "some.jsonl:2", "not_json:"],
        ["web", "some.jsonl:3", "no_identifier:"],
        ["web", "some.jsonl:4", "not_an_object:"],
    ]
    assert [(run.state, run.counts.rejected) for run in await runs(graph.reader)] == [("finished", 3)] * 2


async def test_what_was_rejected_is_loaded_once_the_mapping_is_mended(desk: Desk, graph: Connection) -> None:
    broken = MAPPING.replace('value = "id", key = true', 'value = "seen", key = true')
    ended = desk.load("contacts.csv", HEADER + ANN + "c2,,Bob,\n", broken)
    assert (ended.returncode, await names(graph)) == (3, ["Ann"])
    assert "crm finished: 2 records, 1 committed, 1 rejected (line 3, 100%" in done(desk.settings, "runs").replace(
        " contacts.csv by crm.toml", ""
    )
    mended, replay = desk.file("crm.toml", MAPPING), ("deadletters", "replay", "--all")
    lost = here(desk.settings, *replay)
    assert (lost.returncode, "name another with --mapping" in lost.stdout) == (3, True)
    tried = done(desk.settings, *replay, "--mapping", mended, "--dry-run")
    assert tried == "1 would be loaded (1 committed), 0 fail again, 0 cannot be replayed\n"
    assert done(desk.settings, *replay, "--mapping", mended).startswith("1 loaded (1 committed)")
    assert await names(graph) == ["Ann", "Bob"]
    assert done(desk.settings, *replay).startswith("0 loaded")
    assert "0 differences" in done(desk.settings, "verify")


async def test_dead_letters_are_dropped_by_what_is_named(desk: Desk) -> None:
    desk.load("contacts.csv", HEADER + "c1\nc2\n")
    unnamed = here(desk.settings, "deadletters", "drop")
    assert (unnamed.returncode, "or else --all" in unnamed.stderr) == (2, True)
    first = done(desk.settings, "deadletters", "list").split(" ")[0]
    assert done(desk.settings, "deadletters", "drop", "--id", first) == "1 dropped\n"
    assert done(desk.settings, "deadletters", "drop", "--code", "wrong_columns", "--dry-run") == "1 would be dropped\n"
    assert done(desk.settings, "deadletters", "drop", "--all") == "1 dropped\n"


async def test_changed_columns_are_a_warning_or_where_that_is_wanted_an_error(desk: Desk, graph: Connection) -> None:
    desk.load("contacts.csv", HEADER + ANN)
    changed = desk.file("later.csv", "id,email,name,seen,city\nc2,bob@example.com,7,2026-01-02,Ulm\n")
    load = ("load", changed, "--mapping", desk.folder / "crm.toml")
    strict = here(desk.settings, *load, "--strict")
    assert (strict.returncode, "nothing is loaded" in strict.stderr, await names(graph)) == (2, True, ["Ann"])
    ended = here(desk.settings, *load)
    assert ended.returncode == 0
    assert "since the last load columns new: city" in ended.stderr
    assert "columns of another kind: name (text before, number now)" in ended.stderr


async def test_a_dry_run_says_the_same_and_writes_nothing(desk: Desk, graph: Connection) -> None:
    file, mapping = desk.file("contacts.csv", HEADER + ANN + "c9\n"), desk.file("crm.toml", MAPPING)
    ended = here(desk.settings, "load", file, "--mapping", mapping, "--dry-run")
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (3, "contacts.csv: 2 records, 1 messages, 1 rejected")
    assert "rejected contacts.csv:3: " in ended.stdout
    assert "identify" in ended.stdout.splitlines()[-2]
    assert ended.stdout.splitlines()[-1] == "people whom all messages name: 0 now, 1 then"
    assert await nothing(graph)


async def test_a_draft_is_checked_tried_and_loaded(desk: Desk, graph: Connection) -> None:
    sent = '{"type":"identify","messageId":"%s","traits":{"email":"%s@example.com","name":"%s"}}'
    desk.load("some.jsonl", "\n".join(sent % each for each in (("m1", "ann", "Ann"), ("m2", "bob", "Bob"))), None)
    file = desk.file("people.csv", "id,e_mail,phone\n7,ann@example.com,+491712345678\n8,cy@example.com,+491712345678\n")
    drafted = desk.file("draft.toml", done(desk.settings, "map", "suggest", file))
    assert "people_contact" in done(desk.settings, "map", "check", drafted, file)
    assert "for the source people" in done(desk.settings, "map", "check", drafted)
    other = desk.file("joining.csv", "id,email,other\n1,ann@example.com,bob@example.com\n")
    mapping = desk.file("joining.toml", JOINING)
    tried = done(desk.settings, "load", other, "--mapping", mapping, "--dry-run").splitlines()
    assert "people whom all messages name: 2 now, 1 then" in tried
    assert any(line.startswith("  would be one: ") and "email:ann@example.com" in line for line in tried)
    assert await names(graph) == ["Ann", "Bob"]
    assert done(desk.settings, "load", other, "--mapping", mapping).startswith("joining.csv: 1 records, 1 committed")
    assert len(await names(graph)) == 1


JOINING = """
source = "joining"
[[message]]
kind = "identify"
identifiers = [
  { namespace = "email", value = "email", key = true },
  { namespace = "email", value = "other", key = true },
]
"""
