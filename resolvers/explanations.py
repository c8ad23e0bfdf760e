"""Explanations: how a profile came to be, why two identifiers are one person, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import strawberry

from graph.explanations import explained, makings_of
from graph.profiles import Profile as StoredProfile
from graph.profiles import profiles_by_id, profiles_by_identifier
from identity.identifiers import IdentifierKey
from insight.explanations import Explanation as StoredExplanation
from insight.explanations import Making, sentence_of, sentence_of_making, sentence_of_step
from insight.explanations import Step as StoredStep
from insight.refusals import Refusal as StoredRefusal
from insight.refusals import Remedy as StoredRemedy
from insight.refusals import sentence_of_refusal
from insight.statements import ExplainedLink as StoredLink
from insight.statements import explained_link, statement_of
from resolvers.asking import Asking, Info
from resolvers.identifiers import IdentifierName, key_named
from resolvers.lookups import ByProfile, ProfileLookup, anchor_key, profile_id_named
from resolvers.nodes import PROFILE, resolved
from resolvers.paging import USUAL, After, Connection, First, all_counted, one_more, page_of, place_in
from resolvers.scalars import Moment


@strawberry.enum(description="What kind of statement a link is, the strongest first.")
class LinkKind(Enum):
    """What kind of statement a link is."""

    MANUAL = strawberry.enum_value("manual", description="Somebody with the right to decided it.")
    IMPORT_KEY = strawberry.enum_value("import_key", description="Both are keys of one record in a source.")
    DERIVED = strawberry.enum_value("derived", description="One is the hash of the other.")
    ALIAS = strawberry.enum_value("alias", description="A source declared them to be the same.")
    COOCCUR = strawberry.enum_value("cooccur", description="They came in one message.")


@strawberry.enum(description="Why a link was refused.")
class RefusalReason(Enum):
    """Why a link was refused."""

    GENERIC = strawberry.enum_value("generic", description="An end is shared by several people and links nobody.")
    UNIQUE = strawberry.enum_value("unique", description="One person would have two values of what each has once.")
    DIFFERENT = strawberry.enum_value("different", description="Somebody decided that they are different.")
    SIZE = strawberry.enum_value("size", description="The person would have more identifiers than allowed.")
    LIMIT = strawberry.enum_value("limit", description="The person would have too many identifiers of one namespace.")
    UNVERIFIED = strawberry.enum_value("unverified", description="The policy asks for more authority than it has.")


@strawberry.enum(description="What can be done to join two people.")
class RemedyKind(Enum):
    """What can be done to join two people; the values are those of insight/refusals.py."""

    OVERRIDE = strawberry.enum_value("override", description="Say which of two unique values replaces the other.")
    MERGE = strawberry.enum_value("merge", description="Join the two by hand.")
    UNDO_DECISION = strawberry.enum_value("undo_decision", description="Undo what somebody decided about a pair.")
    RAISE_LIMIT = strawberry.enum_value("raise_limit", description="Allow a person more identifiers in the policy.")
    VERIFY = strawberry.enum_value("verify", description="Send the statement with more authority, or ask for less.")
    REMOVE_OTHER_USES = strawberry.enum_value(
        "remove_other_uses", description="Remove other people's uses of what is shared, so that it is shared no more."
    )
    BLOCK_VALUES = strawberry.enum_value("block_values", description="Block placeholders in the policy.")
    WAIT = strawberry.enum_value("wait", description="Wait for the recompute in the background.")


def _kind(parent: strawberry.Parent[StoredLink]) -> LinkKind:
    return LinkKind(parent.kind.word)


def _statement(parent: strawberry.Parent[StoredLink]) -> str:
    return f"{statement_of(parent)}."


@strawberry.type(description="One piece of evidence between two identifiers.")
class Link:
    """One piece of evidence between two identifiers."""

    a: IdentifierName = strawberry.field(description="One end.")
    b: IdentifierName = strawberry.field(description="The other end.")
    kind: LinkKind = strawberry.field(resolver=_kind, description="What kind of statement it is.")
    authority: str = strawberry.field(
        description="How far it is believed: manual, imported, verified, claimed or unverified."
    )
    source: str = strawberry.field(description="The source that said so first.")
    first_seen: Moment = strawberry.field(description="When it was first said.")
    message: str = strawberry.field(description="The id of the first message that said so.")
    reason: RefusalReason | None = strawberry.field(description="Why it was refused; null when it is accepted.")
    generic: list[IdentifierName] = strawberry.field(description="The ends that are shared by several people.")
    sentence: str = resolved(_statement, "What it says, in plain English.")


def _remedy_kind(parent: strawberry.Parent[StoredRemedy]) -> RemedyKind:
    return RemedyKind(parent.kind.value)


@strawberry.type(description="Something that can be done to join two people.")
class Remedy:
    """Something that can be done to join two people."""

    kind: RemedyKind = strawberry.field(resolver=_remedy_kind, description="What kind of thing it is.")
    about: list[IdentifierName] = strawberry.field(description="The identifiers to do it with; empty if with none.")
    sentence: str = strawberry.field(description="What to do, in plain English.")


@strawberry.type(description="A decision by hand that two identifiers are different people.")
class Decision:
    """A decision by hand that two identifiers are different people."""

    a: IdentifierName = strawberry.field(description="One of the two.")
    b: IdentifierName = strawberry.field(description="The other one.")
    by: str = strawberry.field(description="Who decided; empty where nobody is named.")
    at: Moment = strawberry.field(description="When it was decided.")
    note: str | None = strawberry.field(description="Why, in the words of who decided.")
    decision: strawberry.ID = strawberry.field(description="What `undoDecision` takes back.")


def _reason(parent: strawberry.Parent[StoredRefusal]) -> RefusalReason | None:
    return RefusalReason(parent.group.reason.value) if parent.group.reason else None


def _count(parent: strawberry.Parent[StoredRefusal]) -> int:
    return parent.group.count


def _links(parent: strawberry.Parent[StoredRefusal]) -> Sequence[StoredLink]:
    return parent.group.links


def _shared(parent: strawberry.Parent[StoredRefusal]) -> IdentifierKey | None:
    return parent.group.shared.key if parent.group.shared else None


def _shared_by(parent: strawberry.Parent[StoredRefusal]) -> int | None:
    return parent.group.shared.people if parent.group.shared else None


def _limit(parent: strawberry.Parent[StoredRefusal]) -> int | None:
    if parent.group.shared:
        return parent.group.shared.limit
    return parent.why.limit if parent.why.sizes else None


def _values(parent: strawberry.Parent[StoredRefusal]) -> Sequence[IdentifierKey]:
    return [value for pair in parent.why.conflicts for value in pair]


MOST_DECISIONS = 20


def _decisions(parent: strawberry.Parent[StoredRefusal]) -> Sequence[object]:
    return parent.why.decisions[:MOST_DECISIONS]


def _sizes(parent: strawberry.Parent[StoredRefusal]) -> Sequence[int]:
    return parent.why.sizes or ()


def _refusal(parent: strawberry.Parent[StoredRefusal]) -> str:
    return f"{sentence_of_refusal(parent)}"


@strawberry.type(description="Links between two people that were refused for one reason.")
class Refusal:
    """Links between two people that were refused for one reason."""

    reason: RefusalReason | None = resolved(_reason, "The rule that refused them; null while they wait for it.")
    sentence: str = resolved(_refusal, "What was said and why it joins nobody, in plain English.")
    count: int = resolved(_count, "How many links.")
    links: list[Link] = resolved(_links, "The first of them; the explanation shows at most 20 in all.")
    shared: IdentifierName | None = resolved(_shared, "For `GENERIC`: what is shared.")
    shared_by: int | None = resolved(_shared_by, "For `GENERIC`: by how many people.")
    limit: int | None = resolved(_limit, "For `GENERIC` and `SIZE`: how many the policy allows.")
    values: list[IdentifierName] = resolved(
        _values, "For `UNIQUE`: a value of one person and one of the other, in turn."
    )
    decisions: list[Decision] = resolved(
        _decisions, "For `DIFFERENT`: who decided and when, the latest first; 20 at most."
    )
    sizes: list[int] = resolved(_sizes, "For `SIZE`: how many identifiers each of the two has.")
    remedies: list[Remedy] = strawberry.field(description="Any one of these would lift this refusal.")


def _sentence(parent: strawberry.Parent[StoredExplanation]) -> str:
    return sentence_of(parent)


@strawberry.type(description="Whether two identifiers are one person, and the evidence.")
class Explanation:
    """Whether two identifiers are one person, and the evidence."""

    same: bool = strawberry.field(description="Whether they are one person.")
    sentence: str = strawberry.field(resolver=_sentence, description="The answer in plain English.")
    a: IdentifierName = strawberry.field(description="The first identifier asked for, or the profile's anchor.")
    b: IdentifierName = strawberry.field(description="The second one.")
    path: list[Link] = strawberry.field(
        description="The strongest accepted links from a to b, when they are the same: each is at least as strong as "
        "the weakest link of any other way."
    )
    refused: list[Link] = strawberry.field(
        description="The refused links between two people, direct or over what they share, at most 20."
    )
    refused_count: int = strawberry.field(description="How many were refused in all.")
    refusals: list[Refusal] = strawberry.field(description="The refused links by their reasons, at most 20 groups.")
    remedies: list[Remedy] = strawberry.field(
        description="What would have to change to make the two one person: all of it together."
    )
    missing: list[IdentifierName] = strawberry.field(description="Those of the two of which nothing is known.")


async def why_same(info: Info, a: ByProfile, b: ByProfile) -> StoredExplanation:
    """Why two identifiers are one person, or why not."""
    context = info.context
    keys = await anchor_key(a, context), await anchor_key(b, context)
    return await explained(context.world.reader, *keys, context.world.policy)


why_not = why_same


@dataclass(frozen=True, slots=True)
class Made:
    """A profile and how it came to be."""

    profile: StoredProfile
    making: Making


def _step_link(parent: strawberry.Parent[StoredStep]) -> StoredLink:
    return explained_link(parent.link)


def _step_sentence(parent: strawberry.Parent[StoredStep]) -> str:
    return sentence_of_step(parent)


@strawberry.type(description="One accepted link in the place where the rule takes it: the strongest first.")
class Step:
    """One accepted link in the place where the rule takes it."""

    number: int = strawberry.field(description="Its place, from 1.")
    link: Link = resolved(_step_link, "The evidence, with its source, time and message.")
    joined: bool = strawberry.field(
        description="Whether it brought two groups together; otherwise it only confirms what was known."
    )
    size: int = strawberry.field(description="How many identifiers are together with its ends after it.")
    groups: int = strawberry.field(description="In how many groups all identifiers of the profile are after it.")
    sentence: str = resolved(_step_sentence, "What it did, in plain English.")


Joining = Annotated[bool, strawberry.argument(description="Only the steps that brought something together.")]


def _steps(
    parent: strawberry.Parent[Made], first: First = USUAL, after: After = None, joining: Joining = False
) -> Connection[StoredStep]:
    most = one_more(first)
    place = place_in(after, tuple[int, int, int, int, bool, int, str, str, str])
    found = parent.making.joins if joining else parent.making.steps
    rest = found if place is None else [step for step in found if step.place > place]
    return page_of(rest[:most], first, after, lambda step: step.place, all_counted(len(found)))


def _size(parent: strawberry.Parent[Made]) -> int:
    return parent.making.size


def _link_count(parent: strawberry.Parent[Made]) -> int:
    return len(parent.making.steps)


def _making(parent: strawberry.Parent[Made]) -> str:
    return sentence_of_making(parent.making)


@strawberry.type(description="How a profile came to be.")
class How:
    """How a profile came to be."""

    profile = strawberry.field(graphql_type=PROFILE, description="The profile.")
    sentence: str = resolved(_making, "The answer in plain English.")
    size: int = resolved(_size, "How many identifiers it has.")
    link_count: int = resolved(_link_count, "How many accepted links hold them together or confirm it.")
    steps: Connection[Step] = resolved(
        _steps, "The accepted links in the order in which the rule takes them, the strongest first."
    )


async def how(info: Info, profile: ByProfile) -> Made | None:
    """How a profile came to be; None when nothing is known of it. All its links are read, whatever the page."""
    context = info.context
    found = await _profile(profile, context)
    if found is None:
        return None
    making = (await makings_of(context.world.reader, [found.id], context.world.policy)).get(found.id)
    return Made(found, making) if making else None


async def _profile(by: ProfileLookup, context: Asking) -> StoredProfile | None:
    if by.identifier:
        return await context.batching.ask(profiles_by_identifier, await key_named(by.identifier, context))
    return await context.batching.ask(profiles_by_id, profile_id_named(by.id or ""))
