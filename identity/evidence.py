"""From a message to evidence: who did it, which identifiers it ties together, which traits it states.

A link is one statement about two identifiers. Repeats aggregate by min, max and count, so the same set of messages
gives the same links in any order.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from itertools import combinations
from typing import NewType

from identity.identifiers import Blocked, Identifier, IdentifierKey, normalise
from identity.messages import Authority, Message, MessageId, Sighting, SourceName, Warned, micros
from identity.policy import Policy, Role
from identity.survivorship import Observation

ActId = NewType("ActId", str)

DERIVED_SINCE = 946_684_800_000_000  # 2000-01-01: a hash is true for ever, so its link has no moment of its own
# What an alias without a namespace can mean; a merge of such values is told as one.
PREVIOUS_MEANS = frozenset({"user_id", "anonymous_id"})
DEVICE_ORDER = {"anonymous_id": 0, "device_id": 1}
CONTACT_POINT_ORDER = {"email": 0, "phone": 1}


class Kind(IntEnum):
    """What kind of statement a link is; a smaller one is stronger."""

    MANUAL = 1
    IMPORT_KEY = 2
    DERIVED = 3
    ALIAS = 4
    COOCCUR = 5

    @property
    def word(self) -> str:
        """The name in lower case, as the graph and the API write it."""
        return KIND_WORDS[self]


KIND_WORDS = {each: each.name.lower() for each in Kind}  # the name of a member is slow to ask for


class Reason(StrEnum):
    """Why a link was refused."""

    GENERIC = "generic"
    UNIQUE = "unique"
    DIFFERENT = "different"
    SIZE = "size"
    LIMIT = "limit"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class LinkId:
    """The pair, smaller key first, and the kind; aliases of one pair that name different ids stay apart.

    previous: the raw previousId of an alias. What it means can change, so two of them are two statements.
    """

    a: IdentifierKey
    b: IdentifierKey
    kind: Kind
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """All statements of one kind about one pair. first_seen, last_seen: µs; sure: first_seen can be trusted.

    previous: the raw previousId, where this is an alias whose other end it became.
    """

    a: IdentifierKey
    b: IdentifierKey
    kind: Kind
    authority: Authority
    first_seen: int
    sure: bool
    last_seen: int
    count: int
    source: SourceName
    message: MessageId
    previous: str | None = None

    @property
    def id(self) -> LinkId:
        """The pair, the kind and an alias's previousId."""
        return LinkId(self.a, self.b, self.kind, self.previous)

    def other(self, key: IdentifierKey) -> IdentifierKey:
        """The end that is not `key`."""
        return self.b if key == self.a else self.a


class ActKind(StrEnum):
    """What somebody with the right to decided by hand about a pair; an undo takes one such act back."""

    SAME = "same"
    DIFFERENT = "different"
    OVERRIDE = "override"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Act:
    """One manual statement; for a pair the latest (time, then id) stands. An override says that `b` replaces `a`.

    undoes: the earlier act, of the same pair, that an undo takes back; it can be taken back itself.
    decision: what was decided together has one. note: why, in the words of who decided.
    manual: False where nobody decided it, but the policy reads an alias as an override; what is manual outranks it.
    """

    id: ActId
    kind: ActKind
    a: IdentifierKey
    b: IdentifierKey
    at: int
    by: str = ""
    undoes: ActId | None = None
    decision: str = ""
    note: str | None = None
    manual: bool = True

    @property
    def pair(self) -> tuple[IdentifierKey, IdentifierKey]:
        """Both keys, the smaller first."""
        return (self.a, self.b) if self.a <= self.b else (self.b, self.a)


@dataclass(frozen=True, slots=True)
class AliasSaid:
    """`end` was known as `previous` before; what kind of identifier that is, the rest of the evidence says."""

    end: IdentifierKey
    previous: str
    link: Link


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message says, once its identifiers are normalised.

    actor: who did it; None when nothing in it names anybody, or only those for whom somebody should have vouched.
    persons: its contacts and contact points, strongest first.
    devices: its devices, the actor's excepted. observations: of the actor, by trait.
    """

    message: Message
    actor: IdentifierKey | None
    identifiers: tuple[Identifier, ...]
    persons: tuple[IdentifierKey, ...]
    devices: tuple[IdentifierKey, ...]
    links: tuple[Link, ...]
    aliases: tuple[AliasSaid, ...]
    observations: tuple[Observation, ...]
    warnings: tuple[Warned, ...]


NOT_VOUCHED_FOR = "nobody vouched for this, as its key asks; what the message tells stands on its device alone"


def hear(message: Message, policy: Policy) -> Heard:
    """What a message says under a policy; a pure function of both."""
    found, warnings = _normalised(message, policy)
    identifiers = tuple(sorted(found, key=lambda each: (_retired(found[each]), *_actor_order(each, policy))))
    clash = _two_values(found, policy)
    if clash is not None:
        warnings += (clash,)
    unproven = {each for each in identifiers if _unproven(each, found[each], policy)}
    actor = next((each.key for each in identifiers if each not in unproven), None)
    if unproven and identifiers[0] in unproven:
        warnings += (Warned("not_vouched_for", found[identifiers[0]].place, NOT_VOUCHED_FOR),)
    aliases, alias_warnings = _aliases(message, identifiers, policy)
    return Heard(
        message=message,
        actor=actor,
        identifiers=identifiers,
        persons=tuple(each.key for each in identifiers if policy.namespace(each.namespace).role is not Role.DEVICE),
        devices=tuple(
            each.key
            for each in identifiers
            if policy.namespace(each.namespace).role is Role.DEVICE and each.key != actor
        ),
        links=() if clash else links_of(message, found, policy),
        aliases=() if clash else aliases,
        observations=() if clash else _observations(message, policy),
        warnings=message.warnings + warnings + alias_warnings,
    )


def _normalised(message: Message, policy: Policy) -> tuple[dict[Identifier, Sighting], tuple[Warned, ...]]:
    found: dict[Identifier, Sighting] = {}
    warnings: list[Warned] = []
    for sighting in message.sightings:
        read = normalise(sighting.namespace, sighting.value, policy, message.region)
        if isinstance(read, Blocked):
            code = "invalid_identifier" if read.code == "invalid" else "blocked_identifier"
            warnings.append(Warned(code, sighting.place, f"{read.sentence}; it is ignored as {sighting.namespace}"))
        else:
            found[read] = _stronger(found.get(read), sighting)
    return found, tuple(warnings)


def _stronger(known: Sighting | None, new: Sighting) -> Sighting:
    if known is None:
        return new
    return replace(
        known,
        authority=max(known.authority, new.authority),
        record_key=known.record_key or new.record_key,
        retired=known.retired and new.retired,
    )


def _retired(sighting: Sighting) -> bool:
    """Whether a message says that another value replaces this one."""
    return sighting.retired and sighting.namespace not in PREVIOUS_MEANS


def _unproven(each: Identifier, sighting: Sighting, policy: Policy) -> bool:
    """Whether somebody should have vouched for it, and nobody did: else who has a public key could act as anybody.

    Devices are not vouched for: what is told of one stands on that device alone.
    """
    return sighting.authority is Authority.UNVERIFIED and policy.namespace(each.namespace).role is not Role.DEVICE


def _actor_order(each: Identifier, policy: Policy) -> tuple[int, int, int, str]:
    rank = actor_rank(each.namespace, policy)
    return (*rank, "" if policy.namespace(each.namespace).role is Role.CONTACT else each.key)


def actor_rank(namespace: str, policy: Policy) -> tuple[int, int, int]:
    """Where the identifiers of a namespace stand when it is asked who did something; the smallest did it."""
    rules = policy.namespace(namespace)
    match rules.role:
        case Role.CONTACT:
            return (0, 0 if namespace == "user_id" else 1, rules.priority)
        case Role.DEVICE:
            return (1, DEVICE_ORDER.get(namespace, len(DEVICE_ORDER)), rules.priority)
        case Role.CONTACT_POINT:
            return (2, CONTACT_POINT_ORDER.get(namespace, len(CONTACT_POINT_ORDER)), rules.priority)


def _two_values(found: dict[Identifier, Sighting], policy: Policy) -> Warned | None:
    seen: dict[str, Identifier] = {}
    for each, sighting in found.items():
        if not _retired(sighting) and each.namespace in policy.unique and seen.setdefault(each.namespace, each) != each:
            sentence = f"two values of {each.namespace} in one message; it links nothing, send one of them"
            return Warned("two_values_unique", sighting.place, sentence)
    return None


def links_of(message: Message, found: dict[Identifier, Sighting], policy: Policy) -> tuple[Link, ...]:
    """A link between every two of a message's identifiers, of the first ten by priority, then key.

    Every pair and not a star, since a star falls apart when its centre turns generic.
    """
    first = sorted(found, key=lambda each: (policy.namespace(each.namespace).priority, each.key))
    pairs = combinations(first[: policy.links_per_message], 2)
    own = time_of(message)
    links = (link_between(message, own, one, other, found) for one, other in pairs)
    return tuple(link for link in links if policy.kind(link.kind.word).links)


def link_between(
    message: Message, own: int, one: Identifier, other: Identifier, found: dict[Identifier, Sighting]
) -> Link:
    """The link that one message gives between two of its identifiers; of a value and a retired one it is an alias.

    own: the moment of the message that stitching looks at, in µs.
    """
    keys = found[one].record_key and found[other].record_key
    authority = min(found[one].authority, found[other].authority)
    if one.namespace == other.namespace and _retired(found[one]) is not _retired(found[other]):
        former = one if _retired(found[one]) else other
        return replace(_link(message, own, one.key, other.key, Kind.ALIAS, authority), previous=former.value)
    return _link(message, own, one.key, other.key, Kind.IMPORT_KEY if keys else Kind.COOCCUR, authority)


def _link(
    message: Message, own: int, one: IdentifierKey, other: IdentifierKey, kind: Kind, authority: Authority
) -> Link:
    a, b = (one, other) if one <= other else (other, one)
    return Link(a, b, kind, authority, own, message.sure, own, 1, message.source, message.id)


def time_of(message: Message) -> int:
    """The moment that stitching looks at, in µs: the own time, or the shown one when that is unsure."""
    return micros(message.own_time if message.sure and message.own_time is not None else message.at)


def _aliases(
    message: Message, identifiers: Sequence[Identifier], policy: Policy
) -> tuple[tuple[AliasSaid, ...], tuple[Warned, ...]]:
    if message.previous_id is None or not identifiers:
        return (), ()
    read = normalise("user_id", message.previous_id, policy)
    if isinstance(read, Blocked):
        return (), (Warned("blocked_identifier", "previousId", f"{read.sentence}; the alias is ignored"),)
    end = identifiers[0]
    if end.value == read.value:
        return (), ()
    if not policy.kind(Kind.ALIAS.word).links:
        return (), (Warned("alias_ignored", "previousId", "the policy reads no alias as evidence; it links nothing"),)
    template = _link(message, time_of(message), end.key, end.key, Kind.ALIAS, message.authority)
    return (AliasSaid(end.key, read.value, replace(template, previous=read.value)),), ()


def resolved(alias: AliasSaid, user_ids: Iterable[IdentifierKey]) -> Link | None:
    """The link that an alias gives: to user_id:X where X is among the known user ids, else to anonymous_id:X."""
    user = IdentifierKey(f"user_id:{alias.previous}")
    target = user if user in user_ids else IdentifierKey(f"anonymous_id:{alias.previous}")
    if target == alias.end:
        return None
    a, b = (alias.end, target) if alias.end <= target else (target, alias.end)
    return replace(alias.link, a=a, b=b)


def joined(one: Link, other: Link) -> Link:
    """Two aggregates of one id as one; commutative and associative."""
    first = min(one, other, key=lambda each: (not each.sure, each.first_seen, each.message))
    return Link(
        first.a,
        first.b,
        first.kind,
        max(one.authority, other.authority),
        first.first_seen,
        first.sure,
        max(one.last_seen, other.last_seen),
        one.count + other.count,
        first.source,
        first.message,
        first.previous,
    )


def matters(before: Link, after: Link) -> bool:
    """Whether a repeat changed what stitching looks at: the first sighting or the authority."""
    return (before.sure, before.first_seen, before.authority) != (after.sure, after.first_seen, after.authority)


def derived_link(email: IdentifierKey, digest: IdentifierKey) -> Link:
    """The link between an address and its hash: true by arithmetic, whoever sent either."""
    a, b = (email, digest) if email <= digest else (digest, email)
    moment = DERIVED_SINCE
    return Link(
        a, b, Kind.DERIVED, Authority.VERIFIED, moment, True, moment, 1, SourceName("selfsame"), MessageId("derived")
    )


def sha256_of(email: str) -> str:
    """The hash under which other systems know a normalised address: SHA-256 in hexadecimal."""
    return hashlib.sha256(email.encode()).hexdigest()


def _observations(message: Message, policy: Policy) -> tuple[Observation, ...]:
    own = time_of(message)
    return tuple(
        Observation(policy.trait_name(name), value, message.source, own, message.id, message.sure, own, message.id, 1)
        for name, value in message.traits.items()
    )
