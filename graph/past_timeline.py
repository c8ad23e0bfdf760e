"""What somebody did, as of a past moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader
from graph.interactions import (
    EARLIEST,
    EVERYTHING,
    INTERACTION_ROW,
    LATEST,
    Interaction,
    InteractionFilter,
    TimeOrder,
)
from graph.past import View
from identity.identifiers import IdentifierKey

LAST = "\U0010ffff"


def _then(beyond: str, way: str) -> str:
    return f"""
UNWIND $keys AS actor
CALL (actor) {{
  MATCH (interaction:Interaction)
  USING INDEX SEEK interaction:Interaction(actor, at, id)
  WHERE interaction.actor = actor AND interaction.at >= $start AND interaction.at <= $end AND interaction.id IS NOT NULL
    AND CASE WHEN interaction.at = $at THEN interaction.id {beyond} $id ELSE true END
    AND interaction.recorded_at <= $recorded
    AND (size($types) = 0 OR interaction.type IN $types)
    AND (size($names) = 0 OR interaction.name IN $names)
  RETURN interaction
  ORDER BY interaction.actor {way}, interaction.at {way}, interaction.id {way}
  LIMIT $first
}}
WITH interaction
ORDER BY interaction.at {way}, interaction.id {way}
LIMIT $first
RETURN {INTERACTION_ROW} AS interaction
"""


# interaction_actor_at (actor, at, id) in its order, once per identifier
TIMELINE_THEN = _then("<", "DESC")

# as TIMELINE_THEN
TIMELINE_THEN_OLDEST = _then(">", "ASC")


@dataclass(frozen=True, slots=True)
class PastPage:
    """One page of what identifiers did: what comes after an interaction already shown, given by its at and id."""

    first: int
    after: tuple[int, str] | None = None
    wanted: InteractionFilter = EVERYTHING
    order: TimeOrder = TimeOrder.NEWEST


async def timeline_then(
    reader: Reader, keys: Sequence[IdentifierKey], view: View, page: PastPage
) -> tuple[Interaction, ...]:
    """What these identifiers did themselves, as far as it is looked at, in their order. One statement.

    What was done on a shared device without a login is left out: whose it was has no history.
    Cost: the page, times the identifiers, and what is passed over: what a filter by type or name leaves out, and what
    happened before the moment and was recorded after it.
    """
    start = EARLIEST if page.wanted.start is None else page.wanted.start
    end = min(view.happened, LATEST if page.wanted.end is None else page.wanted.end)
    if page.order is TimeOrder.NEWEST:
        at, last = min(page.after or (LATEST, ""), (end, LAST))
        statement, end = TIMELINE_THEN, at
    else:
        at, last = max(page.after or (EARLIEST, ""), (start, ""))
        statement, start = TIMELINE_THEN_OLDEST, at
    rows = await reader.rows(
        statement,
        keys=list(keys),
        start=start,
        end=end,
        at=at,
        id=last,
        recorded=view.recorded,
        types=list(page.wanted.types),
        names=list(page.wanted.names),
        first=page.first,
    )
    return tuple(Interaction(*row["interaction"]) for row in rows)
