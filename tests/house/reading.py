"""The project's own source as the house tests read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("identity", "insight", "graph", "loaders", "destinations", "resolvers", "selfsame")
PURE = ("identity", "insight")


@dataclass(frozen=True)
class File:
    """One source file: its path from the root, its text, its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@cache
def files(*rooms: str) -> tuple[File, ...]:
    """Every Python file of the rooms, in order of their paths."""
    return tuple(
        File(path.relative_to(ROOT), path.read_text("utf-8"), ast.parse(path.read_text("utf-8")))
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
    )


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Functions and classes whose names are public, inside public classes too."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)
