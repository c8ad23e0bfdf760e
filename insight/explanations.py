"""Explanations: why two identifiers are one person, or why not, as links in their order and as a plain sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from identity.evidence import Kind, Reason
from identity.identifiers import IdentifierKey
from identity.messages import moment

JOINED_BY: Mapping[Kind, str] = {
    Kind.MANUAL: "were joined by hand",
    Kind.IMPORT_KEY: "are keys of one record",
    Kind.DERIVED: "are an address and its hash",
    Kind.ALIAS: "were declared to be the same",
    Kind.COOCCUR: "came in one message",
}


@dataclass(frozen=True, slots=True)
class ExplainedLink:
    """One link as it stands between two identifiers. first_seen: µs. message: the first. reason: None when accepted.

    generic: the ends that are shared by several people.
    """

    a: IdentifierKey
    b: IdentifierKey
    kind: Kind
    authority: str
    source: str
    first_seen: int
    message: str
    reason: Reason | None = None
    generic: tuple[IdentifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether two identifiers are one person. path: the accepted links from one to the other, empty unless they are.

    refused: the links between two people that were not accepted, directly or over something that they share.
    missing: those of the two of which nothing is known.
    """

    a: IdentifierKey
    b: IdentifierKey
    same: bool
    path: tuple[ExplainedLink, ...] = ()
    refused: tuple[ExplainedLink, ...] = ()
    missing: tuple[IdentifierKey, ...] = ()


def sentence_of(explanation: Explanation) -> str:
    """An explanation in plain English, for somebody who knows nothing of graphs."""
    ends = f"{explanation.a} and {explanation.b}"
    if explanation.missing:
        return f"Nothing is known of {' and '.join(dict.fromkeys(explanation.missing))}."
    if explanation.same:
        return f"{ends} are the same person{_because(explanation.path)}."
    if explanation.refused:
        return f"{ends} are not the same person. {' '.join(_refusal(each) for each in explanation.refused)}"
    return f"{ends} are not the same person: no evidence joins them."


def _because(path: Sequence[ExplainedLink]) -> str:
    """Why, in words; nothing where the two identifiers are one."""
    return f": {'; '.join(_statement(each) for each in path)}" if path else ""


def _statement(link: ExplainedLink) -> str:
    day = moment(link.first_seen).date().isoformat()
    return f"{link.a} and {link.b} {JOINED_BY[link.kind]} ({link.authority}, from {link.source}, first on {day})"


def _refusal(link: ExplainedLink) -> str:
    return f"{_statement(link)}, but the link was refused: {_reason(link)}."


def _reason(link: ExplainedLink) -> str:
    match link.reason:
        case Reason.GENERIC:
            shared = " and ".join(link.generic) or "one of them"
            return f"{shared} is used by several people, and what several people use tells nobody apart"
        case Reason.UNIQUE:
            return "one person would have two values of something of which everybody has one"
        case Reason.DIFFERENT:
            return "somebody decided by hand that they are different"
        case Reason.SIZE:
            return "the person would have more identifiers than the policy allows"
        case None:
            return "it waits for a recompute"
