"""`python -m bench.parse_only`: the service with everything but the commit, to see what reading a request costs.

Keys are asked, bodies are unpacked and read, messages go through the queue, answers are written; nothing is stored.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import uvicorn
from starlette.applications import Starlette

from graph.connection import connected
from graph.ingestion import Outcome, Status
from identity.messages import Message
from loaders.intake import Intake
from selfsame.access import KeyRing
from selfsame.clock import now
from selfsame.collecting import Collecting


async def _kept_nowhere(messages: Sequence[Message]) -> tuple[Outcome, ...]:
    return (Outcome(Status.COMMITTED),) * len(messages)


async def main() -> None:
    """Answer until a signal ends it; the address is announced on the standard error."""
    intake = Intake(_kept_nowhere)
    uri, user, password = (os.environ[f"SELFSAME_NEO4J_{name}"] for name in ("URI", "USER", "PASSWORD"))
    async with connected(uri, user, password) as connection:

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with intake.opened():
                yield

        collecting = Collecting(KeyRing(connection.reader, now), intake, connection.writer, now)
        app = Starlette(routes=[*collecting.routes()], lifespan=lifespan)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            sys.stderr.write(f"the reader answers at http://127.0.0.1:{port}\n")
            sys.stderr.flush()
            await uvicorn.Server(uvicorn.Config(app, http="httptools", access_log=False, log_config=None)).serve(
                [listener]
            )


if __name__ == "__main__":
    anyio.run(main, backend_options={"use_uvloop": True})
