"""Decisions by hand: merge people, unmerge them, take a decision back, each as a preview or for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry

from graph.connection import Transaction
from graph.decisions import Outcome
from graph.merging import Answer, Asked, holds_override, merge_people, take_out, unmerge_people
from graph.merging import undo_decision as taken_back
from graph.people import Person
from graph.remembering import decision_recalled, decision_remembered
from identity.evidence import LinkId, Reason
from identity.identifiers import IdentifierKey
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.explanations import LinkKind, RefusalReason
from resolvers.identifiers import IdentifierLookup, IdentifierName, key_named
from resolvers.ids import Noun, global_id
from resolvers.lookups import ByProfile, ProfileLookup, anchor_key
from resolvers.nodes import resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.permissions import Right, check_override, may
from resolvers.problems import (
    Trouble,
    Undecided,
)
from resolvers.scalars import JsonValue
from resolvers.traits import TraitShown
from resolvers.world import World

MOST_NAMED = 1_000
LONGEST_NOTE = 1_000


def _id(parent: strawberry.Parent[Person]) -> strawberry.ID:
    return strawberry.ID(global_id(Noun.PROFILE, parent.id))


def _traits(parent: strawberry.Parent[Person]) -> list[TraitShown]:
    shown = parent.traits.items()
    return [TraitShown(name=name, value=JsonValue(value)) for name, value in shown if value is not None]


@strawberry.type(description="A person as a decision leaves her, or would.")
class DecidedPerson:
    """A person as a decision leaves her, or would."""

    id: strawberry.ID = strawberry.field(resolver=_id, description="The id of her profile; valid once it is decided.")
    known: bool = strawberry.field(description="Whether a contact names her.")
    shared: bool = strawberry.field(description="Whether this is no person but an identifier that several share.")
    identifiers: list[IdentifierName] = strawberry.field(description="All her identifiers, by their keys.")
    traits: list[TraitShown] = strawberry.field(resolver=_traits, description="What she shows of the named traits.")
    interactions: int = strawberry.field(description="How many interactions are hers; on shared devices, only hers.")


@strawberry.type(description="The identifiers of a profile before a decision, as far as it touches them.")
class PersonBefore:
    """The identifiers of a profile before a decision."""

    id: strawberry.ID = strawberry.field(description="The id of the profile before.")
    identifiers: list[IdentifierName] = strawberry.field(description="Its identifiers, by their keys.")


@dataclass(frozen=True, slots=True)
class Judged:
    """A link and the verdict on it."""

    a: IdentifierKey
    b: IdentifierKey
    kind: LinkKind
    reason: RefusalReason | None


@strawberry.type(description="A link that a decision turns.")
class JudgedLink:
    """A link that a decision turns."""

    a: IdentifierName = strawberry.field(description="One end.")
    b: IdentifierName = strawberry.field(description="The other end.")
    kind: LinkKind = strawberry.field(description="What kind of statement it is.")
    reason: RefusalReason | None = strawberry.field(description="Why it is refused now; null when it is accepted.")


def _judged(link: LinkId, reason: Reason | None) -> Judged:
    return Judged(link.a, link.b, LinkKind(link.kind.word), RefusalReason(reason.value) if reason else None)


@dataclass(frozen=True, slots=True)
class Before:
    """A profile before a decision."""

    id: strawberry.ID
    identifiers: Sequence[IdentifierKey]


def _before(parent: strawberry.Parent[Outcome]) -> Sequence[Before]:
    return [Before(strawberry.ID(global_id(Noun.PROFILE, id_)), keys) for id_, keys in sorted(parent.before.items())]


def _refused(parent: strawberry.Parent[Outcome]) -> Sequence[Judged]:
    return [_judged(link, why) for link, why in sorted(parent.refused.items(), key=_by_ends)]


def _by_ends(each: tuple[LinkId, Reason]) -> tuple[str, str, int]:
    return (each[0].a, each[0].b, each[0].kind)


def _accepted(parent: strawberry.Parent[Outcome]) -> Sequence[Judged]:
    return [_judged(link, None) for link in sorted(parent.accepted, key=lambda each: (each.a, each.b, each.kind))]


@strawberry.type(description="What a decision gives, or would give: applying it equals its preview.")
class Decided:
    """What a decision gives, or would give."""

    decision: strawberry.ID = strawberry.field(description="The id under which it can be taken back, once decided.")
    before: list[PersonBefore] = resolved(_before, "Who the identifiers belonged to.")
    after: list[DecidedPerson] = strawberry.field(description="The people that they are now, by id.")
    refused: list[JudgedLink] = resolved(_refused, "The links that are refused now and were not.")
    accepted: list[JudgedLink] = resolved(_accepted, "The links that are accepted now and were not.")

    is_type_of = stands_for(Outcome)


DecisionAnswer = Annotated[
    Decided | Undecided,
    strawberry.union(name="DecisionAnswer", description="What became of a decision."),
]


@strawberry.input(description="Two identifiers, or people, that are not the same person.")
class ApartInput:
    """Two identifiers, or people, that are not the same person."""

    a: ProfileLookup = strawberry.field(description="One; an id names the identifier that it was minted for.")
    b: ProfileLookup = strawberry.field(description="The other one.")


@strawberry.input(one_of=True, description="What to take apart: one of these.")
class UnmergeInput:
    """What to take apart."""

    pair: ApartInput | None = strawberry.field(
        default=strawberry.UNSET, description="Two identifiers; what goes with which, the other links say."
    )
    identifiers: list[IdentifierLookup] | None = strawberry.field(
        default=strawberry.UNSET, description="Identifiers to take out of the person they belong to, 1,000 at most."
    )


Note = Annotated[str | None, strawberry.argument(description="Why, for the log; 1,000 characters at most.")]
Override = Annotated[
    bool, strawberry.argument(description="Let unique values of `into` replace those of `from`; needs scope `admin`.")
]
Apart = Annotated[UnmergeInput, strawberry.argument(description="What to take apart.")]
DecisionId = Annotated[strawberry.ID, strawberry.argument(description="The decision to take back.")]
Leaving = Annotated[ProfileLookup, strawberry.argument(name="from", description="The person who becomes part.")]


async def _recalled(context: Asking, outcome: str) -> Answer:
    return await decision_recalled(context.world.reader, outcome)


async def _remembered(tx: Transaction, answer: Answer) -> str | None:
    return await decision_remembered(tx, answer) if isinstance(answer, Outcome) else None


MEMORY = Memory(_remembered, _recalled)


async def merge_profiles(
    info: Info,
    leaving: Leaving,
    into: ByProfile,
    override: Override = False,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Answer | Trouble:
    """Make two people one by hand."""
    context = info.context

    async def work(world: World) -> Answer:
        if override:
            check_override(context.viewer)
        a, b = await anchor_key(leaving, context), await anchor_key(into, context)
        asked = asked_by(context, note)
        return await merge_people(world.writer, a, b, asked, world.held, override=override)

    wanted = Wanted("mergeProfiles", (leaving, into, override, note), idempotency_key, dry_run)
    return await done(context, wanted, work, MEMORY)


async def unmerge(
    info: Info, what: Apart, note: Note = None, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Answer | Trouble:
    """Take people apart who were merged by mistake, for good."""
    context = info.context

    async def work(world: World) -> Answer:
        asked = asked_by(context, note)
        if what.pair:
            a, b = await anchor_key(what.pair.a, context), await anchor_key(what.pair.b, context)
            return await unmerge_people(world.writer, a, b, asked, world.held)
        keys = await _named(what.identifiers or [], context)
        return await take_out(world.writer, keys, asked, world.held)

    return await done(context, Wanted("unmerge", (what, note), idempotency_key, dry_run), work, MEMORY)


async def unmerge_preview(info: Info, what: Apart) -> Answer | Trouble:
    """What an unmerge would give; nothing is written."""
    return await unmerge(info, what, dry_run=True)


async def undo_decision(
    info: Info,
    decision: DecisionId,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Answer | Trouble:
    """Take a decision back: what stood before it stands again. Of an override it needs the right to override."""
    context = info.context

    async def work(world: World) -> Answer:
        if not may(context.viewer, Right.OVERRIDE) and await holds_override(world.reader, decision):
            check_override(context.viewer)
        return await taken_back(world.writer, decision, asked_by(context, note), world.held)

    return await done(context, Wanted("undoDecision", (decision, note), idempotency_key, dry_run), work, MEMORY)


async def _named(lookups: Sequence[IdentifierLookup], context: Asking) -> list[IdentifierKey]:
    if not 0 < len(lookups) <= MOST_NAMED:
        raise refused(Code.TOO_MANY_VALUES, f"name from 1 to {MOST_NAMED:,} identifiers")
    return [await key_named(each, context) for each in lookups]


def asked_by(context: Asking, note: str | None) -> Asked:
    """Who asks for a decision, and why. Raises GraphQLError `too_many_values` for a note of over 1,000 characters."""
    if note is not None and len(note) > LONGEST_NOTE:
        raise refused(Code.TOO_MANY_VALUES, f"a note has {LONGEST_NOTE:,} characters at most")
    return Asked(context.viewer.name, context.world.mint, context.micros, note)
