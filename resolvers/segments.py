"""Segments: definitions as a caller writes them, previews, those kept by name, and which of them a profile is in."""

from collections.abc import Mapping, Sequence
from enum import Enum
from math import isfinite
from typing import Annotated, assert_never

import strawberry

from graph.connection import Reader
from graph.profiles import Profile as StoredProfile
from graph.segment_members import Member, Place, members_in
from graph.segments import Preview, StoredSegment, memberships_in, preview, stored_segments
from identity.identifiers import ProfileId
from insight.segments import (
    All,
    Between,
    Comparison,
    Counted,
    Definition,
    Not,
    Problem,
    Recent,
    Scalar,
    Some,
    TraitIs,
    Window,
    problems_of,
)
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.interactions import InteractionType
from resolvers.nodes import PROFILE, Node, many, resolved
from resolvers.paging import USUAL, After, Connection, First, one_more, page_of, place_in
from resolvers.scalars import JsonValue, Moment

SAMPLE = 10


@strawberry.enum(description="What a condition asks of a trait.")
class TraitComparison(Enum):
    """What a condition asks of a trait; the values are those of insight/segments.py."""

    EQUALS = strawberry.enum_value("equals", description="It is the value; texts with their case.")
    NOT_EQUALS = strawberry.enum_value("not_equals", description="It is missing or another value.")
    CONTAINS = strawberry.enum_value("contains", description="It is a text that holds the value.")
    STARTS_WITH = strawberry.enum_value("starts_with", description="It is a text that begins with the value.")
    EXISTS = strawberry.enum_value("exists", description="It is there (true) or missing (false).")
    LESS = strawberry.enum_value("less", description="It comes before the value.")
    GREATER = strawberry.enum_value("greater", description="It comes after the value.")
    IN = strawberry.enum_value("in", description="It is one of a list of values.")


@strawberry.input(description="A condition on one trait.")
class TraitCondition:
    """A condition on one trait."""

    name: str = strawberry.field(description="A trait that the policy names.")
    how: TraitComparison = strawberry.field(description="How it is compared.")
    value: JsonValue = strawberry.field(description="A text, a number or a truth value; for `IN` a list of them.")


@strawberry.input(description="A stretch of time, both ends included; an end that is not given is open.")
class BetweenInput:
    """A stretch of time."""

    start: Moment | None = strawberry.field(default=None, description="From this moment.")
    end: Moment | None = strawberry.field(default=None, description="To this moment.")


@strawberry.input(one_of=True, description="The time in which interactions count.")
class WindowInput:
    """The time in which interactions count."""

    days: int | None = strawberry.field(default=strawberry.UNSET, description="The last so many days before now.")
    between: BetweenInput | None = strawberry.field(default=strawberry.UNSET, description="From one moment to another.")


@strawberry.input(description="A condition on the number of interactions; `atLeast` or `atMost` is needed.")
class InteractionCondition:
    """A condition on the number of interactions."""

    type: InteractionType | None = strawberry.field(default=None, description="Of this type; else of any.")
    name: str | None = strawberry.field(default=None, description="Of this name; else of any.")
    at_least: int | None = strawberry.field(default=None, description="So many or more.")
    at_most: int | None = strawberry.field(default=None, description="So many or fewer.")
    within: WindowInput | None = strawberry.field(default=None, description="In this time; else ever.")


@strawberry.input(one_of=True, description="A question that is true or false of every person: one of these.")
class SegmentInput:
    """A question that is true or false of every person."""

    all: list["SegmentInput"] | None = strawberry.field(default=strawberry.UNSET, description="Every part is true.")
    any: list["SegmentInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="At least one part is true."
    )
    not_: "SegmentInput | None" = strawberry.field(
        name="not", default=strawberry.UNSET, description="The part is false."
    )
    trait: TraitCondition | None = strawberry.field(default=strawberry.UNSET, description="A condition on a trait.")
    interactions: InteractionCondition | None = strawberry.field(
        default=strawberry.UNSET, description="A condition on the number of interactions."
    )


@strawberry.type(description="A condition on one trait, as it was given.")
class TraitQuestion:
    """A condition on one trait, as it was given."""

    name: str = strawberry.field(description="The trait.")
    how: TraitComparison = strawberry.field(description="How it is compared.")
    value: JsonValue = strawberry.field(description="With what: a text, a number or a truth value; for `IN` a list.")


@strawberry.type(description="A stretch of time, both ends included.")
class Stretch:
    """A stretch of time."""

    start: Moment | None = strawberry.field(description="From this moment; null where it is open.")
    end: Moment | None = strawberry.field(description="To this moment; null where it is open.")


@strawberry.type(description="The time in which interactions count: one of these.")
class WindowShown:
    """The time in which interactions count."""

    days: int | None = strawberry.field(default=None, description="The last so many days before now.")
    between: Stretch | None = strawberry.field(default=None, description="From one moment to another.")


@strawberry.type(description="A condition on the number of interactions, as it was given.")
class InteractionQuestion:
    """A condition on the number of interactions, as it was given."""

    type: InteractionType | None = strawberry.field(description="Of this type; null: of any.")
    name: str | None = strawberry.field(description="Of this name; null: of any.")
    at_least: int | None = strawberry.field(description="So many or more.")
    at_most: int | None = strawberry.field(description="So many or fewer.")
    within: WindowShown = strawberry.field(description="In this time.")


@strawberry.type(description="A question about people in the shape of SegmentInput: one of these, the others are null.")
class SegmentDefinition:
    """A question about people, part by part."""

    all: list["SegmentDefinition"] | None = strawberry.field(default=None, description="Every part is true.")
    any: list["SegmentDefinition"] | None = strawberry.field(default=None, description="At least one part is true.")
    not_: "SegmentDefinition | None" = strawberry.field(name="not", default=None, description="The part is false.")
    trait: TraitQuestion | None = strawberry.field(default=None, description="A condition on a trait.")
    interactions: InteractionQuestion | None = strawberry.field(
        default=None, description="A condition on the number of interactions."
    )


def _definition_shown(parent: strawberry.Parent[StoredSegment]) -> SegmentDefinition | None:
    return None if parent.definition is None else definition_shown(parent.definition)


def _usable(parent: strawberry.Parent[StoredSegment], info: Info) -> bool:
    return _is_usable(parent, frozenset(info.context.world.policy.traits))


async def _members(
    parent: strawberry.Parent[StoredSegment], info: Info, first: First = USUAL, after: After = None
) -> Connection[Member]:
    limit, last = one_more(first), place_in(after, tuple[str])
    place = Place(parent.key or "", *(last or ()))
    found = await info.context.batching.ask(members_in, place, limit)
    return page_of(found or (), first, after, lambda each: (each.who,))


def _profile(parent: strawberry.Parent[Member]) -> StoredProfile:
    return parent.profile


@strawberry.type(description="Somebody who is in a segment.")
class SegmentMember:
    """Somebody who is in a segment."""

    entered: Moment = strawberry.field(description="Since when, as far as it was looked.")
    profile = strawberry.field(resolver=_profile, graphql_type=PROFILE, description="The person.")


@strawberry.type(description="A question about people, kept by name.")
class Segment(Node):
    """A question about people, kept by name."""

    name: str = strawberry.field(description="Its name; unique.")
    definition: SegmentDefinition | None = strawberry.field(
        resolver=_definition_shown, description="The question; null when this version cannot read it."
    )
    usable: bool = strawberry.field(
        resolver=_usable, description="Whether it can be asked: the policy still names its traits."
    )
    created_at: Moment = strawberry.field(description="When the name was first defined.")
    changed_at: Moment = strawberry.field(description="When the definition was last given.")
    key: str | None = strawberry.field(description="By which webhooks name it, whatever its name is.")
    members: Connection[SegmentMember] = resolved(
        _members, "Who is in it, as it was followed last: within seconds; where it looks at the last days, an hour."
    )


def _sample(parent: strawberry.Parent[Preview]) -> Sequence[StoredProfile]:
    return parent.sample


@strawberry.type(description="Of how many people a definition is true now, and some of them.")
class SegmentPreview:
    """Of how many people a definition is true now, and some of them."""

    count: int = strawberry.field(description="How many people.")
    sample = strawberry.field(resolver=_sample, graphql_type=many(PROFILE), description="The first few, by id.")


Asked = Annotated[SegmentInput, strawberry.argument(description="The question.")]
SampleSize = Annotated[int, strawberry.argument(description="How many people to show, from 1 to 100.")]


async def segments(info: Info) -> Sequence[StoredSegment]:
    """The segments kept by name, in the order of their names."""
    return await stored_segments(info.context.world.reader)


async def segment_preview(info: Info, definition: Asked, first: SampleSize = SAMPLE) -> Preview:
    """Of how many people a definition is true now, and the first few of them."""
    one_more(first)
    world = info.context.world
    asked = usable_definition(definition, info.context)
    return await preview(world.reader, asked, world.policy.traits, info.context.micros, first)


async def segments_of(
    reader: Reader, profiles: Sequence[ProfileId], named: frozenset[str], now: int
) -> Mapping[ProfileId, tuple[StoredSegment, ...]]:
    """The kept segments that each profile is in at a moment (µs), by name. named: the traits of the policy.

    Two statements, whatever the number of profiles and segments.
    """
    kept = {each.name: each for each in await stored_segments(reader)}
    usable = {name: each.definition for name, each in kept.items() if each.definition and _is_usable(each, named)}
    if not usable:
        return {}
    found = await memberships_in(reader, profiles, usable, named, now)
    return {profile: tuple(kept[name] for name in names) for profile, names in found.items()}


def _is_usable(segment: StoredSegment, named: frozenset[str]) -> bool:
    return segment.definition is not None and not problems_of(segment.definition, named)


def usable_definition(asked: SegmentInput, context: Asking) -> Definition:
    """The definition a caller wrote. Raises GraphQLError `segment_invalid` with every place and reason."""
    problems: list[Problem] = []
    definition = _definition(asked, "definition", problems)
    problems.extend(problems_of(definition, context.world.policy.traits))
    if problems:
        listed = [{"code": each.code, "place": each.place, "sentence": each.sentence} for each in problems]
        first = problems[0]
        raise refused(Code.SEGMENT_INVALID, f"{first.place}: {first.sentence}", problems=listed)
    return definition


def _definition(asked: SegmentInput, place: str, problems: list[Problem]) -> Definition:
    if asked.all is not None and asked.all is not strawberry.UNSET:
        return All(_parts(asked.all, f"{place}.all", problems))
    if asked.any is not None and asked.any is not strawberry.UNSET:
        return Some(_parts(asked.any, f"{place}.any", problems))
    if asked.not_:
        return Not(_definition(asked.not_, f"{place}.not", problems))
    if asked.trait:
        return _trait(asked.trait, f"{place}.trait", problems)
    return _counted(asked.interactions or InteractionCondition())


def _parts(asked: Sequence[SegmentInput], place: str, problems: list[Problem]) -> tuple[Definition, ...]:
    return tuple(_definition(part, f"{place}[{number}]", problems) for number, part in enumerate(asked))


def _trait(asked: TraitCondition, place: str, problems: list[Problem]) -> TraitIs:
    values = asked.value if isinstance(asked.value, list) else [asked.value]
    scalars = tuple(
        each for each in values if isinstance(each, str | int) or (isinstance(each, float) and isfinite(each))
    )
    if len(scalars) < len(values):
        problems.append(Problem("wrong_type", place, "a value is a text, a number or a truth value"))
    value: Scalar | tuple[Scalar, ...] = scalars
    if not isinstance(asked.value, list):
        value = scalars[0] if scalars else ""
    return TraitIs(asked.name, Comparison(str(asked.how.value)), value)


def _counted(asked: InteractionCondition) -> Counted:
    return Counted(
        window=_window(asked.within),
        type=str(asked.type.value) if asked.type else None,
        name=asked.name,
        at_least=asked.at_least,
        at_most=asked.at_most,
    )


def _window(asked: WindowInput | None) -> Window:
    if asked is None:
        return Between()
    if asked.between:
        return Between(asked.between.start, asked.between.end)
    return Recent(asked.days or 0)


def definition_shown(definition: Definition) -> SegmentDefinition:
    """A definition in the shape of SegmentInput."""
    match definition:
        case All():
            return SegmentDefinition(all=[definition_shown(part) for part in definition.of])
        case Some():
            return SegmentDefinition(any=[definition_shown(part) for part in definition.of])
        case Not():
            return SegmentDefinition(not_=definition_shown(definition.of))
        case TraitIs():
            how = TraitComparison(definition.how.value)
            return SegmentDefinition(
                trait=TraitQuestion(name=definition.name, how=how, value=JsonValue(definition.value))
            )
        case Counted():
            return SegmentDefinition(interactions=_counted_shown(definition))
        case _:
            assert_never(definition)


def _counted_shown(counted: Counted) -> InteractionQuestion:
    return InteractionQuestion(
        type=InteractionType(counted.type) if counted.type else None,
        name=counted.name,
        at_least=counted.at_least,
        at_most=counted.at_most,
        within=_window_shown(counted.window),
    )


def _window_shown(window: Window) -> WindowShown:
    if isinstance(window, Recent):
        return WindowShown(days=window.days)
    start, end = (None if each is None else Moment(each) for each in (window.start, window.end))
    return WindowShown(between=Stretch(start=start, end=end))


async def segments_by_name(reader: Reader, names: Sequence[str]) -> Mapping[str, StoredSegment]:
    """The kept segment of each name; an unknown name has no entry. One statement."""
    return {each.name: each for each in await stored_segments(reader) if each.name in set(names)}
