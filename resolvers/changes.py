"""The log of changes to who is who: all of it in the order of time, and what concerns one person."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import strawberry

from graph.changes import About, changes_about, changes_page
from graph.changes import ChangeFilter as Wanted
from graph.counting import count_of_changes, count_of_changes_about
from graph.identifiers import StoredIdentifier, identifiers_by_mint, identifiers_of
from graph.interactions import EARLIEST, LATEST, interactions_by_id
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import TimeOrder as By
from graph.profiles import profiles_by_id, profiles_by_identifier
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId
from insight.changes import Change as StoredChange
from insight.changes import ChangeKind as Kind
from insight.changes import Moved, sentence_of
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.identifiers import Identifier, key_named
from resolvers.ids import Noun, global_id
from resolvers.interactions import Interaction, Ordered, TimeOrder
from resolvers.lookups import ProfileLookup, profile_id_named
from resolvers.nodes import Node, maybe, resolved
from resolvers.paging import USUAL, After, Connection, First, Micros, counting, one_more, page_of, place_in, stopped_at
from resolvers.scalars import Moment


@strawberry.enum(description="What happened to who is who.")
class ChangeKind(Enum):
    """What happened to who is who."""

    ARRIVED = strawberry.enum_value("arrived", description="Identifiers became known.")
    MERGED = strawberry.enum_value("merged", description="Several profiles became fewer; the retired ids lead there.")
    SPLIT = strawberry.enum_value("split", description="Profiles became more.")
    MOVED = strawberry.enum_value("moved", description="Identifiers went from one profile to another.")
    RENAMED = strawberry.enum_value("renamed", description="A profile took another id; the old one leads to it.")
    REGROUPED = strawberry.enum_value("regrouped", description="Profiles became as many others.")
    GENERIC = strawberry.enum_value("generic", description="An identifier turned out to be shared by several people.")
    NOT_GENERIC = strawberry.enum_value("not_generic", description="An identifier is no longer shared.")
    DECIDED = strawberry.enum_value("decided", description="Somebody decided something by hand.")
    POLICY = strawberry.enum_value("policy", description="Another version of the policy came into force.")
    ERASED = strawberry.enum_value("erased", description="Identifiers were erased.")
    WITHDRAWN = strawberry.enum_value(
        "withdrawn",
        description="Another policy writes what they say otherwise, or blocks it; `about` is what it is now.",
    )
    TRAIT_SET = strawberry.enum_value("trait_set", description="A trait was set by hand.")
    TRAIT_CLEARED = strawberry.enum_value(
        "trait_cleared", description="What was set by hand for a trait was taken back."
    )
    ACCOUNTS_MERGED = strawberry.enum_value("accounts_merged", description="Two accounts became one by hand.")
    ACCOUNTS_PARTED = strawberry.enum_value("accounts_parted", description="Two merged accounts were parted by hand.")
    MEMBERSHIP_ACCEPTED = strawberry.enum_value(
        "membership_accepted", description="It was said by hand that somebody belongs to an account."
    )
    MEMBERSHIP_DISMISSED = strawberry.enum_value(
        "membership_dismissed", description="It was said by hand that somebody does not belong to an account."
    )
    MEMBERSHIP_REOPENED = strawberry.enum_value(
        "membership_reopened", description="What was said by hand of somebody and an account was taken back."
    )


@strawberry.enum(description="What made a change happen.")
class ChangeCause(Enum):
    """What made a change happen."""

    MESSAGES = strawberry.enum_value("messages", description="Messages of the sources named by `by`.")
    DECISION = strawberry.enum_value("decision", description="A decision by hand, of `by`.")
    RECOMPUTE = strawberry.enum_value("recompute", description="A recompute in the background.")
    REBUILD = strawberry.enum_value("rebuild", description="`selfsame rebuild`.")
    POLICY = strawberry.enum_value("policy", description="Another version of the policy.")
    ERASURE = strawberry.enum_value("erasure", description="An erasure.")


def _identifier(parent: strawberry.Parent[Moved], info: Info) -> Awaitable[StoredIdentifier | None]:
    return info.context.batching.ask(identifiers_by_mint, parent.mint)


def _left(parent: strawberry.Parent[Moved]) -> str | None:
    return global_id(Noun.PROFILE, parent.left) if parent.left else None


def _joined(parent: strawberry.Parent[Moved]) -> str | None:
    return global_id(Noun.PROFILE, parent.joined) if parent.joined else None


@strawberry.type(description="An identifier that belongs to another profile than before.")
class MovedIdentifier:
    """An identifier that belongs to another profile than before."""

    identifier = strawberry.field(
        resolver=_identifier,
        graphql_type=maybe(Identifier),
        description="The identifier; null once it is erased or withdrawn.",
    )
    left: strawberry.ID | None = resolved(_left, "The id of the profile it left; null when it was new.")
    joined: strawberry.ID | None = resolved(
        _joined, "The id of the profile it joined; null when it is none any more by another policy."
    )


def _message(parent: strawberry.Parent[MessageId]) -> str:
    return parent


def _interaction(parent: strawberry.Parent[MessageId], info: Info) -> Awaitable[StoredInteraction | None]:
    return info.context.batching.ask(interactions_by_id, parent)


@strawberry.type(description="A message on which a change rests.")
class Evidence:
    """A message on which a change rests."""

    message: str = strawberry.field(resolver=_message, description="Its id: the source's name, a colon, the message's.")
    interaction = strawberry.field(
        resolver=_interaction,
        graphql_type=maybe(Interaction),
        description="What it said; null once it is erased.",
    )


def _ids(profiles: Sequence[ProfileId]) -> list[str]:
    return [global_id(Noun.PROFILE, each) for each in profiles]


def _before(parent: strawberry.Parent[StoredChange]) -> list[str]:
    return _ids(parent.before)


def _after(parent: strawberry.Parent[StoredChange]) -> list[str]:
    return _ids(parent.after)


def _retired(parent: strawberry.Parent[StoredChange]) -> list[str]:
    return _ids(parent.retired)


def _evidence(parent: strawberry.Parent[StoredChange]) -> Sequence[MessageId]:
    return parent.messages


async def _about(parent: strawberry.Parent[StoredChange], info: Info) -> Sequence[StoredIdentifier]:
    found = [await info.context.batching.ask(identifiers_by_mint, mint) for mint in parent.about]
    return [each for each in found if each is not None]


def _sentence(parent: strawberry.Parent[StoredChange]) -> str:
    return sentence_of(parent)


@strawberry.interface(description="One change to who is who. It names people and identifiers by ids, never by a value.")
class Change(Node):
    """One change to who is who."""

    at: Moment = strawberry.field(description="When it was recorded.")
    kind: ChangeKind = strawberry.field(description="What happened.")
    cause: ChangeCause = strawberry.field(description="What made it happen.")
    by: str = strawberry.field(description="The sources of the messages, or who decided it; may be empty.")
    sentence: str = strawberry.field(resolver=_sentence, description="The change in plain English.")
    reason: str | None = strawberry.field(
        description="The rule that parted people (unique, different, generic, size), or why an identifier is generic."
    )
    decision: str | None = strawberry.field(description="The id of the decision it follows from.")
    note: str | None = strawberry.field(description="Why, in the words of who decided.")
    count: int = strawberry.field(description="How many identifiers moved; of a decision, how many acts it has.")
    about: list[Identifier] = resolved(
        _about, "The anchors of its profiles, or the identifiers it is about; erased ones are left out."
    )
    evidence: list[Evidence] = resolved(_evidence, "The messages it rests on, at most 10.")


@strawberry.type(description="Identifiers came, went, or belong to other profiles: arrivals, merges, splits and moves.")
class MergeEvent(Change):
    """Identifiers came, went, or belong to other profiles."""

    before: list[strawberry.ID] = resolved(_before, "The ids of the profiles that identifiers left.")
    after: list[strawberry.ID] = resolved(_after, "The ids of the profiles that they joined.")
    retired: list[strawberry.ID] = resolved(_retired, "Those ids that are nobody's own now; they lead to who has them.")
    moved: list[MovedIdentifier] = strawberry.field(description="The identifiers that moved, at most 100.")


@strawberry.type(description="Somebody decided something by hand: of people, of traits, of accounts.")
class DecisionEvent(Change):
    """Somebody decided something by hand."""

    acts: list[str] = strawberry.field(description="Of a decision about people: the kinds of its acts.")


@strawberry.type(
    description="How a rule turned: an identifier is generic or is not any more, or the policy is another."
)
class RuleEvent(Change):
    """How a rule turned."""


Kinds = Annotated[list[ChangeKind] | None, strawberry.argument(description="Of any of these kinds; all without it.")]
Since = Annotated[Moment | None, strawberry.argument(description="Recorded at this moment or later.")]
Until = Annotated[Moment | None, strawberry.argument(description="Recorded at this moment or earlier.")]


@strawberry.input(description="Which changes a history shows; what is not given does not matter.")
class ChangeFilter:
    """Which changes a history shows."""

    kinds: list[ChangeKind] | None = strawberry.field(default=None, description="Of any of these kinds.")
    since: Moment | None = strawberry.field(default=None, description="Recorded at this moment or later.")
    until: Moment | None = strawberry.field(default=None, description="Recorded at this moment or earlier.")


FilteredChanges = Annotated[ChangeFilter | None, strawberry.argument(description="Which ones; all without it.")]
OfProfile = Annotated[
    ProfileLookup | None, strawberry.argument(description="Only those about this person's identifiers of today.")
]


async def changes(
    info: Info,
    first: First = USUAL,
    after: After = None,
    kinds: Kinds = None,
    since: Since = None,
    until: Until = None,
    profile: OfProfile = None,
    order: Ordered = TimeOrder.NEWEST_FIRST,
) -> Connection[StoredChange]:
    """A page of the log, in its order."""
    wanted, by = _wanted(kinds, since, until), By(order.value)
    if profile is not None:
        keys = await _keys_of(profile, info.context)
        return await about(info.context, keys, first, after, Which(wanted, by))
    most, place = one_more(first), place_in(after, tuple[Micros, str])
    reader = info.context.world.reader
    found = await changes_page(reader, wanted, place, most, by)
    shown = page_of(found.found, first, after, _place, counting(lambda: count_of_changes(reader, wanted)))
    return stopped_at(shown, found.end, after)


@dataclass(frozen=True, slots=True)
class Which:
    """Which changes, in which order."""

    wanted: Wanted
    order: By


async def about(
    context: Asking, keys: Sequence[IdentifierKey], first: int, after: str | None, which: Which
) -> Connection[StoredChange]:
    """A page of the changes about some identifiers, in their order."""
    ask = About(tuple(keys), place_in(after, tuple[Micros, str]))
    found = await context.batching.ask(changes_about, ask, one_more(first), which.wanted, which.order)
    count = counting(lambda: context.batching.ask(count_of_changes_about, About(ask.keys), which.wanted))
    return page_of(found or (), first, after, _place, count)


async def history(
    context: Asking, profile: ProfileId, first: int, after: str | None, which: Which
) -> Connection[StoredChange]:
    """A page of the changes about a profile's identifiers, in their order."""
    one_more(first)  # a bad size is refused before anything is read
    own = await context.batching.ask(identifiers_of, profile)
    return await about(context, [each.key for each in own or ()], first, after, which)


def changes_wanted(asked: ChangeFilter | None, order: TimeOrder) -> Which:
    """Which changes a filter shows. Raises GraphQLError where it names too many kinds."""
    wanted = Wanted() if asked is None else _wanted(asked.kinds, asked.since, asked.until)
    return Which(wanted, By(order.value))


def _wanted(kinds: Sequence[ChangeKind] | None, since: int | None, until: int | None) -> Wanted:
    if len(kinds or ()) > len(Kind):
        raise refused(Code.TOO_MANY_VALUES, "a filter has each kind once")
    return Wanted(
        tuple(str(each.value) for each in kinds or ()),
        EARLIEST if since is None else since,
        LATEST if until is None else until,
    )


async def _keys_of(by: ProfileLookup, context: Asking) -> list[IdentifierKey]:
    """The identifiers of the profile that a lookup names; none of one that is unknown."""
    if by.identifier:
        found = await context.batching.ask(profiles_by_identifier, await key_named(by.identifier, context))
    else:
        found = await context.batching.ask(profiles_by_id, profile_id_named(by.id or ""))
    own = await context.batching.ask(identifiers_of, found.id) if found else None
    return [each.key for each in own or ()]


def _place(change: StoredChange) -> tuple[int, str]:
    return change.at, change.id
