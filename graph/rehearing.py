"""The stored history heard by another policy, and the evidence written where it says something else then."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from graph.carrying import Carried, carried_acts, carry
from graph.connection import Reader, Row, Transaction, Writer
from graph.evidence import HASH_PARTNERS
from graph.former_ids import keep_former_ids
from graph.handing_on import hand_on
from graph.ingestion import found_by
from graph.links import DELETE_LINKS, WRITE_LINKS, StoredLink, facts_of, links_between, new_row
from graph.recording import KEEP_OBSERVATIONS, OBSERVATIONS, observation_key, observed_facts
from graph.replaying import replayed
from identity.evidence import LinkId, derived_link, sha256_of
from identity.identifiers import IdentifierKey, namespace_of
from identity.policy import Policy
from identity.rehearing import (
    Belonged,
    Member,
    Said,
    Sighted,
    Stated,
    Step,
    Totals,
    Touched,
    kept_steps,
    move_aliases,
    named_by_alias,
    previous_users,
)
from identity.stitching import Known

CHUNK = 1_000
HEARING = frozenset({"blocked_identifier", "invalid_identifier", "two_values_unique"})

# identifier_key (unique)
KNOWN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
RETURN key, i.mint AS mint, i.minted_at AS minted_at, i.first_seen AS first_seen, i.last_seen AS last_seen,
  i.interactions AS interactions, i.sighted AS sighted,
  CASE WHEN i:Device THEN 'Device' WHEN i:Contact THEN 'Contact' ELSE 'ContactPoint' END AS role
"""

# identifier_key (unique); who gives a mint away has another one until it is removed
GIVE_MINTS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.key})
USING INDEX SEEK i:Identifier(key)
SET i.mint = row.mint
"""

# identifier_key (unique), in the order of keys
KEEP_SIGHTED = """
UNWIND $rows AS row
MERGE (i:Identifier {key: row.key})
ON CREATE SET
  i.namespace = row.namespace, i.value = row.value, i.mint = row.mint, i.minted_at = row.minted_at,
  i.sha256 = row.sha256, i.folded = row.folded, i.mail_domain = row.mail_domain
SET i.first_seen = row.first_seen, i.last_seen = row.last_seen, i.interactions = row.interactions,
  i.sighted = row.sighted
REMOVE i:Contact:ContactPoint:Device
SET i:$(row.role)
"""

# identifier_key (unique), then one expand per identifier; values set by hand go with whom they were set for
REMOVE_IDENTIFIERS = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (i)<-[:OF|WAS_OF]-(o:Observation)
DETACH DELETE i, o
"""

# interaction_id and identifier_key (unique)
REHANG = """
UNWIND $rows AS row
MATCH (i:Interaction {id: row.id})
USING INDEX SEEK i:Interaction(id)
SET i.actor = row.actor, i.persons = row.persons,
  i.warnings = [each IN coalesce(i.warnings, []) WHERE NOT split(each, ' ')[0] IN $hearing] + row.warnings
WITH i, row
CALL (i) {
  MATCH (i)-[old:BY|ON]->(:Identifier)
  DELETE old
}
CALL (i, row) {
  MATCH (actor:Identifier {key: row.actor})
  USING INDEX SEEK actor:Identifier(key)
  CREATE (i)-[:BY]->(actor)
}
CALL (i, row) {
  UNWIND row.devices AS key
  MATCH (device:Identifier {key: key})
  USING INDEX SEEK device:Identifier(key)
  CREATE (i)-[:ON]->(device)
}
"""

# observation_key (unique)
REMOVE_OBSERVATIONS = """
UNWIND $keys AS key
MATCH (o:Observation {key: key})
USING INDEX SEEK o:Observation(key)
DETACH DELETE o
"""

# identifier_key and account_key (unique)
STATE_MEMBERS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.identifier})
USING INDEX SEEK i:Identifier(key)
MATCH (a:Account {key: row.account})
USING INDEX SEEK a:Account(key)
MERGE (i)-[m:MEMBER_OF {role: row.role, source: row.source}]->(a)
SET m.from = row.from, m.last_seen = row.last_seen, m.recorded_at = row.recorded_at,
  m.last_recorded_at = row.last_recorded_at
"""

# identifier_key and account_key (unique)
REMOVE_MEMBERS = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.identifier})-[m:MEMBER_OF {role: row.role, source: row.source}]->(a:Account)
USING INDEX SEEK i:Identifier(key)
WHERE a.key = row.account
DELETE m
"""

# identifier_key (unique)
SIGHTED_USERS = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
WHERE i.sighted
RETURN key
"""


@dataclass(slots=True)
class Reheard:
    """What a candidate hears otherwise than the policy in force.

    stored, links: of the touched identifiers and links what is stored. gone, new: identifiers that nothing names any
    more, and that something names now, with the mint that each takes over, empty for one that is yet to be minted.
    giving: who gives its mint to whom. carried: the acts by hand as they are under the candidate.
    """

    totals: Totals
    stored: Mapping[IdentifierKey, Row]
    links: Mapping[LinkId, StoredLink]
    gone: frozenset[IdentifierKey]
    new: Mapping[IdentifierKey, Known]
    giving: Mapping[IdentifierKey, IdentifierKey] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)

    @property
    def heirs(self) -> Mapping[IdentifierKey, IdentifierKey]:
        """Who comes after identifiers that are gone; one that is nothing now has no entry."""
        after = self.totals.touched.successors
        return {key: after[key] for key in self.gone if after.get(key) in self.totals.identifiers}


async def reheard(reader: Reader, old: Policy, new: Policy, now: int) -> Reheard:
    """Hear the whole history under both policies, in two passes. Both with the declared namespaces; now: µs.

    Cost: about 0.1 ms for an interaction and pass; memory for what is heard otherwise.
    """
    touched = Touched()
    async for page in replayed(reader):
        for each in page:
            touched.hear(each.message, each.recorded_at, old, new)
    touched.identifiers |= named_by_alias(touched)
    totals = Totals(touched)
    async for page in replayed(reader):
        for each in page:
            totals.hear(each.message, each.recorded_at, new)
    users = sorted(previous_users(touched))
    sighted = {IdentifierKey(row["key"]) for row in await reader.rows(SIGHTED_USERS, keys=users)}
    move_aliases(totals, sighted)
    return await _told(reader, totals, new, now)


async def _told(reader: Reader, totals: Totals, policy: Policy, now: int) -> Reheard:
    asked = sorted(totals.touched.identifiers | totals.identifiers.keys())
    stored = {IdentifierKey(row["key"]): row for row in await reader.rows(KNOWN, keys=asked)}
    gone = frozenset(key for key in stored if key not in totals.identifiers)
    giving = _giving(totals, stored, gone)
    given = {heir: stored[key] for key, heir in giving.items()}
    fresh = sorted(key for key in totals.identifiers if key not in stored)
    new: dict[IdentifierKey, Known] = {}
    for number, key in enumerate(fresh):
        row = given.get(key)
        new[key] = Known(key, row["mint"], row["minted_at"]) if row else Known(key, "", now + number)
    links = await _stored_links(reader, totals)
    totals.touched.links = {id_ for id_ in totals.touched.links if _differs(id_, totals, links.get(id_))}
    heard = {key: key in totals.identifiers for key in asked}
    carried = await carried_acts(reader, totals.touched.heirs, heard, policy)
    return Reheard(totals, stored, links, gone, new, giving, carried)


async def _stored_links(reader: Reader, totals: Totals) -> dict[LinkId, StoredLink]:
    pairs = sorted({(id_.a, id_.b) for id_ in totals.touched.links})
    found: dict[LinkId, StoredLink] = {}
    for start in range(0, len(pairs), CHUNK):
        found |= await links_between(reader, pairs[start : start + CHUNK])
    return {id_: found[id_] for id_ in totals.touched.links if id_ in found}


def _differs(id_: LinkId, totals: Totals, stored: StoredLink | None) -> bool:
    steps = totals.link(id_)
    if stored is None or not steps:
        return stored is not None or bool(steps)
    return (stored.link, stored.steps) != (steps[-1][1], _steps_text(steps))


def _giving(
    totals: Totals, stored: Mapping[IdentifierKey, Row], gone: Iterable[IdentifierKey]
) -> dict[IdentifierKey, IdentifierKey]:
    """Who gives its mint to the identifier that its value is now, where that is new: the first minted, then by key."""
    giving: dict[IdentifierKey, IdentifierKey] = {}
    heirs: set[IdentifierKey] = set()
    for key in sorted(gone, key=lambda each: (stored[each]["minted_at"], each)):
        heir = totals.touched.successors.get(key)
        if heir is not None and heir in totals.identifiers and heir not in stored and heir not in heirs:
            giving[key] = heir
            heirs.add(heir)
    return giving


async def write_evidence(writer: Writer, found: Reheard, policy: Policy, mint: Callable[[], str], now: int) -> None:
    """Make the stored evidence what the policy hears, a thousand rows at a time.

    May be interrupted anywhere: heard and written again, the rest is written. now: µs, when derived links are recorded.
    """
    totals, touched = found.totals, found.totals.touched
    await writer.write(carry, found.carried.moved)
    await _chunked(writer, sorted(totals.identifiers), _keep_identifiers, found, policy, mint, now)
    rows = [_rehung(id_, said) for id_, said in sorted(touched.interactions.items())]
    await _chunked(writer, rows, _rehang)
    await _chunked(writer, sorted(touched.links, key=str), _state_links, totals)
    await _chunked(writer, sorted(touched.observations), _state_observations, totals)
    await _chunked(writer, sorted(touched.members), _state_members, totals.members)
    await _chunked(writer, sorted(found.gone), _remove, found)


async def _chunked(writer: Writer, rows: Sequence[object], work: Callable[..., Awaitable[None]], *more: object) -> None:
    for start in range(0, len(rows), CHUNK):
        await writer.write(work, rows[start : start + CHUNK], *more)


async def _keep_identifiers(
    tx: Transaction,
    keys: Sequence[IdentifierKey],
    found: Reheard,
    policy: Policy,
    mint: Callable[[], str],
    now: int,
) -> None:
    chosen = set(keys)
    giving = [{"key": key, "mint": mint()} for key, heir in sorted(found.giving.items()) if heir in chosen]
    if giving:
        await tx.rows(GIVE_MINTS, rows=giving)
    rows = [
        row
        for key in keys
        if (row := _sighted_row(key, found, policy, mint)) is not None and not _stands(row, found.stored.get(key))
    ]
    if rows:
        await tx.rows(KEEP_SIGHTED, rows=rows)
    await _derive(tx, [key for key in keys if key in found.new], now)


def _sighted_row(
    key: IdentifierKey, found: Reheard, policy: Policy, mint: Callable[[], str]
) -> Mapping[str, object] | None:
    total: Sighted = found.totals.identifiers[key]
    known = found.new.get(key)
    namespace, _, value = key.partition(":")
    return {
        "key": key,
        "namespace": namespace,
        "value": value,
        "mint": None if known is None else known.mint or mint(),
        "minted_at": known and known.minted_at,
        **found_by(namespace, value),
        "first_seen": total.first_seen,
        "last_seen": total.last_seen,
        "interactions": total.interactions,
        "sighted": total.sighted,
        "role": policy.namespace(namespace).role.value,
    }


def _stands(row: Mapping[str, object], stored: Row | None) -> bool:
    names = ("first_seen", "last_seen", "interactions", "sighted", "role")
    return stored is not None and all(stored[name] == row[name] for name in names)


async def _derive(tx: Transaction, new: Sequence[IdentifierKey], now: int) -> None:
    """The links between new addresses and hashes, whichever of the two is new."""
    emails = [key for key in new if namespace_of(key) == "email"]
    digests = [key for key in new if namespace_of(key) == "email_sha256"]
    if not emails and not digests:
        return
    addresses = [{"key": key, "digest": f"email_sha256:{sha256_of(key.partition(':')[2])}"} for key in emails]
    values = [{"key": key, "value": key.partition(":")[2]} for key in digests]
    rows = await tx.rows(HASH_PARTNERS, addresses=addresses, digests=values, now=now)
    links = {link.id: link for row in rows for link in [derived_link(row["email"], row["digest"])]}
    stored = await links_between(tx, [(id_.a, id_.b) for id_ in links])
    missing = [new_row(link, {}, now) for id_, link in sorted(links.items(), key=str) if id_ not in stored]
    if missing:
        await tx.rows(WRITE_LINKS, new=missing, changed=[])


def _rehung(id_: str, said: Said) -> Mapping[str, object]:
    return {
        "id": id_,
        "actor": said.actor,
        "persons": list(said.persons) or None,
        "devices": list(said.devices),
        "warnings": list(said.warnings),
    }


async def _rehang(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    await tx.rows(REHANG, rows=rows, hearing=sorted(HEARING))


async def _state_links(tx: Transaction, ids: Sequence[LinkId], totals: Totals) -> None:
    stored = await links_between(tx, sorted({(id_.a, id_.b) for id_ in ids}))
    gone = [stored[id_].element for id_ in ids if id_ in stored and not totals.parts.get(id_)]
    if gone:
        await tx.rows(DELETE_LINKS, elements=gone)
    new: list[Mapping[str, object]] = []
    changed: list[Mapping[str, object]] = []
    for id_ in ids:
        if totals.parts.get(id_):
            _state(id_, totals, stored.get(id_), new, changed)
    if new or changed:
        await tx.rows(WRITE_LINKS, new=new, changed=changed)


def _state(
    id_: LinkId,
    totals: Totals,
    stored: StoredLink | None,
    new: list[Mapping[str, object]],
    changed: list[Mapping[str, object]],
) -> None:
    steps = totals.link(id_)
    facts = facts_of(steps[-1][1], _steps_text(steps))
    if stored is None:
        new.append({"a": id_.a, "b": id_.b, "facts": {**facts, "recorded_at": steps[0][0]}})
    elif (stored.link, stored.steps) != (steps[-1][1], facts["steps"]):
        changed.append({"element": stored.element, "facts": {**facts, "recorded_at": steps[0][0]}})


def _steps_text(steps: Sequence[Step]) -> str:
    kept = [[when, link.first_seen, link.sure, link.authority.name.lower()] for when, link in kept_steps(steps)]
    return msgspec.json.encode(kept).decode()


async def _state_observations(tx: Transaction, asked: Sequence[Stated], totals: Totals) -> None:
    keys = {stated: observation_key(*stated[:3], msgspec.json.decode(stated[3])) for stated in asked}
    stored = {row["key"] for row in await tx.rows(OBSERVATIONS, keys=sorted(keys.values()))}
    gone = sorted(key for stated, key in keys.items() if stated not in totals.observations and key in stored)
    if gone:
        await tx.rows(REMOVE_OBSERVATIONS, keys=gone)
    new, repeated = [], []
    for stated in asked:
        if stated in totals.observations:
            total, recorded_at = totals.observations[stated]
            facts = {**observed_facts(keys[stated], total), "recorded_at": recorded_at}
            if keys[stated] in stored:
                repeated.append(facts)
            else:
                new.append({"identifier": stated[0], "facts": facts})
    await tx.rows(KEEP_OBSERVATIONS, new=new, repeated=repeated)


async def _state_members(tx: Transaction, asked: Sequence[Member], totals: Mapping[Member, Belonged]) -> None:
    rows = {each: dict(zip(("identifier", "account", "role", "source"), each, strict=True)) for each in asked}
    gone = [row for each, row in rows.items() if each not in totals]
    if gone:
        await tx.rows(REMOVE_MEMBERS, rows=gone)
    stated = [
        {
            **row,
            "from": said.first,
            "last_seen": said.last,
            "recorded_at": said.recorded_at,
            "last_recorded_at": said.last_recorded_at,
        }
        for each, row in rows.items()
        if (said := totals.get(each)) is not None
    ]
    if stated:
        await tx.rows(STATE_MEMBERS, rows=stated)


async def _remove(tx: Transaction, keys: Sequence[IdentifierKey], found: Reheard) -> None:
    await hand_on(tx, {key: found.heirs[key] for key in keys if key in found.heirs}, [*found.giving])
    await keep_former_ids(tx, keys, found.heirs)
    await tx.rows(REMOVE_IDENTIFIERS, keys=keys)
