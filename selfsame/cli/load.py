"""`selfsame load`: files of records into the graph, as recorded runs with progress."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import anyio
import typer

from graph.connection import Connection
from graph.errors import RunHeldError
from graph.ingestion import Outcome, commit_batch
from graph.pending import drain_pending
from graph.policies import PolicyHeld
from graph.previewing import Preview, Trial, preview
from graph.tombstones import check_key
from identity.erasure import Hashing
from identity.messages import Message, SourceName, micros
from loaders.errors import ColumnsChangedError, FileUnreadableError, MappingInvalidError
from loaders.files import files_of
from loaders.first_load import Part
from loaders.formats.records import FORMATS, Reading, selected
from loaders.mapping import AUTHORITIES, SourceMapping, mapping_named
from loaders.mapping_text import Local
from loaders.runs import Into, Origin, RunReport, dry_run, load_file
from loaders.shapes import Drift
from loaders.sources import Source
from loaders.tables import Table
from selfsame.cli.exits import EXIT_OF_CODE, Exit, finish, told
from selfsame.cli.first_load import first_load
from selfsame.cli.load_reports import exit_of, progress_of, show
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.erasing import hashing_of
from selfsame.errors import InputInvalidError
from selfsame.holding import hold
from selfsame.ruling import policy_held
from selfsame.settings import LOAD_SQL, load_settings

DEFAULT_SOURCE = "web"
PREVIEWED = 10_000  # messages; a preview is one transaction, and holds its locks until its end
COMMIT_SECONDS = 600.0  # of a batch; behind a connection that was cut without a word nothing would ever come
SHOWN_MERGES = 10
OF_ONE_FILE = (FileUnreadableError, MappingInvalidError, ColumnsChangedError, RunHeldError)
SHOWN_KEYS = 6
FILES_HELP = (
    "CSV, JSONL, JSON, Parquet or Excel files, packed or not; a folder or a 'pattern*' for all in it; - for the input."
)
FIRST_HELP = (
    "Load a big history into an empty local graph, all at once and faster; MAPPING=FILE gives a file its own mapping."
)


With = Annotated[
    list[str] | None, typer.Option("--with", help="NAME=VALUE that the mapping wants to be given; may be given again.")
]


def given_from(said: Sequence[str]) -> dict[str, str]:
    """What a mapping is given, from `name=value`. Raises InputInvalidError."""
    for each in said:
        if "=" not in each:
            raise InputInvalidError(f"--with takes NAME=VALUE, not `{each}`")
    return {name: value for name, _, value in (each.partition("=") for each in said)}


def mapping_meant(name: str | None, said: Sequence[str]) -> SourceMapping | None:
    """The mapping that a command names, with what it is given. Raises InputInvalidError, MappingInvalidError."""
    given = given_from(said)
    if given and not name:
        raise InputInvalidError("--with belongs to --mapping")
    return mapping_named(name, Local(given=given)) if name else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be loaded, and how it is read."""

    origins: Sequence[Origin]
    source: Source
    mapping: SourceMapping | None
    reading: Reading


def load(
    files: Annotated[list[Path] | None, typer.Argument(help=FILES_HELP, show_default=False)] = None,
    mapping: Annotated[
        str | None, typer.Option(help="A mapping file, or the name of one in the catalogue.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option(help="Without a mapping: whose messages these are.")] = DEFAULT_SOURCE,
    authority: Annotated[str, typer.Option(help="Without a mapping: claimed, verified or imported.")] = "claimed",
    form: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}, where the name does not say it.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file, where its header does not show it.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a text file, where its bytes do not show it.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of an Excel file; the first one by default.")] = None,
    records: Annotated[str | None, typer.Option(help="In a JSON document: the path to the list of records.")] = None,
    sql: Annotated[
        str | None,
        typer.Option(envvar=LOAD_SQL, help="A database's URL as SQLAlchemy writes it.", show_default=False),
    ] = None,
    table: Annotated[str | None, typer.Option(help="With --sql: the table to read.")] = None,
    query: Annotated[str | None, typer.Option(help="With --sql: the query whose rows are read.")] = None,
    key: Annotated[
        str | None, typer.Option(help="With --sql: the column to order by, so that a load can go on.")
    ] = None,
    with_: With = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show counts, ten messages, and who would merge.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Load nothing where the columns differ from the last load's.")] = False,
    take_over: Annotated[bool, typer.Option(help="Go on with a load that another process holds.")] = False,
    first: Annotated[bool, typer.Option("--first", help=FIRST_HELP)] = False,
) -> None:
    """Load files or a database's table; without a mapping JSON is Segment-shaped, one message a record.

    What was loaded before changes nothing; a file whose load was killed goes on where it stopped.
    """

    async def work() -> Exit:
        settings = load_settings()
        mapped = mapping_meant(mapping, with_ or ())
        reading = Reading(format_meant(form), delimiter_meant(delimiter), encoding, sheet, records)
        asked = _Asked(sql if not files else None, table, query, key)
        if first:
            if dry or take_over or strict:
                raise InputInvalidError("--first goes with none of --dry-run, --strict and --take-over")
            history = _history(files or (), reading, mapped, asked, lambda: sender(source, authority))
            return exit_of(await first_load(settings, history), Exit.DONE)
        origins = _origins(files or (), reading, mapped, asked)
        wanted = Wanted(origins, mapped.source if mapped else sender(source, authority), mapped, reading)
        async with reached_in_sight(settings) as connection:
            held = await policy_held(settings, connection)
            hashing = hashing_of(settings)
            await check_key(connection.reader, hashing)
            if dry:
                return exit_of(*await _all_tried(wanted, connection, held, hashing))
            where = replace(
                into(connection, held, hashing), hold=hold(take_over=take_over), drifted=_heard(strict=strict)
            )
            reports, worst = await _each(origins, lambda each: _loaded(each, wanted, where))
            await drain_pending(connection.writer, held, micros(now()))
        return exit_of(reports, worst)

    finish(work)


async def _each(
    origins: Sequence[Origin], work: Callable[[Origin], Awaitable[RunReport]]
) -> tuple[list[RunReport], Exit]:
    """What became of each of several; one that cannot be used is told, and holds up none of the others."""
    reports: list[RunReport] = []
    worst = Exit.DONE
    for each in origins:
        try:
            reports.append(await work(each))
        except OF_ONE_FILE as error:
            if len(origins) == 1:
                raise
            told.print(f"selfsame: not loaded: {error}", markup=False, soft_wrap=True)
            worst = EXIT_OF_CODE[error.code]
    return reports, worst


def _history(
    files: Sequence[Path],
    reading: Reading,
    mapping: SourceMapping | None,
    asked: "_Asked",
    sent: Callable[[], Source],
) -> list[Part]:
    """The parts of a history: a file may name the mapping of its own in front of it."""
    parts = []
    for given in files or (None,):
        own, file = _with_mapping(given) if given is not None else (None, None)
        mapped = own or mapping
        origins = _origins([file] if file is not None else (), reading, mapped, asked)
        parts += [Part(each, mapped.source if mapped else sent(), mapped, reading) for each in origins]
    return parts


def _with_mapping(given: Path) -> tuple[SourceMapping | None, Path]:
    """`crm.toml=contacts.csv` as the mapping and the file; a file whose own name has such a sign is itself."""
    name, sign, file = str(given).partition("=")
    if not sign or given.exists():
        return None, given
    return mapping_named(name), Path(file)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options say of a database."""

    url: str | None
    table: str | None
    query: str | None
    key: str | None


def _origins(files: Sequence[Path], reading: Reading, mapping: SourceMapping | None, asked: _Asked) -> Sequence[Origin]:
    """What is to be loaded, each a run of its own: the files, or the one table."""
    form = reading.format or (mapping.reading.format if mapping else None)
    if files and (asked.table or asked.query or asked.key):
        raise InputInvalidError("--table, --query and --key belong to --sql, which takes no files")
    if files:
        return [each for given in files for each in files_of(given, form)]
    if asked.url is None:
        raise InputInvalidError("name a file, a folder, - for the standard input, or a database by --sql")
    said = mapping.table if mapping and not (asked.table or asked.query) else None
    if said is not None:
        return [Table(asked.url, replace(said, key=asked.key or said.key))]
    return [Table(asked.url, selected(asked.table, asked.query, asked.key))]


def into(connection: Connection, policy: PolicyHeld, hashing: Hashing | None = None) -> Into:
    """A load that goes straight into the graph, by the clock of this machine. hashing: how the erased are known."""

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        with anyio.fail_after(COMMIT_SECONDS):
            return await commit_batch(connection.writer, messages, policy, mint, now(), hashing=hashing)

    return Into(connection, commit, mint, now, hashing)


def _heard(*, strict: bool) -> Callable[[Drift], None]:
    """Tells how columns changed; strict: and ends the load."""

    def hear(drift: Drift) -> None:
        sentences = drift.sentences()
        if strict:
            raise ColumnsChangedError(f"nothing is loaded, for since the last load {'; '.join(sentences)}")
        for each in sentences:
            told.print(f"since the last load {each}", markup=False, soft_wrap=True)

    return hear


def sender(source: str, authority: str) -> Source:
    """Whose messages come without a mapping. Raises InputInvalidError."""
    if authority not in AUTHORITIES:
        raise InputInvalidError(f"--authority is one of {', '.join(AUTHORITIES)}, not `{authority}`")
    if not source.strip():
        raise InputInvalidError("--source must not be empty")
    return Source(name=SourceName(source), authority=AUTHORITIES[authority])


def format_meant(given: str | None) -> str | None:
    """The format that an option names. Raises InputInvalidError."""
    if given is not None and given not in FORMATS:
        raise InputInvalidError(f"--format is one of {', '.join(FORMATS)}, not `{given}`")
    return given


def delimiter_meant(given: str | None) -> str | None:
    """The delimiter that an option names. Raises InputInvalidError."""
    meant = "\t" if given == r"\t" else given
    if meant is not None and (len(meant) != 1 or meant in '"\r\n'):
        raise InputInvalidError(f"--delimiter is one character (\\t for a tab), not `{given}`")
    return meant


async def _all_tried(
    wanted: Wanted, connection: Connection, held: PolicyHeld, hashing: Hashing | None
) -> tuple[list[RunReport], Exit]:
    """What each file would give, and what all of them together would make of people."""
    heard: list[Message] = []
    reports, worst = await _each(wanted.origins, lambda each: _tried(each, wanted, heard))
    messages = heard[:PREVIEWED]
    trial = Trial(wanted.source.name, wanted.source.namespaces, held, mint, now(), hashing)
    show_preview(await preview(connection.writer, messages, trial), len(messages), whole=len(heard) <= PREVIEWED)
    return reports, worst


async def _tried(origin: Origin, wanted: Wanted, heard: list[Message]) -> RunReport:
    """heard: is given its messages, as long as there are too few."""

    def hear(messages: Sequence[Message]) -> None:
        if len(heard) <= PREVIEWED:
            heard.extend(messages)

    with progress_of(origin) as tell:
        report = await dry_run(
            origin, wanted.source, now(), mapping=wanted.mapping, reading=wanted.reading, tell=tell, hear=hear
        )
    show(origin, report)
    return report


def show_preview(found: Preview, many: int, *, whole: bool) -> None:
    """What messages would make of people."""
    of = "all messages" if whole else f"the first {many:,} messages"
    print(f"people whom {of} name: {found.before:,} now, {found.after:,} then")
    for ids, keys in found.merged[:SHOWN_MERGES]:
        some = [*keys[:SHOWN_KEYS], *(["…"] if len(keys) > SHOWN_KEYS else [])]
        print(f"  would be one: {', '.join(ids)} ({', '.join(some)})")
    if len(found.merged) > SHOWN_MERGES:
        print(f"  {len(found.merged):,} merges in all")
    for id_, pieces in found.parted[:SHOWN_MERGES]:
        print(f"  would be {pieces}: {id_}")


async def _loaded(origin: Origin, wanted: Wanted, where: Into) -> RunReport:
    with progress_of(origin) as tell:
        report = await load_file(
            origin, wanted.source, where, mapping=wanted.mapping, reading=wanted.reading, tell=tell
        )
    show(origin, report)
    return report
