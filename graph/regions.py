"""What a transaction changed, and the region of the graph that the change can reach, read for the rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graph.acts import acts_about
from graph.audit import Cause
from graph.connection import Statements, Transaction
from graph.links import StoredLink, aliases_between_values, links_around, waiting_links
from identity.evidence import Act, ActId, ActKind, Kind, Link, LinkId
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy
from identity.restitching import Region
from identity.stitching import Generic, Known, overrides_said, overriding

Turns = Mapping[IdentifierKey, Generic | None]


@dataclass(frozen=True, slots=True)
class StoredIdentifier:
    """An identifier as the graph holds it. profile: None when it has none yet."""

    known: Known
    generic: Generic | None
    profile: ProfileId | None


@dataclass(slots=True)
class Change:
    """What one transaction has changed so far, before anything is stitched.

    ends: identifiers whose clusters must be stitched. new: identifiers made by this transaction, without a profile.
    links: the links made or strengthened, not yet written. said: these and all that were only repeated.
    emptied: profiles that lost an identifier which is no more. inherited: where a new one's mint belonged before.
    locked: stored identifiers that are locked.
    recounted: identifiers that may now count as one with another, or no longer, so that their partners must be asked.
    additive: nothing was taken away, so who has too many partners keeps them. decided: some manual act is stored.
    waited: the ends waited for the background, so there may be stored links of theirs that nobody has judged yet.
    """

    cause: Cause
    ends: set[IdentifierKey] = field(default_factory=set)
    new: dict[IdentifierKey, Known] = field(default_factory=dict)
    links: dict[LinkId, Link] = field(default_factory=dict)
    stored: dict[IdentifierKey, StoredIdentifier] = field(default_factory=dict)
    emptied: set[ProfileId] = field(default_factory=set)
    inherited: dict[IdentifierKey, ProfileId] = field(default_factory=dict)
    recounted: set[IdentifierKey] = field(default_factory=set)
    said: set[LinkId] = field(default_factory=set)
    locked: set[IdentifierKey] = field(default_factory=set)
    additive: bool = True
    decided: bool = False
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A region with the database's own ids of its stored links."""

    region: Region
    elements: Mapping[LinkId, str]


# profile_id (unique), then one expand per profile
CLUSTERS = """
UNWIND $profiles AS id
MATCH (p:Profile {id: id})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK p:Profile(id)
RETURN id AS profile, i.key AS key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic
"""

# profile_id (unique), then one expand per profile
SMALLEST = """
UNWIND $profiles AS id
MATCH (p:Profile {id: id})<-[:IDENTIFIES]-(i:Identifier)
USING INDEX SEEK p:Profile(id)
WITH id, min(i.key) AS smallest
RETURN smallest
"""

# identifier_key (unique)
STORED = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic, p.id AS profile
"""


def stored_identifier(row: Mapping[str, object]) -> StoredIdentifier:
    """A row with key, mint, minted_at, generic and profile as a value."""
    generic, profile = row["generic"], row["profile"]
    known = Known(IdentifierKey(str(row["key"])), str(row["mint"]), int(str(row["minted_at"])))
    return StoredIdentifier(
        known, Generic(str(generic)) if generic else None, ProfileId(str(profile)) if profile else None
    )


async def stored_identifiers(
    tx: Transaction, change: Change, keys: Iterable[IdentifierKey]
) -> Mapping[IdentifierKey, StoredIdentifier]:
    """What is stored of these identifiers, remembered in the change; new ones and unknown ones have no entry."""
    missing = sorted(key for key in keys if key not in change.stored and key not in change.new)
    if missing:
        for row in await tx.rows(STORED, keys=missing):
            change.stored[IdentifierKey(row["key"])] = stored_identifier(row)
    return change.stored


async def known_acts(tx: Transaction, change: Change, keys: Iterable[IdentifierKey], policy: Policy) -> list[Act]:
    """The acts about any of these identifiers as the rule sees them in a change: what its aliases say is among them."""
    return await ruling_acts(tx, keys, policy, change.links, decided=change.decided)


NO_LINKS: Mapping[LinkId, Link] = {}


async def ruling_acts(
    tx: Statements,
    keys: Iterable[IdentifierKey],
    policy: Policy,
    fresh: Mapping[LinkId, Link] = NO_LINKS,
    *,
    decided: bool = True,
) -> list[Act]:
    """The acts about any of these identifiers, and about the values that overrides tie to one of them.

    Manual ones, where any is stored (`decided`), and what aliases say, where the policy reads them as overrides.
    fresh: links that are not stored yet.
    """
    found: dict[ActId, Act] = {}
    seen: set[IdentifierKey] = set()
    said = bool(overriding(policy))
    waiting = set(keys) if decided or said else set()
    while waiting:
        seen |= waiting
        acts = await acts_about(tx, waiting) if decided else []
        acts += await _said_about(tx, fresh, waiting, policy) if said else []
        found |= {act.id: act for act in acts}
        waiting = {end for act in acts if act.kind is ActKind.OVERRIDE for end in act.pair} - seen
    return list(found.values())


async def _said_about(
    tx: Statements, fresh: Mapping[LinkId, Link], keys: set[IdentifierKey], policy: Policy
) -> list[Act]:
    stored = await aliases_between_values(tx, keys, overriding(policy))
    changed = {id_: link for id_, link in fresh.items() if id_.kind is Kind.ALIAS and keys & {id_.a, id_.b}}
    return list(overrides_said({**stored, **changed}.values(), policy))


async def region_of(
    tx: Transaction, change: Change, turns: Turns, touched: frozenset[ProfileId], policy: Policy
) -> Reading:
    """S, the clusters that refused links join to it, and the links among them all.

    turns: whose genericity the change turns; links refused as generic are followed only from those.
    """
    near = await clusters(tx, touched)
    expand = [key for key, each in near.items() if each.generic is None or key in turns]
    links, met = await links_around(tx, expand, turns) if expand else ({}, {})
    if change.waited:
        waiting, others = await waiting_links(tx, change.ends & near.keys())
        links, met = {**links, **waiting}, {**met, **others}
    beyond = {profile for key, profile in met.items() if key not in near} | _ends_outside(change, near)
    far = await clusters(tx, beyond - touched)
    if far:
        outer = [key for key, each in far.items() if each.generic is None or key in turns]
        links = {**links, **(await links_around(tx, outer, turns))[0]}
    acts = await known_acts(tx, change, {**far, **near, **change.new}, policy)
    return _assembled(change, turns, {**far, **near}, links, acts)


def _ends_outside(change: Change, near: Mapping[IdentifierKey, StoredIdentifier]) -> set[ProfileId]:
    ends = (change.stored.get(end) for id_ in change.links for end in (id_.a, id_.b) if end not in near)
    return {each.profile for each in ends if each is not None and each.profile is not None}


async def smallest_keys(tx: Transaction, profiles: Iterable[ProfileId]) -> set[IdentifierKey]:
    """The smallest key of each profile: who locks it has locked the cluster."""
    asked = sorted(profiles)
    return {IdentifierKey(row["smallest"]) for row in await tx.rows(SMALLEST, profiles=asked)} if asked else set()


async def clusters(tx: Transaction, profiles: Iterable[ProfileId]) -> dict[IdentifierKey, StoredIdentifier]:
    """The identifiers of profiles; a profile that is gone adds none."""
    asked = sorted(profiles)
    rows = await tx.rows(CLUSTERS, profiles=asked) if asked else []
    return {IdentifierKey(row["key"]): stored_identifier(row) for row in rows}


# identifier_key (unique), then an expand to the profile and one to its identifiers
MEMBERS = """
MATCH (anchor:Identifier {key: $key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
MATCH (p)<-[:IDENTIFIES]-(i:Identifier)
RETURN i.key AS key
"""


async def members_of(tx: Transaction, key: IdentifierKey) -> frozenset[IdentifierKey]:
    """The identifiers of the profile of one of them, itself among them; nothing when it is unknown."""
    return frozenset(IdentifierKey(row["key"]) for row in await tx.rows(MEMBERS, key=key))


def _assembled(
    change: Change,
    turns: Turns,
    stored: Mapping[IdentifierKey, StoredIdentifier],
    links: Mapping[LinkId, StoredLink],
    acts: Sequence[Act],
) -> Reading:
    fresh = {key: known for key, known in change.new.items() if key not in stored}
    identifiers = {**{key: each.known for key, each in stored.items()}, **fresh}
    inside = {**{id_: each.link for id_, each in links.items() if id_.kind is not Kind.MANUAL}, **change.links}
    generic = {key: turns.get(key, each.generic) for key, each in stored.items()}
    generic |= {key: turns.get(key) for key in fresh}
    region = Region(
        identifiers=identifiers,
        profile_of={key: each.profile for key, each in stored.items() if each.profile is not None},
        links=[link for link in inside.values() if link.a in identifiers and link.b in identifiers],
        verdicts={id_: each.verdict for id_, each in links.items() if each.judged},
        generic={key: why for key, why in generic.items() if why is not None},
        acts=acts,
    )
    return Reading(region, {id_: each.element for id_, each in links.items()})
