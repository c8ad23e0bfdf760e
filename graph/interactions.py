"""Interactions: the timeline of a profile, newest first, cut into pages that cost their own length.

Whose interactions: those whose actor is an identifier of the profile, and for each device and contact point it shares
those of it inside the spans of SHARED_BY; its own profile has what is outside all spans. So a profile is a list of
ranges, pairs of an actor and a stretch of time, each answered by a seek in the index (actor, at, id) that stops after
a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def ranges_of_profile() -> str:
    """The part of a statement that answers the ranges of `profile`: `actor`, `low` and `high`, up to `asked.at`.

    It needs $start. A shared one's own profile has what lies between the spans: their ends, sorted, become the ends of
    its ranges.
    """
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
    CASE WHEN low < $start THEN $start ELSE low END AS low,
    CASE WHEN high > asked.at THEN asked.at ELSE high END AS high
  WHERE low <= high"""


def newest_of_profile(answer: str, *, named: bool = False) -> str:
    """The part of a statement that answers the newest $first interactions of `profile`, newest first, as `shown`.

    It needs `asked.at` and `asked.id`, the place to begin after, $start, $types, and $names where it is `named`.
    """
    return f"""{ranges_of_profile()}
  {_seek("interaction.name", "name") if named else _seek()}
  WITH DISTINCT interaction
  ORDER BY interaction.at DESC, interaction.id DESC
  LIMIT $first
  RETURN {answer} AS shown"""


def _seek(*name: str) -> str:
    """The newest $first of a range (with one of the names). The order of the index, with its equal columns, stops it.

    `id IS NOT NULL` lets the planner use the index of three, and CASE keeps it from making two seeks of an OR.
    """
    field, value = name or ("", "")
    return f"""{f"UNWIND ${value}s AS {value}" if name else ""}
  CALL (asked, actor, low, high{f", {value}" if name else ""}) {{
    MATCH (interaction:Interaction)
    USING INDEX SEEK interaction:Interaction({"actor, name, at" if name else "actor, at, id"})
    WHERE interaction.actor = actor AND low <= interaction.at <= high
      AND {f"{field} = {value}" if name else "interaction.id IS NOT NULL"}
      AND CASE WHEN interaction.at = asked.at THEN interaction.id < asked.id ELSE true END
      AND (size($types) = 0 OR interaction.type IN $types)
    RETURN interaction
    ORDER BY interaction.actor DESC, {f"{field} DESC, " if name else ""}interaction.at DESC, interaction.id DESC
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


# profile_id (unique), then interaction_actor_at (actor, at, id) in its order, once per range
TIMELINE = _of_profiles(newest_of_profile(INTERACTION_ROW))

# profile_id (unique), then interaction_actor_name_at (actor, name, at) in its order, once per range and name
TIMELINE_NAMED = _of_profiles(newest_of_profile(INTERACTION_ROW, named=True))

# profile_id (unique), then interaction_actor_name_at (actor, name, at), once per range for all names together
TIMELINE_AMONG = _of_profiles(
    f"""{ranges_of_profile()}
  MATCH (interaction:Interaction)
  USING INDEX SEEK interaction:Interaction(actor, name, at)
  WHERE interaction.actor = actor AND interaction.name IN $names AND low <= interaction.at <= high
    AND CASE WHEN interaction.at = asked.at THEN interaction.id < asked.id ELSE true END
    AND (size($types) = 0 OR interaction.type IN $types)
  WITH DISTINCT interaction
  ORDER BY interaction.at DESC, interaction.id DESC
  LIMIT $first
  RETURN {INTERACTION_ROW} AS shown"""
)
MOST_SOUGHT = 5

# profile_id (unique), then interaction_actor_at (actor, at, id) in its order, once per range
MOMENTS = _of_profiles(newest_of_profile("[interaction.at, interaction.id, interaction.name, interaction.type]"))


# as TIMELINE
TIMELINE_COUNT = _of_profiles(newest_of_profile("1"), "count(shown) AS total")

# as TIMELINE_NAMED
TIMELINE_COUNT_NAMED = _of_profiles(newest_of_profile("1", named=True), "count(shown) AS total")


async def timelines_of(
    reader: Reader, asks: Sequence[Ask], first: int, wanted: InteractionFilter = EVERYTHING
) -> dict[Ask, tuple[Interaction, ...]]:
    """A page of each profile's interactions, newest first by (at, id), at most `first`; nothing found is no entry.

    One statement. Cost: the page, times the ranges of the profile (its identifiers and its spans on shared devices),
    and times the names; of more than five names, whose seeks would cost more than that, a look into the index at all
    that the profile has of these names.
    """
    statement = TIMELINE
    if wanted.names:
        statement = TIMELINE_NAMED if len(wanted.names) <= MOST_SOUGHT else TIMELINE_AMONG
    pages = await _pages(reader, statement, asks, first, wanted)
    return {ask: tuple(Interaction(*each) for each in page) for ask, page in pages.items()}


async def moments_of(
    reader: Reader, asks: Sequence[Ask], first: int
) -> dict[Ask, list[tuple[int, str, str | None, str]]]:
    """At, id, name and type of each profile's interactions, newest first, at most `first`. One statement."""
    pages = await _pages(reader, MOMENTS, asks, first, EVERYTHING)
    return {ask: [(at, id_, name, type_) for at, id_, name, type_ in page] for ask, page in pages.items()}


async def _pages(
    reader: Reader, statement: str, asks: Sequence[Ask], first: int, wanted: InteractionFilter
) -> Mapping[Ask, Sequence[Sequence[Any]]]:
    rows = await reader.rows(statement, **asked_rows(asks, first, wanted))
    return {asks[row["number"]]: row["page"] for row in rows}


def asked_rows(asks: Sequence[Ask], first: int, wanted: InteractionFilter) -> dict[str, object]:
    """The parameters of a statement over timelines."""
    return {
        "asked": [_row(number, ask, wanted) for number, ask in enumerate(asks)],
        "first": first,
        "types": list(wanted.types),
        "names": list(wanted.names),
        "start": EARLIEST if wanted.start is None else wanted.start,
    }


def _row(number: int, ask: Ask, wanted: InteractionFilter) -> Row:
    """What is left of a window after the last interaction shown: up to its moment, and there only smaller ids."""
    end = LATEST if wanted.end is None else wanted.end
    at, last = ask.after or (LATEST, "")
    if end < at:
        at, last = end, "\U0010ffff"
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
