"""What another policy would change of who is who: two partitions of one history, compared."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from identity.evidence import LinkId
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy, Role
from identity.recomputing import Columns, Recomputed

LISTED = 10
EXAMPLES = 3
KEYS = 10


@dataclass(frozen=True, slots=True)
class Regrouped:
    """People that become one, or one that becomes several. before, after: ids; an id that is not yet minted is empty.

    identifiers: how many it is about; keys: the first of them.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    identifiers: int
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turned:
    """Links or identifiers that change from one state to another; None is accepted, or not generic."""

    before: str | None
    after: str | None
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """A kept segment. before, after: how many people are in it; None where it cannot be said, and `note` says why.

    entering, leaving: how many; the ids of the first of them.
    """

    name: str
    before: int | None
    after: int | None
    entering: int = 0
    leaving: int = 0
    enter: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a candidate would change. heard_anew: messages say something else under it, so all of them were heard again.

    merges, splits: how many; the largest are listed. traits: how many shown values of profiles that stay change; None
    where too many people are affected to ask. affected: how many people have other members, or show something else.
    """

    version: str
    hash: str
    heard_anew: bool
    identifiers: int
    links: int
    people_before: int
    people_after: int
    merges: int
    splits: int
    largest_merges: tuple[Regrouped, ...]
    largest_splits: tuple[Regrouped, ...]
    links_turned: tuple[Turned, ...]
    generic_turned: tuple[Turned, ...]
    identifiers_gone: int = 0
    identifiers_new: int = 0
    links_gone: int = 0
    links_new: int = 0
    affected: int = 0
    traits: int | None = None
    segments: tuple[SegmentChange, ...] = ()
    notes: tuple[str, ...] = ()

    def without_values(self) -> "Simulation":
        """The same without any identifier's value, as it may be kept for ever."""
        return replace(
            self,
            largest_merges=tuple(replace(each, keys=()) for each in self.largest_merges),
            largest_splits=tuple(replace(each, keys=()) for each in self.largest_splits),
            links_turned=tuple(replace(each, examples=()) for each in self.links_turned),
            generic_turned=tuple(replace(each, examples=()) for each in self.generic_turned),
            segments=tuple(
                replace(each, enter=_ids_alone(each.enter), leave=_ids_alone(each.leave)) for each in self.segments
            ),
        )


def _ids_alone(people: Sequence[str]) -> tuple[str, ...]:
    """Without those who have no id yet and are named by the key of an identifier; an id has no colon."""
    return tuple(each for each in people if ":" not in each)


@dataclass(slots=True)
class Before:
    """What is stored, by the numbers of the columns that the candidate was asked with.

    profiles: of each identifier, None for a new one. generic: reasons by number. reasons: of links by number, None is
    accepted; a new link has no entry. gone: the identifiers that nothing names any more, with their profiles;
    heirs: what their values are now.
    """

    profiles: list[ProfileId | None] = field(default_factory=list)
    generic: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str | None] = field(default_factory=dict)
    gone: dict[IdentifierKey, ProfileId | None] = field(default_factory=dict)
    gone_generic: set[IdentifierKey] = field(default_factory=set)
    heirs: Mapping[IdentifierKey, IdentifierKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """The people of a recomputed history as far as they are others than before, by the number that stands for them.

    members: their identifiers, by number. ids: of these people. profiles: the ids of the stored profiles that they come
    from, also those of which nothing is left.
    """

    members: Mapping[int, Sequence[int]]
    ids: Mapping[int, ProfileId]
    profiles: frozenset[ProfileId]


def compared(
    columns: Columns,
    found: Recomputed,
    before: Before,
    policy: Policy,
    *,
    also: Collection[int] = (),
    whole: bool = False,
) -> Parts:
    """The people that are others than the stored ones.

    also: identifiers whose people may show something else all the same; whole: everybody may.
    """
    touched = _differing(found, before) | {found.parts[number] for number in also}
    touched |= _handed_over(columns, found, before).keys()
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number, part in enumerate(found.parts):
        if whole or part in touched:
            members[part].append(number)
    contact = [policy.namespace(name).role is Role.CONTACT for name in columns.names]
    ids = {part: _id_of(columns, numbers, contact) for part, numbers in members.items()}
    profiles = {before.profiles[number] for numbers in members.values() for number in numbers}
    profiles |= set(before.gone.values())
    return Parts(dict(members), ids, frozenset(each for each in profiles if each is not None))


def _differing(found: Recomputed, before: Before) -> set[int]:
    """The parts that have not exactly the identifiers of one stored profile, or turned shared or back."""
    profile_of: dict[int, ProfileId | None] = {}
    part_of: dict[ProfileId, int] = {}
    touched: set[int] = set()
    torn: set[ProfileId] = {each for each in before.gone.values() if each is not None}
    pairs = list(zip(before.profiles, found.parts, strict=True))
    for profile, part in pairs:
        if profile is None or profile_of.setdefault(part, profile) != profile:
            touched.add(part)
        elif part_of.setdefault(profile, part) != part:
            torn.add(profile)
    for number in before.generic.keys() ^ found.generic.keys():
        touched.add(found.parts[number])
    torn |= {profile for profile, part in pairs if part in touched and profile is not None}
    return touched | {part for profile, part in pairs if profile in torn}


def _handed_over(columns: Columns, found: Recomputed, before: Before) -> dict[int, set[ProfileId | None]]:
    """The profiles of which nothing is left, by the part that the heirs of their identifiers are in."""
    left = set(before.profiles)
    handed: defaultdict[int, set[ProfileId | None]] = defaultdict(set)
    for key, heir in before.heirs.items():
        profile = before.gone.get(key)
        if profile is not None and profile not in left and heir in columns.numbers:
            handed[found.parts[columns.numbers[heir]]].add(profile)
    return dict(handed)


def _id_of(columns: Columns, numbers: Sequence[int], contact: Sequence[bool]) -> ProfileId:
    """The id of the person that some identifiers make: the mint of its anchor."""

    def order(number: int) -> tuple[bool, int, str]:
        return not contact[columns.namespaces[number]], columns.minted_at[number], columns.keys[number]

    anchor = min(numbers, key=order)
    return ProfileId(columns.mints[anchor])


def simulation_of(
    columns: Columns, found: Recomputed, before: Before, parts: Parts, policy: Policy, *, heard_anew: bool
) -> Simulation:
    """The comparison as a report; what profiles show and who is in which segment is added by others."""
    old = {each for each in (*before.profiles, *before.gone.values()) if each is not None}
    shared = {before.profiles[number] for number in before.generic} | {before.gone[key] for key in before.gone_generic}
    merges = _merges(columns, found, before, parts, shared)
    splits = _splits(columns, found, before, parts, shared)
    return Simulation(
        version=policy.version,
        hash=policy.hash,
        heard_anew=heard_anew,
        identifiers=len(columns.keys),
        links=len(columns.first),
        people_before=len(old - shared),
        people_after=len(set(found.parts)) - len(found.generic),
        merges=len(merges),
        splits=len(splits),
        largest_merges=_largest(merges),
        largest_splits=_largest(splits),
        links_turned=_links_turned(columns, found, before),
        generic_turned=_generic_turned(columns, found, before),
        affected=len(parts.members),
    )


def _largest(groups: Sequence[Regrouped]) -> tuple[Regrouped, ...]:
    return tuple(sorted(groups, key=lambda each: (-each.identifiers, each.before, each.after))[:LISTED])


def _merges(
    columns: Columns, found: Recomputed, before: Before, parts: Parts, shared: Collection[ProfileId | None]
) -> list[Regrouped]:
    merges = []
    handed = _handed_over(columns, found, before)
    for part, numbers in parts.members.items():
        ids = ({before.profiles[number] for number in numbers} | handed.get(part, set())) - set(shared) - {None}
        if len(ids) > 1 and numbers[0] not in found.generic:
            keys = sorted(columns.keys[number] for number in numbers)
            before_ids = tuple(sorted(str(each) for each in ids))
            merges.append(Regrouped(before_ids, (parts.ids[part],), len(numbers), tuple(keys[:KEYS])))
    return merges


def _splits(
    columns: Columns, found: Recomputed, before: Before, parts: Parts, shared: Collection[ProfileId | None]
) -> list[Regrouped]:
    pieces: defaultdict[ProfileId, dict[int, list[int]]] = defaultdict(dict)
    for part, numbers in parts.members.items():
        if numbers[0] in found.generic:
            continue
        for number in numbers:
            profile = before.profiles[number]
            if profile is not None and profile not in shared:
                pieces[profile].setdefault(part, []).append(number)
    splits = []
    for profile, torn in pieces.items():
        if len(torn) > 1:
            keys = sorted(columns.keys[number] for numbers in torn.values() for number in numbers)
            after = tuple(sorted(parts.ids[part] for part in torn))
            splits.append(Regrouped((profile,), after, len(keys), tuple(keys[:KEYS])))
    return splits


def _links_turned(columns: Columns, found: Recomputed, before: Before) -> tuple[Turned, ...]:
    counts: Counter[tuple[str | None, str | None]] = Counter()
    examples: defaultdict[tuple[str | None, str | None], list[str]] = defaultdict(list)
    for number, was in before.reasons.items():
        why = found.refused.get(number)
        pair = was, why.value if why else None
        if was != pair[1]:
            counts[pair] += 1
            if len(examples[pair]) < EXAMPLES:
                examples[pair].append(_said(columns.id_of(number)))
    return _turned(counts, examples)


def _said(link: LinkId) -> str:
    return f"{link.a} - {link.b} ({link.kind.word})"


def _generic_turned(columns: Columns, found: Recomputed, before: Before) -> tuple[Turned, ...]:
    counts: Counter[tuple[str | None, str | None]] = Counter()
    examples: defaultdict[tuple[str | None, str | None], list[str]] = defaultdict(list)
    for number in sorted(before.generic.keys() | found.generic.keys()):
        why = found.generic.get(number)
        pair = before.generic.get(number), why.value if why else None
        if pair[0] != pair[1]:
            counts[pair] += 1
            if len(examples[pair]) < EXAMPLES:
                examples[pair].append(columns.keys[number])
    return _turned(counts, examples)


def _turned(
    counts: Mapping[tuple[str | None, str | None], int], examples: Mapping[tuple[str | None, str | None], list[str]]
) -> tuple[Turned, ...]:
    pairs = sorted(counts, key=lambda pair: (-counts[pair], str(pair)))
    return tuple(Turned(*pair, counts[pair], tuple(sorted(examples[pair]))) for pair in pairs)
