"""The command line: one file per verb, put together here."""

import typer

from selfsame.cli import export, keys, policy, schema

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who is this, and who and what are they related to?",
)
app.add_typer(export.app, name="export")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")
app.command()(schema.schema)


def main() -> None:
    """The `selfsame` program."""
    app()
