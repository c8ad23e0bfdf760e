"""Files as Neo4j's importer reads them: types of columns, quoted texts, rows with line breaks apart."""

import csv
from io import StringIO
from pathlib import Path

from graph.first_load.tables import End, Tables


def written(folder: Path) -> dict[str, list[list[str]]]:
    texts = {path.name: path.read_bytes().decode() for path in sorted(folder.glob("*.csv"))}
    return {name: list(csv.reader(StringIO(text, newline=""))) for name, text in texts.items()}


def test_a_column_has_the_type_of_its_values_and_an_empty_cell_fits_any(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.node("Thing", "key", {"key": "a", "size": None, "good": True, "tags": ["x", "y"], "spans": [1, 2]})
    tables.node("Thing", "key", {"key": "b", "size": 2, "good": None, "tags": None, "spans": None})
    assert "--array-delimiter=U+0001" in tables.closed()
    files = written(tmp_path)
    assert files["000-Thing-key.header.csv"] == [
        ["key:ID(Thing)", "size:long", "good:boolean", "tags:string[]", "spans:long[]"]
    ]
    assert files["000-Thing-key.rows.csv"] == [["a", "", "true", "x\x01y", "1\x012"], ["b", "2", "", "", ""]]


def test_a_value_of_another_type_goes_to_a_table_of_its_own(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for size in (1, "large", 2.5, 3):
        tables.node("Thing", "key", {"key": str(size), "size": size})
    arguments = tables.closed()
    assert [rows for name, rows in written(tmp_path).items() if "rows" in name] == [
        [["1", "1"], ["3", "3"]], [["large", "large"]], [["2.5", "2.5"]]
    ]  # fmt: skip
    assert sum(each.startswith("--nodes=Thing=") for each in arguments) == 3


def test_quotes_are_doubled_and_rows_with_line_breaks_go_to_files_of_their_own(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.node("Thing", "key", {"key": 'a "b", c', "text": ""})
    tables.node("Thing", "key", {"key": "two\nlines", "text": "\r"})
    arguments = tables.closed()
    assert (tmp_path / "000-Thing-key.rows.csv").read_text() == '"a ""b"", c",""\n'
    assert written(tmp_path)["000-Thing-key.lines.csv"] == [["two\nlines", "\r"]]
    assert f"--multiline-fields={tmp_path}/000-Thing-key.lines.csv" in arguments


def test_a_relationship_names_the_labels_and_the_keys_of_its_ends(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.relationship("OF", End("Observation", "o"), End("Identifier", "i"), {"since": 1})
    assert tables.closed()[0].startswith("--relationships=OF=")
    assert written(tmp_path) == {
        "000-OF-Observation-Identifier.header.csv": [[":START_ID(Observation)", ":END_ID(Identifier)", "since:long"]],
        "000-OF-Observation-Identifier.rows.csv": [["o", "i", "1"]],
    }
    assert (tables.nodes, tables.relationships) == (0, 1)
