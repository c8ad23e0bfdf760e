"""The canonical record: whatever a source sends becomes a Message before anything else happens to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import NewType, Protocol

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

SourceName = NewType("SourceName", str)
MessageId = NewType("MessageId", str)

EARLIEST_SURE = datetime(2000, 1, 1, tzinfo=UTC)


class MessageKind(StrEnum):
    """What a message does; the words are Segment's."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class Authority(IntEnum):
    """How far a statement can be believed; a larger one is stronger. What is unverified is kept and links nothing."""

    UNVERIFIED = 0
    CLAIMED = 1
    VERIFIED = 2
    IMPORTED = 3
    MANUAL = 4

    @property
    def word(self) -> str:
        """The name in lower case, as the graph and the API write it."""
        return AUTHORITY_WORDS[self]


AUTHORITY_WORDS = {each: each.name.lower() for each in Authority}  # the name of a member is slow to ask for


@dataclass(frozen=True, slots=True)
class Sighting:
    """One identifier as a message carried it, before any normalisation.

    place: where in the record it stood (`userId`, `traits.email`, a column's name).
    record_key: it is one of the keys of the record itself (two of them give a link of kind `import_key`).
    retired: the source merged its record into another, whose value of the namespace the message carries beside it.
    """

    namespace: str
    value: str
    place: str
    authority: Authority
    record_key: bool = False
    retired: bool = False


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """What a message says of an organisation: the actor belongs to it, or it belongs to a parent, or both.

    key: namespace:value. member: False when the record describes the account alone.
    """

    key: str
    traits: Mapping[str, Json] = field(default_factory=dict)
    member: bool = True
    role: str | None = None
    parent: str | None = None


class Subject(StrEnum):
    """Labels of the things an interaction can be about, besides accounts."""

    ORDER = "Order"
    DEAL = "Deal"
    TICKET = "Ticket"
    CAMPAIGN = "Campaign"
    PRODUCT = "Product"


@dataclass(frozen=True, slots=True)
class About:
    """A thing the interaction is about; of its facts, and of its account, the latest stand. key: source:id."""

    subject: Subject
    key: str
    facts: Mapping[str, Json] = field(default_factory=dict)
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """A good message with something wrong in it: a stable code, the place and one sentence."""

    code: str
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Message:
    """One record of a source, complete and typed.

    message_id: as the source named it, or the SHA-256 of its canonical form; unique within the source for ever.
    own_time: the message's own moment, None when it is missing; the only time that stitching looks at.
    at: the moment to show (corrected for clock skew, clamped to the receipt).
    digest: SHA-256 of the payload without `sentAt`; a repeat with another digest is flagged.
    region: two letters, for phone numbers without a country.
    """

    source: SourceName
    message_id: str
    kind: MessageKind
    received_at: datetime
    at: datetime
    own_time: datetime | None
    sightings: tuple[Sighting, ...]
    digest: str
    name: str | None = None
    channel: str | None = None
    previous_id: str | None = None
    traits: Mapping[str, Json] = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] = field(default_factory=dict)
    account: AccountStatement | None = None
    about: tuple[About, ...] = ()
    authority: Authority = Authority.CLAIMED
    region: str | None = None
    warnings: tuple[Warned, ...] = ()

    @property
    def id(self) -> MessageId:
        """The source and the message id: the key under which the interaction is stored."""
        return MessageId(f"{self.source}:{self.message_id}")

    @property
    def sure(self) -> bool:
        """Whether the own time can be believed: given, not later than the receipt, not before 2000."""
        return self.own_time is not None and EARLIEST_SURE <= self.own_time <= self.received_at


class Named(Protocol):
    """What a message says of whom it names: less than the message, and quicker to read of many."""

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """The identifiers as they were sent."""

    @property
    def previous_id(self) -> str | None:
        """Of an alias, what the user was known as."""

    @property
    def region(self) -> str | None:
        """Two letters, for phone numbers without a country."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that cannot be used: a stable code, the place (`batch[3].userId`, `file:row`) and one sentence."""

    code: str
    place: str
    sentence: str
    message_id: str | None = None
    raw: str | None = None


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """A moment as whole microseconds since the epoch, the form in which the graph stores it."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(value: int) -> datetime:
    """The aware UTC moment of so many microseconds since the epoch."""
    seconds, rest = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest)
