"""The rule: which identifiers are the selfsame person, from the whole evidence at once.

Kruskal's algorithm with refusals. Links are sorted from the strongest to the weakest by things that are all evidence
(kind, authority, priorities, first sighting, keys); each unites the clusters of its ends unless an end is generic, or
one person would get two values of a unique namespace, or a pair that stands as different would meet, or the person
would grow past a limit. What is said with less authority than the policy asks of its kind joins nobody and counts for
nothing. A refused link stays with its reason. Nothing here depends on the order of arrival.

Generic identifiers are found before, from direct evidence alone: a thing that several people use links nobody.
Source: Kruskal 1956 for the order; design.md §5 for the refusals and the genericity.
"""

import typing
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from identity.evidence import PREVIOUS_MEANS, Act, ActId, ActKind, Kind, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId, namespace_of, role_of
from identity.messages import Authority, MessageId, SourceName
from identity.policy import Policy, Role

Pair = tuple[IdentifierKey, IdentifierKey]
Thing = typing.TypeVar("Thing", bound=Hashable)


class Generic(StrEnum):
    """Why an identifier links nobody: too many values of a unique namespace, or too many partners."""

    VALUES = "values"
    PARTNERS = "partners"


@dataclass(frozen=True, slots=True)
class Known:
    """What stitching looks at in one identifier. minted_at: µs."""

    key: IdentifierKey
    mint: str
    minted_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The manual acts that stand. heads: retired value -> the value that replaced it; absent for all others."""

    different: frozenset[Pair] = frozenset()
    manual: tuple[Link, ...] = ()
    heads: Mapping[IdentifierKey, IdentifierKey] = field(default_factory=dict)

    def current(self, key: IdentifierKey) -> IdentifierKey:
        """The value that stands for this one today."""
        return self.heads.get(key, key)

    def apart(self, link: Link) -> bool:
        """Whether the link's own pair stands as different."""
        return (link.a, link.b) in self.different


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that stitching may look at."""

    identifiers: Mapping[IdentifierKey, Known]
    links: Sequence[Link]
    acts: Sequence[Act] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The identifiers of one person, sorted, and what follows from them."""

    id: ProfileId
    members: tuple[IdentifierKey, ...]
    known: bool
    shared: bool


@dataclass(frozen=True, slots=True)
class Stitching:
    """People, refused links with their reasons, and generic identifiers. Links not refused are accepted."""

    clusters: Mapping[ProfileId, Cluster]
    refused: Mapping[LinkId, Reason]
    generic: Mapping[IdentifierKey, Generic]


def stitch(evidence: Evidence, policy: Policy) -> Stitching:
    """Stitch a whole history. Cost: O(n log n) in the links."""
    standing = standing_of((*evidence.acts, *overrides_said(evidence.links, policy)))
    generic = genericity((*evidence.links, *standing.manual), standing, policy)
    links = with_manual(evidence.links, standing, evidence.identifiers)
    united, refused = unite(evidence.identifiers, links, generic, standing, policy)
    clusters = (cluster_of(members, evidence.identifiers, generic, policy) for members in united)
    return Stitching({each.id: each for each in clusters}, refused, generic)


def standing_of(acts: Iterable[Act]) -> Standing:
    """The acts that stand: for each pair the latest that nobody took back, by its time, then its id.

    What aliases say comes before all that is manual, whatever its time.
    An act whose ends a policy made one means nothing.
    """
    two = (act for act in acts if act.a != act.b)
    latest: dict[Pair, Act] = {act.pair: act for act in sorted(not_undone(two), key=lambda each: each.manual)}
    standing = sorted(latest.values(), key=lambda each: (each.manual, each.at, each.id))
    return Standing(
        different=frozenset(act.pair for act in standing if act.kind is ActKind.DIFFERENT),
        manual=tuple(_manual(act) for act in standing if act.manual and act.kind is not ActKind.DIFFERENT),
        heads=_heads([act for act in standing if act.kind is ActKind.OVERRIDE]),
    )


def overrides_said(links: Iterable[Link], policy: Policy) -> tuple[Act, ...]:
    """The overrides that aliases amount to: the end replaces what it was before.

    Between two user ids the policy says from which authority on. Of other unique namespaces only a source's own record
    of a merge gives an alias, and with imported authority it overrides.
    """
    least = overriding(policy)
    if not least:
        return ()
    return tuple(
        _said(link)
        for link in links
        if link.kind is Kind.ALIAS
        and namespace_of(link.a) == namespace_of(link.b)
        and link.authority >= least.get(namespace_of(link.a), Authority.MANUAL)
    )


def overriding(policy: Policy) -> Mapping[str, Authority]:
    """The namespaces whose values an alias can replace, and from which authority on."""
    least = policy.kind(Kind.ALIAS.word).overrides_from
    users = {"user_id": least} if least is not None and "user_id" in policy.unique else {}
    return users | dict.fromkeys(policy.unique - PREVIOUS_MEANS, Authority.IMPORTED)


def _said(link: Link) -> Act:
    before = IdentifierKey(f"{namespace_of(link.a)}:{link.previous}")
    at = link.first_seen if link.sure else 0
    id_ = ActId(f"alias:{before}:{link.other(before)}")
    return Act(id_, ActKind.OVERRIDE, before, link.other(before), at, link.source, manual=False)


def not_undone(acts: Iterable[Act]) -> list[Act]:
    """The acts that no undo took back, the earliest first, without the undos themselves."""
    ordered = sorted(acts, key=lambda each: (each.at, each.id))
    back = taken_back(ordered)
    return [act for act in ordered if act.kind is not ActKind.UNDO and act.id not in back]


def taken_back(acts: Iterable[Act]) -> frozenset[ActId]:
    """The acts, undos among them, that a later undo takes back which is not taken back itself."""
    back: set[ActId] = set()
    named: set[ActId | None] = set()
    for act in sorted(acts, key=lambda each: (each.at, each.id), reverse=True):
        if act.id in named:
            back.add(act.id)
        elif act.kind is ActKind.UNDO:
            named.add(act.undoes)
    return frozenset(back)


def with_manual(links: Iterable[Link], standing: Standing, identifiers: Collection[IdentifierKey]) -> tuple[Link, ...]:
    """Links, and those that manual acts give between two of the identifiers."""
    return (*links, *(link for link in standing.manual if link.a in identifiers and link.b in identifiers))


def one_value_with(keys: Iterable[IdentifierKey], acts: Iterable[Act]) -> frozenset[IdentifierKey]:
    """The keys, and every value that overrides tie to one of them over any number of steps, standing or not."""
    sets: DisjointSets[IdentifierKey] = DisjointSets()
    ends: set[IdentifierKey] = set()
    for act in acts:
        if act.kind is ActKind.OVERRIDE:
            sets.unite(act.a, act.b)
            ends |= {act.a, act.b}
    asked = frozenset(keys)
    found = {sets.find(key) for key in asked}
    return asked | {key for key in ends if sets.find(key) in found}


def _manual(act: Act) -> Link:
    source, message = SourceName("manual"), MessageId(f"manual:{act.id}")
    return Link(*act.pair, Kind.MANUAL, Authority.MANUAL, act.at, True, act.at, 1, source, message)


def _heads(overrides: Sequence[Act]) -> dict[IdentifierKey, IdentifierKey]:
    """Values joined by overrides are one value; its current form is what the latest override names."""
    sets: DisjointSets[IdentifierKey] = DisjointSets()
    for act in overrides:
        sets.unite(act.a, act.b)
    head = {sets.find(act.b): act.b for act in overrides}
    return {key: head[sets.find(key)] for act in overrides for key in (act.a, act.b) if head[sets.find(key)] != key}


class DisjointSets(typing.Generic[Thing]):
    """Which things are joined: union by hanging, find with path halving. Unknown things stand alone."""

    def __init__(self) -> None:
        self._above: dict[Thing, Thing] = {}

    def find(self, thing: Thing) -> Thing:
        """The thing that stands for all that are joined to this one."""
        above = self._above
        while (up := above.get(thing, thing)) != thing:
            above[thing] = above.get(up, up)
            thing = up
        return thing

    def unite(self, one: Thing, other: Thing) -> None:
        """Join two things; the first one's representative stands for both."""
        root, hung = self.find(one), self.find(other)
        if root != hung:
            self._above[hung] = root


def genericity(links: Sequence[Link], standing: Standing, policy: Policy) -> dict[IdentifierKey, Generic]:
    """The generic identifiers among the ends of the links, from those links alone.

    Right for every identifier all of whose links are given, with those of the ones `derived` joins to it and the
    derived links of its partners: two partners that are one count once.
    """
    weak = weak_under(policy)
    counted = [link for link in links if not standing.apart(link) and not weak(link)]
    same: DisjointSets[IdentifierKey] = DisjointSets()
    for link in counted:
        if link.kind is Kind.DERIVED:
            same.unite(link.a, link.b)
    uses: defaultdict[IdentifierKey, _Use] = defaultdict(_Use)
    for link in counted:
        one, other = same.find(link.a), same.find(link.b)
        if one != other:
            uses[one].count(link.b, other, link.authority, standing, policy)
            uses[other].count(link.a, one, link.authority, standing, policy)
    ends = {end for link in counted for end in (link.a, link.b)}
    turned = {same.find(end): why for end in ends if (why := uses[same.find(end)].why(end, policy)) is not None}
    return {end: turned[same.find(end)] for end in ends if same.find(end) in turned}


def least_authorities(policy: Policy) -> dict[Kind, Authority]:
    """The authority that a policy asks of each kind of statement; no policy takes what is unverified."""
    return {kind: policy.kind(kind.word).minimum_authority for kind in Kind}


def weak_under(policy: Policy) -> Callable[[Link], bool]:
    """Whether a link is said with less authority than the policy asks of its kind."""
    least = least_authorities(policy)
    return lambda link: link.authority < least[link.kind]


@dataclass(slots=True)
class _Use:
    """Who uses one identifier: its partners, and the values of unique namespaces by how far they are believed."""

    partners: set[IdentifierKey] = field(default_factory=set)
    verified: defaultdict[str, set[IdentifierKey]] = field(default_factory=lambda: defaultdict(set))
    claimed: defaultdict[str, set[IdentifierKey]] = field(default_factory=lambda: defaultdict(set))

    def count(
        self, key: IdentifierKey, partner: IdentifierKey, authority: Authority, standing: Standing, policy: Policy
    ) -> None:
        """Take one link into account, seen from its other end."""
        self.partners.add(partner)
        namespace = namespace_of(key)
        if namespace in policy.unique:
            tier = self.verified if authority >= Authority.VERIFIED else self.claimed
            tier[namespace].add(standing.current(key))

    def why(self, key: IdentifierKey, policy: Policy) -> Generic | None:
        """Why an identifier used so is generic, or None."""
        own = namespace_of(key)
        rules = policy.namespace(own)
        if rules.max_partners is not None and len(self.partners) > rules.max_partners:
            return Generic.PARTNERS
        if rules.generic_above is not None:
            for namespace in self.verified.keys() | self.claimed.keys():
                values = self.verified.get(namespace) or self.claimed.get(namespace) or set()
                if namespace != own and len(values) > rules.generic_above:
                    return Generic.VALUES
        return None


def unite(
    identifiers: Iterable[IdentifierKey],
    links: Iterable[Link],
    generic: Mapping[IdentifierKey, Generic],
    standing: Standing,
    policy: Policy,
) -> tuple[list[tuple[IdentifierKey, ...]], dict[LinkId, Reason]]:
    """The sets of identifiers that the links join, each sorted, and the refused links with their reasons."""
    clusters = _Clusters(identifiers, standing, policy)
    refused: dict[LinkId, Reason] = {}
    weak = weak_under(policy)
    for link in sorted(links, key=lambda each: strength(each, policy)):
        reason = Reason.UNVERIFIED if weak(link) else _refusal(link, generic, standing, clusters)
        if reason is not None:
            refused[link.id] = reason
        else:
            clusters.merge(link.a, link.b)
    return clusters.sets(), refused


def strength(link: Link, policy: Policy) -> tuple[int, int, int, int, bool, int, str, str, str]:
    """The place of a link in the order from the strongest to the weakest."""
    one = policy.namespace(namespace_of(link.a)).priority
    other = policy.namespace(namespace_of(link.b)).priority
    better, worse = (one, other) if one <= other else (other, one)
    first_seen = link.first_seen if link.sure else 0
    return (link.kind, -link.authority, better, worse, not link.sure, first_seen, link.a, link.b, link.previous or "")


def _refusal(
    link: Link, generic: Mapping[IdentifierKey, Generic], standing: Standing, clusters: "_Clusters"
) -> Reason | None:
    if link.a in generic or link.b in generic:
        return Reason.GENERIC
    if standing.apart(link):
        return Reason.DIFFERENT
    return clusters.refusal(link.a, link.b)


class _Clusters:
    """Growing sets of identifiers that know their size, their unique values and whom they must not meet."""

    def __init__(self, identifiers: Iterable[IdentifierKey], standing: Standing, policy: Policy) -> None:
        self._above: dict[IdentifierKey, IdentifierKey] = {key: key for key in identifiers}
        self._members: dict[IdentifierKey, list[IdentifierKey]] = {key: [key] for key in self._above}
        self._limit = policy.profile_limit
        unique = policy.unique
        self._values: dict[IdentifierKey, dict[str, IdentifierKey]] = {
            key: {namespace: standing.current(key)} for key in self._above if (namespace := namespace_of(key)) in unique
        }
        self._at_most = policy.apart_above
        self._counts: dict[IdentifierKey, dict[str, int]] = {
            key: {namespace: 1} for key in self._above if (namespace := namespace_of(key)) in self._at_most
        }
        self._apart: defaultdict[IdentifierKey, set[IdentifierKey]] = defaultdict(set)
        for one, other in standing.different:
            self._apart[one].add(other)
            self._apart[other].add(one)

    def _find(self, key: IdentifierKey) -> IdentifierKey:
        above = self._above
        while (up := above[key]) != key:
            above[key] = above[up]
            key = up
        return key

    def refusal(self, one: IdentifierKey, other: IdentifierKey) -> Reason | None:
        """Why the sets of two identifiers may not become one, or None; two of one set may."""
        left, right = self._find(one), self._find(other)
        if left == right:
            return None
        if self._two_values(left, right):
            return Reason.UNIQUE
        if self._would_meet(left, right):
            return Reason.DIFFERENT
        if self._too_many(left, right):
            return Reason.LIMIT
        if len(self._members[left]) + len(self._members[right]) > self._limit:
            return Reason.SIZE
        return None

    def _too_many(self, left: IdentifierKey, right: IdentifierKey) -> bool:
        mine, theirs = self._counts.get(left), self._counts.get(right)
        if not mine or not theirs:
            return False
        return any(mine[name] + more > self._at_most[name] for name, more in theirs.items() if name in mine)

    def _two_values(self, left: IdentifierKey, right: IdentifierKey) -> bool:
        mine, theirs = self._values.get(left), self._values.get(right)
        if not mine or not theirs:
            return False
        return any(mine.get(namespace, value) != value for namespace, value in theirs.items())

    def _would_meet(self, left: IdentifierKey, right: IdentifierKey) -> bool:
        mine, theirs = self._apart.get(left), self._apart.get(right)
        if not mine or not theirs:
            return False
        smaller, root = (mine, right) if len(mine) <= len(theirs) else (theirs, left)
        return any(key in self._above and self._find(key) == root for key in smaller)

    def merge(self, one: IdentifierKey, other: IdentifierKey) -> None:
        """Make one set of two; the smaller hangs on the larger."""
        root, hung = self._find(one), self._find(other)
        if root == hung:
            return
        if len(self._members[root]) < len(self._members[hung]):
            root, hung = hung, root
        self._above[hung] = root
        self._members[root] += self._members.pop(hung)
        if values := self._values.pop(hung, None):
            self._values.setdefault(root, {}).update(values)
        if counts := self._counts.pop(hung, None):
            known = self._counts.setdefault(root, {})
            known.update({name: known.get(name, 0) + more for name, more in counts.items()})
        if apart := self._apart.pop(hung, None):
            self._apart[root] |= apart

    def sets(self) -> list[tuple[IdentifierKey, ...]]:
        """All sets, each sorted."""
        return [tuple(sorted(members)) for members in self._members.values()]


def cluster_of(
    members: Sequence[IdentifierKey],
    identifiers: Mapping[IdentifierKey, Known],
    generic: Mapping[IdentifierKey, Generic],
    policy: Policy,
) -> Cluster:
    """The person that a set of identifiers makes. members: sorted."""
    roles = {key: role_of(key, policy) for key in members}
    anchor = min(members, key=lambda key: (roles[key] is not Role.CONTACT, identifiers[key].minted_at, key))
    shared = members[0] in generic
    return Cluster(
        id=ProfileId(identifiers[anchor].mint),
        members=tuple(members),
        known=not shared and any(role is not Role.DEVICE for role in roles.values()),
        shared=shared,
    )
