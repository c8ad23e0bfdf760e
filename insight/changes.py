"""Changes to who is who, as the log of them tells one, and each in plain English."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from identity.identifiers import ProfileId
from identity.messages import MessageId


class CauseKind(StrEnum):
    """What made a change happen."""

    MESSAGES = "messages"
    DECISION = "decision"
    RECOMPUTE = "recompute"
    REBUILD = "rebuild"
    POLICY = "policy"
    ERASURE = "erasure"


class ChangeKind(StrEnum):
    """What happened to who is who.

    RENAMED: the same identifiers under another id, because the anchor changed. REGROUPED: several people became as many
    others. DECIDED: somebody decided something by hand; what followed from it are changes of their own. WITHDRAWN:
    under another policy identifiers are none any more, or go by other keys.
    """

    ARRIVED = "arrived"
    MERGED = "merged"
    SPLIT = "split"
    MOVED = "moved"
    RENAMED = "renamed"
    REGROUPED = "regrouped"
    GENERIC = "generic"
    NOT_GENERIC = "not_generic"
    DECIDED = "decided"
    POLICY = "policy"
    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    TRAIT_SET = "trait_set"
    TRAIT_CLEARED = "trait_cleared"
    ACCOUNTS_MERGED = "accounts_merged"
    ACCOUNTS_PARTED = "accounts_parted"
    MEMBERSHIP_ACCEPTED = "membership_accepted"
    MEMBERSHIP_DISMISSED = "membership_dismissed"
    MEMBERSHIP_REOPENED = "membership_reopened"


class ChangeShape(StrEnum):
    """What a change is about, in the schema's types."""

    MERGE = "MergeEvent"
    DECISION = "DecisionEvent"
    RULE = "RuleEvent"


BY_HAND = frozenset(
    {
        ChangeKind.DECIDED,
        ChangeKind.TRAIT_SET,
        ChangeKind.TRAIT_CLEARED,
        ChangeKind.ACCOUNTS_MERGED,
        ChangeKind.ACCOUNTS_PARTED,
        ChangeKind.MEMBERSHIP_ACCEPTED,
        ChangeKind.MEMBERSHIP_DISMISSED,
        ChangeKind.MEMBERSHIP_REOPENED,
    }
)
BY_RULE = frozenset({ChangeKind.GENERIC, ChangeKind.NOT_GENERIC, ChangeKind.POLICY})


def shape_of(kind: ChangeKind) -> ChangeShape:
    """Whether identifiers went from profile to profile, came or went, or it was a decision, or how a rule turned."""
    if kind in BY_HAND:
        return ChangeShape.DECISION
    return ChangeShape.RULE if kind in BY_RULE else ChangeShape.MERGE


@dataclass(frozen=True, slots=True)
class Moved:
    """An identifier, by its mint, that belongs to another profile than before.

    left is None when it was new, joined when it is none any more.
    """

    mint: str
    left: ProfileId | None
    joined: ProfileId | None


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the log. at: µs. reason: the rule that parted people, or why an identifier is generic.

    before, after: the profiles that exchanged identifiers; retired: those of them that are no more.
    moved: at most 100 of them, by mint; count: how many there were in all, of how many acts a decision is
    made, or how many identifiers were erased.
    about: mints of the anchors of those profiles, or of the identifiers that it is about. acts: kinds of a decision.
    """

    id: str
    at: int
    kind: ChangeKind
    cause: CauseKind
    by: str
    decision: str | None
    note: str | None
    reason: str | None
    before: tuple[ProfileId, ...]
    after: tuple[ProfileId, ...]
    retired: tuple[ProfileId, ...]
    messages: tuple[MessageId, ...]
    moved: tuple[Moved, ...]
    about: tuple[str, ...]
    acts: tuple[str, ...]
    count: int


DECIDED_THAT: Mapping[str, str] = {
    "same": "people are the same",
    "different": "people are different",
    "override": "one value replaces another",
    "undo": "an earlier decision is taken back",
}
BECAUSE: Mapping[str, str] = {
    "unique": "else one person would have two values of something of which everybody has one",
    "different": "somebody decided by hand that they are different",
    "generic": "what several people share links nobody",
    "size": "else one person would have more identifiers than the policy allows",
    "values": "it is linked to several people by what each of them has only one of",
    "partners": "it is linked to more identifiers than the policy allows",
}


WHAT: Mapping[ChangeKind, str] = {
    ChangeKind.ARRIVED: "{moved} became known",
    ChangeKind.MERGED: "{retired} became one with another, whose id theirs lead to",
    ChangeKind.SPLIT: "People were parted: {moved} left {before}",
    ChangeKind.MOVED: "{moved} moved from one profile to another",
    ChangeKind.RENAMED: "A profile has another id, and the old one leads to it",
    ChangeKind.REGROUPED: "{before} became as many others",
    ChangeKind.GENERIC: "An identifier turned out to be shared by several people",
    ChangeKind.NOT_GENERIC: "An identifier is no longer shared, and links again",
    ChangeKind.POLICY: "Another version of the policy came into force",
    ChangeKind.ERASED: "{moved} went",
    ChangeKind.WITHDRAWN: "{moved} went by other keys from then on, or by none",
    ChangeKind.TRAIT_SET: "A trait of a person was set",
    ChangeKind.TRAIT_CLEARED: "What had been set for a trait of a person was taken back",
    ChangeKind.ACCOUNTS_MERGED: "Two accounts go by one name",
    ChangeKind.ACCOUNTS_PARTED: "Two accounts that were one go by their own names again",
    ChangeKind.MEMBERSHIP_ACCEPTED: "A person belongs to an account, as was suggested",
    ChangeKind.MEMBERSHIP_DISMISSED: "A person does not belong to an account, though it was suggested",
    ChangeKind.MEMBERSHIP_REOPENED: "What had been decided of a person and an account was taken back",
}


def sentence_of(change: Change) -> str:
    """A change in plain English, without any value of an identifier."""
    because = f"; {BECAUSE.get(change.reason, change.reason)}" if change.reason else ""
    return f"{_what(change)}{because}{_whence(change)}."


def _what(change: Change) -> str:
    if change.kind is ChangeKind.DECIDED:
        return f"It was decided that {' and that '.join(DECIDED_THAT.get(each, each) for each in change.acts)}"
    return WHAT[change.kind].format(
        moved=_many(change.count, "identifier"),
        before=_many(len(change.before), "profile"),
        retired=_many(len(change.retired), "profile"),
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _whence(change: Change) -> str:
    """By whom or by what."""
    match change.cause:
        case CauseKind.MESSAGES:
            return f" (from messages of {change.by})" if change.by else " (from messages)"
        case CauseKind.DECISION:
            return f" (decided by {change.by})" if change.by else " (decided by hand)"
        case CauseKind.RECOMPUTE:
            return " (by a recompute in the background)"
        case CauseKind.REBUILD:
            return " (by a rebuild)"
        case CauseKind.POLICY:
            return " (by a new version of the policy)"
        case CauseKind.ERASURE:
            return " (by an erasure)"
