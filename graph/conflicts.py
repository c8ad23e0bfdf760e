"""Whether a rule keeps two people apart: asked before a merge by hand is written, and again of what it gave.

A merge makes two people one. Where the rule cannot do that it may still accept the link, and take one of the two apart
instead: then the merge is a conflict, and nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Transaction
from graph.decisions import Outcome
from graph.people import Person
from graph.regions import ruling_acts
from identity.evidence import Act, LinkId, Reason
from identity.identifiers import IdentifierKey
from identity.policy import Policy
from identity.stitching import Pair, standing_of
from insight.refusals import InTheWay, TooMany, in_the_way, party_of


@dataclass(frozen=True, slots=True)
class Conflict:
    """A merge that a rule forbids; nothing was written. All that is in the way is told, the reason of the first thing.

    values: the two values of each namespace of which one person has one. apart: the pairs that stand as different.
    limits: the namespaces of which the person would have too many identifiers. sizes: of both, where too many in all.
    breaks: who was one person, and would not be; nobody when it is the two themselves that cannot be one.
    """

    reason: Reason
    values: tuple[Pair, ...] = ()
    apart: tuple[Pair, ...] = ()
    limits: tuple[TooMany, ...] = ()
    sizes: tuple[int, int] | None = None
    breaks: tuple[IdentifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of two who shall be one. shared: no person, but an identifier that several people share."""

    keys: tuple[IdentifierKey, ...]
    shared: bool


# identifier_key (unique), then an expand to the profile and one to its identifiers
SIDE = """
MATCH (anchor:Identifier {key: $key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
MATCH (p)<-[:IDENTIFIES]-(i:Identifier)
WITH p, i ORDER BY i.key
RETURN coalesce(p.shared, false) AS shared, collect(i.key) AS keys
"""


async def side_of(tx: Transaction, key: IdentifierKey) -> Side | None:
    """The person that an identifier belongs to; None when it is unknown."""
    rows = await tx.rows(SIDE, key=key)
    return Side(tuple(map(IdentifierKey, rows[0]["keys"])), rows[0]["shared"]) if rows else None


async def conflict_between(
    tx: Transaction, one: Side, other: Side, policy: Policy, acts: Sequence[Act] = ()
) -> Conflict | None:
    """What forbids that two people become one; None when nothing does. acts: taken as decided, too."""
    if one.shared or other.shared:
        return Conflict(Reason.GENERIC)
    decided = [*await ruling_acts(tx, (*one.keys, *other.keys), policy), *acts]
    mine, theirs = set(one.keys), set(other.keys)
    across = [act for act in decided if act.manual and _across(act.pair, mine, theirs)]
    way = in_the_way(party_of(one.keys, policy), party_of(other.keys, policy), across, standing_of(decided), policy)
    return _conflict(way)


def _across(pair: Pair, one: set[IdentifierKey], other: set[IdentifierKey]) -> bool:
    return (pair[0] in one and pair[1] in other) or (pair[1] in one and pair[0] in other)


def _conflict(way: InTheWay) -> Conflict | None:
    """In the order in which the rule asks; what is asked first can be lifted by an override."""
    asked = (
        (Reason.UNIQUE, way.conflicts),
        (Reason.DIFFERENT, way.decisions),
        (Reason.LIMIT, way.limits),
        (Reason.SIZE, way.sizes),
    )
    reason = next((reason for reason, found in asked if found), None)
    apart = tuple(sorted(act.pair for act in way.decisions))
    return Conflict(reason, way.conflicts, apart, way.limits, way.sizes) if reason else None


async def conflict_after(tx: Transaction, outcome: Outcome, ends: Pair, policy: Policy) -> Conflict | None:
    """What keeps apart who was one person before a merge of the people of `ends`, or those two; None when nobody is.

    A link that comes first now can bring somebody between who was refused before, whomever it concerns.
    """
    person = {key: each for each in outcome.after for key in each.identifiers}
    merged = tuple(key for keys in outcome.before.values() if not {*ends}.isdisjoint(keys) for key in keys)
    others = sorted(keys for keys in outcome.before.values() if {*ends}.isdisjoint(keys))
    for keys in (merged, *others):
        apart = _pieces(keys, person)
        if len(apart) > 1:
            found = await _conflict_in(tx, keys, outcome, person, policy)
            return Conflict(found.reason, found.values, found.apart, found.limits, found.sizes, breaks=keys)
    return None


def _pieces(keys: Sequence[IdentifierKey], person: dict[IdentifierKey, Person]) -> list[Person]:
    return list({person[key].id: person[key] for key in keys}.values())


async def _conflict_in(
    tx: Transaction,
    keys: Sequence[IdentifierKey],
    outcome: Outcome,
    person: dict[IdentifierKey, Person],
    policy: Policy,
) -> Conflict:
    """What keeps two pieces apart of whoever was one: told of a link between them that is refused now, if there is."""
    inside = (id_ for id_ in outcome.refused if {id_.a, id_.b} <= {*keys} and _parted(id_, person))
    refused = sorted(inside, key=lambda id_: (id_.a, id_.b, id_.kind))
    one, other = (person[refused[0].a], person[refused[0].b]) if refused else _pieces(keys, person)[:2]
    sides = Side(one.identifiers, one.shared), Side(other.identifiers, other.shared)
    found = await conflict_between(tx, *sides, policy=policy)
    return found or Conflict(outcome.refused[refused[0]] if refused else Reason.GENERIC)


def _parted(link: LinkId, person: dict[IdentifierKey, Person]) -> bool:
    return person[link.a].id != person[link.b].id
