"""What a whole history says, gathered message by message as `commit_batch` records it, but in memory and in files.

Nothing is stitched and nothing is asked of a graph: an interaction goes to its table at once; links, trait values and
things are put aside in files; identifiers and accounts stay in memory, some 400 bytes each. Messages are heard by the
functions by which ingestion hears them, so that both say the same.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from graph.first_load.known import KnownMessages
from graph.first_load.spilling import PARTS, Spill
from graph.first_load.tables import End, Facts, Tables
from graph.ingestion import Outcome, Status, judged
from graph.memberships import DEFAULT_ROLE
from graph.recording import interaction_facts
from identity.accounts import PartOf, Stated, latest
from identity.evidence import AliasSaid, Heard, Link, derived_link, resolved, sha256_of, time_of
from identity.identifiers import IdentifierKey, namespace_of
from identity.messages import AccountStatement, Message, MessageId, micros
from identity.policy import Policy
from identity.survivorship import canonical


class Said(msgspec.Struct, array_like=True, frozen=True):
    """One trait value as one message stated it. actor: the number of the identifier; value: as JSON text."""

    actor: int
    trait: str
    value: str
    source: str
    at: int
    message: str
    sure: bool


class Thing(msgspec.Struct, array_like=True, frozen=True):
    """What one message said of a thing it is about. facts: as JSON text."""

    subject: str
    key: str
    at: int
    message: str
    facts: str
    told: bool
    account: str | None


@dataclass(slots=True)
class Identifiers:
    """All identifiers in the order in which they were first met; that is the order of their minting.

    An identifier is its number. first, last: µs; acted: how many interactions are its; sighted: 0 while it is known as
    a previousId alone. minted_by: the first message that carried it, "" where an alias had made it known before.
    """

    keys: list[IdentifierKey] = field(default_factory=list)
    numbers: dict[IdentifierKey, int] = field(default_factory=dict)
    first: "array[int]" = field(default_factory=lambda: array("q"))
    last: "array[int]" = field(default_factory=lambda: array("q"))
    acted: "array[int]" = field(default_factory=lambda: array("l"))
    sighted: bytearray = field(default_factory=bytearray)
    minted_by: list[str] = field(default_factory=list)

    def sight(self, key: IdentifierKey, moment: int, message: MessageId) -> int:
        """A message carries an identifier; its number."""
        number = self.numbers.get(key)
        if number is None:
            number = self._heir(key)
        if number is None:
            return self._add(key, moment, message)
        if not self.sighted[number]:
            self.first[number] = self.last[number] = moment
            self.sighted[number] = 1
        elif moment < self.first[number]:
            self.first[number] = moment
        elif moment > self.last[number]:
            self.last[number] = moment
        return number

    def _heir(self, key: IdentifierKey) -> int | None:
        """What was known as a previousId alone turns out to be a user id: then it was that all along."""
        namespace, _, value = key.partition(":")
        before = IdentifierKey(f"anonymous_id:{value}")
        number = self.numbers.get(before) if namespace == "user_id" else None
        if number is None or self.sighted[number]:
            return None
        del self.numbers[before]
        self.numbers[key] = number
        self.keys[number] = key
        return number

    def name(self, alias: AliasSaid) -> None:
        """An alias names what somebody was called before; known by that alone it is an anonymous id for now."""
        if f"user_id:{alias.previous}" in self.numbers:
            return
        key = IdentifierKey(f"anonymous_id:{alias.previous}")
        number = self.numbers.get(key)
        if key == alias.end or (number is not None and self.sighted[number]):
            return
        if number is None:
            number = self._add(key, alias.link.first_seen, MessageId(""))
            self.sighted[number] = 0
        self.first[number] = min(self.first[number], alias.link.first_seen)
        self.last[number] = max(self.last[number], alias.link.last_seen)

    def _add(self, key: IdentifierKey, moment: int, message: MessageId) -> int:
        number = self.numbers[key] = len(self.keys)
        self.keys.append(key)
        self.first.append(moment)
        self.last.append(moment)
        self.acted.append(0)
        self.sighted.append(1)
        self.minted_by.append(message)
        return number


Key = TypeVar("Key")
Row = TypeVar("Row")


@dataclass(slots=True)
class Member:
    """All that was said of one identifier in one role of one account by one source. first, last: µs."""

    first: int
    last: int


@dataclass(slots=True)
class Accounts:
    """Accounts, members and hierarchy. stated: facts by account; moments: first and last; members and parts by key."""

    stated: dict[str, dict[str, Stated]] = field(default_factory=dict)
    moments: dict[str, Member] = field(default_factory=dict)
    members: dict[tuple[str, str, str, str], Member] = field(default_factory=dict)
    parts: dict[tuple[str, str, str], PartOf] = field(default_factory=dict)

    def take(self, heard: Heard, said: AccountStatement) -> None:
        """What one message says of an organisation."""
        own, message = time_of(heard.message), heard.message
        for key in (said.key, said.parent) if said.parent else (said.key,):
            _widen(self.moments, key, own)
        facts = {name: Stated(value, own, message.id) for name, value in said.traits.items()}
        self.stated[said.key] = latest(self.stated.get(said.key, {}), facts)
        if said.member and heard.actor is not None:
            role = said.role or DEFAULT_ROLE
            _widen(self.members, (heard.actor, said.key, role, message.source), micros(message.at))
        if said.parent:
            where = (said.key, said.parent, message.source)
            old = self.parts.get(where)
            self.parts[where] = PartOf(
                said.key,
                said.parent,
                message.authority if old is None else max(old.authority, message.authority),
                own if old is None else min(old.first_seen, own),
            )


def _widen(where: dict[Key, Member], key: Key, moment: int) -> None:
    known = where.get(key)
    if known is None:
        where[key] = Member(moment, moment)
    else:
        known.first = min(known.first, moment)
        known.last = max(known.last, moment)


class Gathering:
    """A history while it is gathered, in files of a folder.

    differing: interactions of which a repeat said something else, and how often. torn: what went wrong when some
    messages of a batch had been gathered and others had not; then the whole is of no use.
    """

    def __init__(self, folder: Path, policy: Policy, now: int) -> None:
        self.policy = policy
        self.now = now
        self.folder = folder
        self.tables = Tables(folder)
        self.identifiers = Identifiers()
        self.accounts = Accounts()
        self._spilt = ExitStack()
        self.links = self.spill("links", Link)
        self.values = self.spill("values", Said, parts=1)
        self.things = self.spill("things", Thing)
        self.differing: Counter[str] = Counter()
        self.torn: Exception | None = None
        self._aliases = self.spill("aliases", AliasSaid, parts=1)
        self._known = KnownMessages()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spilt.close()
        self.tables.close()

    def spill(self, name: str, of: type[Row], parts: int = PARTS) -> Spill[Row]:
        """Rows put aside in the folder, as long as the history is gathered."""
        made = Spill(self.folder, name, of, parts)
        self._spilt.callback(made.close)
        return made

    def take(self, messages: Sequence[Message]) -> tuple[Outcome, ...]:
        """Gather messages, in their order; the outcomes stand in the same one, and are what `commit_batch` answers.

        But for the warnings of links that are refused, of which nobody knows before the whole history is gathered.
        """
        heard = [judged(each, {}, self.policy) for each in messages]
        # Before anything is gathered: a message that cannot be written ends this here, and is then sent alone.
        facts = [interaction_facts(each, self.now) if each is not None else None for _, each in heard]
        statuses = self._known.take(messages, [each is not None for _, each in heard])
        try:
            for (_, each), said, status, message in zip(heard, facts, statuses, messages, strict=True):
                if status is Status.COMMITTED and each is not None and said is not None:
                    self._hear(each)
                    self._write_interaction(each, said)
                elif status is Status.REPEAT_DIFFERS:
                    self.differing[message.id] += 1
        except Exception as error:
            self.torn = error
            raise
        return tuple(
            outcome if status in {Status.COMMITTED, Status.REJECTED} else Outcome(status)
            for (outcome, _), status in zip(heard, statuses, strict=True)
        )

    def _hear(self, heard: Heard) -> None:
        own, id_ = time_of(heard.message), heard.message.id
        for each in heard.identifiers:
            self.identifiers.sight(each.key, own, id_)
        for link in heard.links:
            self._put_link(link)
        for alias in heard.aliases:
            self.identifiers.name(alias)
            self._aliases.add(0, alias)
        if heard.actor is not None:
            self._hear_of_actor(heard, heard.actor)
        if heard.message.account is not None:
            self.accounts.take(heard, heard.message.account)

    def _hear_of_actor(self, heard: Heard, actor: IdentifierKey) -> None:
        number = self.identifiers.numbers[actor]
        self.identifiers.acted[number] += 1
        for one in heard.observations:
            value = canonical(one.value)
            self.values.add(0, Said(number, one.trait, value, one.source, one.at, one.message, one.sure))

    def _write_interaction(self, heard: Heard, facts: Facts) -> None:
        message, tables = heard.message, self.tables
        tables.node("Interaction", "id", facts)
        start = End("Interaction", message.id)
        if heard.actor is not None:
            tables.relationship("BY", start, End("Identifier", heard.actor))
            for device in heard.devices:
                tables.relationship("ON", start, End("Identifier", device))
        at = micros(message.at)
        for thing in {(each.subject, each.key): each for each in message.about}.values():
            tables.relationship("ABOUT", start, End(thing.subject, thing.key))
            said, told = canonical(dict(thing.facts)), bool(thing.facts)
            row = Thing(thing.subject, thing.key, at, message.id, said, told, thing.account)
            self.things.add(hash((thing.subject, thing.key)), row)

    def _put_link(self, link: Link) -> None:
        self.links.add(hash((link.a, link.b)), link)

    def settle(self) -> None:
        """Once everything is gathered: what aliases mean, and which hashes are those of addresses."""
        numbers = self.identifiers.numbers
        for part in self._aliases.parts():
            for alias in part:
                if (link := resolved(alias, numbers)) is not None:
                    self._put_link(link)
        self._aliases.close()
        for key in list(numbers):
            if namespace_of(key) == "email":
                digest = IdentifierKey(f"email_sha256:{sha256_of(key.partition(':')[2])}")
                if digest in numbers:
                    self._put_link(derived_link(key, digest))
