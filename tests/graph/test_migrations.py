"""Migrations against the real Neo4j, with numbers far above the shipped ones."""

from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
import pytest

from graph.connection import Connection
from graph.errors import MigrationChangedError, SchemaTooNewError
from graph.migrations import Applied, Migration, applied_migrations, migrate, missing, parsed, shipped
from insight.suggestions import folded, mail_domain
from tests.building import START

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

TEXT = """// A trial.
CREATE CONSTRAINT trial_key IF NOT EXISTS FOR (t:Trial) REQUIRE t.key IS UNIQUE;
// Data may follow, in a transaction of its own.
MERGE (:Trial {key: 'one;two'});
"""
TRIAL = parsed(9001, "trial", TEXT)
KNOWN = (*shipped(), TRIAL)


@pytest.fixture
async def untried(graph: Connection) -> AsyncIterator[Connection]:
    await migrate(graph.writer, START)
    yield graph
    await graph.writer.command("DROP CONSTRAINT trial_key IF EXISTS")
    await graph.writer.command("MATCH (n:Trial|Migration) WHERE n.number >= 9000 OR n:Trial DETACH DELETE n")


def remembered(migration: Migration) -> Applied:
    return Applied(migration.number, migration.name, migration.checksum)


def test_a_file_is_statements_between_semicolons_at_line_ends() -> None:
    assert TRIAL.statements == (
        "CREATE CONSTRAINT trial_key IF NOT EXISTS FOR (t:Trial) REQUIRE t.key IS UNIQUE",
        "MERGE (:Trial {key: 'one;two'})",
    )


def test_shipped_migrations_are_numbered_without_gaps() -> None:
    assert [each.number for each in shipped()] == list(range(1, len(shipped()) + 1))


def test_what_is_applied_is_not_missing() -> None:
    assert missing(KNOWN, [remembered(each) for each in KNOWN[:-1]]) == (TRIAL,)


def test_line_ends_of_another_system_change_no_checksum() -> None:
    assert parsed(9001, "trial", TEXT.replace("\n", "\r\n")) == TRIAL


async def test_a_migration_is_applied_once(untried: Connection) -> None:
    assert await migrate(untried.writer, START, KNOWN) == (TRIAL,)
    assert await migrate(untried.writer, START, KNOWN) == ()
    assert (await applied_migrations(untried.reader))[-1] == remembered(TRIAL)


async def test_four_processes_at_once_apply_it_once(untried: Connection) -> None:
    applied: list[tuple[Migration, ...]] = []

    async def one() -> None:
        applied.append(await migrate(untried.writer, START, KNOWN))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(one)
    assert sorted(applied) == [(), (), (), (TRIAL,)]


async def test_a_database_newer_than_the_code_is_refused(untried: Connection) -> None:
    await migrate(untried.writer, START, KNOWN)
    with pytest.raises(SchemaTooNewError, match="migration 9001 `trial`, which this version does not know"):
        await migrate(untried.writer, START)


async def test_a_changed_migration_is_refused(untried: Connection) -> None:
    await migrate(untried.writer, START, KNOWN)
    changed = (*shipped(), replace(TRIAL, checksum="0" * 64))
    with pytest.raises(MigrationChangedError, match="put the change into a new migration"):
        await migrate(untried.writer, START, changed)


async def test_indexes_are_online_afterwards(untried: Connection) -> None:
    await migrate(untried.writer, START, KNOWN)
    states = await untried.reader.rows("SHOW INDEXES YIELD state RETURN DISTINCT state")
    assert [row["state"] for row in states] == ["ONLINE"]


ADDRESSES = [
    "a.nn+news@gmail.com",
    "ann@googlemail.com",
    "a.nn@acme.com",
    "+tag@acme.com",
    "a+b+c@acme.com",
    "ann@x.com",
]
DOMAINS = ["https://www.Acme.com/de?x=1", "acme.com:8080", " ACME.co.uk ", "acme", "ann@acme.com", "www.x.org"]


async def test_data_of_before_gets_what_suggestions_are_found_by(graph: Connection) -> None:
    write = "UNWIND $emails AS email CREATE (:ContactPoint:Identifier {namespace: 'email', key: email, value: email})"
    await graph.writer.command(write, emails=ADDRESSES)
    await graph.writer.command("UNWIND $all AS domain CREATE (:Account {key: domain, domain: domain})", all=DOMAINS)
    migration = next(each for each in shipped() if each.name == "suggestions")
    for statement in migration.statements:
        await graph.writer.command(statement)
    emails = await graph.reader.rows(
        "MATCH (i:ContactPoint) RETURN i.key AS key, i.folded AS fold, i.mail_domain AS at"
    )
    assert {row["key"]: (row["fold"] or row["key"], row["at"]) for row in emails} == {
        each: (folded(each), each.partition("@")[2]) for each in ADDRESSES
    }
    accounts = await graph.reader.rows("MATCH (a:Account) RETURN a.key AS key, a.mail_domain AS domain")
    assert {row["key"]: row["domain"] for row in accounts} == {each: mail_domain(each) for each in DOMAINS}
