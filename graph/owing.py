"""Webhooks out: what happened becomes what is owed, in the transaction that moves on the reader's place in the feed.

It is written under ids that follow from the entry: however a process ends, each is owed once, and told under one id. A
delivery names ids, never a value.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import orjson

from graph.changes import changes_by_id
from graph.connection import Connection, Transaction
from graph.endpoints import POSITION, Endpoint, Topic, endpoints
from graph.feed import Entry, entries_after, keep_position, locked_position, profiles_touched
from insight.changes import Change

PROFILES_AT_ONCE = 100
OWED_AT_ONCE = (
    5_000  # in a transaction, and what one entry more gives: where thousands move, each endpoint is owed dozens
)

# feed_position_name and feed_sequence_name (unique)
BEHIND = """
MATCH (position:FeedPosition {name: $name})
USING INDEX SEEK position:FeedPosition(name)
MATCH (sequence:FeedSequence {name: 'feed'})
USING INDEX SEEK sequence:FeedSequence(name)
WHERE position.seq < sequence.last
RETURN true AS behind
"""

# webhook_delivery_id (unique)
OWE = """
UNWIND $rows AS row
MERGE (owed:WebhookDelivery {id: row.id})
ON CREATE SET owed += row
"""


async def owe(connection: Connection) -> int:
    """Turn some of what happened since into what is owed; how many entries. Processes may do it side by side.

    One reading statement where nothing happened, or nobody is told. Raises DatabaseAwayError.
    """
    if not await connection.reader.rows(BEHIND, name=POSITION):
        return 0
    return await connection.writer.write(_owe)


async def _owe(tx: Transaction) -> int:
    position = await locked_position(tx, POSITION)
    entries = await entries_after(tx, position)
    if not entries:
        return 0
    told = await endpoints(tx)
    wanted = frozenset(topic for each in told for topic in each.topics)
    rows: list[dict[str, object]] = []
    done = 0
    while done < len(entries) and len(rows) < OWED_AT_ONCE:
        entry = entries[done]
        for place, (type_, data) in enumerate(await _events(tx, entry, wanted)):
            rows += [_owed(each, entry, place, type_, data) for each in told if type_ in each.topics]
        done += 1
    await tx.rows(OWE, rows=rows)
    await keep_position(tx, POSITION, entries[done - 1].seq)
    return done


def _owed(endpoint: Endpoint, entry: Entry, place: int, type_: str, data: Mapping[str, object]) -> dict[str, object]:
    id_ = hashlib.sha256(f"{endpoint.id}\0{entry.seq}\0{type_}\0{place}".encode()).hexdigest()[:32]
    body = {"type": type_, "data": {**data, "sequence": f"{entry.seq}"}}
    return {
        "id": f"msg_{id_}",
        "endpoint": endpoint.id,
        "seq": entry.seq,
        "type": type_,
        "body": orjson.dumps(body).decode(),
        "at": entry.at,
        "tries": 0,
        "due_at": entry.at,
    }


# interaction_id and identifier_key (unique), then one expand per actor
PROFILES_ACTING = """
UNWIND $ids AS id
MATCH (interaction:Interaction {id: id})
USING INDEX SEEK interaction:Interaction(id)
MATCH (actor:Identifier {key: interaction.actor})-[:IDENTIFIES]->(profile:Profile)
USING INDEX SEEK actor:Identifier(key)
RETURN DISTINCT profile.id AS id
"""


async def _events(tx: Transaction, entry: Entry, wanted: frozenset[str]) -> Sequence[tuple[str, Mapping[str, object]]]:
    """What of an entry is told, in a fixed order: ids alone."""
    events: list[tuple[str, Mapping[str, object]]] = []
    if Topic.PROFILE_CHANGED in wanted and entry.touched:
        events += [
            (Topic.PROFILE_CHANGED, {"profiles": some}) for some in _parts(await profiles_touched(tx, entry.touched))
        ]
    if Topic.INTERACTION_ADDED in wanted and entry.messages:
        rows = await tx.rows(PROFILES_ACTING, ids=list(entry.messages))
        events += [(Topic.INTERACTION_ADDED, {"profiles": some}) for some in _parts(row["id"] for row in rows)]
    if entry.changes and wanted & {Topic.PROFILE_MERGED, Topic.PROFILE_SPLIT, Topic.IDENTITY_CHANGED}:
        found = await changes_by_id(tx, entry.changes)
        for change in (found[id_] for id_ in entry.changes if id_ in found):
            events += [(topic, _change(change)) for topic in _topics(change) if topic in wanted]
    if Topic.LOAD_PROGRESSED in wanted:
        events += [(Topic.LOAD_PROGRESSED, {"run": run}) for run in dict.fromkeys(entry.runs)]
    for topic, who in ((Topic.SEGMENT_ENTERED, entry.entered), (Topic.SEGMENT_LEFT, entry.left)):
        if topic in wanted:
            events += [(topic, {"segment": entry.segment, "profiles": some}) for some in _parts(who)]
    if Topic.SEGMENT_REMOVED in wanted and entry.removed:
        events.append((Topic.SEGMENT_REMOVED, {"segment": entry.segment}))
    return events


def _parts(found: Iterable[str]) -> list[list[str]]:
    ids = sorted(found)
    return [ids[start : start + PROFILES_AT_ONCE] for start in range(0, len(ids), PROFILES_AT_ONCE)]


def _topics(change: Change) -> list[str]:
    return [f"profile.{change.kind.value}", Topic.IDENTITY_CHANGED]


def _change(change: Change) -> Mapping[str, object]:
    return {
        "change": change.id,
        "kind": change.kind.value,
        "cause": change.cause.value,
        "before": list(change.before),
        "after": list(change.after),
        "retired": list(change.retired),
    }
