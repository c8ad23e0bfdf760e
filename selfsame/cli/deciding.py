"""`selfsame merge`, `unmerge` and `undo`: decisions by hand, tried with --dry-run, one by one or from a file."""

import csv
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from graph.conflicts import Conflict
from graph.connection import Connection
from graph.decisions import Outcome
from graph.errors import DecisionError, UnknownIdentifierError
from graph.merging import Answer, Asked, merge_people, take_out, undo_decision, unmerge_people
from graph.namespaces import declared_namespaces
from graph.policies import PolicyHeld
from identity.evidence import Reason
from identity.identifiers import Blocked, IdentifierKey, normalise
from identity.messages import micros
from identity.policy import NAMESPACE_PATTERN, Policy
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import mint, now
from selfsame.errors import InputInvalidError
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

SHOWN_IDENTIFIERS = 8

DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be.")]
Note = Annotated[str | None, typer.Option(help="Why, for the log.")]
Rows = Annotated[
    Path | None,
    typer.Option("--file", help="Many at once: a CSV file without header, the same arguments a line, as a row."),
]


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
            raise InputInvalidError(f"`{text[:80]}` is no identifier; write it as namespace:value, as in user_id:u1")
        named = normalise(namespace, value, self.policy)
        if isinstance(named, Blocked):
            raise InputInvalidError(f"`{text[:80]}`: {named.sentence}")
        return named.key


Decide = Callable[[Desk, Sequence[str]], Awaitable[Answer]]


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
) -> None:
    """Make two people one by hand; refused, with the reason, where a rule forbids it."""

    async def decide(desk: Desk, row: Sequence[str]) -> Answer:
        one, other = _two(row)
        writer, asked = desk.connection.writer, desk.asked()
        return await merge_people(writer, desk.key(one), desk.key(other), asked, desk.held, override=override)

    finish(lambda: _decided(decide, identifiers, file, note, dry=dry))


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
) -> None:
    """Take people apart who were merged by mistake; no evidence that comes later joins them again."""

    async def decide(desk: Desk, row: Sequence[str]) -> Answer:
        writer, asked = desk.connection.writer, desk.asked()
        if out:
            return await take_out(writer, [desk.key(each) for each in row], asked, desk.held)
        one, other = _two(row)
        return await unmerge_people(writer, desk.key(one), desk.key(other), asked, desk.held)

    finish(lambda: _decided(decide, identifiers, file, note, dry=dry))


def undo(
    decision: Annotated[str, typer.Argument(help="The id that the decision was answered with.")],
    note: Note = None,
    dry: DryRun = False,
) -> None:
    """Take a merge, an unmerge or an undo back: what stood before it stands again."""

    async def decide(desk: Desk, row: Sequence[str]) -> Answer:
        return await undo_decision(desk.connection.writer, row[0], desk.asked(), desk.held)

    finish(lambda: _decided(decide, [decision], None, note, dry=dry))


def _two(row: Sequence[str]) -> tuple[str, str]:
    if len(row) != 2:
        raise InputInvalidError(f"two identifiers are needed, not {len(row)}")
    return row[0], row[1]


async def _decided(
    decide: Decide, given: Sequence[str] | None, file: Path | None, note: str | None, *, dry: bool
) -> Exit:
    if bool(given) == bool(file):
        raise InputInvalidError("name identifiers, or a --file of them")
    rows = list(_rows_of(file)) if file else [("", list(given or ()))]
    settings = load_settings()
    async with reached_in_sight(settings) as connection:
        held = await policy_held(settings, connection)
        policy = held.policy.with_namespaces(await declared_namespaces(connection.reader))
        desk = Desk(connection, held, policy, note, dry)
        if not file:
            return _shown(await decide(desk, rows[0][1]), dry=dry)
        return await _all(decide, desk, rows)


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


async def _all(decide: Decide, desk: Desk, rows: Sequence[tuple[str, list[str]]]) -> Exit:
    """Decide row by row; one that cannot be decided is told with its place, and the others are decided all the same."""
    decided = 0
    for place, row in track(rows, "deciding", console=told, transient=not told.is_terminal):
        try:
            answer = await decide(desk, row)
        except (InputInvalidError, UnknownIdentifierError, DecisionError) as error:
            told.print(f"{place}: {error}", markup=False, soft_wrap=True)
            continue
        if isinstance(answer, Outcome):
            decided += 1
            print(f"{place}: {'would be decided' if desk.dry else f'decision {answer.decision}'}")
        else:
            told.print(f"{place}: {_why_not(answer)}", markup=False, soft_wrap=True)
    print(f"{decided:,} of {len(rows):,} {'would be ' if desk.dry else ''}decided")
    return Exit.DONE if decided == len(rows) else Exit.REJECTED


def _shown(answer: Answer, *, dry: bool) -> Exit:
    if not isinstance(answer, Outcome):
        print(f"nothing was decided: {_why_not(answer)}")
        return Exit.REJECTED
    print("nothing was written; this would be:" if dry else f"decision {answer.decision}")
    table = Table("profile", "identifiers", "traits", "interactions")
    for each in answer.after:
        keys = [*each.identifiers[:SHOWN_IDENTIFIERS]]
        more = [f"and {len(each.identifiers) - len(keys)} more"] if len(each.identifiers) > len(keys) else []
        traits = "\n".join(f"{name}: {value}" for name, value in each.traits.items() if value is not None)
        table.add_row(each.id, "\n".join([*keys, *more]), traits, f"{each.interactions:,}")
    shown.print(table)
    for link, why in answer.refused.items():
        print(f"refused from now on: {link.a} - {link.b} ({link.kind.word}): {why.value}")
    return Exit.DONE


def _why_not(answer: Answer) -> str:
    if not isinstance(answer, Conflict):
        return getattr(answer, "sentence", "")
    pairs = answer.apart if answer.reason is Reason.DIFFERENT else answer.values
    ends = "; ".join(f"{a} and {b}" for a, b in pairs)
    match answer.reason:
        case Reason.UNIQUE:
            return f"one person would have two values of one kind: {ends}; --override lets the second replace the first"
        case Reason.DIFFERENT:
            return f"somebody decided that they are different: {ends}; take that decision back first"
        case Reason.GENERIC:
            return "one of the two identifiers is shared by several people; name identifiers of theirs alone"
        case Reason.SIZE | Reason.LIMIT:
            return "the person would have more identifiers than the policy allows"
        case Reason.UNVERIFIED:  # never of what is decided by hand
            return "the policy asks for more authority"
