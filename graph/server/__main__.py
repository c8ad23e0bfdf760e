"""`python -m graph.server DATA_DIR`: run the local Neo4j until Ctrl-C, for those who work on Selfsame."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

import anyio
from anyio.abc import TaskStatus
from rich.console import Console

from graph.server.configuration import ServerSettings
from graph.server.errors import ServerError, StartFailedError
from graph.server.local import start_local
from graph.server.progress import shown


def main() -> None:
    """Run it; exit status 1 when it does not start or ends by itself."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--bolt-port", type=int, help="by default a free one")
    asked = parser.parse_args()
    try:
        anyio.run(_run, ServerSettings(asked.data_dir, bolt_port=asked.bolt_port))
    except* ServerError as errors:
        sys.exit("\n".join(map(str, errors.exceptions)))


async def _run(settings: ServerSettings) -> None:
    """The address goes to standard output as exports that the tests understand."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(_ended_by_signal, tasks.cancel_scope)
        with shown(Console(stderr=True)) as tell:
            server = await start_local(settings, tell)
        try:
            for name, value in (("URI", server.uri), ("USER", server.user), ("PASSWORD", server.password)):
                sys.stdout.write(f"export SELFSAME_TEST_NEO4J_{name}={value}\n")
            sys.stdout.flush()
            status = await server.wait()
            raise StartFailedError(f"Neo4j ended by itself with status {status}; see {settings.data_dir / 'logs'}")
        finally:
            await server.stop()


async def _ended_by_signal(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


if __name__ == "__main__":
    main()
