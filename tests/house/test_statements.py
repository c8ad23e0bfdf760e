"""Every statement constant of graph/ is planned by the real Neo4j: none reads all nodes, none a whole label unsaid."""

import ast
import importlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graph.connection import Connection, connected
from graph.packing import packed
from tests.house.reading import File, files
from tests.serving import Neo4jAddress, empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

STARTS = re.compile(r"\s*(MATCH|OPTIONAL MATCH|UNWIND|MERGE|CREATE|CALL|WITH|RETURN|CYPHER)\b")
SCHEMA = re.compile(r"\s*(CREATE|DROP) (CONSTRAINT|[A-Z]* ?INDEX)\b")
SCANS = ("NodeByLabelScan", "NodeIndexScan", "RelationshipTypeScan", "AllRelationshipsScan", "UnionNodeByLabelsScan")
DECLARED = "label scan"
ORDERED = "in its order"
SORTS = frozenset({"Sort", "Top"})  # not their partial forms, which keep the order of an index
# Copies a whole store that nobody else has open: what it is for is to read everything.
COPIER = Path("graph/server/copying.py")


@dataclass(frozen=True)
class Statement:
    name: str
    cypher: str
    scan_declared: bool
    ordered: bool


def statements() -> Iterator[Statement]:
    for file in files("graph"):
        if file.path == COPIER:
            continue
        module = importlib.import_module(".".join(file.path.with_suffix("").parts).removesuffix(".__init__"))
        for name, line in constants(file):
            value = getattr(module, name)
            if isinstance(value, str) and STARTS.match(value) and not SCHEMA.match(value):
                said = comment_above(file, line).lower()
                yield Statement(f"{file.path}:{name}", value, DECLARED in said, said.endswith(ORDERED))


def constants(file: File) -> Iterator[tuple[str, int]]:
    for node in file.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            yield node.targets[0].id, node.lineno


def comment_above(file: File, line: int) -> str:
    above = reversed(file.lines[: line - 1])
    comment = []
    for each in above:
        if not each.startswith("#"):
            break
        comment.append(each)
    return "\n".join(comment)


def operators(plan: dict[str, object]) -> Iterator[str]:
    yield str(plan["operatorType"]).partition("@")[0]
    children = plan.get("children", [])
    assert isinstance(children, list)
    for child in children:
        yield from operators(child)


def rows(plan: Mapping[str, Any]) -> Iterator[str]:
    """The operators that the rows of an answer come through; what gathers lists for them may sort."""
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", [])[:1]:
        yield from rows(child)


@pytest.fixture(scope="module")
async def nothing(neo4j_server: Neo4jAddress) -> AsyncIterator[Connection]:
    """An empty graph for all of these, which write nothing."""
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        yield connection


@pytest.mark.parametrize("statement", tuple(statements()), ids=lambda statement: statement.name)
async def test_a_statement_is_anchored_on_an_index_and_its_columns_are_read_off(
    nothing: Connection, statement: Statement
) -> None:
    """Planned once: as it is sent, but that Neo4j says its columns instead of packing them."""
    sent = packed(statement.cypher)
    asked = f"{sent.text.rpartition('RETURN')[0]}RETURN *" if sent.columns else sent.text
    async with nothing.driver.session() as session:
        result = await session.run(f"EXPLAIN {asked}")  # type: ignore[arg-type]  # a constant, made an EXPLAIN
        columns = set(result.keys())
        plan = (await result.consume()).plan
    assert plan is not None
    assert set(sent.columns) == columns
    found = set(operators(plan))
    assert "AllNodesScan" not in found
    assert statement.scan_declared or not [each for each in found if each.endswith(SCANS)], found
    assert not statement.ordered or not SORTS.intersection(rows(plan)), found


# On a graph of a few hundred nodes the planner likes to read a whole index for each key, and that plan is kept.
ANCHOR = re.compile(r"MATCH \((\w*):(Identifier|Profile|Interaction|Observation|Account) \{(key|id|mint): .*\n(.*)")


def test_a_match_of_a_unique_key_says_that_it_seeks() -> None:
    silent = [
        f"{statement.name}: {found[0].splitlines()[0]}"
        for statement in statements()
        for found in ANCHOR.finditer(statement.cypher)
        if found[4].strip() != f"USING INDEX SEEK {found[1]}:{found[2]}({found[3]})"
    ]
    assert silent == []
