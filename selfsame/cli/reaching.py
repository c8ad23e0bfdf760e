"""The graph for the while of a command, the start of a local Neo4j shown in the terminal."""

import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from graph.connection import Connection
from graph.server.progress import shown
from selfsame.cli.exits import told
from selfsame.reach import reached
from selfsame.settings import Settings


@asynccontextmanager
async def reached_in_sight(settings: Settings) -> AsyncIterator[Connection]:
    """`reached`, with a line per step while a local Neo4j starts; the lines end before the command's own begin."""
    async with AsyncExitStack() as stack:
        with shown(told) as tell:
            connection = await stack.enter_async_context(reached(settings, tell))
        yield connection


def who() -> str:
    """Who gave the command, as the log of changes names them: the user of this machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container's user need have no name
        return "cli"
