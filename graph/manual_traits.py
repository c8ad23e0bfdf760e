"""Trait values set by hand: observations of the source `manual` on a profile's anchor, so that they follow it home.

What stood once and does not any more is kept for the past alone (graph/past_traits.py), which meets it by a
relationship of its own: a value that was taken back, and of one that was set again how it stood until then.
"""

from collections.abc import Sequence
from dataclasses import replace

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.connection import Row, Transaction, Writer
from graph.locks import StartAgainError, begun_again, lock
from graph.people import Person, people_in
from graph.policy_state import refuse_while_applying
from graph.recording import former_key, keep_observations, observation_key
from graph.regions import Change
from graph.views import refresh_moments, refresh_traits
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Json
from identity.policy import Policy
from identity.survivorship import MANUAL, Observation

# identifier_key and identifier_mint (unique)
ANCHOR_OF = """
MATCH (asked:Identifier {key: $key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK asked:Identifier(key)
MATCH (anchor:Identifier {mint: profile.id})
USING INDEX SEEK anchor:Identifier(mint)
RETURN anchor.key AS anchor, profile.id AS profile
"""

# profile_id (unique), then the observations of its identifiers
SET_BY_HAND = """
MATCH (anchor:Profile {id: $profile})<-[:IDENTIFIES]-(:Identifier)<-[said:OF|WAS_OF]-(o:Observation)
USING INDEX SEEK anchor:Profile(id)
WHERE o.source = $source AND o.trait = $trait
RETURN type(said) = 'OF' AS stands, o {.*} AS facts
"""

# observation_key (unique), then its one relationship
TAKE_BACK = """
UNWIND $rows AS row
MATCH (o:Observation {key: row.key})-[said:OF]->(i:Identifier)
USING INDEX SEEK o:Observation(key)
SET o.key = row.former, o.taken_back = $now
CREATE (o)-[:WAS_OF]->(i)
DELETE said
"""

# observation_key (unique), then its one relationship
KEEP_FORMER = """
MATCH (o:Observation {key: $key})-[:OF]->(i:Identifier)
USING INDEX SEEK o:Observation(key)
CREATE (former:Observation)-[:WAS_OF]->(i)
SET former = o {.*, key: $former, taken_back: $now}
"""


def set_by_hand(trait: str, value: Json, id_: str, now: int) -> Observation:
    """What somebody sets by hand. value: None deletes the trait. id_: unique; now: µs."""
    message = f"{MANUAL}:{id_}"
    return Observation(trait, value, MANUAL, now, message, True, now, message, 1)


async def set_trait(
    writer: Writer, key: IdentifierKey, said: Observation, policy: Policy, now: int, by: str
) -> Person | None:
    """Set a trait of the profile of an identifier by hand; it is shown from then on, whatever sources say.

    now: µs, at the earliest: it is set after all that was set or taken back before, whatever the clocks say. by: who
    asks, for the log. Returns the person as the change leaves her; None, and nothing written,
    when nothing is known of the identifier.
    """
    return await begun_again(writer, _set, key, said, policy, now, by)


async def clear_trait(
    writer: Writer, key: IdentifierKey, trait: str, policy: Policy, now: int, by: str
) -> Person | None:
    """Take back all that was set by hand for a trait of a profile; what the sources say is shown again.

    now, by: as of `set_trait`. Returns the person as the change leaves her, or None when nothing is
    known of the identifier. Twice is once.
    """
    return await begun_again(writer, _clear, key, trait, policy, now, by)


async def _set(
    tx: Transaction, key: IdentifierKey, said: Observation, policy: Policy, now: int, by: str
) -> Person | None:
    await refuse_while_applying(tx)
    locked = await _locked(tx, key, now)
    if locked is None:
        return None
    anchor, profile = locked
    before = await tx.rows(SET_BY_HAND, profile=profile, source=MANUAL, trait=said.trait)
    at = await _logged(tx, ChangeKind.TRAIT_SET, profile, by, _after(before, now))
    here = observation_key(anchor, said.trait, said.source, said.value)
    for facts in (row["facts"] for row in before if row["facts"]["key"] == here):
        await tx.rows(KEEP_FORMER, key=here, former=former_key(here, facts["message"]), now=at)
    await keep_observations(tx, [(anchor, replace(said, at=at, first_at=at))], at)
    await refresh_traits(tx, [profile], policy)
    return (await people_in(tx, [profile]))[0]


async def _clear(tx: Transaction, key: IdentifierKey, trait: str, policy: Policy, now: int, by: str) -> Person | None:
    await refuse_while_applying(tx)
    locked = await _locked(tx, key, now)
    if locked is None:
        return None
    _, profile = locked
    before = await tx.rows(SET_BY_HAND, profile=profile, source=MANUAL, trait=trait)
    standing = [row["facts"] for row in before if row["stands"]]
    if standing:
        at = await _logged(tx, ChangeKind.TRAIT_CLEARED, profile, by, _after(before, now))
        rows = [{"key": each["key"], "former": former_key(each["key"], each["message"])} for each in standing]
        await tx.rows(TAKE_BACK, rows=rows, now=at)
        await refresh_traits(tx, [profile], policy)
    return (await people_in(tx, [profile]))[0]


def _after(before: Sequence[Row], now: int) -> int:
    """The moment, later than all that was set or taken back before."""
    facts = [row["facts"] for row in before]
    return max([now, *(int(each.get("taken_back") or each["at"]) + 1 for each in facts)])


async def _logged(tx: Transaction, kind: ChangeKind, profile: ProfileId, by: str, now: int) -> int:
    return await log(tx, Entry(kind, Cause(CauseKind.DECISION, by), {}, profiles=[profile]), now)


async def _locked(tx: Transaction, key: IdentifierKey, now: int) -> tuple[IdentifierKey, ProfileId] | None:
    """The anchor of an identifier's profile, and the profile, both locked; as they were when the locks were had.

    The moments are written to lock the profile: who refreshes its traits meanwhile would not see this value.
    """
    before = await tx.rows(ANCHOR_OF, key=key)
    if not before:
        return None
    await lock(tx, Change(Cause(CauseKind.DECISION)), [IdentifierKey(before[0]["anchor"])], now)
    await refresh_moments(tx, [before[0]["profile"]])
    if await tx.rows(ANCHOR_OF, key=key) != before:
        raise StartAgainError
    return IdentifierKey(before[0]["anchor"]), ProfileId(before[0]["profile"])
