"""The log of changes to who is who, read: in the order of time, about one person, and whole for an export."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from graph.connection import Reader, Statements
from graph.interactions import EARLIEST, LATEST
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId
from insight.changes import CauseKind, Change, ChangeKind, Moved

MOST_MOVED = 100
LOOKED_AT = 10_000
EXPORTED_PER_PAGE = 1_000
EVERYTHING_MOVED = 2**31 - 1
# Identifiers of a batch are minted a microsecond apart from the moment of the batch, in which they are logged.
MINTED_WITHIN = 100_000


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes are shown: of any of the kinds (none: all), at or after `since`, at or before `until` (µs)."""

    kinds: tuple[str, ...] = ()
    since: int = EARLIEST
    until: int = LATEST


EVERY_CHANGE = ChangeFilter()


@dataclass(frozen=True, slots=True)
class About:
    """One page of the changes about some identifiers: what comes after a change already shown, by its at and id."""

    keys: tuple[IdentifierKey, ...]
    after: tuple[int, str] | None = None


def _change_row(own: str) -> str:
    """The order of the fields of Change. own: which moved identifiers are shown; numbers: which that arrived are."""
    return f"""[
    change.id, change.at, change.kind, change.cause, change.by, change.decision, change.note, change.reason,
    change.before, change.after, change.retired, change.messages,
    CASE WHEN change.arrived IS NULL
      THEN COLLECT {{
        MATCH (change)-[moved:MOVED]->(i:Identifier|FormerId)
        WHERE {own}
        RETURN [i.mint, moved.left, moved.joined] ORDER BY i.mint LIMIT $most
      }}
      ELSE [n IN numbers | [change.arrived[n], null, change.joined[n]]][..$most]
    END,
    COLLECT {{ MATCH (change)-[:CONCERNS]->(i:Identifier|FormerId) RETURN DISTINCT i.mint ORDER BY i.mint }},
    change.acts,
    coalesce(change.count, size(change.mints), CASE WHEN change.arrived IS NULL
      THEN COUNT {{ MATCH (change)-[moved:MOVED]->(i:Identifier|FormerId) WHERE {own} }} ELSE size(numbers) END)
  ]"""


CHANGE_ROW = _change_row("true")
# What comes and goes with a policy is of many people: of one only what is hers.
OWN_CHANGE_ROW = _change_row(
    "NOT change.kind IN ['arrived', 'withdrawn'] OR i.mint IN mints OR moved.left IN mints OR moved.joined IN mints"
)
ALL_ARRIVED = "range(0, size(coalesce(change.arrived, [])) - 1)"

_newest_first = """
MATCH (change:Change)
USING INDEX SEEK change:Change(at, id)
WHERE change.at >= $since AND change.at <= $until AND change.id IS NOT NULL
  AND CASE WHEN change.at = $until THEN change.id < $before ELSE true END
WITH change
ORDER BY change.at DESC, change.id DESC
"""

# change_at (at, id), in its order, backwards
CHANGES_PAGE = f"""{_newest_first}LIMIT $looked_at
WITH change
WHERE size($kinds) = 0 OR change.kind IN $kinds
WITH change
LIMIT $first
WITH change, {ALL_ARRIVED} AS numbers
RETURN {CHANGE_ROW} AS change
"""

# as CHANGES_PAGE: where a page stopped that passed over as many as are looked at
CHANGES_STOPPED = f"""{_newest_first}SKIP $looked_at - 1
LIMIT 1
RETURN change.at AS at, change.id AS id
"""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, newest first. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Change, ...]
    end: tuple[int, str] | None = None


async def changes_page(reader: Reader, wanted: ChangeFilter, after: tuple[int, str] | None, first: int) -> ChangePage:
    """A page of all changes, newest first by (at, id), at most `first`. One statement; two for a page that is short.

    Cost: the page; with kinds, the changes passed over until it is full, 10,000 at most.
    """
    bounds = bounds_of(wanted, after)
    rows = await reader.rows(CHANGES_PAGE, **bounds, first=first, most=MOST_MOVED, looked_at=LOOKED_AT)
    found = tuple(change_from(row["change"]) for row in rows)
    if len(found) == first or not wanted.kinds:
        return ChangePage(found)
    stopped = await reader.rows(CHANGES_STOPPED, **bounds, looked_at=LOOKED_AT)
    return ChangePage(found, (stopped[0]["at"], stopped[0]["id"]) if stopped else None)


# Everything that some identifiers were in: `change` and the `mints` of these, for each `asked`.
_about = f"""
UNWIND $asked AS asked
CALL (asked) {{
  CALL (asked) {{
    UNWIND asked.keys AS key
    MATCH (own:Identifier {{key: key}})
    USING INDEX SEEK own:Identifier(key)
    RETURN own
    UNION
    UNWIND asked.keys AS key
    MATCH (own:FormerId {{key: key}})
    USING INDEX SEEK own:FormerId(key)
    RETURN own
    UNION
    UNWIND asked.keys AS key
    MATCH (now:Identifier {{key: key}})
    USING INDEX SEEK now:Identifier(key)
    MATCH (own:FormerId {{now: now.mint}})
    USING INDEX SEEK own:FormerId(now)
    RETURN own
  }}
  WITH asked, collect(own) AS all, collect(own.mint) AS mints
  CALL (all) {{
    UNWIND all AS i
    MATCH (i)<-[:MOVED|CONCERNS]-(change:Change)
    RETURN change
    UNION
    UNWIND all AS i
    MATCH (change:Change)
    USING INDEX SEEK change:Change(at, id)
    WHERE i.minted_at - {MINTED_WITHIN} <= change.at <= i.minted_at AND change.id IS NOT NULL
      AND change.kind = 'arrived' AND i.mint IN change.arrived
    RETURN change
  }}
  WITH asked, mints, change
  WHERE asked.since <= change.at <= asked.until
    AND CASE WHEN change.at = asked.until THEN change.id < asked.before ELSE true END
    AND (size(asked.kinds) = 0 OR change.kind IN asked.kinds)
"""

# identifier_key (unique), former_id_key and former_id_now (range), then one expand per identifier; change_at (at, id)
# for the arrival of each
CHANGES_ABOUT = f"""{_about}  WITH change, mints
  ORDER BY change.at DESC, change.id DESC
  LIMIT $first
  WITH change, mints, [n IN {ALL_ARRIVED} WHERE change.arrived[n] IN mints] AS numbers
  RETURN collect({OWN_CHANGE_ROW}) AS page
}}
RETURN asked.number AS number, page
"""

# as CHANGES_ABOUT
COUNT_OF_CHANGES_ABOUT = f"""{_about}  WITH change
  LIMIT $first
  RETURN count(change) AS total
}}
RETURN asked.number AS number, total
"""


async def changes_about(
    reader: Reader, asks: Sequence[About], first: int, wanted: ChangeFilter = EVERY_CHANGE
) -> dict[About, tuple[Change, ...]]:
    """A page of the changes that each set of identifiers was in, newest first; nothing found is an empty page.

    Those in which one of them moved, its arrival, and those of people whose anchor it is or was. Of an arrival, which
    many people can share, only their own part is shown. One statement. Cost: all changes about them.
    """
    asked = [
        {"number": number, "keys": list(ask.keys), **bounds_of(wanted, ask.after)} for number, ask in enumerate(asks)
    ]
    rows = await reader.rows(CHANGES_ABOUT, asked=asked, first=first, most=MOST_MOVED)
    return {asks[row["number"]]: tuple(map(change_from, row["page"])) for row in rows}


# change_id (unique)
CHANGES_BY_ID = f"""
UNWIND $ids AS id
MATCH (change:Change {{id: id}})
USING INDEX SEEK change:Change(id)
WITH change, {ALL_ARRIVED} AS numbers
RETURN {CHANGE_ROW} AS change
"""


async def changes_by_id(reader: Statements, ids: Sequence[str]) -> dict[str, Change]:
    """The change of each id; an unknown one has no entry. One statement."""
    rows = await reader.rows(CHANGES_BY_ID, ids=list(ids), most=MOST_MOVED)
    return {each.id: each for each in (change_from(row["change"]) for row in rows)}


# change_at (at, id), in its order
CHANGES_IN_ORDER = f"""
MATCH (change:Change)
USING INDEX SEEK change:Change(at, id)
WHERE change.at >= $since AND change.at <= $until AND change.id IS NOT NULL
  AND CASE WHEN change.at = $since THEN change.id > $after ELSE true END
WITH change
ORDER BY change.at, change.id
LIMIT $first
WITH change, {ALL_ARRIVED} AS numbers
RETURN {CHANGE_ROW} AS change
"""


async def all_changes(reader: Reader, wanted: ChangeFilter = EVERY_CHANGE) -> AsyncIterator[Change]:
    """Every change in a window, oldest first, with all that moved; one statement per 1,000. Kinds are not looked at."""
    since, after = wanted.since, ""
    while rows := await reader.rows(
        CHANGES_IN_ORDER,
        since=since,
        until=wanted.until,
        after=after,
        first=EXPORTED_PER_PAGE,
        most=EVERYTHING_MOVED,
    ):
        for row in rows:
            change = change_from(row["change"])
            yield change
        since, after = change.at, change.id


def bounds_of(wanted: ChangeFilter, after: tuple[int, str] | None) -> dict[str, object]:
    """What is left of a window after the last change shown: up to its moment, and there only smaller ids."""
    at, last = after or (LATEST, "")
    if wanted.until < at:
        at, last = wanted.until, "\U0010ffff"
    return {"since": wanted.since, "until": at, "before": last, "kinds": list(wanted.kinds)}


def change_from(row: Sequence[Any]) -> Change:
    """The change in a CHANGE_ROW."""
    id_, at, kind, cause, by, decision, note, reason, *lists, acts, count = row
    before, after, retired, messages, moved, about = (each or () for each in lists)
    return Change(
        id=id_,
        at=at,
        kind=ChangeKind(kind),
        cause=CauseKind(cause),
        by=by or "",
        decision=decision,
        note=note,
        reason=reason,
        before=tuple(map(ProfileId, before)),
        after=tuple(map(ProfileId, after)),
        retired=tuple(map(ProfileId, retired)),
        messages=tuple(map(MessageId, messages)),
        moved=tuple(Moved(mint, left, joined) for mint, left, joined in moved),
        about=tuple(about),
        acts=tuple(acts or ()),
        count=count,
    )
