"""Subscriptions: what is told as it happens, each event with the sequence after which to go on.

An event is an entry of the feed as far as it concerns who listens, or a part of it: a sequence is the number of the
entry and the place within it, so that what is heard again after a break begins just behind what was heard last.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import strawberry

from graph.changes import changes_by_id
from graph.dead_letters import RunId
from graph.feed import Entry, own_among
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import interactions_by_id
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id
from graph.runs import Run, RunState, runs_named
from graph.segments import stored_segments
from identity.identifiers import ProfileId
from identity.messages import micros
from insight.changes import Change as StoredChange
from resolvers.asking import Asking, Info
from resolvers.changes import Change, ChangeKind, Kinds
from resolvers.errors import Code, refused
from resolvers.feed import Feed
from resolvers.ids import Noun, global_id, named_in
from resolvers.interactions import Interaction
from resolvers.lookups import ByProfile, ProfileLookup
from resolvers.nodes import PROFILE, maybe, resolved
from resolvers.scalars import Moment
from resolvers.watching import watched_for

SEQUENCE = re.compile(r"(?P<seq>\d{1,18})(?:\.(?P<place>\d{1,9}))?")

Resumed = Annotated[
    str | None,
    strawberry.argument(
        description="Go on after this sequence: nothing is missed, nothing comes twice. Else from now."
    ),
]
OfPerson = Annotated[ProfileLookup | None, strawberry.argument(description="Only those about this person; else all.")]
Names = Annotated[list[str] | None, strawberry.argument(description="Of any of these names; all without it.")]
SegmentNamed = Annotated[str, strawberry.argument(description="The name of a kept segment, or its id.")]
RunNamed = Annotated[str, strawberry.argument(description="The id of a run, as `selfsame runs` shows it.")]


def _streamed(resolver: Callable[..., object], description: str) -> Any:  # noqa: ANN401 -- like dataclasses.field
    """A root field that answers event after event."""
    return strawberry.subscription(resolver=resolver, description=description)


@dataclass(frozen=True, slots=True)
class _Place:
    """From where on somebody listens: after an entry, and of the next one without its first `heard` events."""

    after: int
    heard: int = 0


async def _place(context: Asking, after: str | None) -> tuple[Feed, _Place]:
    """Where to begin. Raises GraphQLError `bad_sequence` and `sequence_gone`."""
    feed = context.world.feed
    if feed is None:
        raise refused(Code.SUBSCRIPTION_TRANSPORT)
    bounds, text = await feed.bounds(), context.resume or after
    if text is None:
        return feed, _Place(bounds.last)
    found = SEQUENCE.fullmatch(text)
    if found is None:
        raise refused(Code.BAD_SEQUENCE)
    seq, place = int(found["seq"]), found["place"]
    here = _Place(seq) if place is None else _Place(seq - 1, int(place) + 1)
    if not bounds.first - 1 <= here.after <= bounds.last:
        raise refused(Code.SEQUENCE_GONE)
    return feed, here


async def _entries(context: Asking, feed: Feed, place: _Place) -> AsyncIterator[tuple[Entry, int]]:
    """Each entry, with the number of its events that were heard before."""
    if not place.heard:
        context.progress.passed = place.after
    async for entry in feed.after(place.after):
        context.renew(f"{entry.seq}")
        yield entry, place.heard if entry.seq == place.after + 1 else 0
        context.progress.passed = entry.seq  # who asks for the next one has sent all of this one


def _sequence(context: Asking, entry: Entry, place: int, of: int = 1) -> str:
    """After which to go on; behind the last event of an entry it is the entry's number.

    So who heard all of it may come back when it is dropped, as long as what came after it is kept.
    """
    context.sequence = f"{entry.seq}" if place + 1 == of else f"{entry.seq}.{place}"
    return context.sequence


@dataclass(frozen=True, slots=True)
class ProfileEvent:
    """Something of a person is different. mints: by which she is known."""

    sequence: str
    at: int
    profile: ProfileId | None
    mints: frozenset[str] = frozenset()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """Somebody is somebody else now."""

    sequence: str
    change: StoredChange


@dataclass(frozen=True, slots=True)
class InteractionEvent:
    """Somebody did something."""

    sequence: str
    profile: ProfileId
    interaction: StoredInteraction


@dataclass(frozen=True, slots=True)
class SegmentEvent:
    """Somebody is in a segment from now on, or no longer."""

    sequence: str
    at: int
    profile: StoredProfile | None
    entered: bool


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A load went on."""

    sequence: str
    run: Run
    counts: Mapping[str, int] = field(default_factory=dict)


def _profile(
    parent: strawberry.Parent[ProfileEvent | InteractionEvent], info: Info
) -> Awaitable[StoredProfile | None] | None:
    return info.context.batching.ask(profiles_by_id, parent.profile) if parent.profile else None


def _profile_id(parent: strawberry.Parent[ProfileEvent | InteractionEvent]) -> str | None:
    return global_id(Noun.PROFILE, parent.profile) if parent.profile else None


async def _own_changes(parent: strawberry.Parent[ProfileEvent], info: Info) -> Sequence[StoredChange]:
    found = [await info.context.batching.ask(changes_by_id, each) for each in parent.changes]
    return [each for each in found if each is not None and concerns(each, parent.mints)]


def concerns(change: StoredChange, mints: frozenset[str]) -> bool:
    """Whether a change is about one of these identifiers or profiles."""
    named = {*change.before, *change.after, *change.retired, *change.about, *(each.mint for each in change.moved)}
    return not mints.isdisjoint(named)


@strawberry.type(description="Something of a person is different: an interaction, a trait, an identifier, who she is.")
class ProfileChange:
    """Something of a person is different."""

    sequence: str = strawberry.field(description="Subscribe `after` this one to go on.")
    at: Moment = strawberry.field(description="When it was recorded.")
    profile_id: strawberry.ID | None = resolved(_profile_id, "Her id now; null when she is no more.")
    profile = strawberry.field(
        resolver=_profile,
        graphql_type=maybe(PROFILE),
        description="The person as she is now; null when she is no more.",
    )
    changes: list[Change] = resolved(_own_changes, "What changed in who she is; empty when she did or said something.")


@strawberry.type(description="A change to who is who, as it happens.")
class IdentityChange:
    """A change to who is who, as it happens."""

    sequence: str = strawberry.field(description="Subscribe `after` this one to go on.")
    change: Change = strawberry.field(description="The change, as the log has it.")


@strawberry.type(description="An interaction, as it is recorded.")
class InteractionAdded:
    """An interaction, as it is recorded."""

    sequence: str = strawberry.field(description="Subscribe `after` this one to go on.")
    profile_id: strawberry.ID = resolved(_profile_id, "The id now of the person who did it.")
    profile = strawberry.field(resolver=_profile, graphql_type=maybe(PROFILE), description="The person who did it.")
    interaction: Interaction = strawberry.field(description="What she did.")


@strawberry.enum(description="Where a load stands.")
class LoadState(Enum):
    """Where a load stands."""

    RUNNING = strawberry.enum_value("running", description="It goes on, or was cut off and can be taken up again.")
    FINISHED = strawberry.enum_value("finished", description="It has come to its end.")


def _moved(parent: strawberry.Parent[SegmentEvent]) -> StoredProfile | None:
    return parent.profile


def _moved_id(parent: strawberry.Parent[SegmentEvent]) -> str | None:
    return global_id(Noun.PROFILE, parent.profile.id) if parent.profile else None


@strawberry.type(description="Somebody enters a segment or leaves it.")
class SegmentChange:
    """Somebody enters a segment or leaves it."""

    sequence: str = strawberry.field(description="Subscribe `after` this one to go on.")
    at: Moment = strawberry.field(description="When it was seen.")
    entered: bool = strawberry.field(description="Whether she entered; else she left.")
    profile_id: strawberry.ID | None = resolved(_moved_id, "Her id now; null when she is no more.")
    profile = strawberry.field(
        resolver=_moved, graphql_type=maybe(PROFILE), description="The person as she is now; null when she is no more."
    )


def _of_run(read: Callable[[Run], object]) -> Callable[..., object]:
    def resolver(parent: strawberry.Parent[RunEvent]) -> object:
        return read(parent.run)

    return resolver


@strawberry.type(description="How far a load is.")
class LoadProgress:
    """How far a load is."""

    sequence: str = strawberry.field(description="Subscribe `after` this one to go on.")
    run: strawberry.ID = resolved(_of_run(lambda run: run.id), "The run's id.")
    source: str = resolved(_of_run(lambda run: run.load.source), "Whose records it loads.")
    file: str = resolved(_of_run(lambda run: run.load.file), "What it loads.")
    state: LoadState = resolved(_of_run(lambda run: run.state.value), "Where it stands.")
    records: int = resolved(_of_run(lambda run: run.counts.records), "Records read so far.")
    messages: int = resolved(_of_run(lambda run: run.counts.messages), "Messages that they gave.")
    committed: int = resolved(_of_run(lambda run: run.counts.committed), "Messages that were new.")
    repeats: int = resolved(_of_run(lambda run: run.counts.repeats), "Messages that were known.")
    rejected: int = resolved(_of_run(lambda run: run.counts.rejected), "Records or messages that could not be used.")
    skipped: int = resolved(_of_run(lambda run: run.counts.skipped), "Records passed over on purpose.")
    fraction: float | None = resolved(
        _of_run(lambda run: min(run.read / run.size, 1.0) if run.size else None),
        "How much of the file is read, from 0 to 1; null where its size is not known.",
    )
    rate: float | None = resolved(_of_run(lambda run: run.rate), "Records a second since it was taken up last.")
    updated_at: Moment = resolved(_of_run(lambda run: micros(run.updated_at)), "When this was so.")


async def profile_changed(info: Info, by: ByProfile, after: Resumed = None) -> AsyncGenerator[ProfileChange, None]:
    """Each entry that touches a person is one event."""
    context = info.context
    feed, place = await _place(context, after)
    watched = await watched_for(context, by)

    async def events() -> AsyncGenerator[Any, None]:
        async for entry, heard in _entries(context, feed, place):
            mints = await watched.touched(context, entry)
            if not mints or heard:
                continue
            profile = watched.members.profile if watched.members else None
            yield ProfileEvent(_sequence(context, entry, 0), entry.at, profile, mints, entry.changes)

    return events()


async def identity_changes(
    info: Info, kinds: Kinds = None, by: OfPerson = None, after: Resumed = None
) -> AsyncGenerator[IdentityChange, None]:
    """Each row of the log is one event."""
    context = info.context
    feed, place = await _place(context, after)
    watched = await watched_for(context, by) if by else None
    wanted = _wanted(kinds)

    async def events() -> AsyncGenerator[Any, None]:
        async for entry, heard in _entries(context, feed, place):
            mints = await watched.touched(context, entry) if watched else frozenset[str]()
            if not entry.changes or (watched and not mints):
                continue
            found = await changes_by_id(context.world.reader, entry.changes)
            for number, id_ in enumerate(entry.changes):
                change = found.get(id_)
                if number < heard or change is None or (wanted and change.kind.value not in wanted):
                    continue
                if watched is None or concerns(change, mints):
                    yield ChangeEvent(_sequence(context, entry, number, len(entry.changes)), change)

    return events()


def _wanted(kinds: Sequence[ChangeKind] | None) -> frozenset[str]:
    return frozenset(str(each.value) for each in kinds or ())


async def interaction_added(
    info: Info, by: ByProfile, names: Names = None, after: Resumed = None
) -> AsyncGenerator[InteractionAdded, None]:
    """Each new interaction of a person is one event, in the order in which they were taken in."""
    context = info.context
    feed, place = await _place(context, after)
    watched = await watched_for(context, by)

    async def events() -> AsyncGenerator[Any, None]:
        async for entry, heard in _entries(context, feed, place):
            if not await watched.touched(context, entry) or not entry.messages or watched.members is None:
                continue
            reader, profile = context.world.reader, watched.members.profile
            own = await own_among(reader, profile, entry.messages[heard:])
            found = await interactions_by_id(reader, sorted(own))
            for number, id_ in enumerate(entry.messages):
                interaction = found.get(id_)
                if interaction is not None and (names is None or interaction.name in names):
                    sequence = _sequence(context, entry, number, len(entry.messages))
                    yield InteractionEvent(sequence, profile, interaction)

    return events()


async def segment_changed(
    info: Info, segment: SegmentNamed, after: Resumed = None
) -> AsyncGenerator[SegmentChange, None]:
    """Each person who enters or leaves is one event; the subscription ends with the segment, when all have left it."""
    context = info.context
    feed, place = await _place(context, after)
    key = await _segment_key(context, segment)

    async def events() -> AsyncGenerator[Any, None]:
        async for entry, heard in _entries(context, feed, place):
            if entry.segment != key:
                continue
            moves = [*((each, True) for each in entry.entered), *((each, False) for each in entry.left)]
            found = await profiles_by_id(context.world.reader, [ProfileId(each) for each, _ in moves[heard:]])
            for number, (mint, entered) in enumerate(moves[heard:], heard):
                profile = found.get(ProfileId(mint))
                sequence = _sequence(context, entry, number, len(moves))
                yield SegmentEvent(sequence, entry.at, profile, entered=entered)
            if entry.removed:
                return

    return events()


async def _segment_key(context: Asking, named: str) -> str:
    """By which the feed names a segment. Raises GraphQLError `unknown_segment`."""
    noun = named_in(named)
    name = noun[1] if noun is not None and noun[0] is Noun.SEGMENT else named
    kept = await stored_segments(context.world.reader)
    found = next((each for each in kept if each.name in (name, named)), None)
    if found is None or found.key is None:
        raise refused(Code.UNKNOWN_SEGMENT)
    return found.key


async def load_progress(info: Info, run: RunNamed, after: Resumed = None) -> AsyncGenerator[LoadProgress, None]:
    """The run as it stands, then each step of it; the subscription ends with the run."""
    context, id_ = info.context, RunId(run)
    feed, place = await _place(context, after)
    first = await _run(context, id_)

    async def events() -> AsyncGenerator[Any, None]:
        context.sequence = f"{place.after}"
        yield RunEvent(context.sequence, first)
        if first.state is RunState.FINISHED:
            return
        async for entry, heard in _entries(context, feed, place):
            if id_ in entry.runs and not heard:
                now = await _run(context, id_)
                yield RunEvent(_sequence(context, entry, 0), now)
                if now.state is RunState.FINISHED:
                    return

    return events()


async def _run(context: Asking, id_: RunId) -> Run:
    found = (await runs_named(context.world.reader, [id_])).get(id_)
    if found is None:
        raise refused(Code.UNKNOWN_RUN)
    return found


@strawberry.type(description="What is told as it happens, over a WebSocket or as server-sent events; scope `read`.")
class Subscription:
    """What is told as it happens."""

    profile_changed: ProfileChange = _streamed(
        profile_changed, "Something of a person is different. It follows her through merges and splits."
    )
    identity_changes: IdentityChange = _streamed(
        identity_changes, "Changes to who is who: merges, splits, decisions, erasures, of one person or of all."
    )
    interaction_added: InteractionAdded = _streamed(
        interaction_added, "New interactions of a person, also those on devices that she shares."
    )
    segment_changed: SegmentChange = _streamed(
        segment_changed,
        "Who enters a kept segment and who leaves it, each by themselves. It ends when the segment is removed.",
    )
    load_progress: LoadProgress = _streamed(load_progress, "How far a load is: now, then at each step until its end.")
