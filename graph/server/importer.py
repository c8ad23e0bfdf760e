"""The importer: a small program of its own that runs Neo4j's `neo4j-admin database import` in this process.

Like the launcher it imports nothing of Selfsame, and ends when whoever started it does: what it wrote so far is of no
use then, and is thrown away by whoever holds the data directory next. What the importer prints goes to standard output.
"""

import importlib.util
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import ModuleType

import jpype

TOOL = "org.neo4j.cli.AdminTool"


def main() -> None:
    """Import; exit status 0 when the store is whole, else that of Neo4j's tool, which says why."""
    asked = _arguments()
    os.environ["NEO4J_HOME"] = str(asked.home)  # before Java starts, which reads it once
    launcher = _launcher()
    launcher._stop_when_told(asked.parent, 0)  # noqa: SLF001 - the launcher beside this file, read by its path
    launcher.start_java(asked)
    jpype.JClass(TOOL).main(["database", "import", "full", "neo4j", *asked.arguments])


def _arguments() -> Namespace:
    parser = ArgumentParser(description="Imports files into a new store. Started by Selfsame, not by hand.")
    parser.add_argument("--home", type=Path, required=True, help="the home of the new store")
    parser.add_argument("--jars", type=Path, required=True, help="a folder with its jars")
    parser.add_argument("--heap-mb", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True, help="the process whose end ends this one")
    parser.add_argument("arguments", nargs="*", help="what the tool is told, after --")
    parser.set_defaults(archive=None, record=None)
    return parser.parse_args()


def _launcher() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launcher", Path(__file__).with_name("child.py"))
    if spec is None or spec.loader is None:
        raise FileNotFoundError("child.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
