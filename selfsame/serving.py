"""The start of the service: its port, its Neo4j, and while that starts in its process the import of what answers."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from os import strerror
from typing import cast

import anyio
import anyio.to_thread
from anyio.abc import TaskStatus

from graph.connection import Connection
from graph.server.progress import Tell
from selfsame.errors import EnvironmentRefusesError
from selfsame.hooks import hooks_from
from selfsame.reach import Address, addressed
from selfsame.settings import Settings, configured_policy, kinds_from

BACKLOG = 1_024
Answering = Callable[[Address, socket.socket], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Serving:
    """A service that answers. url: its address without a slash at the end; neo4j: the address of its graph."""

    url: str
    neo4j: str
    connection: Connection


@asynccontextmanager
async def serving(settings: Settings, progress: Tell | None = None) -> AsyncIterator[Serving]:
    """The service, from the moment it answers to the end of the block, which is cancelled if its Neo4j dies.

    Its end is clean: no new request, the accepted ones answered, then Neo4j stopped. The port is taken first, so that
    a second service is told at once. Raises EnvironmentRefusesError, ServerError, DatabaseAwayError,
    SettingsInvalidError, PolicyInvalidError, SchemaTooNewError, MigrationChangedError, ErasureKeyError,
    NamespaceConflictError, NameConflictError.
    """
    configured_policy(settings)
    hooks_from(settings.webhooks)
    kinds_from(settings)
    with _listening(settings.host, settings.port) as listener, ThreadPoolExecutor(1) as aside:
        answering = aside.submit(_imported, settings)
        if _may_be_refused(settings):
            await anyio.to_thread.run_sync(answering.result)
        async with addressed(settings, progress) as address:
            answers = await anyio.to_thread.run_sync(answering.result)
            async with answers(address, listener) as connection:
                yield Serving(_url(settings.host, listener), address.uri, connection)


def _imported(settings: Settings) -> Answering:
    """What answers, in a thread of its own: the schema is two seconds of imports, and Neo4j's start five or more."""
    running = import_module("selfsame.running")
    return cast("Callable[[Settings], Answering]", running.answering_by)(settings)


def _may_be_refused(settings: Settings) -> bool:
    """Whether there are settings that only what answers can read: what is wrong is said before Neo4j is started."""
    return settings.documents is not None or any(name.startswith("OTEL_") for name in os.environ)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises EnvironmentRefusesError when the port is taken or the host is not ours."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise EnvironmentRefusesError(
            f"{host}:{port} cannot be listened on ({strerror(error.errno or 0)}); stop what uses it, or set "
            "SELFSAME_PORT to another port (0 takes a free one) or SELFSAME_HOST to an address of this machine"
        ) from error


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def ended_by_signal() -> AsyncIterator[None]:
    """Cancel the block at SIGINT or SIGTERM, and go on after it; a second one finds Python's own handlers again."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(_cancelled_by_signal, tasks.cancel_scope)
        yield
        tasks.cancel_scope.cancel()


async def _cancelled_by_signal(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
            return
