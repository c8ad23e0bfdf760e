"""`selfsame policy simulate`, `apply` and `history`: another policy, tried on all that is stored, and put in force."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from graph.applying import Applier, abandon, apply
from graph.connection import Connection
from graph.policies import PolicyVersion, State, versions_of
from graph.simulating import simulate
from identity.messages import micros, moment
from identity.policy import Policy
from identity.simulation import Regrouped, SegmentChange, Simulation, Turned
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import mint, now
from selfsame.errors import EnvironmentRefusesError, InputInvalidError
from selfsame.presets import policy_named
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

FILE = "A TOML file, or the name of a preset."


def simulate_candidate(
    candidate: Annotated[str, typer.Argument(metavar="FILE|PRESET", help=FILE)],
    json: Annotated[Path | None, typer.Option(help="Write the whole report there, too.", show_default=False)] = None,
) -> None:
    """Say what another policy would change in the whole stored history; nothing is written to the graph."""

    async def work() -> Exit:
        settings = load_settings()
        policy = policy_named(candidate)
        async with reached_in_sight(settings) as connection:
            report = await _simulated(connection, (await policy_held(settings, connection)).policy, policy)
        _show(report)
        if json is not None:
            _write(json, report)
        return Exit.DONE

    finish(work)


async def _simulated(connection: Connection, in_force: Policy, candidate: Policy) -> Simulation:
    with told.status("Stitching the whole history by the other policy …"):
        return (await simulate(connection.reader, in_force, candidate, micros(now()))).report


def _write(path: Path, report: Simulation) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    except OSError as error:
        raise EnvironmentRefusesError(f"{path} cannot be written: {error.strerror}") from error


def apply_candidate(
    candidate: Annotated[str | None, typer.Argument(metavar="FILE|PRESET", help=FILE, show_default=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the version that is half applied.")] = False,
    drop: Annotated[
        bool, typer.Option("--abandon", help="Take that version away, as long as nothing else was written.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why, for the history.")] = "",
) -> None:
    """Put another policy in force: exactly what `simulate` says, as one change in the log.

    Everything is read all the while; what writes is told to come again in a moment. Interrupted, run it again.
    """

    async def work() -> Exit:
        settings = load_settings()
        if (candidate is not None) + resume + drop != 1:
            raise InputInvalidError("name a policy to apply, or give --resume or --abandon for the one half applied")
        policy = policy_named(candidate) if candidate is not None else None
        async with reached_in_sight(settings) as connection:
            held = await policy_held(settings, connection)
            if drop:
                return await _abandoned(connection)
            if policy is not None and policy.hash == held.policy.hash and not await _half(connection):
                print(f"version {held.number} of the policy, which is in force, says exactly this; nothing is changed")
                return Exit.DONE
            if policy is not None and not yes and not await _half(connection):
                _show(await _simulated(connection, held.policy, policy))
                typer.confirm("Apply it?", abort=True)
            return await _applied(connection, policy, note)

    finish(work)


async def _half(connection: Connection) -> bool:
    return any(each.state is State.APPLYING for each in await versions_of(connection.reader))


async def _applied(connection: Connection, policy: Policy | None, note: str) -> Exit:
    with told.status("Applying; everything can be read meanwhile …"):
        applied = await apply(connection, policy, Applier(who(), note, now, mint))
    if applied.report is None:
        print(f"no version is half applied; version {applied.number} of the policy is in force")
        return Exit.DONE
    report = msgspec.json.decode(applied.report, type=Simulation)
    print(f"version {applied.number} of the policy is in force: {_short(report)}")
    return Exit.DONE


async def _abandoned(connection: Connection) -> Exit:
    number = await abandon(connection)
    if number is None:
        print("no version of the policy is half applied")
    else:
        print(f"version {number} of the policy is abandoned; nothing of it was written, and writers go on")
    return Exit.DONE


def history() -> None:
    """List the versions of the policy: when, by whom, why, and what each changed."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            await policy_held(settings, connection)
            versions = await versions_of(connection.reader)
        table = Table("version", "state", "hash", "in force since", "by", "note", "what it changed")
        for each in versions:
            table.add_row(*_version(each))
        shown.print(table)
        return Exit.DONE

    finish(work)


def _version(each: PolicyVersion) -> tuple[str, ...]:
    since = moment(each.in_force_at).isoformat(" ", "seconds") if each.in_force_at is not None else ""
    changed = _short(msgspec.json.decode(each.report, type=Simulation)) if each.report else ""
    return (
        str(each.number),
        each.state.value.replace("_", " "),
        each.hash[:12],
        since,
        escape(each.by),
        escape(each.note),
        changed,
    )


def _short(report: Simulation) -> str:
    people = f"{_many(report.people_before, 'person', 'people')} became {report.people_after:,}"
    return f"{people}, {_many(report.merges, 'merge')}, {_many(report.splits, 'split')}"


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {several or one + 's'}"


def _show(report: Simulation) -> None:
    print(f"{report.version} ({report.hash[:12]}), on {report.identifiers:,} identifiers and {report.links:,} links")
    if report.heard_anew:
        print(
            f"messages say something else: {report.identifiers_new:,} identifiers are new, "
            f"{report.identifiers_gone:,} are gone, {report.links_new:,} links are new, {report.links_gone:,} are gone"
        )
    print(f"people: {report.people_before:,} before, {report.people_after:,} after")
    print(f"{_many(report.merges, 'merge')}, {_many(report.splits, 'split')}, {report.affected:,} people affected")
    values = "not counted" if report.traits is None else f"{report.traits:,}"
    print(f"trait values shown that change: {values}")
    _show_groups("the largest merges", report.largest_merges)
    _show_groups("the largest splits", report.largest_splits)
    _show_turned("links that change sides", report.links_turned, "accepted")
    _show_turned("identifiers that turn", report.generic_turned, "not generic")
    _show_segments(report.segments)
    for note in report.notes:
        print(note)


def _show_groups(title: str, groups: Sequence[Regrouped]) -> None:
    if groups:
        table = Table("before", "after", "identifiers", "among them", title=title)
        for each in groups:
            table.add_row(*_ids(each), f"{each.identifiers:,}", escape(", ".join(each.keys[:4])))
        shown.print(table)


def _ids(group: Regrouped) -> Iterator[str]:
    for ids in (group.before, group.after):
        more = f" and {len(ids) - 2:,} more" if len(ids) > 2 else ""
        yield ", ".join(each or "(new)" for each in ids[:2]) + more


def _show_turned(title: str, rows: Sequence[Turned], none: str) -> None:
    if rows:
        table = Table("before", "after", "how many", "for example", title=title)
        for each in rows:
            before = each.before or none
            table.add_row(before, each.after or none, f"{each.count:,}", escape("".join(each.examples[:1])))
        shown.print(table)


def _show_segments(segments: Sequence[SegmentChange]) -> None:
    if segments:
        table = Table("segment", "before", "after", "entering", "leaving", title="segments")
        for each in segments:
            sizes = ["" if size is None else f"{size:,}" for size in (each.before, each.after)]
            table.add_row(escape(each.name), *sizes, each.note or f"{each.entering:,}", f"{each.leaving:,}")
        shown.print(table)
