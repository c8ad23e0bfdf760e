"""`selfsame consume`: topics of Kafka into the graph, until it is told to stop."""

import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Annotated

import anyio
import typer
from anyio.abc import TaskStatus
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from graph.pending import drain_pending
from graph.server.local import running_server
from graph.tombstones import check_key
from identity.messages import micros
from loaders.declaring import declare_source
from loaders.kafka.settings import Subscription, client_settings
from loaders.runs import Work
from loaders.streams import Flow, Pace, opened_topics
from loaders.streams import consume as consumed
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.load import DEFAULT_SOURCE, With, into, mapping_meant, sender
from selfsame.cli.load_reports import show
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import now
from selfsame.erasing import hashing_of
from selfsame.holding import hold
from selfsame.ruling import policy_held
from selfsame.settings import CONSUME_SETTINGS, Settings, load_settings

TOLD_SECONDS = 60.0  # between two lines where no terminal shows a bar


def consume(
    topics: Annotated[list[str], typer.Argument(help="Topics, or with ^ before it a pattern of their names.")],
    mapping: Annotated[
        str | None, typer.Option(help="A mapping file, or the name of one in the catalogue.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option(help="Without a mapping: whose messages these are.")] = DEFAULT_SOURCE,
    authority: Annotated[str, typer.Option(help="Without a mapping: claimed, verified or imported.")] = "claimed",
    with_: With = None,
    brokers: Annotated[str | None, typer.Option(help="host:port, several with commas.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option(help="The consumer group; selfsame by default.")] = None,
    settings: Annotated[
        Path | None,
        typer.Option(envvar=CONSUME_SETTINGS, help="librdkafka's settings, a name=value a line.", show_default=False),
    ] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="End where the topics end now.")] = False,
) -> None:
    """Load the records of Kafka's topics until Ctrl-C or SIGTERM; without a mapping JSON is Segment-shaped.

    Offsets are committed after the graph, so what ends in between is read again and changes nothing.
    """

    async def work() -> Exit:
        ours, mapped = load_settings(), mapping_meant(mapping, with_ or ())
        subscription = Subscription(tuple(topics), client_settings(settings, brokers, group), until_end)
        whose = mapped.source if mapped else sender(source, authority)
        async with stopped_by_signal() as stop, reached_in_sight(ours) as connection:
            held, hashing = await policy_held(ours, connection), hashing_of(ours)
            await check_key(connection.reader, hashing)
            await declare_source(connection.writer, whose)

            async def drained() -> None:
                await drain_pending(connection.writer, held, micros(now()))

            loading = Work(whose, mapped, replace(into(connection, held, hashing), hold=hold()))
            with opened_topics(subscription, _troubled) as member, progress_of(subscription) as tell:
                pace = Pace(stop, tell, _troubled, drained, _left(ours))
                report = await consumed(member, subscription, loading, pace)
            await drained()
        show(subscription, report)
        return Exit.REJECTED if until_end and report.counts.rejected else Exit.DONE

    finish(work)


def _troubled(sentence: str) -> None:
    told.print(sentence, markup=False, soft_wrap=True)


def _left(settings: Settings) -> Callable[[], bool]:
    """Whether the graph is away for good: a local Neo4j that ended comes back at another address, if at all."""
    before = None if settings.neo4j_uri else running_server(settings.data_dir)
    if before is None:
        return lambda: False

    def left() -> bool:
        running = running_server(settings.data_dir)
        return running is None or running.uri != before.uri

    return left


@asynccontextmanager
async def stopped_by_signal() -> AsyncIterator[anyio.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one cancels the block. Only a main thread hears them."""
    stop = anyio.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    async with anyio.create_task_group() as tasks:
        await tasks.start(_heard, stop, tasks.cancel_scope)
        yield stop
        tasks.cancel_scope.cancel()


async def _heard(stop: anyio.Event, scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if stop.is_set():
                scope.cancel()
                return
            stop.set()


@contextmanager
def progress_of(subscription: Subscription) -> Iterator[Callable[[Flow], None]]:
    """Records, rate and lag on the standard error output: a living line on a terminal, else one now and then."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), _Flowing(), TimeElapsedColumn())
    with Progress(*columns, console=told, transient=True, disable=not told.is_terminal) as bars:
        task, beaten = bars.add_task(subscription.name, total=None, lag=0), monotonic()

        def tell(flow: Flow) -> None:
            nonlocal beaten
            bars.update(task, completed=flow.counts.records, lag=flow.lag)
            if not told.is_terminal and monotonic() > beaten + TOLD_SECONDS:
                beaten = monotonic()
                told.print(f"{subscription.name}: {said(bars.tasks[0])}", markup=False, soft_wrap=True)

        yield tell


class _Flowing(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(said(task))


def said(task: Task) -> str:
    """How far a stream is."""
    return f"{int(task.completed):,} records, {task.speed or 0:,.0f}/s, {task.fields['lag']:,} behind"
