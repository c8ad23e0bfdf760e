"""Audiences: kept segments as they may leave the house, counted by who agreed, never of few people."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from graph.audiences import agreed
from graph.segments import Asked, StoredSegment
from insight.anonymity import FLOOR, told_parts
from insight.segments import problems_of
from resolvers.asking import Info
from resolvers.errors import Code, refused
from resolvers.segments import Segment, segments_by_name


@dataclass(frozen=True, slots=True)
class AudienceShown:
    """An audience. size, without_consent: None where one of them is below the floor."""

    segment: StoredSegment
    purpose: str
    size: int | None
    without_consent: int | None
    floor: int = FLOOR


@strawberry.type(description="A kept segment made ready to leave the house: only who agreed, and never few people.")
class Audience:
    """A kept segment made ready to leave the house."""

    segment: Segment = strawberry.field(description="The segment.")
    purpose: str = strawberry.field(description="What people must have agreed to.")
    size: int | None = strawberry.field(
        description="How many people of the segment agreed; null where they or the others are fewer than `floor`."
    )
    without_consent: int | None = strawberry.field(
        description="How many people of the segment did not; null where `size` is."
    )
    floor: int = strawberry.field(description="The fewest people that are told of; nobody at all is told of, too.")


Name = Annotated[str, strawberry.argument(description="The name of a kept segment.")]
Purpose = Annotated[str, strawberry.argument(description="The purpose, as sources call it, such as `Advertising`.")]


async def audience(info: Info, segment: Name, purpose: Purpose) -> AudienceShown | None:
    """How many people of a kept segment agreed to a purpose; None where no segment has the name."""
    context, world = info.context, info.context.world
    kept = (await segments_by_name(world.reader, [segment])).get(segment)
    if kept is None:
        return None
    if kept.definition is None or problems_of(kept.definition, world.policy.traits):
        raise refused(Code.SEGMENT_INVALID, f"the segment `{kept.name}` cannot be asked any more: define it again")
    asked = Asked(kept.definition, world.policy.traits, context.micros)
    found = await agreed(world.reader, asked, purpose, world.policy)
    size, rest = told_parts(found.to_it, found.not_to_it)
    return AudienceShown(kept, purpose, size, rest)
