"""Erasing: a person or an identifier, a dry run first; and letting a suppressed identifier begin afresh."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import strawberry

from graph.connection import Transaction
from graph.erasure import Outcome, Request, Tools, unsuppressed
from graph.erasure import erase as erase_in_graph
from graph.identifiers import identifiers_by_mint
from graph.remembering import erasure_recalled, erasure_remembered
from identity.erasure import Hashing, Mode, Scope, named
from identity.identifiers import Blocked, IdentifierKey, ProfileId
from resolvers.asking import Asking, Info
from resolvers.decisions import DecidedPerson
from resolvers.errors import Code, refused
from resolvers.identifiers import IdentifierLookup, IdentifierName, key_named
from resolvers.ids import Noun, global_id
from resolvers.lookups import ByProfile, ProfileLookup, anchor_key, profile_id_named, standing_for
from resolvers.nodes import resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.problems import IdempotencyConflict, Invalid, NotFound, NothingToDo, Trouble, already
from resolvers.world import World


@strawberry.enum(description="What an erasure does with what comes later.")
class ErasureMode(Enum):
    """What an erasure does with what comes later."""

    DELETE = strawberry.enum_value("delete", description="What happened until now stays out; later messages are new.")
    SUPPRESS_AND_DELETE = strawberry.enum_value(
        "suppress_and_delete", description="Everything stays out, and is counted, until somebody unsuppresses."
    )


@strawberry.enum(description="How much an erasure takes.")
class ErasureScope(Enum):
    """How much an erasure takes."""

    PROFILE = strawberry.enum_value(
        "profile", description="All identifiers of the profile, and what was done with them and on shared devices."
    )
    IDENTIFIER = strawberry.enum_value("identifier", description="One identifier, and the hash that belongs to it.")


def _names(parent: strawberry.Parent[Outcome]) -> list[IdentifierKey]:
    return [key for key, _ in parent.identifiers if key]


def _ids(parent: strawberry.Parent[Outcome]) -> list[strawberry.ID]:
    return [strawberry.ID(global_id(Noun.PROFILE, mint)) for _, mint in parent.identifiers]


def _profiles(parent: strawberry.Parent[Outcome]) -> list[strawberry.ID]:
    return [strawberry.ID(global_id(Noun.PROFILE, each)) for each in parent.profiles]


@dataclass(frozen=True, slots=True)
class Unsuppression:
    """An identifier that begins afresh."""

    key: IdentifierKey


@strawberry.type(description="What an erasure took; of a dry run, what it would take.")
class Erased:
    """What an erasure took; of a dry run, what it would take."""

    identifiers = strawberry.field(
        resolver=_names,
        graphql_type=list[IdentifierName],
        description="The identifiers that are gone; none when nothing was known, and then they only stay out, and none "
        "in an answer given again, since nothing keeps them.",
    )
    ids: list[strawberry.ID] = strawberry.field(
        resolver=_ids, description="The ids that answer `erased` from now on, one for each of the identifiers."
    )
    profiles: list[strawberry.ID] = strawberry.field(
        resolver=_profiles, description="The profiles that are gone or lost an identifier."
    )
    interactions: int = strawberry.field(description="How many interactions are gone.")
    observations: int = strawberry.field(description="How many observed values of traits are gone.")
    acts: int = strawberry.field(description="How many manual acts are gone, since they named one of the identifiers.")
    scrubbed: int = strawberry.field(description="From how many records of others values were taken out.")
    after: list[DecidedPerson] = strawberry.field(
        description="The people who are left of the profiles and of those linked to them, at most 100."
    )
    pending: bool = strawberry.field(description="What is left is so large that it is stitched in the background.")
    policies: list[int] = strawberry.field(
        description="Of the policy in force, where its text names a value: apply one that does not, then erase again."
    )

    is_type_of = stands_for(Outcome)


def _again(parent: strawberry.Parent[Unsuppression]) -> IdentifierKey:
    return parent.key


@strawberry.type(description="An identifier that begins afresh, or would.")
class Unsuppressed:
    """An identifier that begins afresh, or would."""

    identifier: IdentifierName = resolved(_again, "The identifier.")

    is_type_of = stands_for(Unsuppression)


EraseAnswer = Annotated[
    Erased | NotFound | Invalid | IdempotencyConflict,
    strawberry.union(name="EraseAnswer", description="What became of an erasure."),
]
UnsuppressAnswer = Annotated[
    Unsuppressed | NothingToDo | Invalid | IdempotencyConflict,
    strawberry.union(name="UnsuppressAnswer", description="What became of a suppressed identifier."),
]


HowLater = Annotated[ErasureMode, strawberry.argument(description="What happens with what comes later.")]
HowMuch = Annotated[ErasureScope, strawberry.argument(description="How much goes.")]
Which = Annotated[IdentifierLookup, strawberry.argument(description="The identifier that was suppressed.")]


async def erase(
    info: Info,
    by: ByProfile,
    mode: HowLater = ErasureMode.DELETE,
    scope: HowMuch = ErasureScope.PROFILE,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Outcome | Trouble:
    """Erase what a lookup names. Raises GraphQLError when no key of erasures is set."""
    context = info.context
    how = Mode(str(mode.value)), Scope(str(scope.value))

    async def work(world: World) -> Outcome:
        tools = Tools(world.held, _hashing(context), context.micros)
        asked = Request(await _key(by, scope, context), *how, context.viewer.name)
        return await erase_in_graph(world, asked, tools, dry=dry_run)

    wanted = Wanted("erase", (by, *how), idempotency_key, dry_run)
    return await done(context, wanted, work, MEMORY)


async def unsuppress(
    info: Info, identifier: Which, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Unsuppression | Trouble:
    """Let a suppressed identifier begin afresh."""
    context = info.context

    async def work(world: World) -> Unsuppression | Trouble:
        await key_named(identifier, context)
        asked = named(identifier.namespace, identifier.value, await context.ruling())
        if not isinstance(asked, Blocked):
            found = await unsuppressed(world, [asked], _hashing(context), context.viewer.name, context.micros)
            if found:
                return Unsuppression(found[0])
        return already("not_suppressed", "this identifier is not suppressed")

    async def again(_: Asking, __: str) -> Unsuppression | Trouble:
        return Unsuppression(await key_named(identifier, context))

    wanted = Wanted("unsuppress", (identifier,), idempotency_key, dry_run)
    return await done(context, wanted, work, Memory(_unsuppression_kept, again))


async def _unsuppression_kept(_: Transaction, found: list[IdentifierKey]) -> str | None:
    return "done" if found else None


async def _remembered(_: Transaction, result: object) -> str | None:
    """What the last transaction of an erasure took; of those before it nothing."""
    return erasure_remembered(result) if isinstance(result, Outcome) else None


async def _recalled(context: Asking, outcome: str) -> Outcome:
    return await erasure_recalled(context.world.reader, outcome)


MEMORY = Memory(_remembered, _recalled)


def _hashing(context: Asking) -> Hashing:
    if context.world.hashing is None:
        raise refused(Code.ERASURE_KEY)
    return context.world.hashing


async def _key(by: ProfileLookup, scope: ErasureScope, context: Asking) -> IdentifierKey:
    if by.identifier or scope is ErasureScope.PROFILE:
        return await anchor_key(by, context)
    asked: ProfileId = profile_id_named(by.id or "")
    found = await context.batching.ask(identifiers_by_mint, asked)
    if found is None and (now := await standing_for(asked, context)):
        found = await context.batching.ask(identifiers_by_mint, now)
    if found is None:
        raise refused(Code.UNKNOWN_PROFILE, f"no identifier has the id `{by.id}`")
    return found.key
