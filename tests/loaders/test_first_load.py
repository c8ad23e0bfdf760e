"""A big history loaded at first and as a whole leaves the graph that loading it batch by batch leaves."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from graph.connection import Connection, connected
from graph.dead_letters import dead_letters
from graph.errors import NotEmptyError
from graph.first_load.emptiness import flag_differing, kept_nodes
from graph.first_load.gathering import Gathering
from graph.first_load.tables import Facts
from graph.first_load.writing import completed
from graph.ingestion import Outcome, commit_batch
from graph.migrations import migrate
from graph.namespaces import declare, declared_namespaces
from graph.pending import drain_pending
from graph.policies import held_in
from graph.rebuild import verify
from graph.runs import runs
from graph.server.configuration import ServerSettings
from graph.server.local import import_local, local_neo4j
from identity.messages import Json, Message, SourceName, micros
from loaders.first_load import Gatherer, Part
from loaders.mapping import mapping_from_toml
from loaders.runs import Into, load_file
from loaders.sources import Source
from tests.building import RECEIVED, default_policy, minting

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
NOW = micros(RECEIVED)

CRM = """
source = "crm"
authority = "imported"
namespaces = { crm_contact = { role = "Contact", unique = true } }

[[message]]
kind = "identify"
id = { template = "contact:{id}" }
time = "seen"
identifiers = [{ namespace = "crm_contact", value = "id", key = true }, { namespace = "email", value = "email" }]
traits = { name = "name", note = "note" }
[message.account]
namespace = "crm_account"
value = "account"
role = "role"
parent = "parent"
traits = { name = "account" }

[[message.about]]
subject = "Deal"
id = "deal"
facts = { stage = "note" }
account = { template = "crm_account:{account}" }
"""
CONTACTS = """id,email,name,note,seen,account,role,parent,deal
c1,ann@x.com,"Ann ""A"", B","two
lines",2026-01-02T00:00:00Z,a1,owner,a2,d1
c2,bob@x.com,Bob,,2026-01-03T00:00:00Z,a2,,a1,d1
c3,cleo@x.com,Cleo,x,no moment,a1,,,
,,,,2026-01-05T00:00:00Z,,,,
"""


def item(minute: int, kind: str = "track", **said: Json) -> dict[str, Json]:
    own = {"messageId": f"m{minute}", "type": kind, "timestamp": f"2026-02-01T{minute // 60:02}:{minute % 60:02}:00Z"}
    return {**own, **({"event": "Viewed"} if kind == "track" else {}), **said}


LOGIN = item(2, "identify", userId="u1", anonymousId="a1", traits={"email": "Ann@x.com", "age": 7, "tags": ["x", ""]})


def web_items() -> list[Mapping[str, Json]]:
    """Logins, a shared tablet, a shared address, aliases in both orders, repeats, things, odd texts."""
    tablet = [
        step
        for number in range(3)
        for step in (
            item(100 + 10 * number, "identify", userId=f"u{number}", anonymousId="tablet", traits={"plan": number}),
            item(101 + 10 * number, anonymousId="tablet", event="Product Viewed"),
        )
    ]
    return [
        item(1, anonymousId="a1", event='Viewed, "twice"\nand more'),
        LOGIN,
        item(3, "alias", userId="u9", previousId="a-before"),
        item(4, "alias", userId="u8", previousId="u7"),
        item(5, "identify", userId="u7", traits={"age": 7.5, "name": "Zoë \u2028 Ünal"}),
        item(6, "alias", userId="u6", previousId="a7"),
        item(7, anonymousId="a7", properties={"text": 'a,b\n"c"', "n": 1.5, "empty": ""}),
        item(8, "identify", userId="u5", traits={"email": "shared@x.com", "name": None}),
        item(9, "identify", userId="u4", traits={"email": "shared@x.com"}),
        item(10, "group", userId="u4", groupId="g1", traits={"name": "Group, Inc."}),
        item(11, "identify", userId="null", traits={"email": "nobody"}),
        LOGIN,
        *tablet,
        item(200, event="Order Completed", userId="u1", properties={"order_id": "o1", "total": 12.5, "products": []}),
        {"type": "track"},
    ]


def parts_in(folder: Path) -> list[Part]:
    web, later, contacts = folder / "web.jsonl", folder / "later.jsonl", folder / "contacts.csv"
    web.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in web_items()))
    later.write_bytes(msgspec.json.encode(item(1, anonymousId="a1", event="another text")))
    contacts.write_text(CONTACTS)
    mapping = mapping_from_toml(CRM, "crm.toml")
    sender = Source(name=SourceName("web"))
    return [Part(web, sender), Part(later, sender), Part(contacts, mapping.source, mapping)]


async def begun(graph: Connection, parts: Sequence[Part]) -> list[tuple[str, Facts]]:
    """What a graph holds before anything is loaded: a policy, and what the sources declare."""
    await held_in(graph.reader, graph.writer, default_policy(), NOW)
    for part in parts:
        await declare(graph.writer, part.source.namespaces, part.source.name)
    return await kept_nodes(graph.reader)


async def load_in_batches(graph: Connection, parts: Sequence[Part]) -> None:
    mints = minting()

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(graph.writer, messages, default_policy(), lambda: next(mints), RECEIVED)

    for part in parts:
        into = Into(graph, commit, lambda: next(mints), lambda: RECEIVED)
        await load_file(part.origin, part.source, into, mapping=part.mapping)


@asynccontextmanager
async def loaded_at_first(
    parts: Sequence[Part], kept: Sequence[tuple[str, Facts]], graph: Connection, folder: Path
) -> AsyncIterator[Connection]:
    """A Neo4j of its own whose store was imported."""
    mints, settings, files = minting(), ServerSettings(folder / "data", heap_mb=512), folder / "files"
    settings.data_dir.mkdir()
    files.mkdir()
    policy = default_policy().with_namespaces(await declared_namespaces(graph.reader))
    with Gathering(files, policy, NOW) as gathering:
        gatherer = Gatherer(gathering, lambda: next(mints), lambda: RECEIVED)
        for part in parts:
            await gatherer.read(part, lambda _: None)
        made = completed(gathering, policy, kept, "crm, web", lambda: next(mints), lambda _: None)
    await import_local(settings, made.arguments, made.hold)
    async with (
        local_neo4j(settings) as server,
        connected(server.uri, server.user, server.password) as connection,
    ):
        await migrate(connection.writer, RECEIVED)
        await connection.writer.write(flag_differing, gathering.differing)
        await drain_pending(connection.writer, default_policy(), NOW)
        yield connection


async def test_it_is_the_graph_that_loading_in_batches_leaves(graph: Connection, tmp_path: Path) -> None:
    parts = parts_in(tmp_path)
    kept = await begun(graph, parts)
    await load_in_batches(graph, parts)
    async with loaded_at_first(parts, kept, graph, tmp_path) as imported:
        assert await verify(imported.reader, default_policy()) == ()
        for found, wanted in zip(await contents(imported), await contents(graph), strict=True):
            assert (found - wanted, wanted - found) == (Counter(), Counter())
        assert await told_of_runs(imported) == await told_of_runs(graph)
        with pytest.raises(NotEmptyError, match="nodes already"):
            await kept_nodes(imported.reader)


async def told_of_runs(connection: Connection) -> tuple[list[object], set[str]]:
    """Runs with their counts, and dead letters. Of refused links messages are warned in batches alone."""
    found = [
        (each.load, each.state, each.position, replace(each.counts, warned=0), each.form)
        for each in await runs(connection.reader)
    ]
    return sorted(found, key=str), {each.id for each in await dead_letters(connection.reader)}


NODES = "MATCH (n) WHERE n:Identifier OR n:Profile OR n:Interaction OR n:Observation OR n:Account OR n:Deal OR n:Order \
OR n:Product OR n:Namespace OR n:PolicyVersion RETURN labels(n) AS labels, properties(n) AS facts"
LINKS = """MATCH (a)-[r]->(b) WHERE NOT a:Change
RETURN type(r) AS type, properties(r) AS facts, coalesce(a.key, a.id) AS a, coalesce(b.key, b.id) AS b"""
MEMBERS = "MATCH (p:Profile)<-[:IDENTIFIES]-(i:Identifier) WITH p, i.key AS key ORDER BY key \
RETURN p.id AS id, collect(key) AS keys"
# What is handed out, or tells when something was done.
ASIDE = frozenset({
    "mint", "minted_at", "minted_by", "moved_at", "touched", "recorded_at", "last_recorded_at", "received_at", "steps",
    "account_at", "in_force_at", "who", "what",
})  # fmt: skip


async def contents(connection: Connection) -> tuple[Counter[str], Counter[str]]:
    """All nodes and relationships; profiles by their identifiers, without mints and moments of recording."""
    reader = connection.reader
    people = {row["id"]: ",".join(row["keys"]) for row in await reader.rows(MEMBERS)}
    nodes = Counter(f"{sorted(row['labels'])} {_shown(row['facts'], people)}" for row in await reader.rows(NODES))
    links = Counter(
        f"{row['type']} {people.get(row['a'], row['a'])} -> {people.get(row['b'], row['b'])} {_shown(row['facts'], {})}"
        for row in await reader.rows(LINKS)
    )
    return nodes, links


def _shown(facts: Mapping[str, object], people: Mapping[str, str]) -> str:
    kept = {name: value for name, value in sorted(facts.items()) if name not in ASIDE}
    if str(facts.get("id")) in people:
        kept["id"] = people[str(facts["id"])]
    return str(kept)
