"""Which Neo4j: the one that a URI names, the one that a running service owns, or one started for the while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graph.connection import Connection, connected
from graph.migrations import migrate
from selfsame.clock import now
from selfsame.settings import Settings


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Connection]:
    """A connection to the graph, in the shape this version needs.

    Raises DatabaseAwayError, SchemaTooNewError, MigrationChangedError, and what starting a local Neo4j raises.
    """
    assert settings.neo4j_uri
    async with connected(
        settings.neo4j_uri,
        settings.neo4j_user,
        settings.neo4j_password.get_secret_value(),
        settings.neo4j_database,
    ) as connection:
        await migrate(connection.writer, now())
        yield connection
