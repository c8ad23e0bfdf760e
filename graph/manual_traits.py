"""Trait values set by hand: observations of the source `manual` on a profile's anchor, so that they follow it home."""

from graph.audit import Cause, CauseKind, ChangeKind, Entry, log
from graph.connection import Transaction, Writer
from graph.locks import StartAgainError, begun_again, lock
from graph.policy_state import refuse_while_applying
from graph.recording import keep_observations
from graph.regions import Change
from graph.views import refresh_moments, refresh_traits
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Json
from identity.policy import Policy
from identity.survivorship import MANUAL, Observation

BY_HAND = Cause(CauseKind.DECISION)

# identifier_key and identifier_mint (unique)
ANCHOR_OF = """
MATCH (asked:Identifier {key: $key})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK asked:Identifier(key)
MATCH (anchor:Identifier {mint: profile.id})
USING INDEX SEEK anchor:Identifier(mint)
RETURN anchor.key AS anchor, profile.id AS profile
"""

# profile_id (unique), then the observations of its identifiers
CLEAR_TRAIT = """
MATCH (anchor:Profile {id: $profile})<-[:IDENTIFIES]-(:Identifier)<-[:OF]-(o:Observation)
USING INDEX SEEK anchor:Profile(id)
WHERE o.source = $source AND o.trait = $trait
DETACH DELETE o
RETURN count(*) AS cleared
"""


def set_by_hand(trait: str, value: Json, id_: str, now: int) -> Observation:
    """What somebody sets by hand. value: None deletes the trait. id_: unique; now: µs."""
    message = f"{MANUAL}:{id_}"
    return Observation(trait, value, MANUAL, now, message, True, now, message, 1)


async def set_trait(
    writer: Writer, key: IdentifierKey, said: Observation, policy: Policy, now: int
) -> ProfileId | None:
    """Set a trait of the profile of an identifier by hand; it is shown from then on, whatever sources say. now: µs.

    Returns the profile, or None when nothing is known of the identifier; nothing is written then.
    """
    return await begun_again(writer, _set, key, said, policy, now)


async def clear_trait(writer: Writer, key: IdentifierKey, trait: str, policy: Policy, now: int) -> ProfileId | None:
    """Take back all that was set by hand for a trait of a profile; what the sources say is shown again. now: µs.

    Returns the profile, or None when nothing is known of the identifier. Twice is once.
    """
    return await begun_again(writer, _clear, key, trait, policy, now)


async def _set(tx: Transaction, key: IdentifierKey, said: Observation, policy: Policy, now: int) -> ProfileId | None:
    await refuse_while_applying(tx)
    locked = await _locked(tx, key, now)
    if locked is None:
        return None
    anchor, profile = locked
    await keep_observations(tx, [(anchor, said)], now)
    await refresh_traits(tx, [profile], policy)
    await log(tx, Entry(ChangeKind.TRAIT_SET, BY_HAND, {}, profiles=[profile]), now)
    return profile


async def _clear(tx: Transaction, key: IdentifierKey, trait: str, policy: Policy, now: int) -> ProfileId | None:
    await refuse_while_applying(tx)
    locked = await _locked(tx, key, now)
    if locked is None:
        return None
    _, profile = locked
    (row,) = await tx.rows(CLEAR_TRAIT, profile=profile, source=MANUAL, trait=trait)
    if row["cleared"]:
        await refresh_traits(tx, [profile], policy)
        await log(tx, Entry(ChangeKind.TRAIT_CLEARED, BY_HAND, {}, profiles=[profile]), now)
    return profile


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
