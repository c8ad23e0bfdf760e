"""`selfsame serve`: run the service until Ctrl-C or SIGTERM."""

import gc
from contextlib import AsyncExitStack

import anyio

from graph.server.progress import shown as steps_shown
from selfsame.cli.exits import Exit, finish, told
from selfsame.serving import Serving, ended_by_signal, serving
from selfsame.settings import Settings, load_settings, unknown_variables
from selfsame.telemetry import configure_logs, log

NEW_OBJECTS = 50_000


def serve() -> None:
    """Run the service until Ctrl-C or SIGTERM; what was acknowledged is in the graph."""

    async def work() -> Exit:
        settings = load_settings()
        configure_logs(settings)
        for name in unknown_variables():
            log().warning("an environment variable means nothing", name=name)
        async with ended_by_signal(), AsyncExitStack() as stack:
            with steps_shown(told) as tell:
                served = await stack.enter_async_context(serving(settings, tell))
            _spare_what_stays()
            _announce(served, settings)
            await anyio.sleep_forever()
        return Exit.DONE

    finish(work)


def _spare_what_stays() -> None:
    """Look for garbage among what requests leave, no longer among what was there before the first.

    The schema and the modules are half a million objects, which a full collection goes through: with it, and with one
    after each 700 new objects, a fifth of the processor time of a GraphQL request went there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def _announce(served: Serving, settings: Settings) -> None:
    told.print(f"Selfsame answers at {served.url} (graph at {served.neo4j}); Ctrl-C ends it.", soft_wrap=True)
    log().info("serving", url=served.url, neo4j=served.neo4j, policy=settings.policy)
