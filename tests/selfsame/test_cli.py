"""The command line as a person or a script meets it: what is printed where, and the exit status."""

import csv
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from neo4j.exceptions import TransientError

from graph.connection import Connection
from graph.keys import Scope, all_keys, hash_of
from graph.server.errors import DiskFullError
from identity.messages import Authority
from selfsame.cli.exits import Exit, explained
from selfsame.cli.export import harmless
from selfsame.errors import SettingsInvalidError
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here
from tests.walks.sending import Sent, identify, track

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

COUPLE = [identify("u1", "a1", email="fam@example.com"), identify("u2", email="fam@example.com"), track("a1")]


@pytest.fixture
def settings(graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "data", neo4j_server)


def written(folder: Path, messages: list[Sent]) -> Path:
    file = folder / "some.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, messages)))
    return file


# Exit statuses


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SettingsInvalidError("SELFSAME_PORT cannot be used"), Exit.USAGE),
        (ExceptionGroup("tasks", [ExceptionGroup("tasks", [DiskFullError("full")])]), Exit.REFUSED),
        (BrokenPipeError(), Exit.DONE),
        (PermissionError("no"), Exit.REFUSED),
        (TransientError("a deadlock"), Exit.AWAY),
        (ZeroDivisionError("oops"), Exit.FAULT),
    ],
)
def test_an_error_ends_a_command_with_its_status(error: Exception, status: Exit) -> None:
    assert explained(error) is status


def test_a_fault_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    explained(ZeroDivisionError("oops"))
    assert capsys.readouterr().err == "selfsame: a fault in Selfsame itself: ZeroDivisionError: oops\n"


@pytest.mark.parametrize(
    ("variables", "arguments", "status", "said"),
    [
        ({"SELFSAME_PORT": "much"}, ["verify"], 2, "SELFSAME_PORT cannot be used"),
        ({"SELFSAME_POLICY": "absent"}, ["verify"], 2, "SELFSAME_POLICY: `absent` is no preset"),
        ({"SELFSAME_CONFIG": "/absent.toml"}, ["verify"], 2, "/absent.toml, which cannot be read"),
        ({"SELFSAME_NEO4J_PASSWORD": "wrong"}, ["keys", "list"], 4, "does not answer"),
        ({"SELFSAME_NEO4J_URI": "bolt://127.0.0.1:1"}, ["runs"], 4, "bolt://127.0.0.1:1 does not answer"),
        ({}, ["keys", "create", "--scope", "read", "--source", "x"], 2, "only a writing key has a source"),
        ({}, ["keys", "create", "--scope", "boss"], 2, "boss"),
        ({}, ["keys", "create", "--scope", "write", "--authority", "divine"], 2, "--authority is one of"),
        ({}, ["keys", "create", "--scope", "write", "--origin", "shop"], 2, "`shop` is no origin"),
        ({}, ["keys", "create", "--scope", "read", "--require-signature"], 2, "only a writing key sends"),
        ({}, ["keys", "create", "--scope", "write", "--pii"], 2, "for keys of scope `read`"),
        ({}, ["keys", "create", "--scope", "read", "--account", "fern"], 2, "`fern` is no key of an account"),
        ({}, ["keys", "revoke", "nobody"], 2, "names no key that works"),
        (
            {},
            ["keys", "create", "--scope", "read", "--expires", "2001-01-01"],
            2,
            "--expires names a moment that is over",
        ),
        ({"SELFSAME_ORIGINS": "https://x.com/page"}, ["verify"], 2, "SELFSAME_ORIGINS cannot be used"),
        ({"SELFSAME_USER_ID_SECRETS": "short"}, ["verify"], 2, "SELFSAME_USER_ID_SECRETS cannot be used"),
        ({}, ["export", "graph", "--around", "nobody@example.com"], 2, "nobody is known by email:nobody@example.com"),
        ({}, ["export", "graph", "--around", "null"], 2, "`null` names nobody"),
        ({}, ["load", "some.jsonl", "--authority", "divine"], 2, "--authority is one of"),
        ({}, ["jump"], 2, "No such command"),
    ],
)
async def test_what_cannot_be_used_ends_with_a_sentence(
    settings: dict[str, str], variables: dict[str, str], arguments: list[str], status: int, said: str
) -> None:
    ended = here(settings | variables, *arguments)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (status, "", True), ended.stderr
    assert "Traceback" not in ended.stderr


# Verbs


async def test_keys_create_prints_only_the_key(settings: dict[str, str], graph: Connection) -> None:
    write = here(settings, "keys", "create", "--scope", "write", "--source", "shop", "--label", "the shop")
    read = here(settings, "keys", "create", "--scope", "read")
    assert [each.stderr for each in (write, read)] == ["", ""]
    assert [each.stdout.count("\n") for each in (write, read)] == [1, 1]
    keys = {each.hash: each for each in await all_keys(graph.reader)}
    made = [keys[hash_of(each.stdout.strip())] for each in (write, read)]
    assert [(each.scope, each.source, each.label) for each in made] == [
        (Scope.WRITE, "shop", "the shop"),
        (Scope.READ, None, None),
    ]
    listed = done(settings, "keys", "list")
    assert "the shop" in listed
    assert write.stdout.strip() not in listed


async def test_a_key_is_rotated_and_revoked_by_its_label_or_its_hash(
    settings: dict[str, str], graph: Connection
) -> None:
    terms = ("--label", "the portal", "--pii", "--account", "account:fern", "--origin", "https://portal.example")
    first = here(settings, "keys", "create", "--scope", "read", *terms).stdout.strip()
    second = here(settings, "keys", "rotate", "the portal", "--days", "2").stdout.strip()
    keys = {each.hash: each for each in await all_keys(graph.reader)}
    old, new = keys[hash_of(first)], keys[hash_of(second)]
    assert (new.label, new.pii, new.accounts, new.origins) == (old.label, True, ("account:fern",), old.origins)
    assert (old.replaced_by, new.expires_at) == (new.hash, None)
    assert here(settings, "keys", "revoke", old.hash[:12]).stdout == f"{old.hash[:12]} is revoked\n"
    assert {each.hash for each in await all_keys(graph.reader) if each.revoked_at} == {old.hash}
    listed = " ".join(here(settings, "keys", "list").stdout.split())
    assert "revoked" in listed
    assert second not in listed


async def test_a_writing_key_may_be_of_some_pages_and_of_more_or_less_authority(
    settings: dict[str, str], graph: Connection
) -> None:
    terms = ("--origin", "https://Shop.example/", "--authority", "verified", "--require-signature")
    terms += ("--expires", "2999-12-31")
    secret = here(settings, "keys", "create", "--scope", "write", *terms).stdout.strip()
    (key,) = [each for each in await all_keys(graph.reader) if each.hash == hash_of(secret)]
    assert (key.origins, key.authority, key.requires_signature) == (("https://shop.example",), Authority.VERIFIED, True)
    assert key.expires_at == datetime(2999, 12, 31, tzinfo=UTC)
    listed = " ".join(done(settings, "keys", "list").split())
    assert "signature required" in listed
    assert "2999-12-31" in listed


async def test_what_a_spreadsheet_would_execute_is_kept_and_exported_as_text(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """A hostile visitor chooses a user id; somebody opens the export in a spreadsheet."""
    formulas = ["=HYPERLINK(1)", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\uff1d1+1", "a=b"]
    done(
        settings,
        "load",
        written(tmp_path, [identify(each) for each in formulas] + [identify("u1", phone="+442079460010")]),
    )

    def values(*options: str) -> set[str]:
        return {row["value"] for row in csv.DictReader(done(settings, "export", "identifiers", *options).splitlines())}

    assert values("--raw") == {*formulas, "u1", "+442079460010"}
    assert values() == {*(f"'{each}" for each in formulas[:-1]), "a=b", "u1", "+442079460010"}


@pytest.mark.parametrize(
    ("cell", "written"),
    [("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("", ""), ("-7", "-7"), ("-7.5", "-7.5"), ("--7", "'--7"), ("'=1", "'=1")],
)
def test_a_cell_gets_an_apostrophe_only_where_it_would_be_executed(cell: str, written: str) -> None:
    assert harmless(cell) == written


async def test_export_identifiers_has_a_line_per_identifier_sorted(settings: dict[str, str], tmp_path: Path) -> None:
    done(settings, "load", written(tmp_path, COUPLE))
    rows = list(csv.DictReader(done(settings, "export", "identifiers", "--format", "csv").splitlines()))
    assert list(rows[0]) == ["profile_id", "namespace", "value"]
    assert rows == sorted(rows, key=lambda row: (row["profile_id"], row["namespace"], row["value"]))
    people: dict[str, list[str]] = {}
    for row in rows:
        people.setdefault(row["profile_id"], []).append(f"{row['namespace']}:{row['value']}")
    assert sorted(people.values()) == [
        ["anonymous_id:a1", "user_id:u1"],
        ["email:fam@example.com"],
        ["user_id:u2"],
    ]


async def test_export_graph_writes_what_stands_around_one(settings: dict[str, str], tmp_path: Path) -> None:
    done(settings, "load", written(tmp_path, COUPLE))
    about = ("export", "graph", "--around", "fam@example.com", "--hops", "2", "--format")
    told = json.loads(done(settings, *about, "json"))
    assert {"user_id:u1", "user_id:u2", "email:fam@example.com"} <= {node["id"] for node in told["nodes"]}
    assert {edge["relationship"] for edge in told["edges"]} >= {"LINKED", "IDENTIFIES", "SHARED_BY"}
    drawn = ET.fromstring(done(settings, *about, "graphml"))  # noqa: S314 -- our own text
    assert len(drawn.findall(".//{*}node")) == len(told["nodes"])
    assert ET.fromstring(done(settings, *about, "svg")).tag.endswith("svg")  # noqa: S314 -- our own text


async def test_a_file_loaded_again_changes_nothing_and_both_runs_are_listed(
    settings: dict[str, str], tmp_path: Path
) -> None:
    file = written(tmp_path, COUPLE)
    assert done(settings, "load", file) == "some.jsonl: 3 records, 3 committed, 0 known already\n"
    assert done(settings, "load", file) == "some.jsonl: 3 records, 0 committed, 3 known already\n"
    listed = done(settings, "runs")
    assert listed.count("some.jsonl") == listed.count("finished") == 2


async def test_damage_is_found_by_verify_and_mended_by_rebuild(
    settings: dict[str, str], graph: Connection, tmp_path: Path
) -> None:
    done(settings, "load", written(tmp_path, COUPLE))
    before = done(settings, "export", "identifiers")
    await graph.writer.command("MATCH (:Identifier {key: 'user_id:u1'})-[i:IDENTIFIES]->() DELETE i")
    await graph.writer.command("MATCH ()-[l:LINKED]->() SET l.accepted = true REMOVE l.reason")
    found = here(settings, "verify")
    assert (found.returncode, found.stdout.startswith("verify: ")) == (1, True)
    assert "user_id:u1" in found.stdout
    assert "`selfsame rebuild` writes what follows from the evidence" in found.stdout
    assert done(settings, "rebuild") == "rebuild: 3 profiles stand as the evidence says\n"
    assert done(settings, "verify") == "verify: 0 differences\n"
    assert done(settings, "export", "identifiers") == before


async def test_a_database_of_a_newer_version_is_left_alone(settings: dict[str, str], graph: Connection) -> None:
    await graph.writer.command("CREATE (:Migration {number: 9999, name: 'later', checksum: 'x', at: 0})")
    try:
        ended = here(settings, "verify")
        assert (ended.returncode, ended.stdout) == (6, "")
        assert "newer" in ended.stderr
    finally:
        await graph.writer.command("MATCH (m:Migration {number: 9999}) DELETE m")
