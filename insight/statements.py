"""One piece of evidence about two identifiers, as it is shown and in words for whoever knows nothing of graphs."""

from collections.abc import Mapping
from dataclasses import dataclass

from identity.evidence import Kind, Link, Reason
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


def explained_link(link: Link) -> ExplainedLink:
    """An accepted link as it is shown."""
    return ExplainedLink(
        link.a, link.b, link.kind, link.authority.name.lower(), link.source, link.first_seen, link.message
    )


def statement_of(link: ExplainedLink) -> str:
    """What a link says, who said it and since when; arithmetic has no day, and a decision no source."""
    said = f"{link.a} and {link.b} {JOINED_BY[link.kind]}"
    match link.kind:
        case Kind.DERIVED:
            return said
        case Kind.MANUAL:
            return f"{said} on {day_of(link.first_seen)}"
        case _:
            return f"{said} ({link.authority}, from {link.source}, first on {day_of(link.first_seen)})"


def day_of(at: int) -> str:
    """The day of a moment in µs, in UTC."""
    return moment(at).date().isoformat()


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: `1 person`, `1,200 people`."""
    return f"{number:,} {one if number == 1 else many}"
