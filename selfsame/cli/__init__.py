"""The command line: one file per verb, put together here."""

import typer

from selfsame.cli import (
    consume,
    deadletters,
    deciding,
    demo,
    doctor,
    erase,
    export,
    hooks,
    keys,
    load,
    mapping,
    policy,
    requests,
    runs,
    schema,
    serve,
    verify,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who is this, and who and what are they related to?",
)
app.command()(serve.serve)
app.command()(load.load)
app.command()(consume.consume)
app.command()(verify.verify)
app.command()(verify.rebuild)
app.command()(deciding.merge)
app.command()(deciding.unmerge)
app.command()(deciding.undo)
app.command("erase")(erase.erase_command)
app.command()(doctor.doctor)
app.add_typer(export.app, name="export")
app.add_typer(hooks.app, name="hooks")
app.add_typer(keys.app, name="keys")
app.add_typer(mapping.app, name="map")
app.add_typer(policy.app, name="policy")
app.command()(runs.runs)
app.add_typer(deadletters.letters, name="deadletters")
app.add_typer(requests.requests, name="requests")
app.command()(schema.schema)
app.command()(demo.demo)


def main() -> None:
    """The `selfsame` program."""
    app()
