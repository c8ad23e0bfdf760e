"""Whose genericity a change turns, asked of the direct evidence in the graph.

Costs the partners of the ends that changed, at most as many as their namespaces allow: an identifier that is generic
because of its many partners stays so under additions and is not read at all.
"""

from collections.abc import Collection

from graph.connection import Transaction
from graph.links import HASHED, StoredLink, derived_links, direct_links
from graph.locks import lock
from graph.regions import Change, Turns, known_acts, stored_identifiers
from identity.evidence import ActKind, Kind, LinkId
from identity.identifiers import IdentifierKey, namespace_of
from identity.policy import Policy
from identity.restitching import turned
from identity.stitching import Generic


async def turns_of(tx: Transaction, change: Change, policy: Policy, now: int) -> Turns:
    """The identifiers that turn generic or back, with what they are now. now: µs, only a lock's value.

    Everybody who is asked is locked first: two transactions that each see half of an identifier's evidence wait.
    """
    derived = {end for id_ in change.links if id_.kind is Kind.DERIVED for end in (id_.a, id_.b)}
    asked = {key for key in change.ends if _can_turn(key, change, policy)} | derived
    around: dict[LinkId, StoredLink] = {}
    both = _old(change, change.recounted | derived)
    if both:
        await lock(tx, change, both, now)
        around, partners = await direct_links(tx, both, frozenset(), policy.unique)
        await stored_identifiers(tx, change, partners)
        asked |= {key for key in partners if _can_turn(key, change, policy)}
    if not asked:
        return {}
    await lock(tx, change, asked, now)
    pairs = await derived_links(tx, _old(change, asked))
    asked |= {end for id_ in pairs for end in (id_.a, id_.b)}
    await lock(tx, change, asked, now)
    return await _asked(tx, change, asked, {**around, **pairs}, policy)


async def recount(tx: Transaction, change: Change, policy: Policy, now: int) -> None:
    """Note in a change of acts, or of aliases that override, who counts as one with whom through its ends.

    Those are values that overrides tie, and addresses and their hashes. All such values are ends of the change as well.
    now: µs, only a lock's value.
    """
    acts = [act for act in await known_acts(tx, change, change.ends, policy) if act.kind is ActKind.OVERRIDE]
    tied = {end for act in acts for end in act.pair}
    await lock(tx, change, tied | change.ends, now)
    change.recounted |= tied | {key for key in change.ends if namespace_of(key) in HASHED}
    change.ends |= tied
    await stored_identifiers(tx, change, change.ends)


def _can_turn(key: IdentifierKey, change: Change, policy: Policy) -> bool:
    rules = policy.namespace(namespace_of(key))
    if rules.generic_above is None and rules.max_partners is None:
        return False
    stored = change.stored.get(key)
    if stored is None or stored.generic is not Generic.PARTNERS or not change.additive or change.recounted:
        return True
    return any(id_.kind is Kind.DERIVED for id_ in change.links)


async def _asked(
    tx: Transaction,
    change: Change,
    asked: set[IdentifierKey],
    links: dict[LinkId, StoredLink],
    policy: Policy,
) -> Turns:
    """The question itself: direct links of the asked, and of what `derived` joins to them, as stored and as changed."""
    old = _old(change, asked)
    unlimited = frozenset(key for key in old if policy.namespace(namespace_of(key)).max_partners is None)
    direct, partners = await direct_links(tx, old, unlimited, policy.unique)
    hashed = await derived_links(tx, partners)
    stored = {**links, **direct, **hashed}
    known = {**{id_: each.link for id_, each in stored.items() if id_.kind is not Kind.MANUAL}, **change.links}
    acts = await known_acts(tx, change, {end for id_ in known for end in (id_.a, id_.b)} | asked, policy)
    before = await stored_identifiers(tx, change, asked)
    generic = {key: before[key].generic if key in before else None for key in asked}
    return turned(generic, tuple(known.values()), acts, policy)


def _old(change: Change, keys: Collection[IdentifierKey]) -> list[IdentifierKey]:
    return sorted(key for key in keys if key not in change.new)
