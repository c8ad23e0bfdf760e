"""Suggestions: who may be the same, who may belong to an account; accepted or dismissed by hand."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

import strawberry
from graphql import GraphQLError

from graph.accounts import Account as StoredAccount
from graph.accounts import accounts_by_key
from graph.connection import Transaction
from graph.decisions import Outcome as Decided
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id, profiles_by_identifier
from graph.suggestion_decisions import (
    Outcome,
    Settled,
    reopen_membership,
    settle_membership,
    settle_people,
    settled_sentence,
)
from graph.suggestion_lists import Page, Place, suggestions_page
from graph.suggestions import Found, Suggested, suggestions_of
from identity.identifiers import IdentifierKey
from insight.suggestions import Suggestion, merge_rules, second_of, sentence_of
from resolvers.accounts import ACCOUNT
from resolvers.asking import Asking, Info
from resolvers.batching import then
from resolvers.decisions import Note, asked_by
from resolvers.errors import Code, refused
from resolvers.identifiers import IdentifierName
from resolvers.nodes import PROFILE, maybe, resolved, stands_for
from resolvers.once import DryRun, IdempotencyKey, Memory, Wanted, done
from resolvers.paging import (
    USUAL,
    After,
    Connection,
    Counting,
    Edge,
    First,
    PageInfo,
    all_counted,
    cursor_of,
    one_more,
    place_in,
)
from resolvers.permissions import check_override
from resolvers.problems import (
    Against,
    IdentifierPair,
    Trouble,
    Undecided,
    already,
    conflict_shown,
)
from resolvers.world import World

PEOPLE, MEMBERSHIP = "people", "membership"


@strawberry.enum(description="On what ground something is suggested, with its score.")
class SuggestionReason(Enum):
    """On what ground something is suggested."""

    FOLDED_EMAIL = strawberry.enum_value(
        "folded_email", description="0.9: two addresses are one without `+tag`, at Gmail without dots as well."
    )
    SHARED_CONTACT_POINT = strawberry.enum_value(
        "shared_contact_point", description="0.7: two people of the same name share an email address or a phone."
    )
    SHARED_DEVICE = strawberry.enum_value(
        "shared_device", description="0.5: two were met on one device that several people use, and nowhere else."
    )
    SHARED_CONTACT_POINT_ONLY = strawberry.enum_value(
        "shared_contact_point_only",
        description="0.3: two people share an email address or a phone; their names differ or are unknown.",
    )
    COMPANY_DOMAIN = strawberry.enum_value(
        "company_domain", description="0.2: the person has an address of the account's domain."
    )


def _id(parent: strawberry.Parent[Found]) -> strawberry.ID:
    people = isinstance(parent, Suggestion)
    return strawberry.ID(cursor_of((PEOPLE if people else MEMBERSHIP, parent.a, second_of(parent))))


def _reason(parent: strawberry.Parent[Found]) -> SuggestionReason:
    return SuggestionReason(parent.ground.value)


def _sentence(parent: strawberry.Parent[Found]) -> str:
    return sentence_of(parent)


async def _profile(parent: strawberry.Parent[Found], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_id, parent.one)


async def _other(parent: strawberry.Parent[Found], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_id, parent.other) if isinstance(parent, Suggestion) else None


async def _of_account(parent: strawberry.Parent[Found], info: Info) -> StoredAccount | None:
    if isinstance(parent, Suggestion):
        return None
    return await info.context.batching.ask(accounts_by_key, parent.account.key)


def _identifiers(parent: strawberry.Parent[Found]) -> Sequence[IdentifierKey]:
    return (parent.a, parent.b) if isinstance(parent, Suggestion) else (parent.a,)


def _needs_override(parent: strawberry.Parent[Found]) -> bool:
    return isinstance(parent, Suggestion) and bool(parent.values)


def _values(parent: strawberry.Parent[Found]) -> Sequence[Against]:
    return [Against(*pair) for pair in parent.values] if isinstance(parent, Suggestion) else []


@strawberry.type(name="Suggestion", description="Two people who may be one, or a person who may belong to an account.")
class SuggestionShown:
    """Two people who may be one, or a person who may belong to an account."""

    id: strawberry.ID = strawberry.field(resolver=_id, description="For `acceptSuggestion`, `dismissSuggestion`.")
    reason: SuggestionReason = strawberry.field(resolver=_reason, description="On what ground.")
    score: float = strawberry.field(description="How sure it is, from 0 to 1.")
    sentence: str = strawberry.field(resolver=_sentence, description="The same in plain English.")
    identifiers: list[IdentifierName] = resolved(_identifiers, "The identifiers in question, one of each person.")
    needs_override: bool = strawberry.field(
        resolver=_needs_override,
        description="Whether both have a value of what everybody has one of: accepting it needs `override`.",
    )
    values: list[IdentifierPair] = resolved(
        _values, "Those values, by namespace; that of the older profile would replace the other."
    )
    profile = strawberry.field(resolver=_profile, graphql_type=maybe(PROFILE), description="The person, or one of two.")
    other = strawberry.field(
        resolver=_other, graphql_type=maybe(PROFILE), description="The other person; null where it is of an account."
    )
    account = strawberry.field(
        resolver=_of_account, graphql_type=maybe(ACCOUNT), description="The account; null where it is of two people."
    )


@strawberry.type(description="One page of suggestions, the strongest first.")
class Suggestions(Connection[SuggestionShown]):
    """One page of suggestions."""

    left_out: list[IdentifierName] = strawberry.field(
        description="What was met and more than 20 people share: it suggests nothing. At most 100."
    )


@dataclass(frozen=True, slots=True)
class SuggestionsPage:
    """What is shown as Suggestions."""

    edges: list[Edge[Found]]
    page_info: PageInfo
    left_out: Sequence[IdentifierKey]
    count: Counting | None


LeastScore = Annotated[float, strawberry.argument(description="Only those of this score or a higher one.")]


async def suggestions(
    info: Info, first: First = USUAL, after: After = None, min_score: LeastScore = 0.0
) -> SuggestionsPage:
    """A page of all suggestions there are."""
    one_more(first)
    cursor = place_in(after, tuple[Literal[0, 1, 2, 3, 4], str, str, str, str])
    place = Place(cursor[0], (cursor[1], cursor[2]), (cursor[3], cursor[4])) if cursor else Place()
    reader, rules = info.context.world.reader, merge_rules(info.context.world.policy)
    return _page(await suggestions_page(reader, place, first, min_score, rules), after)


def _page(page: Page, after: str | None) -> SuggestionsPage:
    edges = [Edge(node=found, cursor=_cursor(place)) for place, found in page.found]
    end = _cursor(page.end) if page.end else None
    return _shown(edges, page.left_out, after, more=page.end is not None, end=end, count=None)


def _shown(
    edges: list[Edge[Found]],
    left_out: Sequence[IdentifierKey],
    after: str | None,
    *,
    more: bool,
    end: str | None,
    count: Counting | None,
) -> SuggestionsPage:
    """A page; end: where to go on, where that is not after its last edge. count: None, since to count is to judge."""
    place = PageInfo(
        has_next_page=more,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=end or (edges[-1].cursor if edges else None),
    )
    return SuggestionsPage(edges, place, left_out, count)


def _cursor(place: Place) -> str:
    return cursor_of((place.ground, *place.group, *place.pair))


def of_profile(
    parent: strawberry.Parent[StoredProfile], info: Info, first: First = USUAL, after: After = None
) -> SuggestionsPage | Awaitable[SuggestionsPage]:
    """A page of what is suggested about a person."""
    one_more(first)
    place = place_in(after, tuple[float, str, str])
    found = info.context.batching.ask(suggestions_of, parent.id, merge_rules(info.context.world.policy))
    return then(found, lambda suggested: _page_of_person(suggested, first, after, place))


def _page_of_person(
    suggested: Suggested | None, first: int, after: str | None, place: tuple[float, str, str] | None
) -> SuggestionsPage:
    """All are judged for each page, and a cursor holds the place of one, so that a new one before it moves none."""
    found = suggested.found if suggested else ()
    rest = [each for each in found if place is None or _place(each) > place]
    edges = [Edge(node=each, cursor=cursor_of(_place(each))) for each in rest[:first]]
    left_out = suggested.left_out if suggested else ()
    return _shown(edges, left_out, after, more=len(rest) > first, end=None, count=all_counted(len(found)))


def _place(found: Found) -> tuple[float, str, str]:
    """As `strongest_first` has them."""
    return -found.score, found.a, second_of(found)


@strawberry.enum(description="What became of a suggestion.")
class SuggestionOutcome(Enum):
    """What became of a suggestion."""

    ACCEPTED = strawberry.enum_value("accepted", description="It holds now, by hand.")
    DISMISSED = strawberry.enum_value("dismissed", description="It was said not to hold, and does not come again.")
    REOPENED = strawberry.enum_value("reopened", description="What was decided by hand is taken back.")


async def _profile_now(parent: strawberry.Parent[Settled], info: Info) -> StoredProfile | None:
    return await info.context.batching.ask(profiles_by_identifier, parent.key)


@strawberry.type(description="What became of a suggestion, and of the person.")
class SuggestionDecision:
    """What became of a suggestion."""

    outcome: SuggestionOutcome = strawberry.field(description="What became of it.")
    sentence: str = strawberry.field(description="The same in plain English.")
    decision: strawberry.ID | None = strawberry.field(
        description="What `undoDecision` takes; null of an account, whose suggestion `reopenSuggestion` takes."
    )
    profile = strawberry.field(
        resolver=_profile_now,
        graphql_type=maybe(PROFILE),
        description="The person as she is now; with `dryRun` as before.",
    )

    is_type_of = stands_for(Settled)


SuggestionAnswer = Annotated[
    SuggestionDecision | Undecided,
    strawberry.union(name="SuggestionAnswer", description="What became of a suggestion."),
]


SuggestionId = Annotated[strawberry.ID, strawberry.argument(description="The suggestion's id.")]
Override = Annotated[
    bool,
    strawberry.argument(
        description="Let unique values of the older profile replace those of the other; needs scope `admin`."
    ),
]


async def accept_suggestion(
    info: Info,
    suggestion: SuggestionId,
    override: Override = False,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Settled | Trouble:
    """Accept a suggestion."""
    context = info.context

    async def work(world: World) -> Settled | Trouble:
        if override:
            check_override(context.viewer)
        return await _settled(context, world, suggestion, note, accept=True, override=override)

    wanted = Wanted("acceptSuggestion", (suggestion, override, note), idempotency_key, dry_run)
    return await done(context, wanted, work, _memory(Outcome.ACCEPTED, suggestion))


async def dismiss_suggestion(
    info: Info,
    suggestion: SuggestionId,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Settled | Trouble:
    """Dismiss a suggestion."""

    async def work(world: World) -> Settled | Trouble:
        return await _settled(info.context, world, suggestion, note, accept=False)

    wanted = Wanted("dismissSuggestion", (suggestion, note), idempotency_key, dry_run)
    return await done(info.context, wanted, work, _memory(Outcome.DISMISSED, suggestion))


async def reopen_suggestion(
    info: Info,
    suggestion: SuggestionId,
    note: Note = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Settled | Trouble:
    """Take back what was decided by hand of an account's suggestion."""

    async def work(world: World) -> Settled | Trouble:
        what, a, b = _named(suggestion)
        if what == PEOPLE:
            raise refused(Code.BAD_ID, "what was decided about two people is taken back with `undoDecision`")
        pair = (IdentifierKey(a), b)
        return _problem_in(await reopen_membership(world.writer, pair, asked_by(info.context, note)))

    wanted = Wanted("reopenSuggestion", (suggestion, note), idempotency_key, dry_run)
    return await done(info.context, wanted, work, _memory(Outcome.REOPENED, suggestion))


async def _settled(
    context: Asking, world: World, suggestion: str, note: str | None, *, accept: bool, override: bool = False
) -> Settled | Trouble:
    what, a, b = _named(suggestion)
    asked = asked_by(context, note)
    if what == MEMBERSHIP:
        pair = IdentifierKey(a), b
        found = await settle_membership(world.reader, world.writer, pair, asked, world.policy, accept=accept)
        return _problem_in(found)
    people = IdentifierKey(a), IdentifierKey(b)
    return _problem_in(
        await settle_people(world.reader, world.writer, people, asked, world.held, accept=accept, override=override)
    )


def _problem_in(settled: Settled) -> Settled | Trouble:
    """What became of it, or why nothing did."""
    if settled.conflict:
        return conflict_shown(settled.conflict, settled.sentence if settled.outcome is Outcome.NEEDS_OVERRIDE else None)
    return already("gone", settled.sentence) if settled.outcome is Outcome.GONE else settled


async def _remembered(_: Transaction, result: object) -> str | None:
    """The decision about two people; nothing more of a person and an account."""
    if isinstance(result, Decided):
        return result.decision
    return "" if result is None or result is True else None


def _memory(outcome: Outcome, suggestion: str) -> Memory[object, Settled | Trouble]:
    async def recalled(_: Asking, decision: str) -> Settled:
        _what, a, b = _named(suggestion)
        sentence = settled_sentence(outcome, a, b, people=bool(decision))
        return Settled(outcome, sentence, IdentifierKey(a), decision or None)

    return Memory(_remembered, recalled)


def _named(suggestion: str) -> tuple[Literal["people", "membership"], str, str]:
    try:
        named = place_in(suggestion, tuple[Literal["people", "membership"], str, str])
    except GraphQLError as error:
        raise refused(Code.BAD_ID, f"`{suggestion[:80]}` is the id of no suggestion") from error
    assert named is not None  # noqa: S101 -- only no cursor at all is no place
    return named
