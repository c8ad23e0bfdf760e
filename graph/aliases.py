"""Aliases: what a raw previousId means follows from which user ids are known, whichever came first.

It means user_id:X where some message carried X as a user id, else anonymous_id:X. So the link of an alias moves to
user_id:X when that first appears; an anonymous identifier known by the alias alone was X all along, so the user id
takes over its mint and it is gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from graph.connection import Row, Transaction
from graph.found_by import say_mint
from graph.handing_on import hand_on
from graph.links import DELETE_LINKS, LINK_ROW, stored_link
from graph.regions import Change, stored_identifier
from graph.segments import tell_gone
from identity.evidence import AliasSaid, Heard, Link, resolved
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.stitching import Known

# identifier_key (unique), then one expand per user id; the write is a lock
ALIASES_OF_PREVIOUS = f"""
UNWIND $values AS value
MATCH (i:Identifier {{key: 'anonymous_id:' + value}})
USING INDEX SEEK i:Identifier(key)
SET i.touched = $now
WITH value, i
MATCH (i)-[l:LINKED {{kind: 'alias'}}]-(:Identifier)
WHERE l.previous = value
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN value, i.key AS key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic, i.sighted AS sighted,
  p.id AS profile, collect({LINK_ROW}) AS links
"""

# identifier_key (unique), then one expand per identifier; what was set by hand has gone over to the user id
REMOVE_UNSEEN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
OPTIONAL MATCH (i)<-[:OF|WAS_OF]-(o:Observation)
DETACH DELETE i, o
"""

# identifier_key (unique), then what says its mint; what was known as a previousId was known before the message that
# carries it now
TAKE_OVER = f"""
UNWIND $rows AS row
MATCH (i:Identifier {{key: row.key}})
USING INDEX SEEK i:Identifier(key)
SET i.mint = row.mint, i.minted_at = row.minted_at, i.minted_by = null
{say_mint}
"""

# identifier_key (unique); seeking it in a statement that writes locks its place in the index even where nobody has it:
# who makes that user id at the same time waits for this alias, or this alias for them
USERS_KNOWN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
SET i.touched = $now
RETURN key
"""

# identifier_key (unique), in the order of keys
KEEP_PREVIOUS = """
UNWIND $rows AS row
MERGE (i:Identifier {key: row.key})
ON CREATE SET
  i:Device,
  i.namespace = 'anonymous_id', i.value = row.value, i.mint = row.mint, i.minted_at = row.minted_at,
  i.first_seen = row.first_seen, i.last_seen = row.last_seen, i.interactions = 0, i.sighted = false
ON MATCH SET
  i.first_seen = CASE WHEN NOT i.sighted AND row.first_seen < i.first_seen THEN row.first_seen ELSE i.first_seen END,
  i.last_seen = CASE WHEN NOT i.sighted AND row.last_seen > i.last_seen THEN row.last_seen ELSE i.last_seen END
WITH i
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN i.key AS key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic, p.id AS profile
"""


async def moved_aliases(tx: Transaction, change: Change, now: int) -> list[Link]:
    """The links of earlier aliases that mean a user id which is new now; their old form is taken away. now: µs."""
    values = sorted(key.partition(":")[2] for key in change.new if namespace_of(key) == "user_id")
    rows = await tx.rows(ALIASES_OF_PREVIOUS, values=values, now=now) if values else []
    moved = [link for row in rows for link in _moved(row, change)]
    if rows:
        elements = [stored_link(each).element for row in rows for each in row["links"]]
        await tx.rows(DELETE_LINKS, elements=elements)
        await _remove_unseen(tx, [row for row in rows if not row["sighted"]], change, now)
    return moved


def _moved(row: Row, change: Change) -> list[Link]:
    user, old = IdentifierKey(f"user_id:{row['value']}"), IdentifierKey(row["key"])
    change.additive = False
    change.ends.add(old)
    change.stored[old] = stored_identifier(row)
    links = []
    for each in row["links"]:
        link = stored_link(each).link
        other = link.other(old)
        change.ends.add(other)
        a, b = (user, other) if user <= other else (other, user)
        links += [replace(link, a=a, b=b)] if a != b else []
    return links


async def _remove_unseen(tx: Transaction, rows: Sequence[Row], change: Change, now: int) -> None:
    if not rows:
        return
    taken = [
        {"key": f"user_id:{row['value']}", "old": row["key"], "mint": row["mint"], "minted_at": row["minted_at"]}
        for row in rows
    ]
    heirs = {IdentifierKey(row["old"]): IdentifierKey(row["key"]) for row in taken}
    await hand_on(tx, heirs, [*heirs])
    await tell_gone(tx, heirs, now)
    await tx.rows(REMOVE_UNSEEN, keys=[row["key"] for row in rows])
    await tx.rows(TAKE_OVER, rows=taken)
    for row in rows:
        gone, user = IdentifierKey(row["key"]), IdentifierKey(f"user_id:{row['value']}")
        change.ends.discard(gone)
        change.stored.pop(gone, None)
        change.new[user] = Known(user, row["mint"], row["minted_at"])
        if row["profile"]:
            change.emptied.add(ProfileId(row["profile"]))
            change.inherited[user] = ProfileId(row["profile"])


async def said_aliases(
    tx: Transaction, heard: Sequence[Heard], change: Change, mint: Callable[[], str], now: int
) -> list[Link]:
    """The links that the batch's own aliases give; an unknown previousId becomes an anonymous id. now: µs."""
    aliases = [alias for each in heard for alias in each.aliases]
    if not aliases:
        return []
    users = await _known_users(tx, aliases, change, now)
    links = [link for alias in aliases if (link := resolved(alias, users)) is not None]
    meant = [(link, IdentifierKey(f"anonymous_id:{link.previous}")) for link in links]
    moments: dict[IdentifierKey, list[int]] = {}
    for link, key in meant:
        if key in (link.a, link.b) and key not in change.locked and key not in change.new:
            moments.setdefault(key, []).extend((link.first_seen, link.last_seen))
    rows = [_previous_row(key, found, mint(), now) for key, found in sorted(moments.items())]
    await _keep_previous(tx, rows, change)
    return links


def _previous_row(key: IdentifierKey, moments: Sequence[int], mint: str, now: int) -> dict[str, object]:
    return {
        "key": key,
        "value": key.partition(":")[2],
        "mint": mint,
        "minted_at": now,
        "first_seen": min(moments),
        "last_seen": max(moments),
    }


async def _keep_previous(tx: Transaction, rows: list[dict[str, object]], change: Change) -> None:
    minted = {row["key"]: row["mint"] for row in rows}
    for row in await tx.rows(KEEP_PREVIOUS, rows=rows) if rows else []:
        found = stored_identifier(row)
        change.locked.add(found.known.key)
        if found.known.mint == minted[found.known.key]:
            change.new[found.known.key] = found.known
            change.ends.add(found.known.key)
        else:
            change.stored[found.known.key] = found


async def _known_users(tx: Transaction, aliases: Sequence[AliasSaid], change: Change, now: int) -> set[IdentifierKey]:
    wanted = {IdentifierKey(f"user_id:{alias.previous}") for alias in aliases}
    here = {key for key in wanted if key in change.new or key in change.stored}
    rows = await tx.rows(USERS_KNOWN, keys=sorted(wanted - here), now=now) if wanted - here else []
    return here | {IdentifierKey(row["key"]) for row in rows}
