"""The stored history heard by another policy, and the evidence written where it says something else then."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from graph.audit import Cause
from graph.carrying import Carried, carried_acts, carry
from graph.connection import Connection, Reader, Row, Transaction, Writer
from graph.evidence import HASH_PARTNERS
from graph.former_ids import claim_from, claims_near, keep_claims, stand_anew
from graph.found_by import say_mint
from graph.handing_on import hand_on
from graph.ingestion import found_by
from graph.leaving import bring_home, leave
from graph.links import DELETE_LINKS, WRITE_LINKS, StoredLink, facts_of, links_between, new_row
from graph.recording import KEEP_OBSERVATIONS, OBSERVATIONS, observation_key, observed_facts
from graph.replaying import replayed
from graph.segments import tell_gone
from identity.claims import Claim, ids_under
from identity.differences import Differences
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

CHUNK = 1_000
UNCHANGED: Mapping[str, object] = dict.fromkeys(("mint", "minted_at", "lent_at", "message"))
HEARING = frozenset({"blocked_identifier", "invalid_identifier", "two_values_unique"})

# identifier_key (unique)
KNOWN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
RETURN key, coalesce(i.gives, i.mint) AS mint, i.minted_at AS minted_at, coalesce(i.lent_at, i.minted_at) AS since,
  i.minted_by AS message, i.first_seen AS first_seen, i.last_seen AS last_seen,
  i.interactions AS interactions, i.sighted AS sighted,
  CASE WHEN i:Device THEN 'Device' WHEN i:Contact THEN 'Contact' ELSE 'ContactPoint' END AS role
"""

# identifier_key (unique), then what says its mint; who gives its id away keeps in mind which, until it has another one
# or is removed
GIVE_IDS = f"""
UNWIND $rows AS row
MATCH (i:Identifier {{key: row.key}})
USING INDEX SEEK i:Identifier(key)
WHERE i.gives IS NULL
SET i.gives = i.mint, i.mint = row.mint
{say_mint}
"""

# identifier_key (unique), then what says its mint
TAKE_IDS = f"""
UNWIND $rows AS row
MATCH (i:Identifier {{key: row.key}})
USING INDEX SEEK i:Identifier(key)
SET i.mint = row.mint, i.minted_at = row.minted_at, i.lent_at = row.lent_at
REMOVE i.gives
{say_mint}
"""

# identifier_key (unique), in the order of keys
KEEP_SIGHTED = """
UNWIND $rows AS row
MERGE (i:Identifier {key: row.key})
ON CREATE SET
  i.namespace = row.namespace, i.value = row.value, i.mint = row.mint, i.minted_at = row.minted_at,
  i.lent_at = row.lent_at, i.minted_by = row.message,
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
  m.last_recorded_at = row.last_recorded_at, m.who = i.key, m.of = a.key, m.mint = i.mint
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
    more, and that something names now, with the id that each has. anew: identifiers that stay, under another id.
    giving: whose ids others take over. carried: the acts by hand as they are under the candidate.
    """

    totals: Totals
    stored: Mapping[IdentifierKey, Row]
    links: Mapping[LinkId, StoredLink]
    gone: frozenset[IdentifierKey]
    new: Mapping[IdentifierKey, Claim]
    anew: Mapping[IdentifierKey, Claim] = field(default_factory=dict)
    giving: frozenset[IdentifierKey] = frozenset()
    carried: Carried = field(default_factory=Carried)

    @property
    def heirs(self) -> Mapping[IdentifierKey, IdentifierKey]:
        """Who comes after identifiers that are gone; one that is nothing now has no entry."""
        after = self.totals.touched.successors
        return {key: after[key] for key in self.gone if after.get(key) in self.totals.identifiers}


async def reheard(reader: Reader, old: Policy, new: Policy, now: int) -> Reheard:
    """Hear the whole history under both policies, in two passes, the second where anything is touched.

    Both with the declared namespaces; now: µs. Cost: 500,000 interactions in docs/benchmarks.md; memory for what is
    heard otherwise.
    """
    touched, differences = Touched(), Differences(old, new)
    async for each in replayed(reader, lambda said: not differences.none_in(said)):
        touched.hear(each.message, each.recorded_at, differences)
    touched.identifiers |= named_by_alias(touched)
    totals = Totals(touched)
    if totals.about:
        async for each in replayed(reader, lambda said: totals.concerned(said, new)):
            totals.hear(each.message, each.recorded_at, new)
    users = sorted(previous_users(touched))
    sighted = {IdentifierKey(row["key"]) for row in await reader.rows(SIGHTED_USERS, keys=users)}
    move_aliases(totals, sighted)
    return await _told(reader, totals, new, now)


async def _told(reader: Reader, totals: Totals, policy: Policy, now: int) -> Reheard:
    asked = sorted(totals.touched.identifiers | totals.identifiers.keys())
    stored = {IdentifierKey(row["key"]): row for row in await reader.rows(KNOWN, keys=asked)}
    heard = {key: key in totals.identifiers for key in asked}
    found = Reheard(totals, stored, {}, frozenset(key for key in stored if not heard[key]), {})
    await _share_out_ids(reader, found, heard, now)
    found.links = await _stored_links(reader, totals)
    totals.touched.links = {id_ for id_ in totals.touched.links if _differs(id_, totals, found.links.get(id_))}
    found.carried = await carried_acts(reader, totals.touched.heirs, heard, policy)
    return found


async def _share_out_ids(reader: Reader, found: Reheard, heard: Mapping[IdentifierKey, bool], now: int) -> None:
    """Say which identifiers have which ids, of those that come, go, or meet them by an id."""
    fresh = {key for key, there in heard.items() if there and key not in found.stored}
    claims = await claims_near(reader, map(claim_from, found.stored.values()), fresh)
    there = fresh | {key for key in claims.present if heard.get(key, True)}
    going = [claims.present[key] for key in sorted(found.gone)]
    ids = ids_under(claims.all.values(), there, going, found.heirs, now)
    found.new = {key: ids[key] for key in sorted(fresh)}
    found.anew = {key: ids[key] for key in sorted(there - fresh) if ids[key].mint != claims.present[key].mint}
    taken = {each.mint for each in (*found.new.values(), *found.anew.values())}
    found.giving = frozenset(key for key, each in claims.present.items() if each.mint in taken)


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


@dataclass(frozen=True, slots=True)
class Hand:
    """Who writes evidence anew, and when (µs)."""

    cause: Cause
    mint: Callable[[], str]
    now: int


async def write_evidence(connection: Connection, found: Reheard, policy: Policy, hand: Hand) -> None:
    """Make the stored evidence what the policy hears, a thousand rows at a time.

    May be interrupted anywhere: heard and written again, the rest is written.
    """
    writer, totals, touched = connection.writer, found.totals, found.totals.touched
    await writer.write(carry, found.carried.moved)
    await _chunked(writer, sorted(found.giving), _give_ids, hand)
    await _chunked(writer, sorted(found.anew), _take_ids, found, hand)
    await _chunked(writer, sorted(totals.identifiers), _keep_identifiers, found, policy, hand)
    rows = [_rehung(id_, said) for id_, said in sorted(touched.interactions.items())]
    await _chunked(writer, rows, _rehang)
    await _chunked(writer, sorted(touched.links, key=str), _state_links, totals)
    await _chunked(writer, sorted(touched.observations), _state_observations, totals)
    await _chunked(writer, sorted(touched.members), _state_members, totals.members)
    await _chunked(writer, sorted(found.gone), _remove, found, hand)
    await stand_anew(connection.reader, writer, policy)


async def _chunked(writer: Writer, rows: Sequence[object], work: Callable[..., Awaitable[None]], *more: object) -> None:
    for start in range(0, len(rows), CHUNK):
        await writer.write(work, rows[start : start + CHUNK], *more)


async def _give_ids(tx: Transaction, keys: Sequence[IdentifierKey], hand: Hand) -> None:
    await keep_claims(tx, keys)
    await tx.rows(GIVE_IDS, rows=[{"key": key, "mint": hand.mint()} for key in keys])


async def _take_ids(tx: Transaction, keys: Sequence[IdentifierKey], found: Reheard, hand: Hand) -> None:
    await keep_claims(tx, keys)
    await tx.rows(TAKE_IDS, rows=[_id_row(found.anew[key], hand.mint) for key in keys])


def _id_row(claim: Claim, mint: Callable[[], str]) -> dict[str, object]:
    return {
        "key": claim.key,
        "mint": claim.mint or mint(),
        "minted_at": claim.minted_at,
        "lent_at": claim.since if claim.lent else None,
        "message": claim.message,
    }


async def _keep_identifiers(
    tx: Transaction, keys: Sequence[IdentifierKey], found: Reheard, policy: Policy, hand: Hand
) -> None:
    rows = [
        row for key in keys if not _stands(row := _sighted_row(key, found, policy, hand.mint), found.stored.get(key))
    ]
    if rows:
        await tx.rows(KEEP_SIGHTED, rows=rows)
    new = [key for key in keys if key in found.new]
    if new:
        await bring_home(tx, new)
        await _derive(tx, new, hand.now)


def _sighted_row(key: IdentifierKey, found: Reheard, policy: Policy, mint: Callable[[], str]) -> Mapping[str, object]:
    total: Sighted = found.totals.identifiers[key]
    namespace, _, value = key.partition(":")
    return {
        "key": key,
        "namespace": namespace,
        "value": value,
        **(_id_row(found.new[key], mint) if key in found.new else UNCHANGED),
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
    kept = [[when, link.first_seen, link.sure, link.authority.word] for when, link in kept_steps(steps)]
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


async def _remove(tx: Transaction, keys: Sequence[IdentifierKey], found: Reheard, hand: Hand) -> None:
    heirs = {key: found.heirs[key] for key in keys if key in found.heirs}
    await hand_on(tx, heirs)
    await leave(tx, keys, heirs, hand.cause, hand.now)
    await tell_gone(tx, keys, hand.now)
    await tx.rows(REMOVE_IDENTIFIERS, keys=keys)
