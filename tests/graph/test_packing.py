"""The columns of a statement, read off its text. tests/house asks the same of every statement that there is."""

import pytest

from graph.packing import columns_of, packed

SAID = {
    "MATCH (n) RETURN n.a AS a, n.b AS b": ("a", "b"),
    "MATCH (n)\nRETURN\n  n {.*, x: 1} AS n,\n  CASE WHEN n.a THEN 1 END\n  AS what\nORDER BY a, b LIMIT 3": (
        "n",
        "what",
    ),
    "UNWIND $keys AS key RETURN key": ("key",),
    "UNWIND $keys AS key RETURN DISTINCT key": ("key",),
    "UNWIND $keys AS key RETURN DISTINCT key AS one, [x IN key | x.y] AS other SKIP 1": ("one", "other"),
    "RETURN 1 AS a, 2 AS b UNION ALL RETURN 3 AS a, 4 AS b": ("a", "b"),
    "RETURN ', (x AS y' AS a, \"RETURN 1 AS z\" AS b": ("a", "b"),
    "RETURN 1 AS a // , 2 AS b": (),
    "RETURN s.limit AS limit, s.order AS order": ("limit", "order"),
    "RETURN COLLECT { MATCH (m) RETURN m.x AS x } AS found": ("found",),
    "CALL () { MATCH (n) RETURN n.x AS x } SET x.y = 1": (),
    "MATCH (n) SET n.x = 1": (),
    "MATCH (n) RETURN n.x": (),
    "MATCH (n) RETURN n.x AS `a b`": (),
}


@pytest.mark.parametrize(("statement", "columns"), SAID.items())
def test_columns_are_read_off_a_statement(statement: str, columns: tuple[str, ...]) -> None:
    assert columns_of(statement) == columns
    assert packed(statement).columns == columns


def test_parameters_are_fields_of_one() -> None:
    said = "UNWIND $rows AS row MERGE (i:X {a: '$5', b: $now}) SET i:$(row.role), i.`$c` = \"$d\""
    assert (
        packed(said).text == "UNWIND $p.rows AS row MERGE (i:X {a: '$5', b: $p.now}) SET i:$(row.role), i.`$c` = \"$d\""
    )
