"""Orders that a source tells of under a name of its own, from its file to GraphQL."""

from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from graph.policies import follow
from identity.messages import Json
from tests.loaders.mappings import mapping
from tests.loaders.test_runs import Stage
from tests.resolvers.calling import Caller, caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ORDERED = """
[[message]]
kind = "track"
id = "nr"
time = "am"
name = { const = "%s" }
identifiers = [{ namespace = "email", value = "mail" }]
about = [{ subject = "Order", id = "nr", facts = { total = "summe" } }]
"""
KINDS = """
[kinds]
order = ["Bestellung"]
"""
RECORDS = [{"nr": str(n), "am": f"2026-03-0{n}T10:00:00Z", "mail": "ann@example.com", "summe": n} for n in (1, 2)]
ASKED = """{
  profile(by: { identifier: { namespace: "email", value: "ann@example.com" } }) {
    orders { edges { node { key placedAt total { amount } } } }
    interactions { edges { node { __typename } } }
    found: interactions(filter: { kinds: [ORDER] }) { edges { node { name } } }
  }
}"""


async def seen(me: Caller) -> tuple[Json, int]:
    """Her orders, the types of what she did, what is found by the kind; and how many statements it took."""
    me.statements.clear()
    person = (await me.ask(ASKED))["profile"]
    orders = [edge["node"]["key"] for edge in person["orders"]["edges"]]
    types = [edge["node"]["__typename"] for edge in person["interactions"]["edges"]]
    return (orders, types, [edge["node"]["name"] for edge in person["found"]["edges"]]), len(me.statements)


async def test_orders_under_a_name_of_a_sources_own_are_orders_once_its_mapping_says_so(
    graph: Connection, tmp_path: Path
) -> None:
    file, stage, me = tmp_path / "orders.jsonl", Stage(graph), caller(graph)
    file.write_bytes(b"\n".join(map(orjson.dumps, RECORDS)))
    await stage.load(file, mapping(ORDERED % "Bestellung"))
    before, _ = await seen(me)
    assert before == ([], ["TrackEvent", "TrackEvent"], [])
    await stage.load(file, mapping(ORDERED % "Bestellung" + KINDS))  # the same messages: nothing is stored anew
    await follow(graph.reader, me.world.held)
    found, statements = await seen(me)
    assert found == (["crm:2", "crm:1"], ["OrderEvent", "OrderEvent"], ["Bestellung", "Bestellung"])
    await graph.writer.command("MATCH (i:Interaction) SET i.name = 'Order Placed'")
    again, as_standard = await seen(me)
    assert (again[:2], as_standard) == (found[:2], statements)
