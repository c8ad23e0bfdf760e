"""The whole evidence and the whole view, read page by page for `verify` and `rebuild`."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from graph.account_decisions import ACT_ROW as ACCOUNT_ACT_ROW
from graph.account_decisions import account_act_from
from graph.acts import ACT_ROW, act_from
from graph.connection import Reader, Row
from graph.links import AUTHORITIES, LINK_ROW, StoredLink, stored_link
from graph.regions import StoredIdentifier, stored_identifier
from graph.views import observation_from
from identity.accounts import AccountAct, PartOf
from identity.evidence import Act, LinkId
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy
from identity.survivorship import Observation

PAGE = 20_000

# identifier_key (unique), in the order of keys
ALL_IDENTIFIERS = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after
WITH i ORDER BY i.key LIMIT $page
WITH i, [(i)-[:IDENTIFIES]->(p:Profile) | p.id] AS profiles
RETURN i.key AS key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic,
  CASE WHEN size(profiles) > 1 THEN 'several' ELSE head(profiles) END AS profile,
  i.first_seen AS first_seen, i.last_seen AS last_seen, i.uses AS uses, i.pending AS pending, i:Device AS device
ORDER BY key
"""

# identifier_key (unique), in the order of keys, then one expand per identifier
ALL_LINKS = f"""
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after AND i.key <= $until
MATCH (i)-[l:LINKED]->(:Identifier)
RETURN {LINK_ROW} AS link
"""

# identifier_key (unique), in the order of keys, then one expand per identifier
ALL_OBSERVATIONS = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after AND i.key <= $until
MATCH (i)<-[:OF]-(o:Observation)
WHERE o.trait IN $traits
RETURN i.key AS identifier, o.trait AS trait, o.value AS value, o.source AS source, o.at AS at, o.message AS message,
  o.sure AS sure, o.first_at AS first_at, o.first_message AS first_message, o.count AS count
"""

# a label scan: the manual acts are few
ALL_ACTS = f"""
MATCH (x:Act)
RETURN {ACT_ROW}
"""

# a label scan: every account that belongs to one
ALL_PARTS = """
MATCH (child:Account)-[p:PART_OF]->(parent:Account)
RETURN child.key AS child, parent.key AS parent, p.authority AS authority, p.first_seen AS first_seen,
  p.accepted AS accepted, p.reason AS reason
"""

# a label scan: the decisions about accounts are few
ALL_ACCOUNT_ACTS = f"""
MATCH (x:AccountAct)
RETURN {ACCOUNT_ACT_ROW}
"""

# a label scan: every account that goes by the name of another
ALL_MERGED = """
MATCH (gone:Account)-[:MERGED_INTO]->(kept:Account)
RETURN gone.key AS key, kept.key AS head
"""

# profile_id (unique), in the order of ids
ALL_PROFILES = """
MATCH (p:Profile)
USING INDEX SEEK p:Profile(id)
WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $page
RETURN p {.*} AS profile,
  [(p)<-[s:SHARED_BY]-(g:Identifier) | {key: g.key, first: s.first, last: s.last, spans: s.spans}] AS sharing
ORDER BY p.id
"""


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A statement that an account is part of another, and the verdict on it. accepted: None while nobody judged it."""

    statement: PartOf
    accepted: bool | None
    reason: str | None


@dataclass(slots=True)
class Stored:
    """Everything that is stored of who is who. moments: first and last sighting in µs. uses: of devices, JSON text.

    An identifier that hangs on more than one profile has the profile «several», which nobody's id is.
    merged: the account that a merged one goes by.
    """

    identifiers: dict[IdentifierKey, StoredIdentifier] = field(default_factory=dict)
    moments: dict[IdentifierKey, tuple[int, int]] = field(default_factory=dict)
    uses: dict[IdentifierKey, str] = field(default_factory=dict)
    devices: set[IdentifierKey] = field(default_factory=set)
    pending: set[IdentifierKey] = field(default_factory=set)
    links: dict[LinkId, StoredLink] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    parts: list[StoredPart] = field(default_factory=list)
    account_acts: list[AccountAct] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    observations: defaultdict[IdentifierKey, list[Observation]] = field(default_factory=lambda: defaultdict(list))
    profiles: dict[ProfileId, Row] = field(default_factory=dict)
    sharing: dict[tuple[IdentifierKey, ProfileId], Mapping[str, object]] = field(default_factory=dict)


async def stored_state(reader: Reader, policy: Policy) -> Stored:
    """All identifiers, links, acts, observations of named traits, profiles and sharing."""
    stored = Stored()
    after = ""
    async for page in _pages(reader, ALL_IDENTIFIERS, "key"):
        for row in page:
            _take_identifier(stored, row)
        bounds = {"after": after, "until": page[-1]["key"]}
        for row in await reader.rows(ALL_LINKS, **bounds):
            link = stored_link(row["link"])
            stored.links[link.link.id] = link
        for row in await reader.rows(ALL_OBSERVATIONS, **bounds, traits=sorted(policy.traits)):
            stored.observations[IdentifierKey(row["identifier"])].append(observation_from(row))
        after = page[-1]["key"]
    stored.acts = [act_from(row) for row in await reader.rows(ALL_ACTS)]
    stored.parts = [_part_from(row) for row in await reader.rows(ALL_PARTS)]
    stored.account_acts = [account_act_from(row) for row in await reader.rows(ALL_ACCOUNT_ACTS)]
    stored.merged = {row["key"]: row["head"] for row in await reader.rows(ALL_MERGED)}
    await _take_profiles(stored, reader)
    return stored


def _part_from(row: Row) -> StoredPart:
    statement = PartOf(row["child"], row["parent"], AUTHORITIES[row["authority"]], row["first_seen"])
    return StoredPart(statement, row["accepted"], row["reason"])


async def _pages(reader: Reader, statement: str, name: str) -> AsyncIterator[list[Row]]:
    after = ""
    while page := await reader.rows(statement, after=after, page=PAGE):
        yield page
        after = page[-1][name]


def _take_identifier(stored: Stored, row: Row) -> None:
    key = IdentifierKey(row["key"])
    stored.identifiers[key] = stored_identifier(row)
    stored.moments[key] = (row["first_seen"], row["last_seen"])
    if row["uses"] is not None:
        stored.uses[key] = row["uses"]
    if row["pending"]:
        stored.pending.add(key)
    if row["device"]:
        stored.devices.add(key)


async def _take_profiles(stored: Stored, reader: Reader) -> None:
    after = ""
    while page := await reader.rows(ALL_PROFILES, after=after, page=PAGE):
        for row in page:
            id_ = ProfileId(row["profile"]["id"])
            stored.profiles[id_] = row["profile"]
            for shared in row["sharing"]:
                stored.sharing[IdentifierKey(shared["key"]), id_] = shared
        after = page[-1]["profile"]["id"]
