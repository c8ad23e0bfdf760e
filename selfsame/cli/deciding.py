"""`selfsame merge`, `unmerge` and `undo`: decisions by hand, tried with --dry-run, one by one or from a file."""

import csv
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from graph.connection import Connection
from graph.decisions import Outcome
from graph.errors import DecisionError, UnknownIdentifierError
from graph.merging import Answer, Asked, Deciding, Tried, decide_one, merging, taking_out, try_all, undoing, unmerging
from graph.namespaces import declared_namespaces
from graph.policies import PolicyHeld
from identity.identifiers import Blocked, IdentifierKey, normalise
from identity.messages import micros
from identity.policy import NAMESPACE_PATTERN, Policy
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.outcomes import json_line, show, why_not
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import mint, now
from selfsame.errors import InputInvalidError
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print each outcome in full as JSON, one a line.")]
Note = Annotated[str | None, typer.Option(help="Why, for the log.")]
Rows = Annotated[
    Path | None,
    typer.Option("--file", help="Many at once: a CSV file without header, the same arguments a line, as a row."),
]


@dataclass(frozen=True, slots=True)
class Manner:
    """How decisions of one command are made and shown."""

    note: str | None
    dry: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """Where decisions are made. policy: with the declared namespaces, to read identifiers by."""

    connection: Connection
    held: PolicyHeld
    policy: Policy
    note: str | None
    dry: bool

    def asked(self) -> Asked:
        """How the next decision is asked for."""
        return Asked(who(), mint, micros(now()), self.note, self.dry)

    def key(self, text: str) -> IdentifierKey:
        """The identifier that `namespace:value` names. Raises InputInvalidError."""
        namespace, colon, value = text.partition(":")
        if not colon or not NAMESPACE_PATTERN.match(namespace):
            raise InputInvalidError(f"`{_seen(text)}` is no identifier; write it as namespace:value, as in user_id:u1")
        named = normalise(namespace, value, self.policy)
        if isinstance(named, Blocked):
            raise InputInvalidError(f"`{_seen(text)}`: {named.sentence}")
        return named.key


def _seen(text: str) -> str:
    """The beginning of a text, as a terminal may be told it: what it would obey is spelt out."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text[:80])


Row = Callable[[Asked], Deciding]
Decide = Callable[[Desk, Sequence[str]], Row]
Read = Row | InputInvalidError


def merge(
    identifiers: Annotated[
        list[str] | None, typer.Argument(help="Two, as namespace:value: who becomes part, and of whom.")
    ] = None,
    override: Annotated[
        bool, typer.Option(help="Where both have a user id or the like, let that of the second replace the first's.")
    ] = False,
    note: Note = None,
    file: Rows = None,
    dry: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make two people one by hand; refused, with the reason, where a rule forbids it."""

    def decide(desk: Desk, row: Sequence[str]) -> Row:
        one, other = map(desk.key, _two(row))
        return lambda asked: merging(one, other, asked, override=override)

    finish(lambda: _decided(decide, identifiers, file, Manner(note, dry, as_json)))


def unmerge(
    identifiers: Annotated[
        list[str] | None, typer.Argument(help="Two that are not one person, or with --take-out those that shall leave.")
    ] = None,
    out: Annotated[
        bool, typer.Option("--take-out", help="Take the identifiers out of the person, away from all that stay.")
    ] = False,
    note: Note = None,
    file: Rows = None,
    dry: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take people apart who were merged by mistake; no evidence that comes later joins them again."""

    def decide(desk: Desk, row: Sequence[str]) -> Row:
        if out:
            keys = [desk.key(each) for each in row]
            return lambda asked: taking_out(keys, asked)
        one, other = map(desk.key, _two(row))
        return lambda asked: unmerging(one, other, asked)

    finish(lambda: _decided(decide, identifiers, file, Manner(note, dry, as_json)))


def undo(
    decision: Annotated[str, typer.Argument(help="The id that the decision was answered with.")],
    note: Note = None,
    dry: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a merge, an unmerge or an undo back: what stood before it stands again."""

    def decide(_: Desk, row: Sequence[str]) -> Row:
        return lambda asked: undoing(row[0], asked)

    finish(lambda: _decided(decide, [decision], None, Manner(note, dry, as_json)))


def _two(row: Sequence[str]) -> tuple[str, str]:
    if len(row) != 2:
        raise InputInvalidError(f"two identifiers are needed, not {len(row)}")
    return row[0], row[1]


async def _decided(decide: Decide, given: Sequence[str] | None, file: Path | None, manner: Manner) -> Exit:
    if bool(given) == bool(file):
        raise InputInvalidError("name identifiers, or a --file of them")
    rows = list(_rows_of(file)) if file else [("", list(given or ()))]
    settings = load_settings()
    async with reached_in_sight(settings) as connection:
        held = await policy_held(settings, connection)
        policy = held.policy.with_namespaces(await declared_namespaces(connection.reader))
        desk = Desk(connection, held, policy, manner.note, manner.dry)
        if file:
            return await _all(decide, desk, rows, as_json=manner.as_json)
        deciding = decide(desk, rows[0][1])(asked := desk.asked())
        answer = await decide_one(connection.writer, deciding, asked, held)
        return _shown(answer, dry=manner.dry, as_json=manner.as_json)


def _rows_of(file: Path) -> Iterator[tuple[str, list[str]]]:
    """The place of each row, and its cells; empty lines are none. Raises InputInvalidError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            for row in reader:
                cells = [cell.strip() for cell in row if cell.strip()]
                if cells:
                    yield f"{file.name}:{reader.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputInvalidError(f"{file} cannot be read: {error}") from error


async def _all(decide: Decide, desk: Desk, rows: Sequence[tuple[str, list[str]]], *, as_json: bool) -> Exit:
    """Decide row by row; one that cannot be decided is told with its place, and the others are decided all the same.

    A dry run tries them all in one transaction, so that it shows for each row what deciding those before it leaves.
    """
    decided = 0
    read = [(place, _read(decide, desk, row)) for place, row in rows]
    async for place, answer in _tried(desk, read) if desk.dry else _done(desk, read):
        if isinstance(answer, Outcome):
            decided += 1
        if as_json:
            print(json_line(place, answer))
        elif not isinstance(answer, Outcome):
            told.print(f"{place}: {why_not(answer)}", markup=False, soft_wrap=True)
        elif desk.dry:
            print(f"{place}: would be decided, and leave")
            show(answer)
        else:
            print(f"{place}: decision {answer.decision}")
    if not as_json:
        print(f"{decided:,} of {len(rows):,} {'would be ' if desk.dry else ''}decided")
    return Exit.DONE if decided == len(rows) else Exit.REJECTED


def _read(decide: Decide, desk: Desk, row: Sequence[str]) -> Read:
    try:
        return decide(desk, row)
    except InputInvalidError as error:
        return error


async def _done(desk: Desk, read: Sequence[tuple[str, Read]]) -> AsyncIterator[tuple[str, Tried | InputInvalidError]]:
    for place, row in track(read, "deciding", console=told, transient=not told.is_terminal):
        if isinstance(row, InputInvalidError):
            yield place, row
            continue
        try:
            yield place, await decide_one(desk.connection.writer, row(asked := desk.asked()), asked, desk.held)
        except (UnknownIdentifierError, DecisionError) as error:
            yield place, error


async def _tried(desk: Desk, read: Sequence[tuple[str, Read]]) -> AsyncIterator[tuple[str, Tried | InputInvalidError]]:
    asked = [row(desk.asked()) for _, row in read if not isinstance(row, InputInvalidError)]
    answers = iter(await try_all(desk.connection.writer, asked, desk.held))
    for place, row in read:
        yield place, row if isinstance(row, InputInvalidError) else next(answers)


def _shown(answer: Answer, *, dry: bool, as_json: bool) -> Exit:
    if as_json:
        print(json_line("", answer))
    elif isinstance(answer, Outcome):
        print("nothing was written; this would be:" if dry else f"decision {answer.decision}")
        show(answer)
    else:
        print(f"nothing was decided: {why_not(answer)}")
    return Exit.DONE if isinstance(answer, Outcome) else Exit.REJECTED
