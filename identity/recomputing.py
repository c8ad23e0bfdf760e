"""The rule on a whole history of a million links, in seconds: equal to `stitch`, with the history held in columns.

Most people meet no conflict. Where all links of a connected part of the graph can be accepted together (at most one
value of each unique namespace in it, no pair that stands as different, no more identifiers than a person may have, in
all and of one namespace),
none of them is ever refused, in whatever order they are taken: so neither sorting nor asking is needed there. Only the
parts with a conflict go through `unite`. In the same way `genericity` is asked only of identifiers with so many links
that they could be generic at all. Found equal in random histories (tests/identity/test_recomputing.py).
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from identity.evidence import Act, Kind, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, namespace_of
from identity.messages import Authority, MessageId, SourceName
from identity.policy import Policy
from identity.stitching import (
    Generic,
    Known,
    Standing,
    genericity,
    least_authorities,
    overrides_said,
    standing_of,
    unite,
)

NOWHERE = SourceName(""), MessageId("")


@dataclass(slots=True)
class Columns:
    """Identifiers and links of a whole history, without the manual links, which follow from the acts.

    An identifier is its number, a link too. first, second: the ends, the smaller key first. previous: of aliases.
    A link takes 20 bytes beside its place in lists; what else is known of it is not looked at by the rule.
    """

    keys: list[IdentifierKey] = field(default_factory=list)
    mints: list[str] = field(default_factory=list)
    minted_at: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: dict[IdentifierKey, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    namespaces: "array[int]" = field(default_factory=lambda: array("H"))
    first: "array[int]" = field(default_factory=lambda: array("i"))
    second: "array[int]" = field(default_factory=lambda: array("i"))
    kinds: bytearray = field(default_factory=bytearray)
    authorities: bytearray = field(default_factory=bytearray)
    sure: bytearray = field(default_factory=bytearray)
    first_seen: "array[int]" = field(default_factory=lambda: array("q"))
    previous: dict[int, str] = field(default_factory=dict)

    def add_identifier(self, known: Known) -> int:
        """Take in an identifier; its number."""
        number = self.numbers[known.key] = len(self.keys)
        self.keys.append(known.key)
        self.mints.append(known.mint)
        self.minted_at.append(known.minted_at)
        name = namespace_of(known.key)
        self.namespaces.append(self.names.setdefault(name, len(self.names)))
        return number

    def add_link(self, id_: LinkId, authority: int, first_seen: int, *, sure: bool) -> None:
        """Take in a link between two identifiers that were taken in before."""
        if id_.previous is not None:
            self.previous[len(self.first)] = id_.previous
        self.add_row((self.numbers[id_.a], self.numbers[id_.b]), id_.kind, authority, first_seen, sure)

    def add_row(self, ends: tuple[int, int], kind: int, authority: int, first_seen: int, sure: bool) -> None:
        """Take in a link without a previousId by the numbers of its ends, the smaller key first."""
        self.first.append(ends[0])
        self.second.append(ends[1])
        self.kinds.append(kind)
        self.authorities.append(authority)
        self.sure.append(sure)
        self.first_seen.append(first_seen)

    def known(self, number: int) -> Known:
        """What stitching looks at in an identifier."""
        return Known(self.keys[number], self.mints[number], self.minted_at[number])

    def id_of(self, link: int) -> LinkId:
        """A link's pair, kind and previousId."""
        ends = self.keys[self.first[link]], self.keys[self.second[link]]
        return LinkId(*ends, Kind(self.kinds[link]), self.previous.get(link))

    def link(self, link: int) -> Link:
        """A link with all that the rule looks at; its source, its message and its count are not held here."""
        id_, moment = self.id_of(link), self.first_seen[link]
        authority, sure = Authority(self.authorities[link]), bool(self.sure[link])
        return Link(id_.a, id_.b, id_.kind, authority, moment, sure, moment, 1, *NOWHERE, id_.previous)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What `stitch` answers, by numbers. parts: for each identifier the number that stands for its people.

    refused: by the number of the link; manual: refused links of manual acts. generic: by the number of the identifier.
    """

    parts: Sequence[int]
    refused: Mapping[int, Reason]
    manual: Mapping[LinkId, Reason]
    generic: Mapping[int, Generic]


def recompute(columns: Columns, acts: Collection[Act], policy: Policy) -> Recomputed:
    """Stitch a whole history. Cost: about 1.5 s for a million links without conflict, 20 µs for each link with one."""
    standing = standing_of((*acts, *_overrides(columns, policy)))
    generic = _generic(columns, standing, policy)
    different = _numbered(columns, standing)
    refused: dict[int, Reason] = dict.fromkeys(_weak(columns, policy), Reason.UNVERIFIED)
    sets = _joined(columns, generic, different, refused)
    manual = [link for link in standing.manual if link.a in columns.numbers and link.b in columns.numbers]
    refused_manual = _join_manual(columns, manual, generic, standing, sets)
    hard = _hard(columns, sets, standing, different, policy)
    if hard:
        open_ = [link for link in manual if link.id not in refused_manual]
        refused_manual |= _united(columns, hard, sets, refused, _Asked(open_, generic, standing, policy))
    return Recomputed(_flat(sets), refused, refused_manual, generic)


def _overrides(columns: Columns, policy: Policy) -> tuple[Act, ...]:
    if policy.kind(Kind.ALIAS.word).overrides_from is None:
        return ()
    return overrides_said((columns.link(link) for link in _of_kind(columns, Kind.ALIAS)), policy)


def _weak(columns: Columns, policy: Policy) -> list[int]:
    """The numbers of the links that are said with less authority than the policy asks of their kind."""
    least = least_authorities(policy)
    if not least:
        return []
    asked = [least.get(Kind(kind), 0) if kind else 0 for kind in range(max(Kind) + 1)]
    said = zip(columns.kinds, columns.authorities, strict=True)
    return [number for number, (kind, authority) in enumerate(said) if authority < asked[kind]]


def _generic(columns: Columns, standing: Standing, policy: Policy) -> dict[int, Generic]:
    """The generic identifiers, asked only of those that have enough links for it."""
    asked = _askable(columns, standing, policy)
    if not asked:
        return {}
    near = _touching(columns, asked)
    partners = {columns.keys[end] for link in near for end in (columns.first[link], columns.second[link])}
    partners |= {end for link in standing.manual for end in (link.a, link.b)}
    links = [columns.link(link) for link in near]
    links += [columns.link(link) for link in _derived(columns) if _ends(columns, link) & partners]
    found = genericity((*{link.id: link for link in links}.values(), *standing.manual), standing, policy)
    return {number: why for key, why in found.items() if (number := columns.numbers.get(key)) in asked}


def _ends(columns: Columns, link: int) -> set[IdentifierKey]:
    return {columns.keys[columns.first[link]], columns.keys[columns.second[link]]}


def _derived(columns: Columns) -> Iterator[int]:
    return _of_kind(columns, Kind.DERIVED)


def _of_kind(columns: Columns, kind: Kind) -> Iterator[int]:
    """The numbers of the links of a kind; a search in bytes costs a millisecond for a million."""
    at = columns.kinds.find(kind)
    while at >= 0:
        yield at
        at = columns.kinds.find(kind, at + 1)


def _askable(columns: Columns, standing: Standing, policy: Policy) -> set[int]:
    """The identifiers with more links than their namespace allows partners, or more to unique namespaces than values.

    An upper bound: several links can be of one partner. Identifiers joined by `derived` count together.
    """
    partners, values = _counted(columns, policy)
    extra = [link for link in standing.manual if {link.a, link.b} & columns.numbers.keys()]
    for link in extra:
        for end in (link.a, link.b):
            if (number := columns.numbers.get(end)) is not None:
                partners[number] += 1
                values[number] += 1
    limits = _limits(columns, policy)
    asked = {
        number
        for number, (many, some, (most, above)) in enumerate(zip(partners, values, limits, strict=True))
        if many > most or some > above
    }
    return asked | _counted_together(columns, partners, values, limits)


def _counted(columns: Columns, policy: Policy) -> tuple[list[int], list[int]]:
    """How many links each identifier has, and how many of them to values of unique namespaces."""
    names = [name in policy.unique for name in columns.names]
    unique = [names[name] for name in columns.namespaces]
    partners, values = [0] * len(columns.keys), [0] * len(columns.keys)
    for one, other in zip(columns.first, columns.second, strict=True):
        partners[one] += 1
        partners[other] += 1
        if unique[other]:
            values[one] += 1
        if unique[one]:
            values[other] += 1
    return partners, values


Limits = tuple[float, float]
ENDLESS = float("inf")


def _limits(columns: Columns, policy: Policy) -> list[Limits]:
    """For each identifier how many partners and how many values of one unique namespace it may have."""
    by_name: list[Limits] = []
    for rules in map(policy.namespace, columns.names):
        most = ENDLESS if rules.max_partners is None else rules.max_partners
        by_name.append((most, ENDLESS if rules.generic_above is None else rules.generic_above))
    return [by_name[name] for name in columns.namespaces]


def _counted_together(
    columns: Columns, partners: Sequence[int], values: Sequence[int], limits: Sequence[Limits]
) -> set[int]:
    """The identifiers joined by `derived` that count as one and together have enough links."""
    above: dict[int, int] = {}
    for link in _derived(columns):
        one, other = _root(above, columns.first[link]), _root(above, columns.second[link])
        above[other] = one
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for number in above:
        groups[_root(above, number)].append(number)
    return {
        number
        for group in groups.values()
        if any(
            sum(partners[each] for each in group) > limits[one][0]
            or sum(values[each] for each in group) > limits[one][1]
            for one in group
        )
        for number in group
    }


def _root(above: dict[int, int], number: int) -> int:
    while (up := above.setdefault(number, number)) != number:
        above[number] = above[up]
        number = up
    return number


def _touching(columns: Columns, asked: set[int]) -> list[int]:
    """The numbers of the links with an end among some identifiers."""
    marked = bytearray(len(columns.keys))
    for number in asked:
        marked[number] = 1
    ends = zip(columns.first, columns.second, strict=True)
    return [link for link, (one, other) in enumerate(ends) if marked[one] or marked[other]]


def _numbered(columns: Columns, standing: Standing) -> set[tuple[int, int]]:
    """The pairs that stand as different, of which both are known."""
    numbers = columns.numbers
    return {(numbers[one], numbers[other]) for one, other in standing.different if one in numbers and other in numbers}


def _joined(
    columns: Columns, generic: Mapping[int, Generic], different: set[tuple[int, int]], refused: dict[int, Reason]
) -> list[int]:
    """Unite the ends of all links that nothing refuses beforehand, and note those that something does.

    refused: holds those that want for authority already.

    The result hangs each identifier below another of its part, or below itself.
    """
    above = list(range(len(columns.keys)))
    marked = bytearray(len(columns.keys))
    for number in generic:
        marked[number] = 1
    weak = frozenset(refused)
    for number, ends in enumerate(zip(columns.first, columns.second, strict=True)):
        one, other = ends
        if weak and number in weak:
            continue
        if marked[one] or marked[other]:
            refused[number] = Reason.GENERIC
            continue
        if different and ends in different:
            refused[number] = Reason.DIFFERENT
            continue
        while (up := above[one]) != one:
            above[one] = one = above[up]
        while (up := above[other]) != other:
            above[other] = other = above[up]
        if one < other:
            above[other] = one
        else:
            above[one] = other
    return above


def _find(above: list[int], number: int) -> int:
    while (up := above[number]) != number:
        above[number] = number = above[up]
    return number


def _flat(above: list[int]) -> list[int]:
    """For each identifier the one that stands for its part. A part hangs on its smallest number, or unite's first."""
    for number in range(len(above)):
        _find(above, number)
    return [above[_find(above, number)] for number in range(len(above))]


def _join_manual(
    columns: Columns, manual: Sequence[Link], generic: Mapping[int, Generic], standing: Standing, above: list[int]
) -> dict[LinkId, Reason]:
    refused: dict[LinkId, Reason] = {}
    for link in manual:
        one, other = columns.numbers[link.a], columns.numbers[link.b]
        if one in generic or other in generic:
            refused[link.id] = Reason.GENERIC
        elif standing.apart(link):
            refused[link.id] = Reason.DIFFERENT
        else:
            one, other = sorted((_find(above, one), _find(above, other)))
            above[other] = one
    return refused


def _hard(
    columns: Columns, above: list[int], standing: Standing, different: set[tuple[int, int]], policy: Policy
) -> set[int]:
    """The parts in which some link may have to be refused, by the number that stands for them."""
    sizes = [0] * len(above)
    for number in range(len(above)):
        sizes[_find(above, number)] += 1
    hard = {number for number, size in enumerate(sizes) if size > policy.profile_limit}
    hard |= {root for one, other in different if (root := _find(above, one)) == _find(above, other)}
    unique = {number for name, number in columns.names.items() if name in policy.unique}
    seen: dict[tuple[int, int], IdentifierKey] = {}
    for number, name in enumerate(columns.namespaces):
        if name in unique:
            value, root = standing.current(columns.keys[number]), _find(above, number)
            if seen.setdefault((root, name), value) != value:
                hard.add(root)
    return hard | _crowded(columns, above, policy)


def _crowded(columns: Columns, above: list[int], policy: Policy) -> set[int]:
    """The parts with more identifiers of a namespace than a person may have of it."""
    at_most = {columns.names[name]: most for name, most in policy.apart_above.items() if name in columns.names}
    counts: defaultdict[tuple[int, int], int] = defaultdict(int)
    if at_most:
        for number, name in enumerate(columns.namespaces):
            if name in at_most:
                counts[_find(above, number), name] += 1
    return {root for (root, name), count in counts.items() if count > at_most[name]}


@dataclass(frozen=True, slots=True)
class _Asked:
    manual: Sequence[Link]
    generic: Mapping[int, Generic]
    standing: Standing
    policy: Policy


def _united(
    columns: Columns, hard: set[int], above: list[int], refused: dict[int, Reason], asked: _Asked
) -> dict[LinkId, Reason]:
    """Stitch the parts with a conflict by the rule itself; the refused manual links in them."""
    inside = [number for number in range(len(above)) if _find(above, number) in hard]
    marked = set(inside)
    by_id = {columns.id_of(link): link for link in _touching(columns, marked) if link not in refused}
    manual = [link for link in asked.manual if columns.numbers[link.a] in marked]
    links = [*(columns.link(number) for number in by_id.values()), *manual]
    generic = {columns.keys[number]: why for number, why in asked.generic.items() if number in marked}
    sets, reasons = unite((columns.keys[each] for each in inside), links, generic, asked.standing, asked.policy)
    for members in sets:
        root = columns.numbers[members[0]]
        for key in members:
            above[columns.numbers[key]] = root
    refused |= {by_id[id_]: why for id_, why in reasons.items() if id_ in by_id}
    return {id_: why for id_, why in reasons.items() if id_ not in by_id}
