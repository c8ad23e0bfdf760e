"""Interactions: the timeline of a profile, newest or oldest first, cut into pages that cost their own length.

Whose interactions: those whose actor is an identifier of the profile, and for each device and contact point it shares
those of it inside the spans of SHARED_BY; its own profile has what is outside all spans. So a profile is a list of
ranges, pairs of an actor and a stretch of time, each answered by a seek in the index (actor, at, id) that stops after
a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from graph.connection import Reader, Row
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId

EARLIEST, LATEST = -(2**62), 2**62


class Interaction(msgspec.Struct, frozen=True):
    """An interaction without what was sent with it. Moments in µs; own_time is None when the message had none.

    No dataclass: a page makes many, and a frozen one takes ten times as long (1.4 µs) to make.
    """

    id: MessageId
    actor: IdentifierKey
    at: int
    own_time: int | None
    received_at: int
    type: str
    name: str | None
    channel: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Payload:
    """What was sent with an interaction, as JSON texts; warnings: `code place: sentence` each.

    account: what was said of an organisation. previous: of an alias, what the user was known as.
    """

    identifiers: str | None
    properties: str | None
    traits: str | None
    context: str | None
    warnings: tuple[str, ...]
    account: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class InteractionFilter:
    """Which interactions a timeline shows: of any of the types, of any of the names (none: all), in a window in µs."""

    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None


EVERYTHING = InteractionFilter()


class TimeOrder(Enum):
    """In which order things come that have a moment."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Ask:
    """One page of one profile's timeline: what comes after an interaction already shown, given by its at and id."""

    profile: ProfileId
    after: tuple[int, str] | None = None


# The order of the fields of Interaction: lists cost the driver less than maps with nine keys each.
INTERACTION_ROW = """[
    interaction.id, interaction.actor, interaction.at, interaction.own_time, interaction.received_at,
    interaction.type, interaction.name, interaction.channel, interaction.source
  ]"""


def ranges_of_profile(order: TimeOrder = TimeOrder.NEWEST) -> str:
    """The part of a statement that answers the ranges of `profile`: `actor`, `low` and `high`, cut at `asked.at`.

    It needs $start where the newest come first, $end where the oldest do. A shared one's own profile has what lies
    between the spans: their ends, sorted, become the ends of its ranges.
    """
    low, high = ("$start", "asked.at") if order is TimeOrder.NEWEST else ("asked.at", "$end")
    return f"""
  CALL (profile) {{
    MATCH (profile)<-[:IDENTIFIES]-(own:Identifier)
    CALL (own) {{
      OPTIONAL MATCH (own)-[use:SHARED_BY]->(:Profile)
      WHERE own.generic IS NOT NULL
      UNWIND coalesce(use.spans, []) AS edge
      WITH edge
      ORDER BY edge
      RETURN collect(edge) AS edges
    }}
    RETURN own.key AS actor, [{EARLIEST}] + edges + [{LATEST}] AS edges, 1 AS open
    UNION ALL
    MATCH (profile)<-[use:SHARED_BY]-(shared:Identifier)
    WHERE use.spans IS NOT NULL
    RETURN shared.key AS actor, use.spans AS edges, 0 AS open
  }}
  UNWIND range(0, size(edges) / 2 - 1) AS number
  WITH asked, actor, edges[2 * number] + open AS low, edges[2 * number + 1] - open AS high
  WITH asked, actor,
    CASE WHEN low < {low} THEN {low} ELSE low END AS low,
    CASE WHEN high > {high} THEN {high} ELSE high END AS high
  WHERE low <= high"""


def newest_of_profile(answer: str, *, named: bool = False, order: TimeOrder = TimeOrder.NEWEST) -> str:
    """The part of a statement that answers the next $first interactions of `profile`, in their order, as `shown`.

    It needs `asked.at` and `asked.id`, the place to begin after, what `ranges_of_profile` needs, $types, and $names
    where it is `named`.
    """
    return f"""{ranges_of_profile(order)}
  {_seek("interaction.name", "name", order=order) if named else _seek(order=order)}
  WITH DISTINCT interaction
  ORDER BY {_in_order(order, "at", "id")}
  LIMIT $first
  RETURN {answer} AS shown"""


def _in_order(order: TimeOrder, *fields: str) -> str:
    way = " DESC" if order is TimeOrder.NEWEST else ""
    return ", ".join(f"interaction.{field}{way}" for field in fields)


def _behind(order: TimeOrder) -> str:
    """What lies behind the place in its own moment. CASE keeps the planner from making two seeks of an OR."""
    beyond = "<" if order is TimeOrder.NEWEST else ">"
    return f"CASE WHEN interaction.at = asked.at THEN interaction.id {beyond} asked.id ELSE true END"


def _seek(*name: str, order: TimeOrder) -> str:
    """The next $first of a range (with one of the names). The order of the index, with its equal columns, stops it.

    `id IS NOT NULL` lets the planner use the index of three.
    """
    field, value = name or ("", "")
    return f"""{f"UNWIND ${value}s AS {value}" if name else ""}
  CALL (asked, actor, low, high{f", {value}" if name else ""}) {{
    MATCH (interaction:Interaction)
    USING INDEX SEEK interaction:Interaction({"actor, name, at" if name else "actor, at, id"})
    WHERE interaction.actor = actor AND low <= interaction.at <= high
      AND {f"{field} = {value}" if name else "interaction.id IS NOT NULL"}
      AND {_behind(order)}
      AND (size($types) = 0 OR interaction.type IN $types)
    RETURN interaction
    ORDER BY {_in_order(order, "actor", *(["name"] if name else []), "at", "id")}
    LIMIT $first
  }}"""


def _of_profiles(newest: str, answer: str = "collect(shown) AS page") -> str:
    return f"""
UNWIND $asked AS asked
CALL (asked) {{
  MATCH (profile:Profile {{id: asked.profile}})
  USING INDEX SEEK profile:Profile(id)
  {newest}
}}
RETURN asked.number AS number, {answer}
"""


def _among(order: TimeOrder) -> str:
    return _of_profiles(
        f"""{ranges_of_profile(order)}
  MATCH (interaction:Interaction)
  USING INDEX SEEK interaction:Interaction(actor, name, at)
  WHERE interaction.actor = actor AND interaction.name IN $names AND low <= interaction.at <= high
    AND {_behind(order)}
    AND (size($types) = 0 OR interaction.type IN $types)
  WITH DISTINCT interaction
  ORDER BY {_in_order(order, "at", "id")}
  LIMIT $first
  RETURN {INTERACTION_ROW} AS shown"""
    )


def _of_types(order: TimeOrder) -> str:
    """No index knows of types, so each range is walked, no further than $looked_at; `stops` says where that ended."""
    walk = f"""MATCH (interaction:Interaction)
        USING INDEX SEEK interaction:Interaction(actor, at, id)
        WHERE interaction.actor = actor AND low <= interaction.at <= high AND interaction.id IS NOT NULL
          AND {_behind(order)}
        WITH interaction
        ORDER BY {_in_order(order, "actor", "at", "id")}"""
    return _of_profiles(
        f"""{ranges_of_profile(order)}
  CALL (asked, actor, low, high) {{
    CALL (asked, actor, low, high) {{
        {walk}
        LIMIT $looked_at
        WITH interaction
        WHERE interaction.type IN $types
        WITH interaction
        LIMIT $first
        RETURN collect(interaction) AS found
    }}
    OPTIONAL CALL (asked, actor, low, high, found) {{
      UNWIND CASE WHEN size(found) < $first THEN [true] ELSE [] END AS short
      CALL (asked, actor, low, high) {{
        {walk}
        SKIP $looked_at - 1
        LIMIT 1
        RETURN [interaction.at, interaction.id] AS stop
      }}
      RETURN stop
    }}
    RETURN found, stop
  }}
  WITH collect(found) AS several, collect(stop) AS stops
  RETURN stops, COLLECT {{
    UNWIND several AS found
    UNWIND found AS interaction
    WITH DISTINCT interaction
    ORDER BY {_in_order(order, "at", "id")}
    LIMIT $first
    RETURN {INTERACTION_ROW}
  }} AS page""",
        "page, stops",
    )


# profile_id (unique), then interaction_actor_at (actor, at, id) in its order, once per range
TIMELINE = _of_profiles(newest_of_profile(INTERACTION_ROW))

# as TIMELINE
TIMELINE_OLDEST = _of_profiles(newest_of_profile(INTERACTION_ROW, order=TimeOrder.OLDEST))

# profile_id (unique), then interaction_actor_name_at (actor, name, at) in its order, once per range and name
TIMELINE_NAMED = _of_profiles(newest_of_profile(INTERACTION_ROW, named=True))

# as TIMELINE_NAMED
TIMELINE_NAMED_OLDEST = _of_profiles(newest_of_profile(INTERACTION_ROW, named=True, order=TimeOrder.OLDEST))

# profile_id (unique), then interaction_actor_name_at (actor, name, at), once per range for all names together
TIMELINE_AMONG = _among(TimeOrder.NEWEST)

# as TIMELINE_AMONG
TIMELINE_AMONG_OLDEST = _among(TimeOrder.OLDEST)
MOST_SOUGHT = 5

# profile_id (unique), then interaction_actor_at (actor, at, id), once per range
TIMELINE_OF_TYPES = _of_types(TimeOrder.NEWEST)

# as TIMELINE_OF_TYPES
TIMELINE_OF_TYPES_OLDEST = _of_types(TimeOrder.OLDEST)
LOOKED_AT = 10_000

BY_ORDER = {
    TimeOrder.NEWEST: (TIMELINE, TIMELINE_NAMED, TIMELINE_AMONG, TIMELINE_OF_TYPES),
    TimeOrder.OLDEST: (TIMELINE_OLDEST, TIMELINE_NAMED_OLDEST, TIMELINE_AMONG_OLDEST, TIMELINE_OF_TYPES_OLDEST),
}

MOMENT_ROW = "[interaction.at, interaction.id, interaction.name, interaction.type]"

# profile_id (unique), then interaction_actor_at (actor, at, id) in its order, once per range
MOMENTS = _of_profiles(newest_of_profile(MOMENT_ROW))

# as MOMENTS
MOMENTS_OLDEST = _of_profiles(newest_of_profile(MOMENT_ROW, order=TimeOrder.OLDEST))

# as TIMELINE
TIMELINE_COUNT = _of_profiles(newest_of_profile("1"), "count(shown) AS total")

# as TIMELINE_NAMED
TIMELINE_COUNT_NAMED = _of_profiles(newest_of_profile("1", named=True), "count(shown) AS total")


async def timelines_of(
    reader: Reader,
    asks: Sequence[Ask],
    first: int,
    wanted: InteractionFilter = EVERYTHING,
    order: TimeOrder = TimeOrder.NEWEST,
) -> dict[Ask, tuple[Interaction, ...]]:
    """A page of each profile's interactions, in their order by (at, id), at most `first`; nothing found is no entry.

    One statement. Cost: the page, times the ranges of the profile (its identifiers and its spans on shared devices),
    and times the names; of more than five names, whose seeks would cost more than that, a look into the index at all
    that the profile has of these names; and whatever is of none of the types: see `timelines_of_types`.
    """
    plain, named, among, _ = BY_ORDER[order]
    statement = plain
    if wanted.names:
        statement = named if len(wanted.names) <= MOST_SOUGHT else among
    pages = await _pages(reader, statement, asks, first, wanted, order)
    return {ask: tuple(Interaction(*each) for each in page) for ask, page in pages.items()}


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Interactions in their order. end: where to go on, where the page stopped before it was full; else None."""

    found: tuple[Interaction, ...]
    end: tuple[int, str] | None = None


async def timelines_of_types(
    reader: Reader, asks: Sequence[Ask], first: int, wanted: InteractionFilter, order: TimeOrder = TimeOrder.NEWEST
) -> dict[Ask, TimelinePage]:
    """As `timelines_of`, of some types and of any name; a page may be short where they are rare.

    One statement. Cost: the page and what is passed over, at most 10,000 interactions of each range of the profile.
    """
    parameters = asked_rows(asks, first, wanted, order)
    rows = await reader.rows(BY_ORDER[order][3], **parameters, looked_at=LOOKED_AT)
    return {asks[row["number"]]: _stopped(row, first, order) for row in rows}


def _stopped(row: Row, first: int, order: TimeOrder) -> TimelinePage:
    """No further than any range was looked at: behind that something of this range may lie between others'."""
    found = tuple(Interaction(*each) for each in row["page"])
    stops = [(at, id_) for at, id_ in row["stops"]]
    if not stops:
        return TimelinePage(found)
    newest = order is TimeOrder.NEWEST
    end = max(stops) if newest else min(stops)
    kept = tuple(each for each in found if ((each.at, each.id) >= end if newest else (each.at, each.id) <= end))
    return TimelinePage(kept, None if len(kept) == first else end)


async def moments_of(
    reader: Reader, asks: Sequence[Ask], first: int, order: TimeOrder = TimeOrder.NEWEST
) -> dict[Ask, list[tuple[int, str, str | None, str]]]:
    """At, id, name and type of each profile's interactions, in their order, at most `first`. One statement."""
    statement = MOMENTS if order is TimeOrder.NEWEST else MOMENTS_OLDEST
    pages = await _pages(reader, statement, asks, first, EVERYTHING, order)
    return {ask: [(at, id_, name, type_) for at, id_, name, type_ in page] for ask, page in pages.items()}


async def _pages(
    reader: Reader,
    statement: str,
    asks: Sequence[Ask],
    first: int,
    wanted: InteractionFilter,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Mapping[Ask, Sequence[Sequence[Any]]]:
    rows = await reader.rows(statement, **asked_rows(asks, first, wanted, order))
    return {asks[row["number"]]: row["page"] for row in rows}


def asked_rows(
    asks: Sequence[Ask], first: int, wanted: InteractionFilter, order: TimeOrder = TimeOrder.NEWEST
) -> dict[str, object]:
    """The parameters of a statement over timelines."""
    row = _row if order is TimeOrder.NEWEST else _row_from_oldest
    return {
        "asked": [row(number, ask, wanted) for number, ask in enumerate(asks)],
        "first": first,
        "types": list(wanted.types),
        "names": list(wanted.names),
        "start": EARLIEST if wanted.start is None else wanted.start,
        "end": LATEST if wanted.end is None else wanted.end,
    }


def _row(number: int, ask: Ask, wanted: InteractionFilter) -> Row:
    """What is left of a window after the last interaction shown: up to its moment, and there only smaller ids."""
    end = LATEST if wanted.end is None else wanted.end
    at, last = ask.after or (LATEST, "")
    if end < at:
        at, last = end, "\U0010ffff"
    return {"number": number, "profile": ask.profile, "at": at, "id": last}


def _row_from_oldest(number: int, ask: Ask, wanted: InteractionFilter) -> Row:
    """The same the other way: from its moment on, and there only greater ids."""
    at, last = max(ask.after or (EARLIEST, ""), (EARLIEST if wanted.start is None else wanted.start, ""))
    return {"number": number, "profile": ask.profile, "at": at, "id": last}


# interaction_id (unique), one row each
INTERACTIONS_BY_ID = f"""
UNWIND $ids AS id
MATCH (interaction:Interaction {{id: id}})
USING INDEX SEEK interaction:Interaction(id)
WHERE interaction.actor IS NOT NULL
RETURN id, {INTERACTION_ROW} AS interaction
"""


async def interactions_by_id(reader: Reader, ids: Sequence[MessageId]) -> dict[MessageId, Interaction]:
    """The interaction of each message id; an unknown one and what is nobody's have no entry. One statement."""
    rows = await reader.rows(INTERACTIONS_BY_ID, ids=list(ids))
    return {MessageId(row["id"]): Interaction(*row["interaction"]) for row in rows}


# interaction_id (unique), one row each
PAYLOADS_OF = """
UNWIND $ids AS id
MATCH (interaction:Interaction {id: id})
USING INDEX SEEK interaction:Interaction(id)
RETURN id, interaction {
    .identifiers, .properties, .traits, .context, .warnings, .account, .previous
  } AS payload
"""


async def payloads_of(reader: Reader, ids: Sequence[MessageId]) -> dict[MessageId, Payload]:
    """What was sent with each interaction; an unknown one has no entry. One statement."""
    rows = await reader.rows(PAYLOADS_OF, ids=list(ids))
    return {MessageId(row["id"]): _payload(row["payload"]) for row in rows}


def _payload(row: Row) -> Payload:
    return Payload(**{**row, "warnings": tuple(row["warnings"] or ())})
