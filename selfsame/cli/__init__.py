"""The command line: one file per verb, put together here.

A verb's file is imported when the verb is called, or its help asked for: that of all of them is three seconds of work,
of which one that makes a key needs a fifth. Until then a verb is its line in VERBS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True, slots=True)
class Verb:
    """A function, or an app of several, and the first line of its help. file: below this folder; name: in that file."""

    file: str
    name: str
    line: str


VERBS = {
    "serve": Verb("serve", "serve", "Run the service until Ctrl-C or SIGTERM; what was acknowledged is in the graph."),
    "load": Verb(
        "load",
        "load",
        "Load files or a database's table; without a mapping JSON is Segment-shaped, one message a record.",
    ),
    "consume": Verb(
        "consume",
        "consume",
        "Load the records of Kafka's topics until Ctrl-C or SIGTERM; without a mapping JSON is Segment-shaped.",
    ),
    "verify": Verb(
        "verify",
        "verify",
        "Recompute everything from the evidence and compare it with what is stored; exit status 1 on any difference.",
    ),
    "rebuild": Verb(
        "verify",
        "rebuild",
        "Write what follows from the evidence wherever something else is stored. Stop writers first.",
    ),
    "merge": Verb(
        "deciding", "merge", "Make two people one by hand; refused, with the reason, where a rule forbids it."
    ),
    "unmerge": Verb(
        "deciding",
        "unmerge",
        "Take people apart who were merged by mistake; no evidence that comes later joins them again.",
    ),
    "undo": Verb("deciding", "undo", "Take a merge, an unmerge or an undo back: what stood before it stands again."),
    "erase": Verb("erase", "erase_command", "Erase a person or an identifier, for good; try it with --dry-run first."),
    "doctor": Verb(
        "doctor",
        "doctor",
        "Say what is configured, reachable, and wrong; exit status 1 when something is wrong. Starts nothing.",
    ),
    "runs": Verb("runs", "runs", "List the loads, newest first: how far each has come, and how fast."),
    "schema": Verb("schema", "schema", "Print the GraphQL schema in the schema definition language."),
    "demo": Verb(
        "demo",
        "demo",
        "Start everything, load the sample company Fernhill, tell who is who in it, and serve until Ctrl-C.",
    ),
    "export": Verb("export", "app", "Write identifiers, or one neighbourhood of the graph, to the output."),
    "hooks": Verb("hooks", "app", "Who is told by webhooks what happens, and what each is owed."),
    "keys": Verb("keys", "app", "API keys: make one, list them, rotate, revoke."),
    "map": Verb("mapping", "app", "Mappings: what the columns of a source mean."),
    "policy": Verb("policy", "app", "The rules of stitching."),
    "deadletters": Verb("deadletters", "letters", "The records that could not be used."),
    "requests": Verb("requests", "requests", "What sources ask to have erased or handed out."),
}


class _Verbs(TyperGroup):
    """The verbs, each a line of help until it is the one that is meant."""

    def resolve_command(  # type: ignore[override]  # the class of a context in general has no public name
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, called(name) if name else None, rest


def called(name: str) -> TyperCommand | TyperGroup:
    """A verb as it stands in its file."""
    verb = VERBS[name]
    found: typer.Typer | Callable[[], None] = getattr(import_module(f"selfsame.cli.{verb.file}"), verb.name)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return cast("TyperCommand", get_command(alone))


def _unread() -> None:
    """Stands for a verb whose file is not imported."""


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who is this, and who and what are they related to?",
)
for each, verb in VERBS.items():
    app.command(each, help=verb.line)(_unread)


def main() -> None:
    """The `selfsame` program."""
    app()
