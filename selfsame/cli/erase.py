"""`selfsame erase`: people and identifiers erased, suppressed, let in again; the local store written anew."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from graph.connection import Connection
from graph.erasure import Outcome, Request, Tools, erase, finish_erasures, unsuppressed
from graph.namespaces import declared_namespaces
from graph.server.compaction import Compacted
from graph.server.errors import ErasureUnfinishedError
from graph.server.local import compact_local
from graph.server.progress import shown as start_shown
from graph.tombstones import remembered
from identity.erasure import Mode, Named, Scope, named
from identity.identifiers import Blocked
from identity.messages import micros
from identity.policy import NAMESPACE_PATTERN, Policy
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import now
from selfsame.erasing import needed_hashing
from selfsame.errors import InputInvalidError
from selfsame.reach import server_settings
from selfsame.ruling import policy_held
from selfsame.settings import Settings, load_settings

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Desk:
    """Where erasures are made. policy: with the declared namespaces, to read identifiers by."""

    connection: Connection
    tools: Tools
    policy: Policy
    mode: Mode
    scope: Scope
    dry: bool

    def named(self, row: Sequence[str]) -> Named:
        """The identifier that a namespace and a value name. Raises InputInvalidError, which names no value."""
        if len(row) != 2:
            raise InputInvalidError(f"a namespace and a value are needed, not {len(row)} cells")
        namespace, value = row
        if not NAMESPACE_PATTERN.match(namespace):
            raise InputInvalidError(f"`{namespace[:80]}` is no namespace")
        found = named(namespace, value, self.policy)
        if isinstance(found, Blocked):
            raise InputInvalidError(f"{namespace}: {found.sentence}")
        return found

    async def erase(self, row: Sequence[str]) -> Outcome:
        """What erasing takes, or would take."""
        tools = replace(self.tools, now=micros(now()))
        return await erase(
            self.connection, Request(self.named(row).key, self.mode, self.scope, who()), tools, dry=self.dry
        )


def erase_command(
    namespace: Annotated[str | None, typer.Argument(help="Of the identifier, as in `email`.")] = None,
    value: Annotated[str | None, typer.Argument(help="Of the identifier.")] = None,
    scope: Annotated[Scope, typer.Option(help="The whole profile, or the identifier alone.")] = Scope.PROFILE,
    mode: Annotated[
        Mode, typer.Option(help="Whether what comes later begins afresh, or is kept out as well.")
    ] = Mode.DELETE,
    dry: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would go.")] = False,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Many at once: a CSV file without header, one namespace,value a line.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--unsuppress", help="Instead of erasing, let a suppressed identifier begin afresh.")
    ] = False,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Write the local store anew, so that no file of it holds what was erased."),
    ] = False,
) -> None:
    """Erase a person or an identifier, for good; try it with --dry-run first."""

    async def work() -> Exit:
        settings = load_settings()
        if compact:
            return await _compacted(settings, alone=namespace is None and file is None)
        if (namespace is None or value is None) == (file is None):
            raise InputInvalidError("name a namespace and a value, or a --file of them, or --compact")
        rows = list(_rows_of(file)) if file else [("", [namespace or "", value or ""])]
        if not (sure or dry or again or _confirmed(len(rows))):
            print("nothing was erased")
            return Exit.DONE
        async with reached_in_sight(settings) as connection:
            desk = await _desk(settings, connection, mode, scope, dry=dry)
            await _finish_others(desk)
            if again:
                return await _unsuppressed(desk, rows)
            return await _all(desk, rows) if file else _shown(await desk.erase(rows[0][1]), dry=dry)

    finish(work)


async def _finish_others(desk: Desk, *, at_once: bool = False) -> None:
    """Go on with erasures that were interrupted; those that cannot be ended are told, and hold up nobody."""
    finished = await finish_erasures(desk.connection, desk.tools, at_once=at_once)
    for erasure, reason in finished.failed:
        told.print(f"the erasure {erasure} was interrupted and cannot be finished: {reason}", markup=False)


def _confirmed(many: int) -> bool:
    try:
        return typer.confirm(f"Erase {many:,} for good?" if many > 1 else "Erase for good?", err=True)
    except typer.Abort as error:
        raise InputInvalidError("nobody answered whether to erase for good; --yes does it without asking") from error


async def _desk(settings: Settings, connection: Connection, mode: Mode, scope: Scope, *, dry: bool) -> Desk:
    held = await policy_held(settings, connection)
    policy = held.policy.with_namespaces(await declared_namespaces(connection.reader))
    return Desk(connection, Tools(held, needed_hashing(settings), micros(now())), policy, mode, scope, dry)


def _rows_of(file: Path) -> Iterator[tuple[str, list[str]]]:
    """The place of each row, and its cells; empty lines are none. Raises InputInvalidError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield f"{file.name}:{reader.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputInvalidError(f"{file} cannot be read: {error}") from error


async def _all(desk: Desk, rows: Sequence[tuple[str, list[str]]]) -> Exit:
    """Erase row by row; one that cannot be read is told with its place, and the others are erased all the same."""
    done = unknown = interactions = 0
    for place, row in track(rows, "erasing", console=told, transient=not told.is_terminal):
        try:
            outcome = await desk.erase(row)
        except InputInvalidError as error:
            told.print(f"{place}: {error}", markup=False, soft_wrap=True)
            continue
        done += 1
        unknown += not outcome.identifiers
        interactions += outcome.interactions
    would = "would be " if desk.dry else ""
    print(f"{done:,} of {len(rows):,} {would}erased, {unknown:,} of them unknown, with {interactions:,} interactions")
    return Exit.DONE if done == len(rows) else Exit.REJECTED


def _shown(outcome: Outcome, *, dry: bool) -> Exit:
    print("nothing was written; this would go:" if dry else "erased:")
    table = Table("identifier", "id")
    for key, mint in outcome.identifiers:
        table.add_row(key, mint)
    if outcome.identifiers:
        shown.print(table)
    else:
        print("nothing is known of it; a tombstone keeps it out")
    print(
        f"{outcome.interactions:,} interactions, {outcome.observations:,} values of traits, {outcome.acts:,} acts; "
        f"values taken out of {outcome.scrubbed:,} records of others"
    )
    if outcome.policies:
        numbers = ", ".join(map(str, outcome.policies))
        print(f"the text of version {numbers} of the policy names a value: apply one that does not, then erase again")
    for each in outcome.after:
        print(f"left: {each.id} with {', '.join(each.identifiers[:10])}")
    return Exit.DONE


async def _unsuppressed(desk: Desk, rows: Sequence[tuple[str, list[str]]]) -> Exit:
    left_out = 0
    for place, row in rows:
        try:
            asked = desk.named(row)
        except InputInvalidError as error:
            if not place:
                raise
            told.print(f"{place}: {error}", markup=False, soft_wrap=True)
            left_out += 1
            continue
        known = (await remembered(desk.connection.reader, [asked], desk.tools.hashing)).get(asked.key)
        found = await unsuppressed(desk.connection, [asked], desk.tools.hashing, who(), micros(now()))
        kept_out = known.suppressed if known else 0
        prefix = f"{place}: " if place else ""
        print(f"{prefix}{f'unsuppressed; {kept_out:,} messages were kept out' if found else 'was not suppressed'}")
    return Exit.REJECTED if left_out else Exit.DONE


async def _compacted(settings: Settings, *, alone: bool) -> Exit:
    if not alone:
        raise InputInvalidError("--compact stands alone: erase first, then write the store anew")
    if settings.neo4j_uri:
        raise InputInvalidError("--compact is for the local store; docs/erasure.md says what stays elsewhere")
    try:
        done = await _written_anew(settings)
    except ErasureUnfinishedError:
        async with reached_in_sight(settings) as connection:
            desk = await _desk(settings, connection, Mode.DELETE, Scope.PROFILE, dry=False)
            await _finish_others(desk, at_once=True)
        done = await _written_anew(settings)
    sizes = f"{done.before / MEGABYTE:,.0f} MB before, {done.after / MEGABYTE:,.0f} MB after"
    print(f"compacted: {done.nodes:,} nodes and {done.relationships:,} relationships, {sizes}")
    return Exit.DONE


async def _written_anew(settings: Settings) -> Compacted:
    with start_shown(told) as tell:
        return await compact_local(server_settings(settings), tell)
