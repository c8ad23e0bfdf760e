"""`selfsame demo`: a sample company, told by three sources to a running service, and what it makes of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import anyio.to_thread
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from graph.census import census
from graph.connection import Connection
from graph.dead_letters import dead_letters
from graph.exports import identifier_lines
from graph.health import stock_of
from graph.keys import Scope
from graph.pending import drain_pending
from graph.policies import PolicyHeld
from graph.rebuild import verify
from graph.server.progress import shown as steps_shown
from identity.erasure import Hashing
from identity.messages import SourceName, micros
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.load import into
from selfsame.clock import now
from selfsame.demo import questions, telling
from selfsame.demo.asking import Asker
from selfsame.demo.fernhill import Company, fernhill, truth, web_calls, write_files
from selfsame.demo.judging import judged
from selfsame.demo.loading import FILES, load_one
from selfsame.demo.sending import send_calls
from selfsame.demo.telling import Told
from selfsame.erasing import hashing_of
from selfsame.errors import EnvironmentRefusesError
from selfsame.keys import Terms, create_key
from selfsame.ruling import policy_held
from selfsame.serving import Serving, ended_by_signal, serving
from selfsame.settings import LogLevel, Settings, load_settings
from selfsame.telemetry import configure_logs

WEB = SourceName("web")
T = TypeVar("T")


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the answers instead of serving.")] = False,
) -> None:
    """Start everything, load the sample company Fernhill, tell who is who in it, and serve until Ctrl-C."""

    async def work() -> Exit:
        settings = settings_of_demo(load_settings())
        configure_logs(settings)
        status = Exit.INTERRUPTED
        async with ended_by_signal(), AsyncExitStack() as stack:
            with steps_shown(told) as tell:
                served = await stack.enter_async_context(serving(settings, tell))
            tour = await _toured(served, settings)
            for sentence in tour.wrong:
                told.print(f"selfsame: {sentence}", markup=False, soft_wrap=True)
            status = Exit.WRONG if tour.wrong else Exit.DONE
            if not (leave or tour.wrong):
                await _serve(served, tour.asker.read_key)
        return status

    finish(work)


def settings_of_demo(settings: Settings) -> Settings:
    """Data in .selfsame/demo of the working directory, and a quiet log, unless something else is set.

    Nor is it told of slow statements, which say something of a busy machine and nothing of the sample company.
    """
    ours = {"data_dir": Path.cwd() / ".selfsame" / "demo", "log_level": LogLevel.WARNING, "slow_statement_ms": 0}
    return settings.model_copy(update={name: ours[name] for name in ours.keys() - settings.model_fields_set})


@dataclass(slots=True)
class _Tour:
    """What is at hand on the way, and the contradictions that were met."""

    connection: Connection
    policy: PolicyHeld
    hashing: Hashing | None
    company: Company
    asker: Asker
    wrong: list[str] = field(default_factory=list)


async def _toured(served: Serving, settings: Settings) -> _Tour:
    """Load everything and tell what became of it."""
    company, writer = fernhill(), served.connection.writer
    write_key = await create_key(writer, Scope.WRITE, now(), WEB, "demo")
    read_key = await create_key(writer, Scope.READ, now(), None, "demo", Terms(pii=True))
    tour = _Tour(
        served.connection,
        await policy_held(settings, served.connection),
        hashing_of(settings),
        company,
        Asker(served.url, read_key),
    )
    shown.print("\nFernhill, an outdoor shop with a wholesale arm, tells what it knows", style="bold")
    files = await _written(company, settings.data_dir / "fernhill")
    records = await _sent(tour, served.url, write_key)
    for name in FILES:
        records += await _loaded(tour, files / name)
    await drain_pending(writer, tour.policy, micros(now()))
    await _answers(tour, records)
    return tour


async def _written(company: Company, folder: Path) -> Path:
    try:
        await anyio.to_thread.run_sync(write_files, company, folder)
    except OSError as error:
        raise EnvironmentRefusesError(
            f"{folder}: the sample files cannot be written ({error.strerror}); set SELFSAME_DATA_DIR to another folder"
        ) from error
    return folder


async def _sent(tour: _Tour, url: str, write_key: str) -> int:
    """Send the web's and the app's calls; how many."""
    calls = web_calls(tour.company)
    before = (await stock_of(tour.connection.reader)).interactions
    with _bar("web and app") as tell:
        await send_calls(calls, url, write_key, lambda sent: tell(sent / len(calls), sent))
    new = (await stock_of(tour.connection.reader)).interactions - before
    _say([_counted("web and app", len(calls), "calls by HTTP", new, len(calls) - new)])
    if letters := await dead_letters(tour.connection.reader, WEB, limit=1):
        tour.wrong.append(f"a call was rejected: {letters[0].rejection.sentence}")
    return len(calls)


async def _loaded(tour: _Tour, file: Path) -> int:
    """Load one file; how many records it has."""
    with _bar(file.name) as tell:
        report = await load_one(
            file,
            into(tour.connection, tour.policy, tour.hashing),
            lambda loaded: tell(loaded.read / max(loaded.size, 1), loaded.counts.records),
        )
    counts = report.counts
    _say([_counted(file.name, counts.records, "records", counts.committed, counts.repeats)])
    _say(f"{'':<25}{many:,} passed over: {why}" for why, many in report.noted.skipped.items())
    tour.wrong += [f"a record was rejected at {each.place}: {each.sentence}" for each in report.noted.rejections]
    return counts.records


def _counted(what: str, many: int, noun: str, new: int, known: int) -> str:
    told_of = "all known already" if not new else f"{new:,} new" + (f", {known:,} known already" if known else "")
    return f"  {what:<15}{many:>7,} {noun}: {told_of}"


@contextmanager
def _bar(what: str) -> Iterator[Callable[[float, int], None]]:
    """A bar with a rate, gone when it is full; what it hears: the part that is done, and how many that are."""
    columns = (
        TextColumn("  {task.description:<15}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[many]:,}, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=told, transient=True, disable=not told.is_terminal) as bars:
        task = bars.add_task(what, total=1.0, many=0, rate=0.0)

        def tell(part: float, many: int) -> None:
            bars.update(task, completed=part, many=many, rate=many / max(bars.tasks[0].elapsed or 0.0, 0.1))

        yield tell


async def _answers(tour: _Tour, records: int) -> None:
    """Everything a person would want to see, each with the query that asked for it."""
    known = truth(tour.company)
    lines = [line async for line in identifier_lines(tour.connection.reader)]
    found = await census(tour.connection.reader)
    _part(tour, "Who is who", telling.people_told(records, found, judged(lines, known)))
    story = await _asked(tour, "One person, asked for by her email", questions.HER_STORY, questions.HerStory)
    _told(tour, telling.story_told(story))
    why = await _asked(tour, "Why is that one person?", questions.WHY_ONE, questions.WhyOne)
    _told(tour, telling.why_told(why))
    why_not = await _asked(tour, "Merges that were refused", questions.WHY_NOT, questions.WhyNot)
    _told(tour, telling.refusals_told(why_not))
    shares = await _asked(tour, "What many people use", questions.WHO_SHARES, questions.WhoShares)
    _told(tour, telling.sharing_told(shares, known))
    account = await _asked(tour, "Her company and her colleagues", questions.HER_ACCOUNT, questions.HerAccount)
    _told(tour, telling.account_told(account))
    _part(tour, "Is it right? All of it recomputed from the evidence", await _verified(tour))


async def _asked(tour: _Tour, heading: str, query: str, shape: type[T]) -> T:
    """Print a heading and a query, and ask it."""
    _heading(heading)
    for line in telling.query_shown(query):
        shown.print(line, style="cyan", markup=False, soft_wrap=True)
    _say([""])
    return await tour.asker.ask(query, shape)


async def _verified(tour: _Tour) -> Told:
    with told.status("Recomputing everything from the evidence …"):
        differences = await verify(tour.connection.reader, tour.policy.policy)
    noun = "difference" if len(differences) == 1 else "differences"
    line = f"verify: {len(differences)} {noun}"
    wrong = (f"{line}; `selfsame verify` lists them",) if differences else ()
    return Told((f"  {line}",), wrong)


def _part(tour: _Tour, heading: str, part: Told) -> None:
    _heading(heading)
    _told(tour, part)


def _heading(text: str) -> None:
    shown.print(f"\n{text}", style="bold", markup=False, soft_wrap=True)


def _told(tour: _Tour, part: Told) -> None:
    _say(part.lines)
    tour.wrong += part.wrong


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        shown.print(line, markup=False, soft_wrap=True)


CURL = r"""
  curl -sG {url}/graphql \
    -H 'Authorization: Bearer {key}' \
    --data-urlencode 'query={{ profiles(search: "quill") {{
      edges {{ node {{ traits {{ name value }} }} }} }} }}'

  or in a browser, with that key: {url}/graphiql
"""


async def _serve(served: Serving, read_key: str) -> None:
    _heading(f"Selfsame answers at {served.url} until Ctrl-C")
    _say(CURL.format(url=served.url, key=read_key).splitlines())
    await anyio.sleep_forever()
