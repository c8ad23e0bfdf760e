"""The tables of a CRM, exported one by one, with references to records that come later, or never, and records merged.

Fivetran's samples are sampled table by table: no deal contact and no ticket contact is in the table of contacts. So a
row that names a record stands for it until that comes, and whichever comes first, the end is the same.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from graph.connection import Connection
from graph.ingestion import Outcome, commit_batch
from graph.namespaces import declared_namespaces
from graph.rebuild import verify
from graph.runs import Counts
from identity.messages import Message
from identity.policy import Policy
from loaders.mapping import SourceMapping, mapping_named
from loaders.runs import Into, load_file
from tests.building import RECEIVED, default_policy, minting
from tests.serving import empty, require
from tests.walks.test_snowplow_web import FOLDER

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j, pytest.mark.shared_data]

TABLES = FOLDER / "fivetran-crm-events"
MAPPINGS = sorted((Path(__file__).parents[2] / "docs" / "examples" / "fivetran").glob("*.toml"))
MINT = minting()
MERGED = {"76340251", "46897301", "76226001"}

PEOPLE = "MATCH (i:Identifier)-[:IDENTIFIES]->(p) WITH p, i.key AS key ORDER BY key RETURN collect(key) AS keys"
THINGS = """MATCH (n:Deal|Ticket|Campaign|Account)
RETURN labels(n)[0] AS label, n.key AS key, n.facts AS facts, n.account AS account, n.traits AS traits
ORDER BY label, key"""
TRAITS = "MATCH (p:Profile) WHERE p.t_first_name IS NOT NULL RETURN p.t_first_name AS name ORDER BY name"
ABOUT = """MATCH (i:Interaction)-[:ABOUT]->(n)
RETURN i.id AS id, labels(n)[0] AS label, n.key AS key ORDER BY id, label, key"""


@pytest.fixture(autouse=True)
def _present() -> None:
    require(TABLES.is_dir(), f"the sample data in {TABLES} (SELFSAME_SHARED_DATA names another folder)")


async def load(graph: Connection, mappings: Sequence[Path]) -> tuple[Counts, Policy]:
    """All tables, each by its mapping; the policy that their namespaces make."""
    counts = Counts()

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(graph.writer, messages, default_policy(), lambda: next(MINT), RECEIVED)

    for path in mappings:
        mapping: SourceMapping = mapping_named(str(path))
        into = Into(graph, commit, lambda: f"{path.stem} {next(MINT)}", lambda: RECEIVED)  # noqa: B023 -- used at once
        report = await load_file(TABLES / f"{path.stem}.csv", mapping.source, into, mapping=mapping)
        assert report.noted.rejections == [], path.stem
        counts += report.counts
    return counts, default_policy().with_namespaces(await declared_namespaces(graph.reader))


async def state(graph: Connection) -> tuple[object, ...]:
    """Who is who, what is known of everything, and what is about what; without ids and moments of arrival."""
    people, *rest = [await graph.reader.rows(each) for each in (PEOPLE, THINGS, TRAITS, ABOUT)]
    return (sorted(row["keys"] for row in people), *rest)


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_the_tables_give_the_same_in_any_order_and_a_second_time_nothing(graph: Connection) -> None:
    first, policy = await load(graph, MAPPINGS)
    assert (first.repeats, first.differing, first.rejected) == (0, 0, 0)
    once = await state(graph)
    again, _ = await load(graph, MAPPINGS)
    assert (again.committed, again.repeats) == (0, first.committed)
    assert await state(graph) == once
    assert await verify(graph.reader, policy) == ()
    await empty(graph.writer)
    reordered, policy = await load(graph, MAPPINGS[::-1])
    assert reordered == first
    assert await state(graph) == once
    assert await verify(graph.reader, policy) == ()
    await _hold(graph, once)


async def _hold(graph: Connection, found: tuple[object, ...]) -> None:
    """What the tables say: merged contacts are one, a dangling reference stands for its record, facts stay."""
    people = found[0]
    assert isinstance(people, list)
    (one,) = (keys for keys in people if "hubspot_contact:78971951" in keys)
    assert {f"hubspot_contact:{each}" for each in MERGED} <= set(one)
    for row in table("hubspot_contact_merge_audit"):
        both = {f"hubspot_contact:{row['canonical_vid']}", f"hubspot_contact:{row['vid_to_merge']}"}
        assert any(both <= set(keys) for keys in people)
    known = {key for keys in people for key in keys}
    assert {f"hubspot_contact:{row['contact_id']}" for row in table("hubspot_deal_contact")} <= known
    things = {row["key"]: row for row in await graph.reader.rows(THINGS) if row["label"] == "Deal"}
    assert {f"hubspot:{row['deal_id']}" for row in table("hubspot_deal_contact")} <= things.keys()
    assert all(things[f"hubspot:{row['deal_id']}"]["account"] for row in table("hubspot_deal_company"))
    told = [row for row in table("hubspot_deal") if row["is_deleted"] != "true"]
    assert all(row["property_dealname"] in things[f"hubspot:{row['deal_id']}"]["facts"] for row in told)
