"""To which accounts people belong, against the real Neo4j: in pages by an index that every writer keeps."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.accounts import After
from graph.belonging import belonging_to, memberships_in, memberships_of
from graph.connection import Connection
from graph.counting import count_of_memberships
from graph.found_by import lost_memberships, lost_uses
from graph.identifiers import shared_identifiers_of
from graph.ingestion import commit_batch
from graph.migrations import shipped
from identity.identifiers import ProfileId
from identity.messages import AccountStatement, MessageKind
from tests.building import RECEIVED, default_policy, identify, message, minting
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANNA, BEN = ProfileId("anna"), ProfileId("ben")
KEYS = ("user_id:anna", "email:anna@fern.no", "crm.id:7")
ACCOUNTS = [f"account:{letter}" for letter in "abcdef"]
MERGE = """
UNWIND $rows AS row
MATCH (gone:Account {key: row.one})
MATCH (kept:Account {key: row.head})
CREATE (gone)-[:MERGED_INTO]->(kept)
"""
FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


def world(said: Sequence[tuple[str, str]]) -> World:
    made = World().person("anna", *KEYS).person("ben", "user_id:ben")
    for account in ACCOUNTS:
        made.account(account, account)
    for key, account in said:
        made.member(key, account).member(key, account, "owner")
    return made


async def merge(graph: Connection, merged: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Merge accounts; the one that each goes by."""
    heads = {account: account for account in ACCOUNTS}
    for one, other in merged:
        gone, kept = heads[one], heads[other]
        heads |= {account: kept for account, head in heads.items() if head == gone}
    rows = [{"one": account, "head": head} for account, head in heads.items() if account != head]
    await graph.writer.command(MERGE, rows=rows)
    return heads


@FEW
@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ACCOUNTS)), max_size=9, unique=True),
    st.lists(st.permutations(ACCOUNTS).map(lambda order: (order[0], order[1])), max_size=4),
    st.integers(1, 4),
)
async def test_each_account_comes_once_where_the_first_of_its_keys_stands(
    graph: Connection, said: list[tuple[str, str]], merged: list[tuple[str, str]], first: int
) -> None:
    await graph.writer.command("MATCH (n:Profile|Identifier|Account) DETACH DELETE n")
    await world(said).write(graph.writer)
    heads = await merge(graph, merged)
    expected: dict[str, str] = {}
    for account in sorted({account for _, account in said}):
        expected.setdefault(heads[account], account)
    place, found = "", list[tuple[str, str]]()
    while page := (await memberships_of(graph.reader, [After(ANNA, place)], first, ("owner",))).get(After(ANNA, place)):
        found += [(each.account.key, each.place) for each in page]
        assert {each.belonging.role for each in page} == {"owner"}
        place = page[-1].place
    assert found == list(expected.items())
    assert (await count_of_memberships(graph.reader, [ANNA]))[ANNA].number == len(expected)
    for asked in ({heads["account:a"]}, set(heads.values())):
        belongs = await belonging_to(graph.reader, [ANNA, BEN], asked)
        assert belongs.get(ANNA, frozenset()) == asked & expected.keys()
        assert BEN not in belongs
    among = tuple(sorted(expected))[:2]
    chosen = (await memberships_in(graph.reader, [(ANNA, among)], ("owner",))).get((ANNA, among), ())
    assert [each.account.key for each in chosen] == list(among)


async def test_what_is_committed_is_found(graph: Connection) -> None:
    mints = minting()
    told = [
        identify("u1", "a1", email="info@fern.no"),
        identify("u2", "a2", email="info@fern.no", at=1),
        replace(message(MessageKind.GROUP, [("user_id", "u1")], at=2), account=AccountStatement("account:fern")),
    ]
    await commit_batch(graph.writer, told, default_policy(), lambda: next(mints), RECEIVED)
    assert (await lost_memberships(graph.reader), await lost_uses(graph.reader)) == ([], [])
    (row,) = await graph.reader.rows(
        "MATCH (p:Profile)<-[:IDENTIFIES]-(:Identifier {key: 'user_id:u1'}) RETURN p.id AS id"
    )
    (shared,) = (await shared_identifiers_of(graph.reader, [(row["id"], "")], 5)).values()
    assert [each.identifier.key for each in shared] == ["email:info@fern.no"]
    assert [ask.owner for ask in await memberships_of(graph.reader, [After(row["id"])], 5, ())] == [row["id"]]


async def test_data_of_before_is_found_after_the_migration(graph: Connection) -> None:
    made = world([(KEYS[0], ACCOUNTS[0])]).person("box", "phone:+4799887766", shared="values")
    await made.shares("anna", "phone:+4799887766").write(graph.writer)
    await graph.writer.command(
        "MATCH ()-[r:MEMBER_OF|SHARED_BY]->() SET r.who = null, r.of = null, r.what = null, r.mint = null"
    )
    assert await lost_memberships(graph.reader) == [(KEYS[0], ACCOUNTS[0])]
    assert await lost_uses(graph.reader) == [("phone:+4799887766", ANNA)]
    for migration in shipped():
        for statement in migration.statements if migration.name in ("belonging", "members") else ():
            await graph.writer.command(statement)
    assert (await lost_memberships(graph.reader), await lost_uses(graph.reader)) == ([], [])
