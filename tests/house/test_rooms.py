"""What formatter and types cannot show: pure rooms stay pure, nothing grows too long, everything says what it is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.reading import PURE, ROOMS, ROOT, File, files, functions, public

EFFECTS = frozenset({"now", "utcnow", "today", "open", "print", "input", "read_text", "write_text", "read_bytes"})
FUNCTION_LINES = 80
FILE_LINES = 450


def called(tree: ast.AST) -> list[tuple[str, int]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [(node.func, node.lineno) for node in calls]
    return [
        (name.id if isinstance(name, ast.Name) else name.attr, line)
        for name, line in names
        if isinstance(name, ast.Name | ast.Attribute)
    ]


@pytest.mark.parametrize("file", files(*PURE), ids=lambda file: str(file.path))
def test_a_pure_room_knows_no_clock_no_files_and_no_screen(file: File) -> None:
    assert [f"{file.path}:{line} {name}(" for name, line in called(file.tree) if name in EFFECTS] == []


def test_the_sdk_of_traces_is_imported_by_who_wants_traces_alone() -> None:
    """A third of a second of each start: one file has it, which is imported by its name where an endpoint is set."""
    there = r"^(from|import) (opentelemetry\.(sdk|exporter)|selfsame(\.| import .*\b)exporting\b)"
    heavy = re.compile(there, re.MULTILINE)
    assert [str(file.path) for file in files(*ROOMS) if heavy.search(file.text)] == ["selfsame/exporting.py"]


def test_the_program_imports_a_verb_when_it_is_called() -> None:
    """All of them are three seconds, which `selfsame --help` and each mistyped verb would take."""
    script = "import sys, selfsame.cli; print(*(each for each in sys.modules if each.partition('.')[0] in sys.argv))"
    ended = subprocess.run([sys.executable, "-c", script, *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["selfsame", "selfsame.cli"]


def test_no_function_is_longer_than_80_lines() -> None:
    long = [
        f"{file.path}:{node.lineno} {node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for file in files(*ROOMS)
        for node in functions(file.tree)
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_file_is_longer_than_450_lines() -> None:
    long = {str(file.path): len(file.lines) for file in files(*ROOMS) if len(file.lines) > FILE_LINES}
    assert long == {}


def test_every_public_name_says_what_it_is() -> None:
    silent = [
        f"{file.path}:{node.lineno} {node.name}"
        for file in files(*ROOMS)
        for node in public(file.tree)
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def test_no_import_stands_inside_a_function() -> None:
    """Except in the launcher of Neo4j, whose Java packages exist only after the JVM has started."""
    hidden = [
        f"{file.path}:{inner.lineno}"
        for file in files(*ROOMS)
        if Path("graph/server") not in file.path.parents
        for node in functions(file.tree)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


VAGUE = frozenset({"utils", "util", "helpers", "helper", "manager", "base", "common", "misc", "data", "info"})


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(file.path) for file in files(*ROOMS) if file.path.stem in VAGUE] == []


def test_rooms_import_downwards_only() -> None:
    linted = subprocess.run(  # the program has no documented Python interface
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
