"""`selfsame policy`: the rules of stitching that are in force."""

import typer
from rich.table import Table

from identity.policy import Namespace
from selfsame.cli import policy_changes
from selfsame.cli.exits import Exit, finish, shown
from selfsame.settings import configured_policy, load_settings, policy_file

app = typer.Typer(no_args_is_help=True, help="The rules of stitching.")


app.command("simulate")(policy_changes.simulate_candidate)
app.command("apply")(policy_changes.apply_candidate)
app.command("history")(policy_changes.history)


@app.command()
def show() -> None:
    """Show the policy in force: its file, its version, its namespaces by strength."""

    async def work() -> Exit:
        settings = load_settings()
        policy = configured_policy(settings)
        shown.print(f"{policy.version}  {policy_file(settings)}", markup=False)
        table = Table("namespace", "role", "priority", "unique", "partners at most", "generic above", "shown active")
        for each in sorted(policy.namespaces.values(), key=lambda rules: (rules.priority, rules.name)):
            table.add_row(*_cells(each))
        shown.print(table)
        shown.print(f"traits on profiles: {', '.join(policy.traits)}", markup=False)
        return Exit.DONE

    finish(work)


def _cells(rules: Namespace) -> tuple[str, ...]:
    limits = (rules.max_partners, rules.generic_above, rules.active)
    return (
        rules.name,
        rules.role,
        str(rules.priority),
        "yes" if rules.unique else "",
        *("no limit" if each is None else str(each) for each in limits),
    )
