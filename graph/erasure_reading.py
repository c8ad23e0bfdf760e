"""What an erasure takes: the identifiers that go, their interactions, and where else their values stand.

Interactions that carried an erased identifier are known by their `persons`, by a device they were done on, or by an
alias; values that cannot be mistaken are looked for in the texts of everybody. Both are asked page by page in the order
of an index, outside of any transaction, so that a large graph blocks nobody.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph.connection import Reader, Transaction
from identity.erasure import HASHED, Scrub
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy

PAGE = 20_000


@dataclass(frozen=True, slots=True)
class Gone:
    """An identifier that goes. profile: where it belonged; interactions: how many have it as actor."""

    key: IdentifierKey
    mint: str
    profile: ProfileId | None
    generic: bool
    interactions: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """Records of others in which an erased value stands, by the label of their nodes and their own key."""

    found: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many records."""
        return sum(map(len, self.found.values()))


# identifier_key (unique) and identifier_sha256 (range), then an expand per profile, and one per identifier
GOES = """
CALL () {
  MATCH (asked:Identifier {key: $key})
  USING INDEX SEEK asked:Identifier(key)
  RETURN asked
  UNION
  MATCH (asked:ContactPoint {sha256: $sha256})
  USING INDEX SEEK asked:ContactPoint(sha256)
  RETURN asked
}
CALL (asked) {
  RETURN asked AS one
  UNION
  MATCH (asked)-[:IDENTIFIES]->(:Profile)<-[:IDENTIFIES]-(one:Identifier)
  WHERE $whole
  RETURN one
}
CALL (one) {
  RETURN one AS goes
  UNION
  MATCH (one)-[:LINKED {kind: 'derived'}]-(goes:Identifier)
  RETURN goes
}
WITH DISTINCT goes
OPTIONAL MATCH (goes)-[:IDENTIFIES]->(p:Profile)
RETURN goes.key AS key, goes.mint AS mint, p.id AS profile, goes.generic IS NOT NULL AS generic,
  coalesce(goes.interactions, 0) AS interactions
ORDER BY key
"""

# identifier_mint (unique)
GOES_OF_MINTS = """
UNWIND $mints AS mint
MATCH (goes:Identifier {mint: mint})
USING INDEX SEEK goes:Identifier(mint)
OPTIONAL MATCH (goes)-[:IDENTIFIES]->(p:Profile)
RETURN goes.key AS key, goes.mint AS mint, p.id AS profile, goes.generic IS NOT NULL AS generic,
  coalesce(goes.interactions, 0) AS interactions
ORDER BY key
"""

# interaction_actor_at (range; only where each of its properties is asked for)
OWN_INTERACTIONS = """
UNWIND $keys AS key
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(actor, at, id)
WHERE i.actor = key AND i.at IS NOT NULL AND i.id IS NOT NULL
RETURN i.id AS id
LIMIT $most
"""

# profile_id (unique), one expand per profile, then interaction_actor_at once per span
ATTRIBUTED_INTERACTIONS = """
UNWIND $profiles AS profile
MATCH (p:Profile {id: profile})<-[use:SHARED_BY]-(thing:Identifier)
USING INDEX SEEK p:Profile(id)
WITH thing, coalesce(use.spans, []) AS spans
UNWIND range(0, size(spans) / 2 - 1) AS number
WITH thing.key AS actor, spans[2 * number] AS low, spans[2 * number + 1] AS high
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(actor, at, id)
WHERE i.actor = actor AND low <= i.at <= high AND i.id IS NOT NULL
RETURN i.id AS id
LIMIT $most
"""

# identifier_key (unique), then one expand per identifier
PARTNERS = """
UNWIND $keys AS key
MATCH (gone:Identifier {key: key})-[:LINKED]-(other:Identifier)
USING INDEX SEEK gone:Identifier(key)
WHERE NOT other.key IN $keys
RETURN DISTINCT other.key AS key
"""

# profile_id (unique) and identifier_key (unique), then one expand each
SHARED_DEVICES_NEAR = """
CALL () {
  UNWIND $profiles AS profile
  MATCH (p:Profile {id: profile})<-[:SHARED_BY]-(device:Device)
  USING INDEX SEEK p:Profile(id)
  RETURN device
  UNION
  UNWIND $keys AS key
  MATCH (device:Identifier {key: key})
  USING INDEX SEEK device:Identifier(key)
  WHERE device:Device AND device.generic IS NOT NULL
  RETURN device
}
RETURN DISTINCT device.key AS key
"""

# interaction_actor_at (range) once per actor; identifier_key (unique), then one expand per device
CARRIED_NEAR = """
CALL () {
  UNWIND $actors AS actor
  MATCH (i:Interaction)
  USING INDEX SEEK i:Interaction(actor, at, id)
  WHERE i.actor = actor AND i.at IS NOT NULL AND i.id IS NOT NULL
    AND (any(person IN i.persons WHERE person IN $keys) OR i.previous IN $values)
  RETURN i.id AS id
  UNION
  UNWIND $keys AS key
  MATCH (device:Identifier {key: key})<-[:ON]-(i:Interaction)
  USING INDEX SEEK device:Identifier(key)
  WHERE i.actor IS NULL OR NOT i.actor IN $keys
  RETURN i.id AS id
}
RETURN DISTINCT id
"""


def _page(label: str, key: str, *texts: str, more: str = "false", unless: str = "false") -> str:
    """A page of nodes in the order of their keys: the last of them, and those in whose texts a value stands."""
    all_text = " + ' ' + ".join(text if "(" in text else f"coalesce(n.{text}, '')" for text in texts)
    return f"""
MATCH (n:{label})
USING INDEX SEEK n:{label}({key})
WHERE n.{key} > $after
WITH n ORDER BY n.{key} LIMIT $page
WITH n, toLower({all_text}) AS texts
RETURN max(n.{key}) AS last,
  collect(CASE
    WHEN {unless} THEN null
    WHEN {more} OR any(value IN $values WHERE texts CONTAINS value) THEN n.{key}
  END) AS found
"""


# interaction_id (unique), in its order
PAGE_OF_INTERACTIONS = _page(
    "Interaction",
    "id",
    *("id", "identifiers", "previous", "name", "channel", "traits", "properties", "context", "account"),
    "reduce(texts = '', each IN coalesce(n.warnings, []) | texts + ' ' + each)",
    more="any(person IN n.persons WHERE person IN $keys)",
    unless="n.actor IN $keys",
)

# observation_key (unique), in its order
PAGE_OF_OBSERVATIONS = _page("Observation", "key", "trait", "value", "message", "first_message")

# account_key (unique), in its order
PAGE_OF_ACCOUNTS = _page("Account", "key", "key", "stated", "traits", "name", "domain")

# order_key (unique), in its order
PAGE_OF_ORDERS = _page("Order", "key", "key", "facts", "message", "account")

# deal_key (unique), in its order
PAGE_OF_DEALS = _page("Deal", "key", "key", "facts", "message", "account")

# ticket_key (unique), in its order
PAGE_OF_TICKETS = _page("Ticket", "key", "key", "facts", "message", "account")

# campaign_key (unique), in its order
PAGE_OF_CAMPAIGNS = _page("Campaign", "key", "key", "facts", "message", "account")

# product_key (unique), in its order
PAGE_OF_PRODUCTS = _page("Product", "key", "key", "facts", "message", "account")

# act_id (unique), in its order
PAGE_OF_ACTS = _page("Act", "id", "note")

# account_act_id (unique), in its order
PAGE_OF_ACCOUNT_ACTS = _page("AccountAct", "id", "account", "into", "note")

# change_id (unique), in its order
PAGE_OF_CHANGES = _page(
    "Change", "id", "note", "reduce(texts = '', each IN coalesce(n.messages, []) | texts + ' ' + each)"
)

# feed_entry_id (unique), in its order
PAGE_OF_ENTRIES = _page("FeedEntry", "id", "reduce(texts = '', each IN coalesce(n.messages, []) | texts + ' ' + each)")

# dead_letter_id (unique), in its order
PAGE_OF_LETTERS = _page("DeadLetter", "id", "raw", "sentence", "place", "message_id")

# identifier_key (unique), in its order, with the links that begin at each and its memberships
PAGE_OF_IDENTIFIERS = _page(
    "Identifier",
    "key",
    "minted_by",
    "folded",
    "reduce(texts = '', each IN [(n)-[member:MEMBER_OF]->() | coalesce(member.role, '')] | texts + ' ' + each)",
    "reduce(texts = '', each IN [(n)-[link:LINKED]->() | link.message] | texts + ' ' + each)",
    unless="n.key IN $keys",
)

# segment_name (unique), in its order
PAGE_OF_SEGMENTS = _page("Segment", "name", "name", "definition")

# former_id (unique), in its order; values that are identifiers no more, known by messages that may tell one
PAGE_OF_FORMER_IDS = _page("FormerId", "id", "key", "message")

# run_id (unique), in its order
PAGE_OF_RUNS = _page(
    "Run", "id", "file", "mapping", "reduce(texts = '', each IN coalesce(n.columns, []) | texts + ' ' + each)"
)

# What may be named after somebody comes first: from then on it has one name, also for what comes in meanwhile.
PAGES = {
    "Account": PAGE_OF_ACCOUNTS,
    "AccountAct": PAGE_OF_ACCOUNT_ACTS,
    "Order": PAGE_OF_ORDERS,
    "Deal": PAGE_OF_DEALS,
    "Ticket": PAGE_OF_TICKETS,
    "Campaign": PAGE_OF_CAMPAIGNS,
    "Product": PAGE_OF_PRODUCTS,
    "Interaction": PAGE_OF_INTERACTIONS,
    "Observation": PAGE_OF_OBSERVATIONS,
    "Act": PAGE_OF_ACTS,
    "Change": PAGE_OF_CHANGES,
    "FeedEntry": PAGE_OF_ENTRIES,
    "DeadLetter": PAGE_OF_LETTERS,
    "Identifier": PAGE_OF_IDENTIFIERS,
    "Segment": PAGE_OF_SEGMENTS,
    "Run": PAGE_OF_RUNS,
    "FormerId": PAGE_OF_FORMER_IDS,
}


async def goes(
    reader: Reader | Transaction, key: IdentifierKey, mints: Sequence[str] | None, *, whole: bool
) -> tuple[Gone, ...]:
    """The identifiers that go, in the order of keys, with those that `derived` joins to them; none when unknown.

    A hash stands for the address that it is of, also where nobody has sent the hash. whole: all of its profile. mints:
    exactly these instead, those of them that are still there.
    """
    if mints is None:
        rows = await reader.rows(GOES, key=key, sha256=_hash_in(key), whole=whole)
    else:
        rows = await reader.rows(GOES_OF_MINTS, mints=list(mints))
    return tuple(
        Gone(
            IdentifierKey(row["key"]),
            row["mint"],
            ProfileId(row["profile"]) if row["profile"] else None,
            row["generic"],
            row["interactions"],
        )
        for row in rows
    )


def _hash_in(key: IdentifierKey) -> str | None:
    namespace, _, value = key.partition(":")
    return value if namespace == HASHED else None


async def interactions_going(
    reader: Reader | Transaction, keys: Sequence[IdentifierKey], profiles: Sequence[ProfileId], most: int
) -> list[str]:
    """At most so many interactions that go: first those attributed to the profiles on shared devices, then their own.

    That order lets an interrupted erasure go on: who used a device when is known while her own logins are there.
    """
    rows = await reader.rows(ATTRIBUTED_INTERACTIONS, profiles=list(profiles), most=most) if profiles else []
    found = list(dict.fromkeys(row["id"] for row in rows))
    if len(found) < most:
        rows = await reader.rows(OWN_INTERACTIONS, keys=list(keys), most=most)
        found = list(dict.fromkeys([*found, *(row["id"] for row in rows)]))
    return found[:most]


async def partners_of(tx: Transaction, keys: Sequence[IdentifierKey]) -> set[IdentifierKey]:
    """The identifiers that are linked to any of these."""
    return {IdentifierKey(row["key"]) for row in await tx.rows(PARTNERS, keys=list(keys))}


async def shared_devices_near(
    tx: Transaction, keys: Sequence[IdentifierKey], profiles: Sequence[ProfileId]
) -> set[IdentifierKey]:
    """The shared devices among identifiers, and those that profiles share."""
    rows = await tx.rows(SHARED_DEVICES_NEAR, keys=list(keys), profiles=list(profiles))
    return {IdentifierKey(row["key"]) for row in rows}


async def carried_near(tx: Transaction, keys: Sequence[IdentifierKey], partners: Sequence[IdentifierKey]) -> list[str]:
    """The interactions of partners that carried any of these identifiers. Cost: the interactions of the partners."""
    values = [key.partition(":")[2] for key in keys]
    return [row["id"] for row in await tx.rows(CARRIED_NEAR, keys=list(keys), actors=list(partners), values=values)]


async def mentions_of(reader: Reader, keys: Sequence[IdentifierKey], policy: Policy) -> Mentions:
    """The records of others, and all dead letters, in which values of these identifiers stand.

    Cost: every interaction and observation is looked at, by pages.
    """
    scrub = Scrub(frozenset(keys), policy)
    telling, written = _forms(scrub.telling()), _forms(scrub.written())
    found: dict[str, list[str]] = {}
    for label, statement in PAGES.items():
        values = written if label == "DeadLetter" else telling
        if values or label == "Interaction":
            found[label] = await _swept(reader, statement, values, list(keys))
    return Mentions({label: ids for label, ids in found.items() if ids})


def _forms(scrub: Scrub) -> list[str]:
    """The values in small letters, as they stand in a text, in JSON, and in JSON that is ASCII alone."""
    written = ((each, json.dumps(each, ensure_ascii=False)[1:-1], json.dumps(each)[1:-1]) for each in scrub.forms)
    return sorted({form.lower() for forms in written for form in forms})


async def _swept(reader: Reader, statement: str, values: list[str], keys: list[IdentifierKey]) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        row = (await reader.rows(statement, after=after, page=PAGE, values=values, keys=keys))[0]
        if row["last"] is None:
            return found
        found += row["found"]
        after = row["last"]
