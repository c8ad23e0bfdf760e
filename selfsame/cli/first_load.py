"""`selfsame load --first`: a big history into an empty graph, computed beside it and imported as a whole."""

import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from graph.connection import Connection
from graph.first_load.emptiness import flag_differing, kept_nodes
from graph.first_load.gathering import Gathering
from graph.first_load.tables import Facts
from graph.first_load.writing import Files, completed
from graph.namespaces import declared_namespaces
from graph.pending import drain_pending
from graph.server.compaction import GATHERED
from graph.server.local import import_local
from graph.server.progress import shown as steps_shown
from graph.tombstones import check_key
from identity.messages import micros
from identity.policy import Policy
from loaders.declaring import declare_source
from loaders.first_load import Gatherer, Part
from loaders.runs import RunReport
from selfsame.cli.exits import told
from selfsame.cli.load_reports import progress_of, show
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.erasing import hashing_of
from selfsame.errors import InputInvalidError
from selfsame.reach import addressed, opened, server_settings
from selfsame.ruling import policy_held
from selfsame.settings import Settings


@dataclass(frozen=True, slots=True)
class _Empty:
    """A graph that holds nothing yet: its policy, and the few nodes that stay."""

    policy: Policy
    kept: Sequence[tuple[str, Facts]]


async def first_load(settings: Settings, parts: Sequence[Part]) -> list[RunReport]:
    """Load a history into the empty local Neo4j; the report of each part.

    Killed before the import has ended, nothing is loaded; after that all is, and what waits is done by whoever drains.
    Raises NotEmptyError, ImportFailedError, InputInvalidError for a server by URI, and what reading the parts raises.
    """
    if settings.neo4j_uri:
        raise InputInvalidError(
            "--first writes the store of the local Neo4j; SELFSAME_NEO4J_URI names another one, so load without --first"
        )
    async with _held_empty(settings, parts) as empty:
        with _folder(settings) as folder, Gathering(folder, empty.policy, micros(now())) as gathering:
            gatherer = Gatherer(gathering, mint, now)
            reports = [await _read(gatherer, part) for part in parts]
            files = _written(gathering, empty, ", ".join(sorted({part.source.name for part in parts})))
            with steps_shown(told) as tell:
                await import_local(server_settings(settings), files.arguments, files.hold, tell)
    await _finish(settings, gathering)
    for part, report in zip(parts, reports, strict=True):
        show(part.origin, report)
    return reports


@asynccontextmanager
async def _held_empty(settings: Settings, parts: Iterable[Part]) -> AsyncIterator[_Empty]:
    """The empty graph, with the namespaces that the parts declare; its Neo4j is stopped, its data directory held."""
    async with AsyncExitStack() as stack:
        with steps_shown(told) as tell:
            address = await stack.enter_async_context(addressed(settings, tell))
        if address.owned is None:
            raise InputInvalidError("--first writes the store of the local Neo4j, and this is another one")
        async with opened(settings, address) as connection:
            empty = await _empty(settings, connection, parts)
        ownership = await address.owned.ended()
        if ownership is not None:
            stack.callback(ownership.release)
        yield empty


async def _empty(settings: Settings, connection: Connection, parts: Iterable[Part]) -> _Empty:
    held = await policy_held(settings, connection)
    await check_key(connection.reader, hashing_of(settings))
    await kept_nodes(connection.reader)
    for part in parts:
        await declare_source(connection.writer, part.source)
    policy = held.policy.with_namespaces(await declared_namespaces(connection.reader))
    return _Empty(policy, await kept_nodes(connection.reader))


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """A folder for the files of the import, on the disk of the data; what an earlier load left in it goes."""
    folder = settings.data_dir / GATHERED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _read(gatherer: Gatherer, part: Part) -> RunReport:
    with progress_of(part.origin) as tell:
        return await gatherer.read(part, tell)


def _written(gathering: Gathering, empty: _Empty, source: str) -> Files:
    with told.status("Stitching everything …") as status:
        return completed(
            gathering,
            empty.policy,
            empty.kept,
            source,
            mint,
            lambda rows: status.update(f"Writing the files: {rows:,} nodes and relationships …"),
        )


async def _finish(settings: Settings, gathering: Gathering) -> None:
    """Make the indexes, which a start does, and what waits for them."""
    async with reached_in_sight(settings) as connection:
        with told.status("Making the indexes, and finishing …"):
            held = await policy_held(settings, connection)
            await connection.writer.write(flag_differing, gathering.differing)
            await drain_pending(connection.writer, held, micros(now()))
