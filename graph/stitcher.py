"""The stitching of what a transaction changed: genericity asked, the region read and locked, the plan written.

The rule is identity.restitching; this file reads for it and writes what it says. One identifier of each touched cluster
is locked, the region is read, and if there is a cluster in it that is not locked yet, one identifier of that is locked
and the region is read again: what another transaction changed in between is seen, and what it would change from now on
waits. Locks are taken in the order of keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graph.audit import Move, Moves, log_stitched
from graph.connection import Transaction
from graph.genericity import turns_of
from graph.links import CHANGE_LINKS, verdict_facts
from graph.locks import StartAgainError, lock
from graph.regions import Change, Reading, Turns, clusters, region_of, smallest_keys, stored_identifiers
from identity.evidence import LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy
from identity.restitching import Plan, Region, restitch
from identity.stitching import Cluster


@dataclass(frozen=True, slots=True)
class Stitched:
    """What stitching did: the profiles it looked at, those nobody belongs to now, verdicts, and who turned.

    changed: the profiles whose members are others than before.
    verdicts: new and changed ones; those of links that were stored are written already.
    pending: the region was too large, and is left for `drain_pending`. before: where the identifiers belonged.
    at: when that is recorded, µs; 0 when there was nothing to stitch.
    """

    clusters: tuple[Cluster, ...] = ()
    changed: frozenset[ProfileId] = frozenset()
    gone: frozenset[ProfileId] = frozenset()
    verdicts: Mapping[LinkId, Reason | None] = field(default_factory=dict)
    turned: Turns = field(default_factory=dict)
    before: Mapping[IdentifierKey, ProfileId] = field(default_factory=dict)
    at: int = 0
    pending: bool = False


# identifier_key (unique); who used a device when is only asked of shared ones
SET_GENERIC = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.key})
USING INDEX SEEK i:Identifier(key)
SET i.generic = row.generic, i.uses = CASE WHEN row.generic IS NOT NULL THEN i.uses END
"""

# identifier_key and profile_id (unique); the one relationship of those who leave; element ids of this transaction
PLACE = f"""
CALL () {{
  UNWIND $leaving AS key
  MATCH (anchor:Identifier {{key: key}})-[old:IDENTIFIES]->(:Profile)
  USING INDEX SEEK anchor:Identifier(key)
  DELETE old
}}
CALL () {{
  UNWIND $profiles AS row
  MERGE (p:Profile {{id: row.id}})
  SET p.known = row.known, p.shared = row.shared
}}
CALL () {{
  UNWIND $placed AS row
  MATCH (i:Identifier {{key: row.key}})
  USING INDEX SEEK i:Identifier(key)
  MATCH (p:Profile {{id: row.profile}})
  USING INDEX SEEK p:Profile(id)
  CREATE (i)-[:IDENTIFIES]->(p)
}}
CALL () {{{CHANGE_LINKS}}}
"""

# profile_id (unique)
DROP_PROFILES = """
UNWIND $ids AS id
MATCH (p:Profile {id: id})
USING INDEX SEEK p:Profile(id)
DETACH DELETE p
"""

# identifier_key (unique)
DEFER = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
SET i.pending = true
WITH i
MATCH (i)-[:IDENTIFIES]->(p:Profile)
SET p.pending = true
"""


async def stitch_change(tx: Transaction, change: Change, policy: Policy, now: int, *, limited: bool = True) -> Stitched:
    """Stitch what a transaction changed and write the views; new links are written by the caller, with the verdicts.

    now: µs, only a lock's value. limited: a region above the policy's limit is left for later, its profiles `pending`.
    Raises StartAgainError when something read is gone.
    """
    if not change.ends and not change.emptied:
        return Stitched()
    turns = await turns_of(tx, change, policy, now)
    planned = await _locked_region(tx, change, turns, policy, now, limited=limited)
    if planned is None:
        return await _deferred(tx, change, policy, now)
    await _write_turns(tx, turns)
    return await _written(tx, planned, change, turns, now)


@dataclass(frozen=True, slots=True)
class _Planned:
    plan: Plan
    reading: Reading


async def _locked_region(
    tx: Transaction, change: Change, turns: Turns, policy: Policy, now: int, *, limited: bool
) -> _Planned | None:
    """The plan for what the change touches, its region read under locks; None when the region is too large for now."""
    asked = change.ends | turns.keys()
    stored = await stored_identifiers(tx, change, asked)
    profiles = {stored[key].profile for key in asked if key in stored}
    touched = frozenset(each for each in profiles if each is not None) | change.emptied
    await lock(tx, change, await smallest_keys(tx, touched), now)
    while True:
        reading = await region_of(tx, change, turns, touched, policy)
        if limited and len(reading.region.identifiers) > policy.region_limit:
            return None
        smallest = _smallest_keys(reading.region) - change.locked
        if smallest:
            await lock(tx, change, smallest, now)
            continue
        if not asked <= reading.region.identifiers.keys():
            raise StartAgainError
        plan = restitch(reading.region, touched, policy)
        if isinstance(plan, Plan):
            return _Planned(plan, reading)
        touched |= plan.profiles


def _smallest_keys(region: Region) -> set[IdentifierKey]:
    smallest: dict[ProfileId, IdentifierKey] = {}
    for key, profile in region.profile_of.items():
        smallest[profile] = min(key, smallest.get(profile, key))
    return set(smallest.values())


async def _deferred(tx: Transaction, change: Change, policy: Policy, now: int) -> Stitched:
    """Leave a region for later: its ends wait, its new identifiers stand alone, its links are judged by nobody yet."""
    left = await clusters(tx, change.emptied)
    await tx.rows(DEFER, keys=sorted(change.ends | change.new.keys() | left.keys()))
    emptied = change.emptied - {each.profile for each in left.values() if each.profile is not None}
    alone = replace(change, emptied=emptied)
    return replace(await _written(tx, _alone(change, policy), alone, {}, now), pending=True)


def _alone(change: Change, policy: Policy) -> _Planned:
    """The plan of a change that waits: its new identifiers stand alone until the region is stitched."""
    region = Region(change.new, {}, [], {}, {}, [])
    plan = restitch(region, frozenset(), policy)
    if not isinstance(plan, Plan):  # nothing stored was given, so nothing can be reached
        raise StartAgainError
    return _Planned(plan, Reading(region, {}))


async def _write_turns(tx: Transaction, turns: Turns) -> None:
    rows = [{"key": key, "generic": why.value if why else None} for key, why in sorted(turns.items())]
    if rows:
        await tx.rows(SET_GENERIC, rows=rows)


async def _written(tx: Transaction, planned: _Planned, change: Change, turns: Turns, now: int) -> Stitched:
    """Write the plan, and log it: who belongs where, and the verdicts of stored links."""
    plan, region = planned.plan, planned.reading.region
    kept = {each.id for each in plan.clusters}
    where = {key: each.id for each in plan.clusters for key in each.members}
    moved = {key: id_ for key, id_ in sorted(where.items()) if region.profile_of.get(key) != id_}
    left = {region.profile_of[key] for key in where if key in region.profile_of}
    left |= change.emptied - set(region.profile_of.values())
    verdicts = _verdict_rows(plan.verdicts, planned.reading.elements)
    await place(tx, plan.clusters, moved, [key for key in moved if key in region.profile_of], verdicts)
    gone = frozenset(left - kept)
    at = await log_stitched(tx, turns, _moves(moved, planned, change, gone), change.cause, now)
    changed = frozenset(each.id for each in plan.clusters if set(each.members) != _members(region, each.id))
    return Stitched(plan.clusters, changed, gone, plan.verdicts, turns, region.profile_of, at)


def _moves(
    moved: Mapping[IdentifierKey, ProfileId], planned: _Planned, change: Change, gone: frozenset[ProfileId]
) -> Moves:
    region = planned.reading.region
    left = {**change.inherited, **region.profile_of}
    existed = {*region.profile_of.values(), *change.emptied}
    return Moves(
        moves=[
            Move(key, region.identifiers[key].mint, left.get(key), id_)
            for key, id_ in moved.items()
            if left.get(key) != id_
        ],
        existed=existed,
        exist=(existed | {each.id for each in planned.plan.clusters}) - gone,
        verdicts=planned.plan.verdicts,
    )


def _members(region: Region, profile: ProfileId) -> set[IdentifierKey]:
    return {key for key, id_ in region.profile_of.items() if id_ == profile}


async def place(
    tx: Transaction,
    clusters: Sequence[Cluster],
    moved: Mapping[IdentifierKey, ProfileId],
    leaving: Sequence[IdentifierKey],
    verdicts: Sequence[Mapping[str, object]] = (),
) -> None:
    """Write who belongs where: the clusters as profiles, the moved identifiers in theirs, some of which leave another.

    verdicts: rows that change stored links.
    """
    if clusters or verdicts:
        profiles = [{"id": each.id, "known": each.known, "shared": each.shared} for each in clusters]
        placed = [{"key": key, "profile": id_} for key, id_ in sorted(moved.items())]
        await tx.rows(PLACE, leaving=sorted(leaving), profiles=profiles, placed=placed, changed=list(verdicts))


def _verdict_rows(
    verdicts: Mapping[LinkId, Reason | None], elements: Mapping[LinkId, str]
) -> list[Mapping[str, object]]:
    return [{"element": elements[id_], "facts": verdict_facts(why)} for id_, why in verdicts.items() if id_ in elements]


async def drop_profiles(tx: Transaction, ids: Iterable[ProfileId]) -> None:
    """Remove profiles that nobody belongs to any more."""
    asked = sorted(ids)
    if asked:
        await tx.rows(DROP_PROFILES, ids=asked)
