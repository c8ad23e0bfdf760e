"""The sample sets by the mappings of docs/examples: twice is once, and no order or splitting makes other people.

Snowplow's events, by the mapping of the catalogue, are compared with Snowplow's own result in test_snowplow_web.py;
here of the larger sets so many rows are loaded as show the rule.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from networkx import Graph, connected_components

from graph.connection import Connection
from graph.ingestion import Outcome, commit_batch
from graph.rebuild import verify
from identity.identifiers import Blocked, normalise
from identity.messages import Message
from identity.policy import Namespace, Role
from loaders.mapping import CATALOG, mapping_named
from loaders.runs import Into, Origin, RunReport, load_file
from loaders.tables import Table
from tests.building import RECEIVED, default_policy, minting
from tests.serving import empty, require

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j, pytest.mark.shared_data]

FOLDER = Path(os.environ.get("SELFSAME_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
POLICY = default_policy().with_namespaces([Namespace(name="soc_sec_id", role=Role.CONTACT_POINT, priority=2)])
People = set[frozenset[str]]


@dataclass(frozen=True)
class Part:
    """A file and its mapping. most: so many of its rows."""

    file: str
    mapping: Path
    most: int = 200


def part(file: str, mapping: str, most: int = 200) -> Part:
    return Part(file, EXAMPLES / f"{mapping}.toml", most)


SETS = {
    "febrl": [part("febrl-people/dataset1.csv", "febrl_people", 250)],
    "splink": [part("splink-people/fake_1000.csv", "splink_people", 200)],
    "idr": [
        part("idr-three-sources/sample_crm_customers.csv", "idr_crm"),
        part("idr-three-sources/sample_orders.csv", "idr_orders"),
        part("idr-three-sources/sample_pos_transactions.csv", "idr_pos"),
    ],
    "edges": [part("identity-edges/idr_test.csv", "identity_edges")],
    "northwind": [
        part("northwind-crm/customers.csv", "northwind_customers"),
        part("northwind-crm/employees.csv", "northwind_employees"),
        part("northwind-crm/suppliers.csv", "northwind_suppliers"),
        part("northwind-crm/orders.csv", "northwind_orders", 50),
    ],
    "snowplow": [Part("snowplow-web-events/events.csv", CATALOG / "snowplow_web.toml")],
}


@pytest.fixture(autouse=True)
def _present() -> None:
    require(FOLDER.is_dir(), f"the sample data in {FOLDER} (SELFSAME_SHARED_DATA names another folder)")


def rows_of(each: Part) -> list[list[str]]:
    """The header and the first rows of a file as they are, blanks after the delimiters with them."""
    with (FOLDER / each.file).open(encoding="utf-8", newline="") as file:
        return list(islice(csv.reader(file), each.most + 1))


def written(rows: Sequence[Sequence[str]], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def shuffled(parts: Iterable[Part], folder: Path) -> list[tuple[Path, Path]]:
    """Two halves of each part in another order, and the halves of all parts in another order, too."""
    random, halves = Random(7), []
    for each in parts:
        header, *rows = rows_of(each)
        random.shuffle(rows)
        name = Path(each.file).name
        halves += [(written([header, *rows[at::2]], folder / f"{at}-{name}"), each.mapping) for at in range(2)]
    random.shuffle(halves)
    return halves


class Stage:
    """A graph to load into."""

    def __init__(self, graph: Connection) -> None:
        self.graph, self.mint = graph, minting()

    async def load(self, origin: Origin, mapping: Path) -> RunReport:
        made = mapping_named(str(mapping))
        if isinstance(origin, Table):
            assert made.table == origin.selection
        return await load_file(
            origin, made.source, Into(self.graph, self._commit, lambda: next(self.mint), lambda: RECEIVED), mapping=made
        )

    async def _commit(self, messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(self.graph.writer, messages, default_policy(), lambda: next(self.mint), RECEIVED)

    async def begin(self) -> None:
        await empty(self.graph.writer)

    async def people(self) -> People:
        """The identifiers of each person, as everything that is stored says and as it follows from the evidence."""
        assert await verify(self.graph.reader, default_policy()) == ()
        found = await self.graph.reader.rows("""
            MATCH (i:Identifier)-[:IDENTIFIES]->(p:Profile)
            RETURN p.id AS person, collect(i.key) AS keys""")
        return {frozenset(row["keys"]) for row in found}


def joined(records: Iterable[Mapping[str, str]], node: str, *by: str) -> People:
    """The people whom equal values join: each record is a node, and so is each value that it has."""
    graph: Graph[str] = Graph()
    for each in records:
        graph.add_node(f"{node}{each[by[0]]}")
        for name in by[1:]:
            value = normalise(name, each[name], POLICY, None)
            if not isinstance(value, Blocked):
                graph.add_edge(f"{node}{each[by[0]]}", f"{name}:{value.value}")
    return {frozenset(each) for each in connected_components(graph)}


def records_of(each: Part) -> Iterator[dict[str, str]]:
    header, *rows = rows_of(each)
    return (dict(zip(map(str.strip, header), map(str.strip, row), strict=True)) for row in rows)


EXPECTED = {
    "febrl": lambda: joined(records_of(SETS["febrl"][0]), "febrl_record:", "rec_id", "soc_sec_id"),
    "splink": lambda: joined(records_of(SETS["splink"][0]), "splink_record:fake_1000-", "unique_id", "email"),
}


@pytest.fixture
def stage(graph: Connection) -> Stage:
    return Stage(graph)


def committed(reports: Iterable[RunReport]) -> int:
    return sum(each.counts.committed for each in reports)


@pytest.mark.parametrize("name", SETS)
async def test_a_set_loaded_twice_changes_nothing_and_its_order_makes_no_other_people(
    stage: Stage, tmp_path: Path, name: str
) -> None:
    files = [(written(rows_of(each), tmp_path / Path(each.file).name), each.mapping) for each in SETS[name]]
    first = [await stage.load(*each) for each in files]
    people = await stage.people()
    assert [each.noted.rejections for each in first] == [[] for _ in files]
    assert committed(first) > 0 == committed([await stage.load(*each) for each in files])
    assert await stage.people() == people
    expected = EXPECTED[name]() if name in EXPECTED else people
    assert (people - expected, expected - people) == (set(), set())

    await stage.begin()
    assert committed([await stage.load(*each) for each in shuffled(SETS[name], tmp_path)]) == committed(first)
    assert await stage.people() == people


async def people_of(stage: Stage, namespaces: Sequence[str]) -> People:
    """The people, told by identifiers of some namespaces alone."""
    shown = ({key for key in each if key.partition(":")[0] in namespaces} for each in await stage.people())
    return {frozenset(each) for each in shown if each}


async def test_three_sources_of_one_shop_are_ten_people(stage: Stage) -> None:
    for each in SETS["idr"]:
        await stage.load(FOLDER / each.file, each.mapping)
    keys = {"crm": "idr_customer:", "ord": "idr_order:", "pos": "idr_receipt:"}
    truth = {
        frozenset(keys[each[:3]] + each[3:] for each in person.split())
        for person in (
            "crm1 crm4 crm6 ord101 ord106 pos1001 pos1004 pos1010", "crm2 crm9 ord102 pos1002 pos1008", "crm3 ord104",
            "crm5 ord105 pos1005", "crm7 ord107 pos1006", "crm8 ord108", "crm10 ord109 ord110 pos1009", "ord103",
            "pos1003", "pos1007",
        )
    }  # fmt: skip
    assert await people_of(stage, [each.rstrip(":") for each in keys.values()]) == truth


async def test_the_edges_of_an_identity_graph_make_its_groups(stage: Stage) -> None:
    (edges,) = SETS["edges"]
    await stage.load(FOLDER / edges.file, edges.mapping)
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for row in records_of(edges):
        groups[row["group"]] |= {f"{row['type_1']}:{row['node_1']}", f"{row['type_2']}:{row['node_2']}"}
    assert await stage.people() == set(map(frozenset, groups.values()))


async def test_northwinds_reporting_lines_are_teams_within_teams(stage: Stage) -> None:
    employees = SETS["northwind"][1]
    await stage.load(FOLDER / employees.file, employees.mapping)
    rows = await stage.graph.reader.rows("MATCH (a:Account)-[:PART_OF]->(b:Account) RETURN a.key AS a, b.key AS b")
    lines = {(each["EmployeeID"], each["ReportsTo"]) for each in records_of(employees) if each["ReportsTo"]}
    assert len(lines) == 8
    assert {(row["a"], row["b"]) for row in rows} == {
        (f"northwind_team:{one}", f"northwind_team:{other}") for one, other in lines
    }


async def test_chinook_is_loaded_from_its_database_twice_and_changes_nothing_the_second_time(stage: Stage) -> None:
    url = f"sqlite:///{FOLDER}/chinook-sql/Chinook_Sqlite.sqlite"
    counts = []
    for _ in range(2):
        for name in ("customers", "employees", "invoices"):
            mapping = EXAMPLES / f"chinook_{name}.toml"
            selection = mapping_named(str(mapping)).table
            assert selection is not None
            report = await stage.load(Table(url, selection), mapping)
            assert report.noted.rejections == []
            counts.append((report.counts.records, report.counts.committed))
    assert counts == [(59, 59), (8, 8), (412, 412), (59, 0), (8, 0), (412, 0)]
    assert len(await people_of(stage, ["chinook_customer"])) == 59
    assert await stage.graph.reader.rows("MATCH (i:Interaction {name: 'Order Completed'}) RETURN count(*) AS many") == [
        {"many": 412}
    ]
