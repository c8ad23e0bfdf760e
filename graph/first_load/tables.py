"""What a graph holds as files for Neo4j's importer: a table for each kind of node and of relationship.

The type of a column is that of its values. Where two rows of one kind have values of two types in one column, they go
to two tables; an empty cell fits any. A row in which a text has a line break goes to a file of its own, since the
importer reads files that may have some by one thread alone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

# No identifier and no JSON text has it: it is a control character and no blank.
LIST_SEPARATOR = "\x01"
TEXT, WHOLE, NUMBER, TRUTH = "string", "long", "double", "boolean"

Facts = Mapping[str, object]
# Of nodes the labels and the unique property, of relationships the type and the labels of the ends.
_Kind = tuple[str, ...]
NODE = 2


@dataclass(frozen=True, slots=True)
class End:
    """One end of a relationship: the label by which its kind of node is known, and the value of its key."""

    label: str
    key: str


@dataclass(slots=True)
class _Table:
    """Rows with the same columns of the same types."""

    path: Path
    kind: _Kind
    columns: tuple[str, ...]
    types: dict[str, str] = field(default_factory=dict)
    files: dict[str, TextIO] = field(default_factory=dict)

    def takes(self, types: Sequence[str | None]) -> bool:
        """Whether values of these types have a place in it; they have one from then on."""
        known = self.types
        said = {name: each for name, each in zip(self.columns, types, strict=True) if each is not None}
        if any(known.get(name, each) != each for name, each in said.items()):
            return False
        known |= said
        return True

    def write(self, row: str) -> None:
        kind = "lines" if "\n" in row or "\r" in row else "rows"
        file = self.files.get(kind)
        if file is None:
            file = self.files[kind] = self._file(kind).open("w", encoding="utf-8", newline="")
        file.write(row + "\n")

    def _file(self, kind: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{kind}.csv")

    def closed(self) -> str:
        """The importer's argument for this table."""
        header = self._file("header")
        header.write_text(",".join(map(self._column, self.columns)) + "\n", "utf-8")
        for each in self.files.values():
            each.flush()
            os.fsync(each.fileno())
            each.close()
        files = ",".join([str(header), *(file.name for file in self.files.values())])
        return f"--{'nodes' if len(self.kind) == NODE else 'relationships'}={self.kind[0]}={files}"

    def _column(self, name: str) -> str:
        if len(self.kind) != NODE and name in {":START_ID", ":END_ID"}:
            return f"{name}({self.kind[1 if name == ':START_ID' else 2]})"
        if len(self.kind) == NODE and name == self.kind[1]:
            return f"{name}:ID({self.kind[0].partition(':')[0]})"
        return f"{name}:{self.types.get(name, TEXT)}"


class Tables:
    """The files of one import, in a folder. nodes, relationships: how many rows they have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = 0
        self.relationships = 0
        self._tables: list[_Table] = []
        self._of: dict[tuple[object, ...], _Table] = {}

    def node(self, labels: str, key: str, facts: Facts) -> None:
        """Write a node. labels: joined by `:`; key: which of its facts tells it from all others of its first label."""
        self.nodes += 1
        self._write((labels, key), facts)

    def bare_node(self, labels: str, facts: Facts) -> None:
        """Write a node that no relationship has to find."""
        self.nodes += 1
        self._write((labels, ""), facts)

    def relationship(self, type_: str, start: End, end: End, facts: Facts | None = None) -> None:
        """Write a relationship between two nodes that are written before or after it."""
        self.relationships += 1
        cells = {":START_ID": start.key, ":END_ID": end.key, **(facts or {})}
        self._write((type_, start.label, end.label), cells)

    def closed(self) -> list[str]:
        """The arguments that tell the importer of all files, which are whole on the disk then."""
        arguments = [each.closed() for each in self._tables]
        lines = [each.files["lines"].name for each in self._tables if "lines" in each.files]
        multiline = [f"--multiline-fields={','.join(lines)}", "--multiline-fields-format=v2"] if lines else []
        return [*arguments, *multiline, "--array-delimiter=U+0001", "--path-pattern-style=none", "--bad-tolerance=0"]

    def close(self) -> None:
        """Close the files, however they are. May run twice."""
        for table in self._tables:
            for each in table.files.values():
                each.close()

    def _write(self, kind: _Kind, facts: Facts) -> None:
        """Rows whose values are of the same classes go to the same table, but for lists: those tell by what is in them.

        That is asked for each row, and so is all that this does.
        """
        values = facts.values()
        classes = tuple(map(type, values))
        table = self._of.get((kind, classes, *facts))
        if table is None:
            types = tuple(_cell(value)[1] for value in values)
            table = self._fitting(kind, tuple(facts), types)
            if list not in classes:
                self._of[kind, classes, *facts] = table
        table.write(
            ",".join([CELLS[type(value)](value) if type(value) in CELLS else _cell(value)[0] for value in values])
        )

    def _fitting(self, kind: _Kind, columns: tuple[str, ...], types: Sequence[str | None]) -> _Table:
        """The table in which rows with values of these types have a place."""
        for table in self._tables:
            if table.kind == kind and table.columns == columns and table.takes(types):
                return table
        table = _Table(self.folder / f"{len(self._tables):03}-{'-'.join(kind).replace(':', '-')}", kind, columns)
        table.takes(types)
        self._tables.append(table)
        return table


def _cell(value: object) -> tuple[str, str | None]:
    """A value as the importer reads it, and its type; None is no value, an empty text is one."""
    if value is None:
        return "", None
    if isinstance(value, str):
        return _quoted(value), TEXT
    if isinstance(value, bool):
        return ("true" if value else "false"), TRUTH
    if isinstance(value, int):
        return str(value), WHOLE
    if isinstance(value, float):
        return repr(value), NUMBER
    if isinstance(value, list):
        return _list(value) if value else ("", None)
    raise TypeError(f"a {type(value).__name__} is no property")


def _list(values: Sequence[object]) -> tuple[str, str]:
    """Not empty, and all of one type."""
    if isinstance(values[0], int):
        return LIST_SEPARATOR.join(map(str, values)), f"{WHOLE}[]"
    texts = (str(each).replace(LIST_SEPARATOR, " ") for each in values)
    return _quoted(LIST_SEPARATOR.join(texts)), f"{TEXT}[]"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# What most values are, without asking what they are one class after the other.
CELLS: Mapping[type, Callable[[Any], str]] = {
    str: _quoted,
    int: str,
    type(None): lambda _: "",
    bool: lambda truth: "true" if truth else "false",
}
