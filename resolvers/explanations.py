"""Explanations: why two identifiers are one person, or why not."""

from enum import Enum

import strawberry

from graph.explanations import explained
from insight.explanations import ExplainedLink as StoredLink
from insight.explanations import Explanation as StoredExplanation
from insight.explanations import sentence_of
from resolvers.asking import Info
from resolvers.identifiers import IdentifierName
from resolvers.lookups import ByProfile, anchor_key
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


def _kind(parent: strawberry.Parent[StoredLink]) -> LinkKind:
    return LinkKind(parent.kind.word)


@strawberry.type(description="One piece of evidence between two identifiers.")
class ExplainedLink:
    """One piece of evidence between two identifiers."""

    a: IdentifierName = strawberry.field(description="One end.")
    b: IdentifierName = strawberry.field(description="The other end.")
    kind: LinkKind = strawberry.field(resolver=_kind, description="What kind of statement it is.")
    authority: str = strawberry.field(description="How far it is believed: manual, imported, verified or claimed.")
    source: str = strawberry.field(description="The source that said so first.")
    first_seen: Moment = strawberry.field(description="When it was first said.")
    message: str = strawberry.field(description="The id of the first message that said so.")
    reason: RefusalReason | None = strawberry.field(description="Why it was refused; null when it is accepted.")
    generic: list[IdentifierName] = strawberry.field(description="The ends that are shared by several people.")


def _sentence(parent: strawberry.Parent[StoredExplanation]) -> str:
    return sentence_of(parent)


@strawberry.type(description="Whether two identifiers are one person, and the evidence.")
class Explanation:
    """Whether two identifiers are one person, and the evidence."""

    same: bool = strawberry.field(description="Whether they are one person.")
    sentence: str = strawberry.field(resolver=_sentence, description="The answer in plain English.")
    a: IdentifierName = strawberry.field(description="The first identifier asked for, or the profile's anchor.")
    b: IdentifierName = strawberry.field(description="The second one.")
    path: list[ExplainedLink] = strawberry.field(description="The accepted links from a to b, when they are the same.")
    refused: list[ExplainedLink] = strawberry.field(
        description="The refused links between two people, direct or over what they share, at most 20."
    )
    missing: list[IdentifierName] = strawberry.field(description="Those of the two of which nothing is known.")


async def why_same(info: Info, a: ByProfile, b: ByProfile) -> StoredExplanation:
    """Why two identifiers are one person, or why not."""
    return await explained(
        info.context.world.reader, await anchor_key(a, info.context), await anchor_key(b, info.context)
    )
