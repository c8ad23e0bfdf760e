"""The same history heard by another policy: which statements are others now, and what they come to.

Most messages say the same under both policies. The first pass finds what those say that do not: it touches identifiers,
links, observations, memberships. The second pass adds up what all messages together say of what is touched. All the
rest of the evidence stands as it is stored, so a policy that blocks one value costs what that value is tied to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from identity.differences import Differences
from identity.evidence import AliasSaid, Heard, Link, LinkId, hear, joined, matters, resolved, time_of
from identity.identifiers import Identifier, IdentifierKey, namespace_of, normalise
from identity.messages import Message, MessageId, Named, micros
from identity.policy import Policy
from identity.survivorship import Observation, canonical
from identity.survivorship import joined as joined_observations

DEFAULT_ROLE = "member"
Stated = tuple[IdentifierKey, str, str, str]  # of an observation: actor, trait, source, value as canonical JSON
Member = tuple[IdentifierKey, str, str, str]  # identifier, account, role, source


@dataclass(frozen=True, slots=True)
class Said:
    """What one interaction says now, where it says something else than before. persons, devices: as in Heard."""

    message: Message
    actor: IdentifierKey | None
    persons: tuple[IdentifierKey, ...]
    devices: tuple[IdentifierKey, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Touched:
    """What messages that say something else now have said before or say now.

    old_aliases, new_aliases: all aliases under each policy with the moment they were recorded: what they mean depends
    on the user ids that are known. successors: an identifier that a value was -> the one that it is now. heirs: all
    that it is now, where messages say another one than before.
    """

    interactions: dict[MessageId, Said] = field(default_factory=dict)
    identifiers: set[IdentifierKey] = field(default_factory=set)
    links: set[LinkId] = field(default_factory=set)
    observations: set[Stated] = field(default_factory=set)
    members: set[Member] = field(default_factory=set)
    old_aliases: list[tuple[AliasSaid, int]] = field(default_factory=list)
    new_aliases: list[tuple[AliasSaid, int]] = field(default_factory=list)
    successors: dict[IdentifierKey, IdentifierKey] = field(default_factory=dict)
    heirs: defaultdict[IdentifierKey, set[IdentifierKey]] = field(default_factory=lambda: defaultdict(set))

    def hear(self, message: Message, recorded_at: int, differences: Differences) -> None:
        """The first pass, for one message in which the two policies may differ."""
        old, new = differences.old, differences.new
        before, now = hear(message, old), hear(message, new)
        self.old_aliases += [(each, recorded_at) for each in before.aliases]
        self.new_aliases += [(each, recorded_at) for each in now.aliases]
        self.identifiers |= {each.key for each in now.identifiers if _role_differs(each.namespace, old, new)}
        if _said(before) == _said(now):
            return
        warnings = tuple(f"{each.code} {each.place}: {each.sentence}" for each in now.warnings)
        self.interactions[message.id] = Said(message, now.actor, now.persons, now.devices, warnings)
        self.identifiers |= {each.key for each in {*before.identifiers} ^ {*now.identifiers}}
        if before.actor != now.actor:
            self.identifiers |= {each for each in (before.actor, now.actor) if each is not None}
        self.links |= {link.id for link in {*before.links} ^ {*now.links}}
        self.observations |= stated_by(before).keys() | stated_by(now).keys()
        self.members |= {each for each in (member_of(before), member_of(now)) if each is not None}
        self._succeed(message, old, new)

    def _succeed(self, message: Message, old: Policy, new: Policy) -> None:
        for each in message.sightings:
            before = normalise(each.namespace, each.value, old, message.region)
            now = normalise(each.namespace, each.value, new, message.region)
            if isinstance(before, Identifier) and isinstance(now, Identifier) and before != now:
                self.successors[before.key] = min(now.key, self.successors.get(before.key, now.key))
                self.heirs[before.key].add(now.key)


def _role_differs(namespace: str, old: Policy, new: Policy) -> bool:
    return old.namespace(namespace).role is not new.namespace(namespace).role


def _said(heard: Heard) -> tuple[object, ...]:
    """What policies can disagree on in a message; how a trait is called, but never which value it has."""
    traits = [each.trait for each in heard.observations]
    return heard.actor, heard.identifiers, heard.persons, heard.devices, heard.links, traits, heard.warnings


def stated_by(heard: Heard) -> dict[Stated, Observation]:
    """The observations of a message by what they state of whom."""
    actor = heard.actor
    if actor is None:
        return {}
    return {(actor, each.trait, each.source, canonical(each.value)): each for each in heard.observations}


def member_of(heard: Heard) -> Member | None:
    """The membership that a message states of its actor, or None."""
    account = heard.message.account
    if account is None or not account.member or heard.actor is None:
        return None
    return heard.actor, account.key, account.role or DEFAULT_ROLE, heard.message.source


@dataclass(frozen=True, slots=True)
class Sighted:
    """An identifier as the messages show it. interactions: how many it did. sighted: not known by an alias alone."""

    first_seen: int
    last_seen: int
    interactions: int
    sighted: bool = True


@dataclass(frozen=True, slots=True)
class Belonged:
    """A membership as the messages state it: when first and last, and when it was recorded first and last."""

    first: int
    last: int
    recorded_at: int
    last_recorded_at: int


Step = tuple[int, Link]  # when it was recorded (µs), and the link as it was then


@dataclass(slots=True)
class Totals:
    """What all messages together say of what is touched; what has no entry is said by none."""

    touched: Touched
    identifiers: dict[IdentifierKey, Sighted] = field(default_factory=dict)
    parts: defaultdict[LinkId, dict[int, Link]] = field(default_factory=lambda: defaultdict(dict))
    observations: dict[Stated, tuple[Observation, int]] = field(default_factory=dict)
    members: dict[Member, Belonged] = field(default_factory=dict)
    about: frozenset[IdentifierKey] = frozenset()

    def __post_init__(self) -> None:
        """Note whom a message must name to say anything of what is touched."""
        touched = self.touched
        ends = {end for id_ in touched.links for end in (id_.a, id_.b)}
        actors = {stated[0] for stated in (*touched.observations, *touched.members)}
        self.about = frozenset(touched.identifiers | ends | actors)

    def concerned(self, message: Named, new: Policy) -> bool:
        """Whether a message names anybody of whom something is touched, so that the second pass must hear it."""
        named = (normalise(each.namespace, each.value, new, message.region) for each in message.sightings)
        return any(isinstance(each, Identifier) and each.key in self.about for each in named)

    def hear(self, message: Message, recorded_at: int, new: Policy) -> None:
        """The second pass, for one message that is concerned."""
        heard, touched = hear(message, new), self.touched
        own = time_of(message)
        for key in {each.key for each in heard.identifiers} & touched.identifiers:
            self._sight(key, own, acted=key == heard.actor)
        for link in heard.links:
            if link.id in touched.links:
                self.state(link, recorded_at)
        for stated, each in stated_by(heard).items():
            if stated in touched.observations:
                known, when = self.observations.get(stated, (None, recorded_at))
                total = each if known is None else joined_observations(known, each)
                self.observations[stated] = total, min(when, recorded_at)
        member = member_of(heard)
        if member in touched.members and member is not None:
            at = micros(message.at)
            said = Belonged(at, at, recorded_at, recorded_at)
            self.members[member] = joined_belonged(self.members.get(member, said), said)

    def _sight(self, key: IdentifierKey, own: int, *, acted: bool) -> None:
        known = self.identifiers.get(key) or Sighted(own, own, 0)
        self.identifiers[key] = Sighted(
            min(known.first_seen, own), max(known.last_seen, own), known.interactions + acted
        )

    def state(self, link: Link, recorded_at: int) -> None:
        """Take one statement of a link into account."""
        parts = self.parts[link.id]
        parts[recorded_at] = joined(parts[recorded_at], link) if recorded_at in parts else link

    def link(self, id_: LinkId) -> tuple[Step, ...]:
        """A link as it grew, its last form last: a step for each time that something about it changed that matters.

        The last step is there even where it changed nothing that matters; `kept_steps` tells them apart.
        """
        steps: list[Step] = []
        for recorded_at, said in sorted(self.parts.get(id_, {}).items()):
            steps.append((recorded_at, joined(steps[-1][1], said) if steps else said))
        return tuple(steps)


def kept_steps(steps: Iterable[Step]) -> list[Step]:
    """Of a link's growth the steps that a link keeps: those that changed its first sighting or its authority."""
    kept: list[Step] = []
    for step in steps:
        if not kept or matters(kept[-1][1], step[1]):
            kept.append(step)
    return kept


def joined_belonged(one: Belonged, other: Belonged) -> Belonged:
    """Two statements of one membership as one; commutative and associative."""
    return Belonged(
        min(one.first, other.first),
        max(one.last, other.last),
        min(one.recorded_at, other.recorded_at),
        max(one.last_recorded_at, other.last_recorded_at),
    )


def alias_links(
    aliases: Iterable[tuple[AliasSaid, int]], users: Collection[IdentifierKey]
) -> dict[LinkId, list[tuple[Link, int]]]:
    """The links that aliases give where these user ids are known: their statements, each with when it was recorded."""
    found: defaultdict[LinkId, list[tuple[Link, int]]] = defaultdict(list)
    for said, recorded_at in aliases:
        link = resolved(said, users)
        if link is not None:
            found[link.id].append((link, recorded_at))
    return dict(found)


def previous_users(touched: Touched) -> set[IdentifierKey]:
    """The user ids that some previousId could mean."""
    said = (*touched.old_aliases, *touched.new_aliases)
    return {IdentifierKey(f"user_id:{each.previous}") for each, _ in said}


def move_aliases(totals: Totals, known: Collection[IdentifierKey]) -> None:
    """Say what the links of all aliases are now; every form that one can have is touched.

    known: those of the previous user ids that some message carries, as it is stored; what is touched is said by the
    totals instead. An identifier that aliases alone know is sighted by them; one that no longer is is nobody's.
    """
    touched = totals.touched
    users = {key for key in known if key not in touched.identifiers}
    users |= {key for key in totals.identifiers if namespace_of(key) == "user_id"}
    for said, _ in (*touched.old_aliases, *touched.new_aliases):
        user = IdentifierKey(f"user_id:{said.previous}")
        anonymous = IdentifierKey(f"anonymous_id:{said.previous}")
        touched.links |= {link.id for link in (resolved(said, ()), resolved(said, {user})) if link is not None}
        old, new = (anonymous, user) if user in users else (user, anonymous)
        touched.successors.setdefault(old, new)
    now = alias_links(touched.new_aliases, users)
    for statements in now.values():
        for link, recorded_at in statements:
            totals.state(link, recorded_at)
    _unsighted(totals, named_by_alias(touched), now)


def named_by_alias(touched: Touched) -> set[IdentifierKey]:
    """The anonymous ids that some previousId could mean; the second pass asks for them, too."""
    said = (*touched.old_aliases, *touched.new_aliases)
    return {IdentifierKey(f"anonymous_id:{each.previous}") for each, _ in said}


def _unsighted(totals: Totals, keys: Collection[IdentifierKey], now: Mapping[LinkId, list[tuple[Link, int]]]) -> None:
    """The moments of identifiers that aliases alone know, from those aliases."""
    moments: defaultdict[IdentifierKey, list[int]] = defaultdict(list)
    for id_, said in now.items():
        for key in {id_.a, id_.b} & set(keys):
            moments[key] += [link.first_seen for link, _ in said]
    for key in moments.keys() - totals.identifiers.keys():
        totals.identifiers[key] = Sighted(min(moments[key]), max(moments[key]), 0, sighted=False)
