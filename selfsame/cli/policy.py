"""`selfsame policy`: the rules of stitching, shown and checked; policy_changes.py tries and applies others."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table

from identity.policy import KINDS, Namespace, OverActive, Policy
from identity.policy_writing import policy_text
from selfsame.cli import policy_changes
from selfsame.cli.exits import Exit, finish, shown
from selfsame.cli.reaching import reached_in_sight
from selfsame.presets import policy_named, policy_path
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The rules of stitching.")


app.command("simulate")(policy_changes.simulate_candidate)
app.command("apply")(policy_changes.apply_candidate)
app.command("history")(policy_changes.history)

COLUMNS = ("namespace", "role", "priority", "unique", "partners at most", "generic above", "active", "over active")


@app.command()
def check(name: Annotated[str, typer.Argument(metavar="FILE|PRESET", help=policy_changes.FILE)]) -> None:
    """Say what is wrong in a policy, each problem with its line and the reason; needs no graph."""

    async def work() -> Exit:
        policy = policy_named(name)
        said = f"{policy_path(name)}: good; version {policy.version}, hash {policy.hash[:12]}"
        shown.print(said, markup=False, soft_wrap=True)
        return Exit.DONE

    finish(work)


@app.command()
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="[FILE|PRESET]", help=f"{policy_changes.FILE} Without it, the one in force.")
    ] = None,
    toml: Annotated[bool, typer.Option("--toml", help="Print it in full, as a policy file.")] = False,
) -> None:
    """Show a policy: the one in force, or a file or preset as it would be, with all that it extends."""

    async def work() -> Exit:
        title, policy = await _in_force() if name is None else (str(policy_path(name)), policy_named(name))
        if toml:
            shown.print(policy_text(policy), markup=False, soft_wrap=True, end="")
            return Exit.DONE
        shown.print(f"{policy.version}  {title}  hash {policy.hash[:12]}", markup=False, soft_wrap=True)
        table = Table(*COLUMNS)
        for each in sorted(policy.namespaces.values(), key=lambda rules: (rules.priority, rules.name)):
            table.add_row(*_cells(each))
        shown.print(table)
        for line in _lines(policy):
            shown.print(line, markup=False, soft_wrap=True)
        return Exit.DONE

    finish(work)


async def _in_force() -> tuple[str, Policy]:
    settings = load_settings()
    async with reached_in_sight(settings) as connection:
        held = await policy_held(settings, connection)
        return f"version {held.number}, in force", held.policy


def _cells(rules: Namespace) -> tuple[str, ...]:
    limits = (rules.max_partners, rules.generic_above, rules.active)
    return (
        rules.name,
        rules.role,
        str(rules.priority),
        "yes" if rules.unique else "",
        *("no limit" if each is None else str(each) for each in limits),
        "stays apart" if rules.over_active is OverActive.APART else "",
    )


def _lines(policy: Policy) -> Iterator[str]:
    kinds = ", ".join(f"{word} {_kind(policy, word)}" for word in KINDS)
    yield f"statements: {kinds}"
    yield f"shared devices: {policy.device_rule}, idle after {policy.device_idle_minutes} minutes"
    by_time = [name for name, each in policy.namespaces.items() if each.shared == "by_time"]
    yield f"shared contact points by time: {', '.join(by_time) or 'none'}"
    yield f"a profile has at most {policy.profile_limit:,} identifiers"
    yield f"blocked: {len(policy.blocked_values)} values, {len(policy.blocked_patterns)} patterns"
    yield f"sources believed in the order: {', '.join(('manual', *policy.source_rank, 'all others'))}"
    yield f"traits on profiles: {', '.join(policy.traits)}"


def _kind(policy: Policy, word: str) -> str:
    rules = policy.kind(word)
    if not rules.links:
        return "no evidence"
    overrides = f" and overrides from {rules.overrides_from.name.lower()}" if rules.overrides_from else ""
    return f"from {rules.minimum_authority.name.lower()}{overrides}"
