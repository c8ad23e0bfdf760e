"""On which line of a TOML text each key stands, which the standard library's reader does not tell."""

import tomllib
from collections.abc import Iterator, Mapping

Path = tuple[str, ...]
ENDS = ("]", '"""', "'''")


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, on which each table and key of a valid text first stands; the elements of lists have none.

    Line after line is added to a statement until the standard library can read it: no statement of TOML ends before
    it can be read, so multi-line lists and texts need no rules here; what began on an earlier line can only end where
    a bracket or three quotes stand. Cost: O(n), and for each such line the length of its statement.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    waiting, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        begun = bool(waiting)
        start = start if begun else number
        waiting += f"{line}\n"
        if begun and not any(each in line for each in ENDS):
            continue
        try:
            read = tomllib.loads(waiting)
        except tomllib.TOMLDecodeError:
            continue
        paths = list(_paths(read))
        if waiting.lstrip().startswith("["):
            table, paths = paths[-1], [paths[-1][:depth] for depth in range(1, len(paths[-1]) + 1)]
        else:
            paths = [table + path for path in paths]
        for path in paths:
            found.setdefault(path, start)
        waiting = ""
    return found


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of a key, or of the innermost table around it that the text names; None when it names none of them."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), None)


def _paths(read: Mapping[str, object], above: Path = ()) -> Iterator[Path]:
    """Every path of nested tables, outer ones first."""
    for key, value in read.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))
