"""Running the service: what answers at its port, over its graph, to its end. serving.py starts it."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.applications import Starlette

from graph.connection import Connection, Reader
from graph.health import is_broken
from graph.interaction_names import name_kinds
from graph.policies import follow
from graph.server.errors import DiskFullError, StartFailedError
from graph.server.folders import ROOM_MB, free_mb
from graph.server.local import LocalNeo4j
from graph.tombstones import check_key
from resolvers.answering.requests import BODY_LIMIT
from resolvers.answering.socket import Busy
from resolvers.answering.trusted import trusted_from
from resolvers.rates import Rates
from resolvers.viewer import NONE_TRUSTED, Bounds, Trusted
from selfsame.app import Parts, service
from selfsame.clock import mint, now
from selfsame.collecting import Doors
from selfsame.erasing import hashing_of
from selfsame.errors import SettingsInvalidError
from selfsame.explorer import pages_in
from selfsame.guests import Edge, per_minute, per_second
from selfsame.hooks import hooks_from
from selfsame.reach import Address, opened
from selfsame.ruling import policy_held, unlike_configured
from selfsame.settings import Introspection, Settings, kinds_from
from selfsame.telemetry import log
from selfsame.tracing import check_tracing, tracing
from selfsame.watching import Watch
from selfsame.webhooks import declare_at_start
from selfsame.writing import GatheringProtocol

GOING_DOWN_SECONDS = 20
BROKEN_SECONDS = 2.0
PARTING_SECONDS = 0.5
HOPELESS_SECONDS = 1  # without its Neo4j the service can only tell its callers to come again


class _Server(uvicorn.Server):
    """Signals are left to the command: after the last request there is a Neo4j to stop, too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def answering_by(
    settings: Settings,
) -> Callable[[Address, socket.socket], AbstractAsyncContextManager[Connection]]:
    """What answers over a graph to who connects, as long as it is entered; its first error cancels the block.

    Raises SettingsInvalidError.
    """
    check_tracing()
    return partial(_running, settings, _edge(settings))


@asynccontextmanager
async def _running(
    settings: Settings, edge: Edge, address: Address, listener: socket.socket
) -> AsyncIterator[Connection]:
    with tracing() as tracer:
        watch = Watch(slow_ms=settings.slow_statement_ms, lines=settings.log_requests, tracer=tracer)
        async with (
            opened(settings, address, watch.ran) as connection,
            _answering(app := service(await _parts(settings, connection, watch, edge)), listener) as (tasks, server),
        ):
            if address.owned is not None:
                give_up = partial(_give_up, server, app)
                tasks.start_soon(_watched, address.owned, give_up, settings.data_dir)
                tasks.start_soon(_minded, address.owned, connection.reader, give_up, settings.data_dir)
            yield connection


async def _parts(settings: Settings, connection: Connection, watch: Watch, edge: Edge) -> Parts:
    """What the service is made of; where the configured policy is another than the one in force, the log says so."""
    held = await policy_held(settings, connection)
    if (sentence := unlike_configured(settings, held)) is not None:
        log().warning(sentence)
    hashing = hashing_of(settings)
    await check_key(connection.reader, hashing)
    hooks = hooks_from(settings.webhooks)
    await declare_at_start(connection.writer, hooks)
    await name_kinds(connection.writer, kinds_from(settings), "the settings")
    await follow(connection.reader, held)
    doors = Doors(settings.allowed_origins, settings.user_secrets)
    opened = frozenset(map(held.policy.trait_name, settings.traits_open))
    return Parts(
        connection,
        held,
        now,
        mint,
        hashing=hashing,
        doors=doors,
        hooks=hooks,
        open_traits=opened,
        provider=settings.provider,
        readers=settings.readers,
        retention=timedelta(days=settings.feed_days),
        watch=watch,
        edge=edge,
        hooks_private=settings.hooks_private,
        pages=pages_in() if settings.graphiql else None,
    )


def _edge(settings: Settings) -> Edge:
    """How much may be asked."""
    rate, cost = settings.rate_questions, settings.rate_cost
    sending, failing = settings.rate_ingest, settings.rate_failures
    burst = settings.rate_burst_seconds
    return Edge(
        Bounds(
            settings.graphql_cost,
            settings.graphql_batch,
            _trusted(settings.documents),
            settings.documents_only,
            settings.introspection is not Introspection.OFF,
            settings.subscriptions,
        ),
        settings.metrics_key.get_secret_value() if settings.metrics_key else None,
        Rates(per_second(rate, burst) if rate else None, per_minute(cost) if cost else None),
        per_second(sending, burst) if sending else None,
        per_minute(failing) if failing else None,
        burst,
        settings.introspection is Introspection.PRIVILEGED,
    )


def _trusted(manifest: Path | None) -> Trusted:
    """The documents that are trusted. Raises SettingsInvalidError."""
    if manifest is None:
        return NONE_TRUSTED
    try:
        found = trusted_from(manifest.read_bytes())
    except OSError as error:
        raise SettingsInvalidError(f"SELFSAME_DOCUMENTS: {manifest} cannot be read: {error.strerror}") from error
    if isinstance(found, Trusted):
        return found
    raise SettingsInvalidError("\n".join(f"SELFSAME_DOCUMENTS: {manifest}: {each}" for each in found))


@asynccontextmanager
async def _answering(app: Starlette, listener: socket.socket) -> AsyncIterator[tuple[TaskGroup, _Server]]:
    """An application that answers, in a task group whose first error cancels the block and ends the answering."""
    server = _Server(
        uvicorn.Config(
            app,
            http=GatheringProtocol,
            ws="auto",  # websockets, which is installed beside it
            ws_max_size=BODY_LIMIT,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GOING_DOWN_SECONDS,
        )
    )
    async with anyio.create_task_group() as tasks:
        ended = await tasks.start(_served, server, listener)
        try:
            yield tasks, server
        finally:
            app.state.feed.close()  # who listens is told to come again, while that can still be written
            app.state.going_down = True
            with anyio.CancelScope(shield=True):
                await _parted(server, app.state.busy)
                server.should_exit = True
                await ended.wait()
            tasks.cancel_scope.cancel()


async def _parted(server: _Server, busy: Busy) -> None:
    """Let connections end by an answer that says so, before uvicorn cuts those off on which nothing is being answered.

    That may be one whose request has come and was not read yet, or that waits to be accepted: its client would hear of
    a reset. Who connects meanwhile is still answered. WebSockets uvicorn cuts off in any case, so what is being
    answered over one is waited for here.
    """
    began, patience = anyio.current_time(), server.config.timeout_graceful_shutdown or 0
    with anyio.move_on_after(PARTING_SECONDS):
        await anyio.lowlevel.checkpoint()
        while server.server_state.connections:  # noqa: ASYNC110 - the library has no event for it
            await anyio.sleep(0.02)
    with anyio.move_on_after(patience):
        while busy.questions:  # noqa: ASYNC110 - as long as a statement takes
            await anyio.sleep(0.02)
    server.config.timeout_graceful_shutdown = max(HOPELESS_SECONDS, patience - int(anyio.current_time() - began))


async def _served(server: _Server, listener: socket.socket, *, task_status: TaskStatus[anyio.Event]) -> None:
    """Serve until the server is told to exit; cancelling does not cut it short."""
    ended = anyio.Event()
    with anyio.CancelScope(shield=True):
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_told_when_started, server, task_status, ended)
                await server.serve(sockets=[listener])
                tasks.cancel_scope.cancel()
        finally:
            ended.set()


async def _told_when_started(server: _Server, task_status: TaskStatus[anyio.Event], ended: anyio.Event) -> None:
    while not server.started:  # noqa: ASYNC110 - the library has no event for it
        await anyio.sleep(0.01)
    task_status.started(ended)


def _give_up(server: _Server, app: Starlette) -> None:
    """Keep nobody waiting for what a Neo4j that is gone would have to answer."""
    server.config.timeout_graceful_shutdown = HOPELESS_SECONDS
    app.state.intake.give_up()


async def _watched(neo4j: LocalNeo4j, give_up: Callable[[], None], data_dir: Path) -> None:
    status = await neo4j.wait()
    give_up()
    log().error("the local Neo4j ended by itself", status=status)
    raise StartFailedError(
        f"the local Neo4j ended by itself with status {status}; what was acknowledged is kept. "
        f"Start the service again; the reason may stand in {data_dir / 'logs'}"
    )


async def _minded(neo4j: LocalNeo4j, reader: Reader, give_up: Callable[[], None], data_dir: Path) -> None:
    """End the service when its own Neo4j runs and works no more: only a new start of both brings it back."""
    while not await _broken(reader):  # noqa: ASYNC110 - it happens in another process
        await anyio.sleep(BROKEN_SECONDS)
    give_up()
    neo4j.give_up()
    free = free_mb(data_dir)
    log().error("the local Neo4j has stopped working", free_mb=free)
    kept = "what was acknowledged is kept"
    if free < ROOM_MB:
        raise DiskFullError(
            f"the local Neo4j has stopped working, and the disk of {data_dir} has {free} MB free; {kept}. Free "
            f"{ROOM_MB} MB or more, then start the service again"
        )
    logs = data_dir / "logs"
    raise StartFailedError(f"the local Neo4j has stopped working; {kept}. Start the service again; {logs} says why")


async def _broken(reader: Reader) -> bool:
    """Whether it is; one that does not answer in time is looked after by whoever supervises the service."""
    with anyio.move_on_after(BROKEN_SECONDS):
        return await is_broken(reader)
    return False
