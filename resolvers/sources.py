"""Sources and how far what they sent was taken in: their loads, and their records that could not be used."""

from collections.abc import Awaitable, Sequence
from enum import Enum
from typing import Annotated

import strawberry

from graph.interactions import TimeOrder as By
from graph.runs import Counts as StoredCounts
from graph.runs import Run as StoredRun
from graph.sources import RunPlace, runs_of
from graph.sources import Source as StoredSource
from graph.sources import sources as all_sources
from identity.messages import SourceName, micros
from resolvers.asking import Info
from resolvers.batching import then
from resolvers.interactions import Ordered, TimeOrder
from resolvers.nodes import resolved
from resolvers.paging import USUAL, After, Connection, First, Micros, one_more, page_of, place_in
from resolvers.scalars import Moment


@strawberry.enum(description="Where a load stands.")
class RunState(Enum):
    """Where a load stands."""

    RUNNING = strawberry.enum_value("running", description="It runs, or was ended before its time and can go on.")
    FINISHED = strawberry.enum_value("finished", description="Every record of it is accounted for.")


@strawberry.type(description="What became of the records of a load so far.")
class RunCounts:
    """What became of the records of a load so far."""

    records: int = strawberry.field(description="Records that were read.")
    skipped: int = strawberry.field(description="Records that were passed over on purpose.")
    rejected: int = strawberry.field(description="Records, or messages of theirs, that could not be used.")
    messages: int = strawberry.field(description="Messages that the records gave.")
    committed: int = strawberry.field(description="Messages that are new.")
    repeats: int = strawberry.field(description="Messages that were known.")
    differing: int = strawberry.field(description="Messages that were known with another text.")
    warned: int = strawberry.field(description="Messages with something wrong in them.")
    erased: int = strawberry.field(description="Messages that an erasure keeps out.")


def _state(parent: strawberry.Parent[StoredRun]) -> RunState:
    return RunState(parent.state.value)


def _file(parent: strawberry.Parent[StoredRun]) -> str:
    return parent.load.file


def _mapping(parent: strawberry.Parent[StoredRun]) -> str | None:
    return parent.load.mapping


def _format(parent: strawberry.Parent[StoredRun]) -> str | None:
    return parent.form.format if parent.form else None


def _started(parent: strawberry.Parent[StoredRun]) -> Moment:
    return Moment(micros(parent.started_at))


def _updated(parent: strawberry.Parent[StoredRun]) -> Moment:
    return Moment(micros(parent.updated_at))


def _times(parent: strawberry.Parent[StoredRun]) -> int:
    return parent.taken.times


def _counts(parent: strawberry.Parent[StoredRun]) -> StoredCounts:
    return parent.counts


@strawberry.type(description="One load of a file, a table or a stream.")
class Run:
    """One load of a file, a table or a stream."""

    id: str = strawberry.field(description="Its id, as `selfsame runs` shows it.")
    state: RunState = resolved(_state, "Where it stands.")
    file: str = resolved(_file, "What is loaded.")
    mapping: str | None = resolved(_mapping, "The mapping by which it is read; null where none is needed.")
    format: str | None = resolved(_format, "How its records are written, such as `csv`.")
    position: int = strawberry.field(description="The last line or record that is accounted for.")
    read: float = strawberry.field(description="How many bytes of it were read; a Float, since it may pass 2^31.")
    size: float = strawberry.field(description="How many bytes it has, 0 where nobody knows; a Float like `read`.")
    rate: float | None = strawberry.field(description="Records a second since it was taken up last; null at first.")
    times: int = resolved(_times, "How often it was taken up.")
    counts: RunCounts = resolved(_counts, "What became of its records so far.")
    started_at: Moment = resolved(_started, "When it was begun.")
    updated_at: Moment = resolved(_updated, "When it last came on.")


@strawberry.type(description="How many records of a source could not be used for one reason.")
class RejectedRecords:
    """How many records of a source could not be used for one reason."""

    code: str = strawberry.field(description="The reason, a stable word; docs/errors.md has them.")
    count: int = strawberry.field(description="How many dead letters have it.")
    last: Moment = strawberry.field(description="When the last of them was met.")


def _runs(
    parent: strawberry.Parent[StoredSource],
    info: Info,
    first: First = USUAL,
    after: After = None,
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredRun] | Awaitable[Connection[StoredRun]]:
    place = RunPlace(parent.name, place_in(after, tuple[Micros, str]))
    found = info.context.batching.ask(runs_of, place, one_more(first), By(order.value))
    return then(found, lambda runs: page_of(runs or (), first, after, lambda run: (micros(run.started_at), run.id)))


@strawberry.type(description="Where records come from, and how far they were taken in.")
class Source:
    """Where records come from."""

    name: str = strawberry.field(description="Its name.")
    keys: int = strawberry.field(description="How many keys it may send by now.")
    namespaces: list[str] = strawberry.field(description="The namespaces that its mappings declare, by name.")
    loads: int = strawberry.field(description="How many loads of it there were.")
    heard_at: Moment | None = strawberry.field(
        description="When it was heard last: a key of it was used, to the minute, a load came on, a record was refused."
    )
    loaded_at: Moment | None = strawberry.field(description="When a load of it last came on; null without any.")
    runs: Connection[Run] = resolved(_runs, "Its loads.")
    rejected: list[RejectedRecords] = strawberry.field(
        description="Its dead letters by their reasons, the most frequent first."
    )
    complete: bool = strawberry.field(
        description="Whether `rejected` counts all of them: of all sources together 100,000 dead letters are counted."
    )


Name = Annotated[str, strawberry.argument(description="The name of the source.")]


async def sources(info: Info) -> Sequence[StoredSource]:
    """Every source that has a key, a namespace, a load or a dead letter, by name."""
    return await all_sources(info.context.world.reader)


async def source(info: Info, name: Name) -> StoredSource | None:
    """The source of a name; None where none has it."""
    return next(iter(await all_sources(info.context.world.reader, SourceName(name))), None)
