"""What a mutation answers when it did nothing: one type for each kind of problem, each with a code and a sentence.

What can be expected of a mutation is data, a member of its union; what is exceptional, or wrong with the request as a
whole, is an error of the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import cast

import strawberry
from graphql import GraphQLError

from graph.conflicts import Conflict
from graph.errors import DecisionError, UnknownDecisionError, UnknownIdentifierError
from graph.merging import Unchanged
from identity.evidence import Reason
from identity.identifiers import IdentifierKey
from resolvers.asking import Info
from resolvers.errors import Code, refused
from resolvers.explanations import RefusalReason
from resolvers.identifiers import IdentifierName
from resolvers.nodes import resolved


class Kind(Enum):
    """The kinds of problems, by the names of their types."""

    NOT_FOUND = "NotFound"
    FORBIDDEN = "Forbidden"
    UNIQUE_CONFLICT = "UniqueConflict"
    RULE_CONFLICT = "RuleConflict"
    TOO_LARGE = "TooLarge"
    INVALID = "Invalid"
    NOTHING_TO_DO = "NothingToDo"
    IDEMPOTENCY_CONFLICT = "IdempotencyConflict"


@dataclass(frozen=True, slots=True)
class Place:
    """What is wrong at one place of an argument."""

    code: str
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a mutation did nothing. conflict: the rule in the way. problems: each place that is wrong."""

    kind: Kind
    code: str
    sentence: str
    conflict: Conflict | None = None
    problems: Sequence[Place] = ()


@strawberry.interface(description="Why a mutation did nothing; nothing was written.")
class Problem:
    """Why a mutation did nothing."""

    code: str = strawberry.field(description="The reason as a stable word.")
    sentence: str = strawberry.field(description="The reason in plain English, and what can be done.")

    @classmethod
    def is_type_of(cls, value: object, _info: Info) -> bool:
        """Whether an answer is shown as this type."""
        return isinstance(value, Trouble) and value.kind.value == cls.__name__


@strawberry.type(description="Nothing is known under an id, a name or an identifier that was given.")
class NotFound(Problem):
    """Nothing is known of what was named."""


@strawberry.type(description="The key may ask this, but not in this case: only an `admin` overrides.")
class Forbidden(Problem):
    """The key may not do this."""


@strawberry.type(description="There is nothing to do: it is so already, or there is nothing to take back.")
class NothingToDo(Problem):
    """There is nothing to do."""


@strawberry.type(description="This idempotency key was used for something else.")
class IdempotencyConflict(Problem):
    """This idempotency key was used for something else."""


@strawberry.type(description="What is wrong at one place of an argument.")
class InvalidPlace:
    """What is wrong at one place of an argument."""

    code: str = strawberry.field(description="The reason as a stable word.")
    place: str = strawberry.field(description="Where, from the argument on.")
    sentence: str = strawberry.field(description="The reason in plain English.")


@strawberry.type(description="An argument cannot be meant so.")
class Invalid(Problem):
    """An argument cannot be meant so."""

    problems: list[InvalidPlace] = strawberry.field(description="Each place that is wrong, where there are several.")


@strawberry.type(description="Two identifiers that stand against each other.")
class IdentifierPair:
    """Two identifiers that stand against each other."""

    a: IdentifierName = strawberry.field(description="One of the two; the one that would be replaced.")
    b: IdentifierName = strawberry.field(description="The other one; the one that would stay.")


@dataclass(frozen=True, slots=True)
class Against:
    """Two identifiers that stand against each other."""

    a: IdentifierKey
    b: IdentifierKey


@strawberry.type(description="A namespace of which one person would have too many identifiers.")
class NamespaceLimit:
    """A namespace of which one person would have too many identifiers."""

    namespace: str = strawberry.field(description="The namespace.")
    one: int = strawberry.field(description="How many the one has.")
    other: int = strawberry.field(description="How many the other has.")
    limit: int = strawberry.field(description="How many the policy lets a person have.")


def _reason(parent: strawberry.Parent[Trouble]) -> RefusalReason | None:
    return RefusalReason(parent.conflict.reason.value) if parent.conflict else None


def _values(parent: strawberry.Parent[Trouble]) -> Sequence[Against]:
    return [Against(*pair) for pair in parent.conflict.values] if parent.conflict else []


def _apart(parent: strawberry.Parent[Trouble]) -> Sequence[Against]:
    return [Against(*pair) for pair in parent.conflict.apart] if parent.conflict else []


def _sizes(parent: strawberry.Parent[Trouble]) -> Sequence[int]:
    return (parent.conflict and parent.conflict.sizes) or ()


def _limits(parent: strawberry.Parent[Trouble]) -> Sequence[object]:
    return parent.conflict.limits if parent.conflict else ()


@strawberry.type(description="Both have a value of something of which everybody has one.")
class UniqueConflict(Problem):
    """Both have a value of something of which everybody has one."""

    values: list[IdentifierPair] = resolved(
        _values, "The two values of each unique namespace that stand against each other."
    )


@strawberry.type(description="Another rule forbids it.")
class RuleConflict(Problem):
    """Another rule forbids it."""

    reason: RefusalReason | None = strawberry.field(
        resolver=_reason, description="The rule; null of accounts that stand as different."
    )
    values: list[IdentifierPair] = resolved(_values, "Values of unique namespaces that stand against each other.")
    apart: list[IdentifierPair] = resolved(_apart, "The pairs that somebody decided are different.")


@strawberry.type(description="It is more than is decided, kept or belongs to one person at once.")
class TooLarge(Problem):
    """It is more than is allowed."""

    sizes: list[int] = resolved(_sizes, "How many identifiers each of two people has, where their sum is too large.")
    limits = strawberry.field(
        resolver=_limits,
        graphql_type=list[NamespaceLimit],
        description="The namespaces of which the person would have too many identifiers.",
    )


# Why nothing was decided of people: what the unions of those decisions have in common.
Undecided = (
    UniqueConflict | RuleConflict | TooLarge | NotFound | Forbidden | Invalid | NothingToDo | IdempotencyConflict
)

WHAT_FORBIDS = {
    Reason.UNIQUE: "Both people have a value of something of which everybody has one: with `override`, the value of "
    "`into` replaces the other, which keeps resolving.",
    Reason.DIFFERENT: "Somebody decided that they are different: take that decision back first.",
    Reason.GENERIC: "One of the two identifiers is shared by several people: name identifiers of theirs alone.",
    Reason.SIZE: "The person would have more identifiers than the policy allows.",
    Reason.LIMIT: "The person would have more identifiers of one namespace than the policy allows.",
    Reason.UNVERIFIED: "The policy asks for more authority than the evidence has.",
}
KIND_OF_REASON = {
    Reason.UNIQUE: Kind.UNIQUE_CONFLICT,
    Reason.SIZE: Kind.TOO_LARGE,
    Reason.LIMIT: Kind.TOO_LARGE,
}
KIND_OF_CODE: Mapping[str, Kind] = {
    "unknown_identifier": Kind.NOT_FOUND,
    "unknown_decision": Kind.NOT_FOUND,
    Code.UNKNOWN_PROFILE: Kind.NOT_FOUND,
    Code.ERASED: Kind.NOT_FOUND,
    Code.KEY_SCOPE: Kind.FORBIDDEN,
    Code.TOO_MANY_VALUES: Kind.TOO_LARGE,
    Code.TOO_MANY_SEGMENTS: Kind.TOO_LARGE,
    Code.TOO_MANY_ENDPOINTS: Kind.TOO_LARGE,
    "too_many_pairs": Kind.TOO_LARGE,
    "decision_invalid": Kind.INVALID,
    Code.BAD_ID: Kind.INVALID,
    Code.NAMESPACE_INVALID: Kind.INVALID,
    Code.IDENTIFIER_EMPTY: Kind.INVALID,
    Code.IDENTIFIER_BLOCKED: Kind.INVALID,
    Code.IDENTIFIER_TOO_LONG: Kind.INVALID,
    Code.IDENTIFIER_INVALID: Kind.INVALID,
    Code.TRAIT_NAME: Kind.INVALID,
    Code.VALUE_INVALID: Kind.INVALID,
    Code.SEGMENT_INVALID: Kind.INVALID,
    Code.SEGMENT_NAME: Kind.INVALID,
    Code.WEBHOOK_URL: Kind.INVALID,
    Code.WEBHOOK_TOPICS: Kind.INVALID,
    Code.IDEMPOTENCY_KEY: Kind.INVALID,
    Code.IDEMPOTENCY_CONFLICT: Kind.IDEMPOTENCY_CONFLICT,
}
EXPECTED = (GraphQLError, UnknownIdentifierError, UnknownDecisionError, DecisionError)


def trouble_of(answer: object) -> object:
    """What an answer of graph/ is shown as: a problem where nothing was done, else itself."""
    match answer:
        case Conflict():
            return conflict_shown(answer)
        case Unchanged():
            return Trouble(Kind.NOTHING_TO_DO, answer.code, answer.sentence)
    return answer


def conflict_shown(conflict: Conflict, sentence: str | None = None) -> Trouble:
    """A rule in the way as the problem that it is shown as."""
    if conflict.breaks:
        broken = f"It would take apart who is one person: {', '.join(conflict.breaks[:10])}."
        return Trouble(Kind.RULE_CONFLICT, conflict.reason.value, broken, conflict)
    kind = KIND_OF_REASON.get(conflict.reason, Kind.RULE_CONFLICT)
    return Trouble(kind, conflict.reason.value, sentence or WHAT_FORBIDS[conflict.reason], conflict)


def expected(error: Exception) -> Trouble | None:
    """The problem that an error is shown as; None where it stays an error of the answer."""
    if not isinstance(error, GraphQLError):
        code = str(getattr(error, "code", ""))
        return Trouble(KIND_OF_CODE[code], code, str(error)) if code in KIND_OF_CODE else None
    extensions = error.extensions or {}
    code = str(extensions.get("code"))
    if code not in KIND_OF_CODE:
        return None
    listed = cast("Sequence[Mapping[str, str]]", extensions.get("problems") or ())
    return Trouble(KIND_OF_CODE[code], code, error.message, problems=[Place(**each) for each in listed])


def already(code: str, sentence: str) -> Trouble:
    """That there is nothing to do."""
    return Trouble(Kind.NOTHING_TO_DO, code, sentence)


def missing(code: str, sentence: str) -> Trouble:
    """That nothing is known of what was named."""
    return Trouble(Kind.NOT_FOUND, code, sentence)


def conflicting_key() -> GraphQLError:
    """The error of a key that was used for something else."""
    return refused(Code.IDEMPOTENCY_CONFLICT)
