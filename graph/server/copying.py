"""The copier: a small program of its own that writes what one Neo4j store holds into a new one, and nothing else.

Deleted bytes stay in the files of a store; one that is written anew has none. Both stores are opened in this process
without any connector. Rows go from one to the other as Java values, so that Python handles pages and never a node.
Like the launcher it imports nothing of Selfsame: lines of JSON on its standard output say how far it is, the last one
what it counted, or why it could not.
"""

import importlib.util
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import jpype

PAGE = 5_000

HIGHEST = "CYPHER 5 MATCH (n) RETURN coalesce(max(id(n)), -1) AS highest"
HIGHEST_LINK = "CYPHER 5 MATCH ()-[r]->() RETURN coalesce(max(id(r)), -1) AS highest"

NODES = """CYPHER 5
UNWIND range($start, $end) AS number
MATCH (n)
WHERE id(n) = number
RETURN collect({number: number, labels: labels(n), facts: properties(n)}) AS rows
"""

WRITE_NODES = """CYPHER 5
UNWIND $rows AS row
CREATE (n)
SET n = row.facts, n:$(row.labels)
RETURN collect(row.number) AS numbers, collect(id(n)) AS ids
"""

LINKS = """CYPHER 5
UNWIND range($start, $end) AS number
MATCH (a)-[r]->(b)
WHERE id(r) = number
WITH collect({a: id(a), b: id(b), type: type(r), facts: properties(r)}) AS rows
RETURN rows, [row IN rows | row.a] AS starts, [row IN rows | row.b] AS ends
"""

WRITE_LINKS = """CYPHER 5
UNWIND range(0, size($rows) - 1) AS place
WITH $rows[place] AS row, $starts[place] AS start, $ends[place] AS end
MATCH (a)
WHERE id(a) = start
MATCH (b)
WHERE id(b) = end
CREATE (a)-[r:$(row.type)]->(b)
SET r = row.facts
RETURN count(r) AS written
"""

COUNTS = """CYPHER 5
CALL () {
  MATCH (n)
  RETURN count(n) AS nodes, sum(size(keys(n)) + size(labels(n))) AS of_nodes
}
CALL () {
  MATCH ()-[r]->()
  RETURN count(r) AS links, sum(size(keys(r))) AS of_links
}
RETURN nodes, links, of_nodes + of_links AS properties
"""

UNFINISHED = "MATCH (e:Erasure) RETURN count(e) AS unfinished"

SCHEMA = """
SHOW INDEXES YIELD type, owningConstraint, createStatement
WHERE type <> 'LOOKUP' AND owningConstraint IS NULL
RETURN createStatement AS statement
"""
CONSTRAINTS = "SHOW CONSTRAINTS YIELD createStatement RETURN createStatement AS statement"


def main() -> None:
    """Copy until done; exit status 0: the new store is whole, or an erasure has to be finished first; 1: it failed."""
    asked = _arguments()
    launcher = _launcher()
    answers = launcher._private_output()  # noqa: SLF001 - the launcher beside this file, read by its path
    launcher._stop_when_told(asked.parent, 0)  # noqa: SLF001 - what is cut off is thrown away by whoever starts next
    try:
        launcher.start_java(asked)
        counted = _copied(asked, lambda **said: launcher._answer(answers, **said))  # noqa: SLF001
    except Exception as error:  # noqa: BLE001 - an edge: Java's exceptions become one line and an exit status
        launcher._answer(answers, failed=launcher._causes(error))  # noqa: SLF001
        os._exit(1)
    launcher._answer(answers, **({"done": counted} if counted else {"unfinished": True}))  # noqa: SLF001
    os._exit(0)


def _arguments() -> Namespace:
    parser = ArgumentParser(description="Copies the local Neo4j's store. Started by Selfsame, not by hand.")
    parser.add_argument("--home", type=Path, required=True, help="Neo4j's home: what is copied")
    parser.add_argument("--to", type=Path, required=True, help="the new home, with the system database in it")
    parser.add_argument("--conf", type=Path, required=True, help="a neo4j.conf without connectors")
    parser.add_argument("--jars", type=Path, required=True, help="a folder with its jars")
    parser.add_argument("--heap-mb", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True, help="the process whose end ends this one")
    parser.add_argument("--archive", type=Path, help="classes linked ahead of time")
    parser.set_defaults(record=None)
    return parser.parse_args()


def _launcher() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launcher", Path(__file__).with_name("child.py"))
    if spec is None or spec.loader is None:
        raise FileNotFoundError("child.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _copied(asked: Namespace, tell: Any) -> dict[str, int] | None:  # noqa: ANN401 - a function of keyword arguments
    """How much was copied; nothing while an erasure is not finished."""
    services = [_opened(home, asked.conf) for home in (asked.home, asked.to)]
    old, new = (each.database("neo4j") for each in services)
    try:
        if int(_rows(old, UNFINISHED)["unfinished"]):
            return None
        counted = _rows(old, COUNTS)
        whole = {name: int(counted[name]) for name in ("nodes", "links", "properties")}
        ids = _copy_nodes(old, new, whole, tell)
        _copy_links(old, new, ids, whole, tell)
        _copy_schema(old, new)
        found = _rows(new, COUNTS)
        if any(int(found[name]) != count for name, count in whole.items()):
            raise RuntimeError(f"the copy holds {found}, not {whole}")
    finally:
        for each in services:
            each.shutdown()
    return whole


def _opened(home: Path, conf: Path) -> Any:  # noqa: ANN401 - a Java object
    path = jpype.JClass("java.nio.file.Path").of
    builder = jpype.JClass("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")(path(str(home)))
    return builder.loadPropertiesFromFile(path(str(conf))).build()


def _rows(database: Any, statement: str, **parameters: object) -> Any:  # noqa: ANN401 - Java values
    """The only row of a statement, in a transaction of its own."""
    transaction = database.beginTx()
    try:
        row = transaction.execute(statement, _map(parameters)).next()
        transaction.commit()
        return row
    finally:
        transaction.close()


def _map(parameters: dict[str, object]) -> Any:  # noqa: ANN401 - a Java map
    made = jpype.JClass("java.util.HashMap")()
    for name, value in parameters.items():
        made.put(name, jpype.JLong(value) if isinstance(value, int) else value)
    return made


def _copy_nodes(old: Any, new: Any, whole: dict[str, int], tell: Any) -> Any:  # noqa: ANN401 - Java objects
    """Copy every node; a list in which the place of an old id holds the new one."""
    highest = int(_rows(old, HIGHEST)["highest"])
    collections = jpype.JClass("java.util.Collections")
    ids = jpype.JClass("java.util.ArrayList")(collections.nCopies(highest + 1, jpype.JLong(-1)))
    done = 0
    for start in range(0, highest + 1, PAGE):
        rows = _rows(old, NODES, start=start, end=min(start + PAGE - 1, highest))["rows"]
        made = _rows(new, WRITE_NODES, rows=rows)
        numbers, fresh = made["numbers"], made["ids"]
        for number, each in zip(numbers, fresh, strict=True):
            ids.set(int(number), each)
        done += len(numbers)
        tell(done=done, total=whole["nodes"] + whole["links"])
    return ids


def _copy_links(old: Any, new: Any, ids: Any, whole: dict[str, int], tell: Any) -> None:  # noqa: ANN401 - Java objects
    highest = int(_rows(old, HIGHEST_LINK)["highest"])
    done = whole["nodes"]
    for start in range(0, highest + 1, PAGE):
        page = _rows(old, LINKS, start=start, end=min(start + PAGE - 1, highest))
        # Of the ids only those of the page go along: Neo4j turns every parameter into values of its own.
        starts, ends = (_places(page[name], ids) for name in ("starts", "ends"))
        done += int(_rows(new, WRITE_LINKS, rows=page["rows"], starts=starts, ends=ends)["written"])
        tell(done=done, total=whole["nodes"] + whole["links"])


def _places(numbers: Any, ids: Any) -> Any:  # noqa: ANN401 - Java lists
    """The new ids that stand in the places of old ones."""
    found = jpype.JClass("java.util.ArrayList")(len(numbers))
    for number in numbers:
        found.add(ids.get(int(number)))
    return found


def _copy_schema(old: Any, new: Any) -> None:  # noqa: ANN401 - Java objects
    """Make every constraint and index anew, and wait until each is filled."""
    reading = old.beginTx()
    statements = [
        str(row["statement"]) for asked in (CONSTRAINTS, SCHEMA) for row in reading.execute(asked).stream().toList()
    ]
    reading.close()
    for statement in statements:
        made = new.beginTx()
        made.execute(statement)
        made.commit()
        made.close()
    waiting = new.beginTx()
    waiting.schema().awaitIndexesOnline(1, jpype.JClass("java.util.concurrent.TimeUnit").HOURS)
    waiting.close()


if __name__ == "__main__":
    main()
