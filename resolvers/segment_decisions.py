"""Segments kept by name: defined, and removed again."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from graph.connection import Transaction
from graph.segments import StoredSegment
from graph.segments import define_segment as keep_segment
from graph.segments import remove_segment as drop_segment
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.nodes import resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.problems import (
    IdempotencyConflict,
    Invalid,
    NotFound,
    NothingToDo,
    TooLarge,
    Trouble,
    already,
    missing,
)
from resolvers.segments import Asked, Segment, segments_by_name, usable_definition
from resolvers.world import World

LONGEST_NAME = 100
Name = Annotated[str, strawberry.argument(description="The name to keep it under; 1 to 100 characters.")]
OldName = Annotated[str, strawberry.argument(description="The name that it is kept under.")]


def _segment(parent: strawberry.Parent[StoredSegment]) -> StoredSegment:
    return parent


@strawberry.type(description="A segment as it is kept, or would be.")
class SegmentDefined:
    """A segment as it is kept, or would be."""

    segment: Segment = resolved(_segment, "The segment.")

    is_type_of = stands_for(StoredSegment)


@dataclass(frozen=True, slots=True)
class Removed:
    """A segment that is kept no longer."""

    name: str


@strawberry.type(description="A segment that is kept no longer, or would not be.")
class SegmentRemoved:
    """A segment that is kept no longer."""

    name: str = strawberry.field(description="The name that it had.")

    is_type_of = stands_for(Removed)


SegmentAnswer = Annotated[
    SegmentDefined | NotFound | Invalid | TooLarge | IdempotencyConflict,
    strawberry.union(name="SegmentAnswer", description="What became of a segment that is defined."),
]
RemovalAnswer = Annotated[
    SegmentRemoved | NothingToDo | Invalid | IdempotencyConflict,
    strawberry.union(name="RemovalAnswer", description="What became of a segment that is removed."),
]


async def define_segment(
    info: Info, name: Name, definition: Asked, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> StoredSegment | Trouble:
    """Keep a definition under a name, instead of the one it had."""
    context, shown = info.context, name.strip()

    async def work(world: World) -> StoredSegment | Trouble:
        if not (0 < len(shown) <= LONGEST_NAME and shown.isprintable()):
            raise refused(Code.SEGMENT_NAME)
        asked = usable_definition(definition, context)
        kept = await keep_segment(world.writer, shown, asked, context.micros)
        if kept is None:
            raise refused(Code.TOO_MANY_SEGMENTS)
        return kept

    async def again(_: Asking, __: str) -> StoredSegment | Trouble:
        found = (await segments_by_name(context.world.reader, [shown])).get(shown)
        return found or missing("unknown_segment", "the segment was defined under this key, and removed since")

    wanted = Wanted("defineSegment", (shown, definition), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_remembered, again))


async def remove_segment(
    info: Info, name: OldName, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Removed | Trouble:
    """Keep a segment no longer."""
    shown = name.strip()

    async def work(world: World) -> Removed | Trouble:
        if await drop_segment(world.writer, shown):
            return Removed(shown)
        return already("unknown_segment", "no segment is kept under this name")

    async def again(_: Asking, __: str) -> Removed | Trouble:
        return Removed(shown)

    wanted = Wanted("removeSegment", (shown,), idempotency_key, dry_run)
    return await done(info.context, wanted, work, Memory(_remembered, again))


async def _remembered(_: Transaction, kept: StoredSegment | bool | None) -> str | None:
    return "done" if kept else None
