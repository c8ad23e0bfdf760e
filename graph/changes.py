"""The log of changes to who is who, read: in the order of time, about one person, and whole for an export."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.connection import Reader, Statements
from graph.interactions import EARLIEST, LATEST, TimeOrder
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


def _in_order(order: TimeOrder) -> str:
    way = " DESC" if order is TimeOrder.NEWEST else ""
    return f"change.at{way}, change.id{way}"


def _behind(order: TimeOrder, given: str) -> str:
    """What is left of a window behind the last change shown; in its own moment only ids behind that."""
    edge, beyond = ("until", "<") if order is TimeOrder.NEWEST else ("since", ">")
    return f"CASE WHEN change.at = {given}{edge} THEN change.id {beyond} {given}last ELSE true END"


def _walk(order: TimeOrder) -> str:
    return f"""
MATCH (change:Change)
USING INDEX SEEK change:Change(at, id)
WHERE change.at >= $since AND change.at <= $until AND change.id IS NOT NULL
  AND {_behind(order, "$")}
WITH change
ORDER BY {_in_order(order)}
"""


def _page_of(order: TimeOrder) -> str:
    return f"""{_walk(order)}LIMIT $looked_at
WITH change
WHERE size($kinds) = 0 OR change.kind IN $kinds
WITH change
LIMIT $first
WITH change, {ALL_ARRIVED} AS numbers
RETURN {CHANGE_ROW} AS change
"""


def _stop_of(order: TimeOrder) -> str:
    """Where a page stopped that passed over as many as are looked at."""
    return f"""{_walk(order)}SKIP $looked_at - 1
LIMIT 1
RETURN change.at AS at, change.id AS id
"""


# change_at (at, id), in its order, backwards
CHANGES_PAGE = _page_of(TimeOrder.NEWEST)
# change_at (at, id), in its order, backwards
CHANGES_STOPPED = _stop_of(TimeOrder.NEWEST)
# change_at (at, id), in its order
CHANGES_PAGE_OLDEST = _page_of(TimeOrder.OLDEST)
# change_at (at, id), in its order
CHANGES_STOPPED_OLDEST = _stop_of(TimeOrder.OLDEST)
WHOLE_LOG = {
    TimeOrder.NEWEST: (CHANGES_PAGE, CHANGES_STOPPED),
    TimeOrder.OLDEST: (CHANGES_PAGE_OLDEST, CHANGES_STOPPED_OLDEST),
}


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in their order. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Change, ...]
    end: tuple[int, str] | None = None


async def changes_page(
    reader: Reader,
    wanted: ChangeFilter,
    after: tuple[int, str] | None,
    first: int,
    order: TimeOrder = TimeOrder.NEWEST,
) -> ChangePage:
    """A page of all changes, in an order by (at, id), at most `first`. One statement; two for a page that is short.

    Cost: the page; with kinds, the changes passed over until it is full, 10,000 at most.
    """
    page, stop = WHOLE_LOG[order]
    bounds = bounds_of(wanted, after, order)
    rows = await reader.rows(page, **bounds, first=first, most=MOST_MOVED, looked_at=LOOKED_AT)
    found = tuple(change_from(row["change"]) for row in rows)
    if len(found) == first or not wanted.kinds:
        return ChangePage(found)
    stopped = await reader.rows(stop, **bounds, looked_at=LOOKED_AT)
    return ChangePage(found, (stopped[0]["at"], stopped[0]["id"]) if stopped else None)


def _about(order: TimeOrder) -> str:
    """Everything that some identifiers were in: `change` and the `mints` of these, for each `asked`."""
    return f"""
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
    AND {_behind(order, "asked.")}
    AND (size(asked.kinds) = 0 OR change.kind IN asked.kinds)
"""


def _page_about(order: TimeOrder) -> str:
    return f"""{_about(order)}  WITH change, mints
  ORDER BY {_in_order(order)}
  LIMIT $first
  WITH change, mints, [n IN {ALL_ARRIVED} WHERE change.arrived[n] IN mints] AS numbers
  RETURN collect({OWN_CHANGE_ROW}) AS page
}}
RETURN asked.number AS number, page
"""


# identifier_key (unique), former_id_key and former_id_now (range), then one expand per identifier; change_at (at, id)
# for the arrival of each
CHANGES_ABOUT = _page_about(TimeOrder.NEWEST)

# as CHANGES_ABOUT
CHANGES_ABOUT_OLDEST = _page_about(TimeOrder.OLDEST)

# as CHANGES_ABOUT
COUNT_OF_CHANGES_ABOUT = f"""{_about(TimeOrder.NEWEST)}  WITH change
  LIMIT $first
  RETURN count(change) AS total
}}
RETURN asked.number AS number, total
"""


async def changes_about(
    reader: Reader,
    asks: Sequence[About],
    first: int,
    wanted: ChangeFilter = EVERY_CHANGE,
    order: TimeOrder = TimeOrder.NEWEST,
) -> dict[About, tuple[Change, ...]]:
    """A page of the changes that each set of identifiers was in, in their order; nothing found is an empty page.

    Those in which one of them moved, its arrival, and those of people whose anchor it is or was. Of an arrival, which
    many people can share, only their own part is shown. One statement. Cost: all changes about them.
    """
    asked = [
        {"number": number, "keys": list(ask.keys), **bounds_of(wanted, ask.after, order)}
        for number, ask in enumerate(asks)
    ]
    statement = CHANGES_ABOUT if order is TimeOrder.NEWEST else CHANGES_ABOUT_OLDEST
    rows = await reader.rows(statement, asked=asked, first=first, most=MOST_MOVED)
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


async def all_changes(reader: Reader, wanted: ChangeFilter = EVERY_CHANGE) -> AsyncIterator[Change]:
    """Every change in a window, oldest first, with all that moved; one statement per 1,000. Kinds are not looked at."""
    place, every = None, replace(wanted, kinds=())
    limits = {"first": EXPORTED_PER_PAGE, "looked_at": EXPORTED_PER_PAGE, "most": EVERYTHING_MOVED}
    while rows := await reader.rows(CHANGES_PAGE_OLDEST, **bounds_of(every, place, TimeOrder.OLDEST), **limits):
        for row in rows:
            change = change_from(row["change"])
            yield change
        place = change.at, change.id


def bounds_of(
    wanted: ChangeFilter, after: tuple[int, str] | None, order: TimeOrder = TimeOrder.NEWEST
) -> dict[str, object]:
    """What is left of a window behind the last change shown: from its moment on, and in it ids behind `last`."""
    since, until, kinds = wanted.since, wanted.until, list(wanted.kinds)
    if order is TimeOrder.OLDEST:
        since, last = max(after or (EARLIEST, ""), (since, ""))
        return {"since": since, "until": until, "last": last, "kinds": kinds}
    at, last = after or (LATEST, "")
    if until < at:
        at, last = until, "\U0010ffff"
    return {"since": since, "until": at, "last": last, "kinds": kinds}


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
