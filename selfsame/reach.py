"""Which Neo4j: the one that a URI names, the one that a running service owns, or one started for the while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from graph.connection import Connection, Hear, connected
from graph.migrations import migrate
from graph.server.configuration import ServerSettings
from graph.server.local import LocalNeo4j, local_neo4j, running_server
from graph.server.progress import Tell
from selfsame.clock import now
from selfsame.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Neo4j answers, and to whom. owned: the local one, where this process started it."""

    uri: str
    user: str
    password: str
    owned: LocalNeo4j | None = None


@asynccontextmanager
async def reached(settings: Settings, progress: Tell | None = None) -> AsyncIterator[Connection]:
    """A connection to the graph, in the shape this version needs.

    The Neo4j that SELFSAME_NEO4J_URI names; else the one of a service that runs on the same data directory; else the
    local one, for the while. progress: hears a start.
    Raises DatabaseAwayError, SchemaTooNewError, MigrationChangedError, and what starting a local Neo4j raises.
    """
    running = None if settings.neo4j_uri else running_server(settings.data_dir)
    if running is not None:
        async with opened(settings, Address(running.uri, running.user, running.password)) as connection:
            yield connection
        return
    async with addressed(settings, progress) as address, opened(settings, address) as connection:
        yield connection


@asynccontextmanager
async def addressed(settings: Settings, progress: Tell | None = None) -> AsyncIterator[Address]:
    """Where the graph is: at the URI that was set, or in a local Neo4j that this process starts and stops.

    Raises ServerError; DataOwnedError among them where another process has the data directory.
    """
    if settings.neo4j_uri:
        yield Address(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password.get_secret_value())
        return
    async with local_neo4j(server_settings(settings), progress) as server:
        yield Address(server.uri, server.user, server.password, server)


def server_settings(settings: Settings) -> ServerSettings:
    """How the local Neo4j is run."""
    return ServerSettings(
        settings.data_dir,
        heap_mb=settings.neo4j_heap_mb,
        page_cache_mb=settings.neo4j_page_cache_mb,
        bolt_port=settings.neo4j_port or None,
    )


@asynccontextmanager
async def opened(settings: Settings, address: Address, hear: Hear | None = None) -> AsyncIterator[Connection]:
    """A connection to an address, after the migrations that it still needs. hear: is told of every statement."""
    async with connected(address.uri, address.user, address.password, settings.neo4j_database, hear) as connection:
        await migrate(connection.writer, now())
        yield connection
