"""Observed values without what is erased: some go, and some that were unlike in nothing else are one from then on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graph.connection import Row, Transaction
from graph.recording import former_key, observation_key, observed_facts
from graph.views import observation_from
from identity.erasure import Hashing, Scrub
from identity.identifiers import IdentifierKey, ProfileId
from identity.survivorship import Observation, joined

# observation_key (unique), then one expand each; the write is the lock that guards what is observed of an identifier
LOCK_OWNERS = """
UNWIND $keys AS key
MATCH (n:Observation {key: key})-[:OF|WAS_OF]->(i:Identifier)
USING INDEX SEEK n:Observation(key)
WITH DISTINCT i ORDER BY i.key
SET i.touched = i.touched
"""

# observation_key (unique), then one expand to its profile
OBSERVATIONS = """
UNWIND $keys AS key
MATCH (n:Observation {key: key})-[:OF|WAS_OF]->(i:Identifier)
USING INDEX SEEK n:Observation(key)
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN n.key AS key, i.key AS identifier, p.id AS profile, n {.*} AS facts
"""

# observation_key (unique) before and after; identifier_key (unique)
REWRITE_OBSERVATIONS = """
CALL () {
  UNWIND $gone AS key
  MATCH (n:Observation {key: key})
  USING INDEX SEEK n:Observation(key)
  DETACH DELETE n
}
CALL () {
  UNWIND $rows AS row
  MATCH (i:Identifier {key: row.identifier})
  USING INDEX SEEK i:Identifier(key)
  CREATE (n:Observation)-[:$(row.tie)]->(i)
  SET n = row.facts
}
"""


@dataclass(frozen=True, slots=True)
class Observed:
    """A stored observation. recorded: when it became known, µs; None where nobody noted it.

    taken_back: when it was taken back, µs; None while it stands.
    """

    key: str
    identifier: IdentifierKey
    profile: ProfileId | None
    said: Observation
    recorded: int | None
    taken_back: int | None = None


async def scrub_observations(
    tx: Transaction, keys: Sequence[str], scrub: Scrub, hashing: Hashing
) -> tuple[int, set[ProfileId]]:
    """Take the values out of these observations: how many were touched, and whose traits may be others now.

    Those of the erased identifiers themselves are passed over; they go with them. Twice is once.
    """
    await tx.rows(LOCK_OWNERS, keys=list(keys))
    stored = [each for each in await _read(tx, keys) if each.identifier not in scrub.keys]
    after = {each.key: scrubbed(each, scrub, hashing) for each in stored}
    told = [each for each in stored if after[each.key] != each]
    if not told:
        return 0, set()
    kept = [one for each in told if (one := after[each.key]) is not None]
    before = {each.key for each in told}
    same = await _read(tx, sorted({each.key for each in kept} - before))
    rows = [_row(each) for each in as_one([*same, *kept])]
    await tx.rows(REWRITE_OBSERVATIONS, gone=sorted(before | {each.key for each in same}), rows=rows)
    return len(told), {each.profile for each in told if each.profile}


def scrubbed(observed: Observed, scrub: Scrub, hashing: Hashing) -> Observed | None:
    """An observation without the erased values, under the key it has then; None when it is nothing but one of them."""
    said = observed.said
    if scrub.is_value(said.value):
        return None
    trait, value = scrub.text(said.trait), scrub.json(said.value)
    message, first = hashing.renamed(said.message, scrub), hashing.renamed(said.first_message, scrub)
    key = observed.key
    if (trait, value) != (said.trait, said.value):
        key = observation_key(observed.identifier, trait, said.source, value)
        key = key if observed.taken_back is None else former_key(key, message)
    after = replace(said, trait=trait, value=value, message=message, first_message=first)
    return replace(observed, key=key, said=after)


def as_one(observed: Iterable[Observed]) -> list[Observed]:
    """Those of one key joined: how often, since when and until when the value was said, and known since the first."""
    found: dict[str, Observed] = {}
    for each in observed:
        other = found.get(each.key)
        found[each.key] = _joined(other, each) if other is not None else each
    return list(found.values())


def _joined(one: Observed, other: Observed) -> Observed:
    known = [moment for moment in (one.recorded, other.recorded) if moment is not None]
    return replace(one, said=joined(one.said, other.said), recorded=min(known, default=None))


def _row(each: Observed) -> dict[str, object]:
    facts = {**observed_facts(each.key, each.said), "recorded_at": each.recorded, "taken_back": each.taken_back}
    return {"identifier": each.identifier, "tie": "OF" if each.taken_back is None else "WAS_OF", "facts": facts}


async def _read(tx: Transaction, keys: Sequence[str]) -> list[Observed]:
    return [_observed(row) for row in await tx.rows(OBSERVATIONS, keys=list(keys))] if keys else []


def _observed(row: Row) -> Observed:
    facts = row["facts"]
    said = observation_from(facts)
    moments = facts.get("recorded_at"), facts.get("taken_back")
    return Observed(row["key"], IdentifierKey(row["identifier"]), row["profile"], said, *moments)
