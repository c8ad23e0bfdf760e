"""LINKED relationships as rows: read around identifiers, created, changed, judged."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from graph.connection import Row, Statements, Transaction
from identity.evidence import Kind, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.messages import Authority, MessageId, SourceName

HASHED = frozenset({"email", "email_sha256"})
KINDS = {kind.word: kind for kind in Kind}
AUTHORITIES = {authority.word: authority for authority in Authority}


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link as the graph holds it. element: the database's own id, good for one transaction; steps: JSON text."""

    link: Link
    element: str
    verdict: Reason | None
    judged: bool
    steps: str


# The order of the fields of _LinkRow: lists cost the driver less than maps with fifteen keys each.
LINK_ROW = """[
    startNode(l).key, endNode(l).key, l.kind, l.authority, l.source, l.first_seen, l.sure, l.last_seen, l.count,
    l.message, l.previous, l.accepted, l.reason, l.steps, elementId(l)
  ]"""

# identifier_key (unique), then the relationships between two known nodes
LINKS_BETWEEN = f"""
UNWIND $pairs AS pair
MATCH (a:Identifier {{key: pair[0]}})
USING INDEX SEEK a:Identifier(key)
MATCH (b:Identifier {{key: pair[1]}})
USING INDEX SEEK b:Identifier(key)
MATCH (a)-[l:LINKED]->(b)
RETURN {LINK_ROW} AS link
"""

# identifier_key (unique), then one expand per identifier
# `all` is false for contacts, which only values of unique namespaces can turn
DIRECT_LINKS = f"""
UNWIND $asked AS asked
MATCH (i:Identifier {{key: asked.key}})-[l:LINKED]-(other:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE asked.all OR other.namespace IN $unique
RETURN {LINK_ROW} AS link, other.key AS other
"""

# identifier_key (unique), then one expand per identifier
DERIVED_LINKS = f"""
UNWIND $keys AS key
MATCH (i:Identifier {{key: key}})-[l:LINKED {{kind: 'derived'}}]-()
USING INDEX SEEK i:Identifier(key)
RETURN {LINK_ROW} AS link
"""

# identifier_key (unique), then one expand per identifier
ALIASES_BETWEEN_VALUES = f"""
UNWIND $keys AS key
MATCH (i:Identifier {{key: key}})-[l:LINKED {{kind: 'alias'}}]-(other:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE other.namespace = i.namespace
RETURN {LINK_ROW} AS link
"""

# identifier_key (unique), then one expand per identifier; refusals by an identifier that did not turn are not followed,
# nor those for want of authority: only more authority of the link itself, a change of its own, can turn them
LINKS_AROUND = f"""
UNWIND $keys AS key
MATCH (i:Identifier {{key: key}})-[l:LINKED]-(other:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE l.reason IS NULL OR NOT l.reason IN ['generic', 'unverified']
  OR l.reason = 'generic' AND (key IN $turned OR other.key IN $turned)
MATCH (other)-[:IDENTIFIES]->(p:Profile)
RETURN {LINK_ROW} AS link, other.key AS other, p.id AS profile
"""

# identifier_key (unique), then one expand per identifier
WAITING_LINKS = f"""
UNWIND $keys AS key
MATCH (i:Identifier {{key: key}})-[l:LINKED]-(other:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE l.accepted IS NULL OR l.reason = 'unverified'
MATCH (other)-[:IDENTIFIES]->(p:Profile)
RETURN {LINK_ROW} AS link, other.key AS other, p.id AS profile
"""

# the element id of a relationship read in this transaction
CHANGE_LINKS = """
UNWIND $changed AS row
MATCH ()-[l:LINKED]->()
WHERE elementId(l) = row.element
SET l += row.facts
"""

# identifier_key (unique), both ends; the element id of a relationship read in this transaction
WRITE_LINKS = f"""
CALL () {{
  UNWIND $new AS row
  MATCH (a:Identifier {{key: row.a}})
  USING INDEX SEEK a:Identifier(key)
  MATCH (b:Identifier {{key: row.b}})
  USING INDEX SEEK b:Identifier(key)
  CREATE (a)-[l:LINKED]->(b)
  SET l = row.facts
}}
CALL () {{{CHANGE_LINKS}}}
"""

# the element id of a relationship read in this transaction
DELETE_LINKS = """
UNWIND $elements AS element
MATCH ()-[l:LINKED]->()
WHERE elementId(l) = element
DELETE l
"""


def stored_link(row: Sequence[object]) -> StoredLink:
    """A row of LINK_ROW as a value."""
    fields = msgspec.convert(row, _LinkRow)
    link = Link(
        a=IdentifierKey(fields.a),
        b=IdentifierKey(fields.b),
        kind=KINDS[fields.kind],
        authority=AUTHORITIES[fields.authority],
        first_seen=fields.first_seen,
        sure=fields.sure,
        last_seen=fields.last_seen,
        count=fields.count,
        source=SourceName(fields.source),
        message=MessageId(fields.message),
        previous=fields.previous,
    )
    verdict = Reason(fields.reason) if fields.reason else None
    return StoredLink(link, fields.element, verdict, fields.accepted is not None, fields.steps)


class _LinkRow(msgspec.Struct, array_like=True):
    a: str
    b: str
    kind: str
    authority: str
    source: str
    first_seen: int
    sure: bool
    last_seen: int
    count: int
    message: str
    previous: str | None
    accepted: bool | None
    reason: str | None
    steps: str
    element: str


def facts_of(link: Link, steps: str) -> dict[str, object]:
    """The evidence of a link as properties."""
    return {
        "kind": link.kind.word,
        "authority": link.authority.word,
        "source": link.source,
        "first_seen": link.first_seen,
        "sure": link.sure,
        "last_seen": link.last_seen,
        "count": link.count,
        "message": link.message,
        "previous": link.previous,
        "steps": steps,
    }


def verdict_facts(reason: Reason | None) -> dict[str, object]:
    """The verdict on a link as properties."""
    return {"accepted": reason is None, "reason": reason.value if reason else None}


def with_step(steps: str, link: Link, now: int) -> str:
    """The steps of a link and one more: [recorded_at, first_seen, sure, authority], as JSON text.

    A step is recorded after the one before, whatever the clocks of two machines say.
    """
    known = msgspec.json.decode(steps) if steps else []
    at = max(now, known[-1][0] + 1) if known else now
    return msgspec.json.encode([*known, [at, link.first_seen, link.sure, link.authority.word]]).decode()


def new_row(link: Link, verdict: dict[str, object], now: int) -> dict[str, object]:
    """The row that creates a link. verdict: its facts, empty while nobody has judged it."""
    facts = {**facts_of(link, with_step("", link, now)), **verdict, "recorded_at": now}
    return {"a": link.a, "b": link.b, "facts": facts}


async def links_between(tx: Statements, pairs: Iterable[tuple[str, str]]) -> dict[LinkId, StoredLink]:
    """The links between pairs of keys (smaller first), of all kinds."""
    return _by_id(await tx.rows(LINKS_BETWEEN, pairs=[list(pair) for pair in pairs]))


async def direct_links(
    tx: Transaction, keys: Sequence[IdentifierKey], unlimited: frozenset[IdentifierKey], unique: frozenset[str]
) -> tuple[dict[LinkId, StoredLink], set[IdentifierKey]]:
    """All links of these identifiers and their partners; of the unlimited ones only those to unique namespaces."""
    if not keys:
        return {}, set()
    asked = [{"key": key, "all": key not in unlimited} for key in keys]
    rows = await tx.rows(DIRECT_LINKS, asked=asked, unique=sorted(unique))
    return _by_id(rows), {IdentifierKey(row["other"]) for row in rows}


async def derived_links(tx: Transaction, keys: Iterable[IdentifierKey]) -> dict[LinkId, StoredLink]:
    """The links between addresses and hashes of which one end is among the keys."""
    hashed = sorted(key for key in keys if namespace_of(key) in HASHED)
    return _by_id(await tx.rows(DERIVED_LINKS, keys=hashed)) if hashed else {}


async def aliases_between_values(
    tx: Statements, keys: Iterable[IdentifierKey], namespaces: Container[str]
) -> dict[LinkId, Link]:
    """The aliases between two values of one of the namespaces, of which one is among the keys."""
    asked = sorted(key for key in keys if namespace_of(key) in namespaces)
    rows = await tx.rows(ALIASES_BETWEEN_VALUES, keys=asked) if asked else []
    return {id_: each.link for id_, each in _by_id(rows).items()}


async def links_around(
    tx: Transaction, keys: Iterable[IdentifierKey], turned: Iterable[IdentifierKey]
) -> tuple[dict[LinkId, StoredLink], dict[IdentifierKey, ProfileId]]:
    """The links of these identifiers that stitching looks at, and the profiles of the ends met."""
    rows = await tx.rows(LINKS_AROUND, keys=sorted(keys), turned=sorted(turned))
    return _by_id(rows), {IdentifierKey(row["other"]): ProfileId(row["profile"]) for row in rows}


async def waiting_links(
    tx: Transaction, keys: Iterable[IdentifierKey]
) -> tuple[dict[LinkId, StoredLink], dict[IdentifierKey, ProfileId]]:
    """The links of these identifiers that were made or strengthened while their region waited, and the profiles met.

    They are told by having no verdict, or by one for want of authority, which they may have gained meanwhile.
    Cost: a look at every link of theirs, so it is for the background.
    """
    rows = await tx.rows(WAITING_LINKS, keys=sorted(keys))
    return _by_id(rows), {IdentifierKey(row["other"]): ProfileId(row["profile"]) for row in rows}


def _by_id(rows: Iterable[Row]) -> dict[LinkId, StoredLink]:
    found = (stored_link(row["link"]) for row in rows)
    return {each.link.id: each for each in found}
