"""Who somebody was: a person as of a recorded moment, as of an event time, or both.

The log of changes has every move of an identifier, so one that never moved belongs where it does now, and any other
where its moves say (identity/past.py). Nothing is kept twice for it, and what was erased is gone from the past as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from graph.acts import ACT_ROW, act_from
from graph.connection import Reader, Row
from graph.interactions import LATEST
from graph.links import AUTHORITIES, KINDS
from graph.policies import policy_at
from identity.evidence import Kind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import EARLIEST_SURE, micros
from identity.past import (
    Anchoring,
    Moving,
    PastLink,
    Step,
    Turning,
    anchor_of,
    connected,
    first_seen_at,
    generic_at,
    held_at,
    place_at,
)
from identity.policy import Policy, Role
from identity.stitching import least_authorities, standing_of

SURE_SINCE = micros(EARLIEST_SURE)


@dataclass(frozen=True, slots=True)
class View:
    """From when a person is looked at. as_of: what was known then (recorded time); effective_at: what was true then.

    Both in µs. None: by all that is known, or whenever it was true.
    """

    as_of: int | None = None
    effective_at: int | None = None

    @property
    def recorded(self) -> int:
        """Nothing recorded later is looked at."""
        return LATEST if self.as_of is None else self.as_of

    @property
    def happened(self) -> int:
        """Nothing that happened later is looked at; what was known at a moment had happened, by its shown time."""
        return self.recorded if self.effective_at is None else min(self.effective_at, self.recorded)


@dataclass(frozen=True, slots=True)
class PastIdentifier:
    """An identifier as it was known. first_seen: µs, by what was known then. generic: why it linked nobody then."""

    key: IdentifierKey
    mint: str
    namespace: str
    value: str
    role: Role
    first_seen: int
    generic: str | None


@dataclass(frozen=True, slots=True)
class PastPerson:
    """A profile as it was. identifiers: first seen first, then by key. first_seen, last_seen: µs.

    pending: a background recompute may still change it, which it cannot where the question is what was known.
    also: the identifiers that those of hers which a policy did away with are now, where nobody else's are.
    """

    id: ProfileId
    known: bool
    shared: bool
    pending: bool
    first_seen: int
    last_seen: int
    identifiers: tuple[PastIdentifier, ...]
    also: tuple[IdentifierKey, ...] = ()

    @property
    def keys(self) -> tuple[IdentifierKey, ...]:
        """The keys under which stands what its identifiers did and what was said of them."""
        return (*(each.key for each in self.identifiers), *self.also)


# The order of the fields of _Known, of `i`.
KNOWN_ROW = """[
    i.key, i.mint, i.minted_at,
    coalesce(i.role, CASE WHEN i:Device THEN 'Device' WHEN i:Contact THEN 'Contact' ELSE 'ContactPoint' END),
    i.first_seen, i.generic, coalesce(i.pending, false),
    head(COLLECT { MATCH (i)-[:IDENTIFIES]->(p:Profile) RETURN p.id }),
    COLLECT { MATCH (i)<-[m:MOVED]-(c:Change) RETURN [c.at, c.id, m.left, m.joined] },
    COLLECT {
      MATCH (i)<-[:CONCERNS]-(c:Change)
      WHERE c.kind IN ['generic', 'not_generic']
      RETURN [c.at, c.id, c.reason]
    },
    head(COLLECT {
      MATCH (x:Interaction {id: coalesce(i.minted_by, i.message)})
      USING INDEX SEEK x:Interaction(id)
      RETURN [x.recorded_at, x.at, x.own_time, x.received_at]
    }),
    CASE WHEN i:FormerId THEN i.now END
  ]"""

# identifier_key (unique), former_id_key (range)
ASKED_BY_KEY = f"""
CALL () {{
  MATCH (i:Identifier {{key: $name}})
  USING INDEX SEEK i:Identifier(key)
  RETURN i
  UNION
  MATCH (i:FormerId {{key: $name}})
  USING INDEX SEEK i:FormerId(key)
  RETURN i
}}
RETURN {KNOWN_ROW} AS known
"""

# identifier_mint (unique), former_id_mints (range)
ASKED_BY_MINT = f"""
CALL () {{
  MATCH (i:Identifier {{mint: $name}})
  USING INDEX SEEK i:Identifier(mint)
  RETURN i
  UNION
  MATCH (i:FormerId {{mint: $name}})
  USING INDEX SEEK i:FormerId(mint)
  WHERE i.key IS NOT NULL
  RETURN i
}}
RETURN {KNOWN_ROW} AS known
"""

# profile_id (unique), moved_left and moved_joined (range), identifier_key (unique); the anchor is no way in: it may be
# erased, or no identifier by the policy of today
CANDIDATES = f"""
CALL () {{
  MATCH (p:Profile {{id: $id}})<-[:IDENTIFIES]-(i:Identifier)
  USING INDEX SEEK p:Profile(id)
  RETURN i
  UNION
  MATCH (:Change)-[moved:MOVED {{left: $id}}]->(i:Identifier|FormerId)
  USING INDEX SEEK moved:MOVED(left)
  WHERE i.key IS NOT NULL
  RETURN i
  UNION
  MATCH (:Change)-[moved:MOVED {{joined: $id}}]->(i:Identifier|FormerId)
  USING INDEX SEEK moved:MOVED(joined)
  WHERE i.key IS NOT NULL
  RETURN i
  UNION
  MATCH (i:Identifier {{key: $key}})
  USING INDEX SEEK i:Identifier(key)
  RETURN i
}}
RETURN {KNOWN_ROW} AS known
"""

# identifier_mint (unique) and former_id_now (range)
STOOD_FOR = f"""
UNWIND $mints AS mint
CALL (mint) {{
  MATCH (i:Identifier {{mint: mint}})
  USING INDEX SEEK i:Identifier(mint)
  RETURN i
  UNION
  MATCH (i:FormerId {{now: mint}})
  USING INDEX SEEK i:FormerId(now)
  WHERE i.key IS NOT NULL
  RETURN i
}}
WITH mint, {KNOWN_ROW} AS known, i:Identifier AS there
RETURN mint, collect([there, known]) AS all
"""

# identifier_key (unique), then one expand per identifier
LINKS_THEN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})-[link:LINKED]-(:Identifier)
USING INDEX SEEK i:Identifier(key)
RETURN key, startNode(link).key AS a, endNode(link).key AS b, link.kind AS kind, link.steps AS steps
"""


def _sighted(order: str) -> str:
    return f"""
  CALL (key) {{
    MATCH (x:Interaction)
    USING INDEX SEEK x:Interaction(actor, at, id)
    WHERE x.actor = key AND x.at <= $happened AND x.id IS NOT NULL AND x.recorded_at <= $recorded
    RETURN x
    ORDER BY x.actor{order}, x.at{order}, x.id{order}
    LIMIT 1
  }}
  RETURN collect([x.at, x.own_time, x.received_at])"""


# interaction_actor_at (actor, at, id) in its order, from both ends, each up to the first that was recorded by then
SIGHTED = f"""
UNWIND $keys AS key
CALL (key) {{{_sighted("")} AS first
}}
CALL (key) {{{_sighted(" DESC")} AS last
}}
RETURN key, first + last AS moments
"""

# act_a and act_b (range): two seeks per key
ACTS_THEN = f"""
UNWIND $keys AS key
CALL (key) {{
  MATCH (x:Act {{a: key}})
  USING INDEX SEEK x:Act(a)
  RETURN x
  UNION
  MATCH (x:Act {{b: key}})
  USING INDEX SEEK x:Act(b)
  RETURN x
}}
WITH DISTINCT x
WHERE x.recorded_at <= $recorded
RETURN {ACT_ROW}
"""


async def person_by_key(reader: Reader, key: IdentifierKey, view: View, policy: Policy) -> PastPerson | None:
    """The person whose identifier this was; None where it was not known, or not yet true, or is erased.

    policy: in force now. Four statements, five with an event time, six with both, and two more where a policy has done
    away with one of hers. Cost: the identifiers that were ever hers with their moves and links, two seeks in the
    timeline of each, and the interactions passed over there: those that happened before the moment and were recorded
    after it. A person with 100,000 interactions of which none came late cost 26 ms on a busy machine, one of which
    50,000 came late 270 ms.
    """
    return await _person(reader, await reader.rows(ASKED_BY_KEY, name=key), view, policy)


async def person_by_id(reader: Reader, id_: ProfileId, view: View, policy: Policy) -> PastPerson | None:
    """The person to whom an id led then, be it her own or a retired one; None and cost as by an identifier."""
    return await _person(reader, await reader.rows(ASKED_BY_MINT, name=id_), view, policy)


async def _person(reader: Reader, rows: Sequence[Row], view: View, policy: Policy) -> PastPerson | None:
    places = ((each, each.place(view)) for each in (_known(row["known"]) for row in rows))
    asked, id_ = next(((each, id_) for each, id_ in places if id_ is not None), (None, None))
    if asked is None or id_ is None:
        return None
    candidates = (_known(row["known"]) for row in await reader.rows(CANDIDATES, id=id_, key=asked.key))
    members = {each.key: each for each in candidates if each.place(view) == id_}
    links = await _links(reader, [key for key, each in members.items() if each.generic_at(view) is None])
    moments = await _sightings(reader, list(members), view)
    shown = [_identifier(each, links, moments[each.key], view) for each in members.values()]
    if view.effective_at is not None:
        part = await _true_part(
            reader, asked.key, [each for each in shown if each.first_seen <= view.happened], links, view, policy
        )
        if part is None:
            return None
        shown = part
    also = await _also(reader, [members[each.key] for each in shown], id_, view)
    if view.effective_at is not None:
        id_ = anchor_of([members[each.key].anchoring for each in shown])
    moments = {key: moments[key] for key in (each.key for each in shown)} | await _sightings(reader, also, view)
    return replace(_shaped(id_, shown, members, moments, view), also=also)


async def _also(reader: Reader, members: Iterable["_Known"], id_: ProfileId, view: View) -> tuple[IdentifierKey, ...]:
    """The identifiers that those of a person which a policy did away with are now, where nobody else's are.

    What she did stands there. Where values of several people became one, nobody kept whose was what: it is left out.
    """
    mints = sorted({each.stands_for for each in members if each.stands_for})
    found: list[IdentifierKey] = []
    for row in await reader.rows(STOOD_FOR, mints=mints) if mints else ():
        all_ = [(there, _known(each)) for there, each in row["all"]]
        if {each.place(view) for _, each in all_} <= {id_, None}:
            found += [each.key for there, each in all_ if there]
    return tuple(sorted(found))


def _shaped(
    id_: ProfileId,
    shown: Sequence[PastIdentifier],
    members: Mapping[IdentifierKey, "_Known"],
    moments: Mapping[IdentifierKey, Sequence[int]],
    view: View,
) -> PastPerson:
    shared = any(each.generic is not None for each in shown)
    first_seen = min(each.first_seen for each in shown)
    return PastPerson(
        id=id_,
        known=not shared and any(each.role is not Role.DEVICE for each in shown),
        shared=shared,
        pending=view.as_of is None and any(members[each.key].pending for each in shown),
        first_seen=first_seen,
        last_seen=max((at for each in moments.values() for at in each), default=first_seen),
        identifiers=tuple(sorted(shown, key=lambda each: (each.first_seen, each.key))),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """An identifier with all that the log has of it. recorded_at: when it became known. sighted: what came first.

    stands_for: of one that a policy did away with, the id of what its value is now.
    """

    key: IdentifierKey
    mint: str
    minted_at: int
    namespace: str
    value: str
    role: Role
    first_seen: int
    generic: str | None
    pending: bool
    present: ProfileId | None
    moves: tuple[Moving, ...]
    turns: tuple[Turning, ...]
    recorded_at: int
    sighted: tuple[int, ...]
    stands_for: str | None

    def place(self, view: View) -> ProfileId | None:
        """Where it belonged; None while it was not known. What is known today is read, not concluded from the log."""
        if view.as_of is None:
            return self.present
        return place_at(self.present, self.moves, view.as_of) if self.recorded_at <= view.as_of else None

    def generic_at(self, view: View) -> str | None:
        """Why it was generic; None when it was not."""
        return self.generic if view.as_of is None else generic_at(self.generic, self.turns, view.as_of)

    @property
    def anchoring(self) -> Anchoring:
        """What decides whether it gives the person's id."""
        return Anchoring(self.key, self.mint, self.minted_at, self.role)


def _known(row: Sequence[Any]) -> _Known:
    """From a KNOWN_ROW. When a batch was recorded its messages know; it minted identifiers by the writer's clock."""
    key, mint, minted_at, role, first_seen, generic, pending, present, moves, turns, minted_by, now = row
    namespace, _, value = key.partition(":")
    recorded_at, *moments = minted_by or (None,)
    return _Known(
        key=IdentifierKey(key),
        mint=mint,
        minted_at=minted_at,
        namespace=namespace,
        value=value,
        role=Role(role),
        first_seen=first_seen,
        generic=generic,
        pending=pending,
        present=present,
        moves=tuple(Moving(*each) for each in moves),
        turns=tuple(Turning(*each) for each in turns),
        recorded_at=minted_at if recorded_at is None else recorded_at,
        sighted=(time_of(*moments)[0],) if moments else (),
        stands_for=now,
    )


def time_of(at: int, own_time: int | None, received_at: int) -> tuple[int, bool]:
    """The moment that stitching looks at, of a stored interaction, and whether it is sure: then it is its own."""
    if own_time is not None and SURE_SINCE <= own_time <= received_at:
        return own_time, True
    return at, False


Links = Mapping[IdentifierKey, Sequence[PastLink]]


async def _links(reader: Reader, keys: Sequence[IdentifierKey]) -> Links:
    found: defaultdict[IdentifierKey, list[PastLink]] = defaultdict(list)
    for row in await reader.rows(LINKS_THEN, keys=list(keys)) if keys else []:
        steps = tuple(
            Step(recorded, first, AUTHORITIES[authority])
            for recorded, first, _, authority in msgspec.json.decode(row["steps"] or "[]")
        )
        link = PastLink(IdentifierKey(row["a"]), IdentifierKey(row["b"]), KINDS[row["kind"]], steps)
        found[IdentifierKey(row["key"])].append(link)
    return found


async def _sightings(reader: Reader, keys: Sequence[IdentifierKey], view: View) -> dict[IdentifierKey, tuple[int, ...]]:
    """When each identifier acted first and last, as far as it is looked at; nothing where it never acted by itself."""
    asked = {"happened": view.happened, "recorded": view.recorded}
    rows = await reader.rows(SIGHTED, keys=list(keys), **asked) if keys else ()
    return {IdentifierKey(row["key"]): tuple(time_of(*each)[0] for each in row["moments"]) for row in rows}


def _identifier(known: _Known, links: Links, moments: Sequence[int], view: View) -> PastIdentifier:
    first_seen = first_seen_at(known.key, links, (*moments, *known.sighted), view.recorded)
    return PastIdentifier(
        key=known.key,
        mint=known.mint,
        namespace=known.namespace,
        value=known.value,
        role=known.role,
        first_seen=known.first_seen if first_seen is None else first_seen,
        generic=known.generic_at(view),
    )


async def _true_part(
    reader: Reader, start: IdentifierKey, shown: Sequence[PastIdentifier], links: Links, view: View, policy: Policy
) -> list[PastIdentifier] | None:
    """Those of a person's identifiers that were one person with the one asked for; None where it was none yet.

    Which links tied them says identity.past.held_at.
    """
    keys = {each.key for each in shown}
    if start not in keys:
        return None
    rows = await reader.rows(ACTS_THEN, keys=sorted(keys), recorded=view.recorded)
    manual = [link for link in standing_of(map(act_from, rows)).manual if link.first_seen <= view.happened]
    least = least_authorities(policy if view.as_of is None else await policy_at(reader, view.as_of) or policy)
    said = [
        (each.a, each.b)
        for each in {each for found in links.values() for each in found}
        if each.kind is not Kind.MANUAL and held_at(each, view.recorded, view.happened, least)
    ]
    part = connected(start, keys, [*((each.a, each.b) for each in manual), *said])
    return [each for each in shown if each.key in part]
