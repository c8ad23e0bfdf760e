"""What somebody did and to whom she belonged, as of a past moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader
from graph.interactions import EARLIEST, EVERYTHING, INTERACTION_ROW, LATEST, Interaction, InteractionFilter
from graph.past import View
from identity.accounts import Belonging, ranked
from identity.identifiers import IdentifierKey

# interaction_actor_at (actor, at, id) in its order, once per identifier
TIMELINE_THEN = f"""
UNWIND $keys AS actor
CALL (actor) {{
  MATCH (interaction:Interaction)
  USING INDEX SEEK interaction:Interaction(actor, at, id)
  WHERE interaction.actor = actor AND $start <= interaction.at <= $at AND interaction.id IS NOT NULL
    AND CASE WHEN interaction.at = $at THEN interaction.id < $id ELSE true END
    AND interaction.recorded_at <= $recorded
    AND (size($types) = 0 OR interaction.type IN $types)
    AND (size($names) = 0 OR interaction.name IN $names)
  RETURN interaction
  ORDER BY interaction.actor DESC, interaction.at DESC, interaction.id DESC
  LIMIT $first
}}
WITH interaction
ORDER BY interaction.at DESC, interaction.id DESC
LIMIT $first
RETURN {INTERACTION_ROW} AS interaction
"""


@dataclass(frozen=True, slots=True)
class PastPage:
    """One page of what identifiers did: what comes after an interaction already shown, given by its at and id."""

    first: int
    after: tuple[int, str] | None = None
    wanted: InteractionFilter = EVERYTHING


async def timeline_then(
    reader: Reader, keys: Sequence[IdentifierKey], view: View, page: PastPage
) -> tuple[Interaction, ...]:
    """What these identifiers did themselves, as far as it is looked at, newest first. One statement.

    What was done on a shared device without a login is left out: whose it was has no history.
    Cost: the page, times the identifiers, and what is passed over: what a filter by type or name leaves out, and what
    happened before the moment and was recorded after it.
    """
    at, last = page.after or (LATEST, "")
    end = min(view.happened, LATEST if page.wanted.end is None else page.wanted.end)
    if end < at:
        at, last = end, "\U0010ffff"
    rows = await reader.rows(
        TIMELINE_THEN,
        keys=list(keys),
        at=at,
        id=last,
        recorded=view.recorded,
        start=EARLIEST if page.wanted.start is None else page.wanted.start,
        types=list(page.wanted.types),
        names=list(page.wanted.names),
        first=page.first,
    )
    return tuple(Interaction(*row["interaction"]) for row in rows)


# identifier_key (unique), then one expand per identifier
MEMBERSHIPS_THEN = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})-[membership:MEMBER_OF]->(said:Account)
USING INDEX SEEK i:Identifier(key)
WHERE membership.recorded_at <= $recorded AND membership.from <= $happened
RETURN key, said.key AS account, membership.role AS role, membership.source AS source,
  membership.from AS start, membership.recorded_at AS recorded_at
"""


async def memberships_then(
    reader: Reader, keys: Sequence[IdentifierKey], view: View, roles: Sequence[str]
) -> dict[str, tuple[Belonging, ...]]:
    """To which accounts these identifiers belonged, by the accounts' keys as they were said; in their order.

    roles: the highest first. Of several statements about one account the one that is shown stands first; which was
    said last is only known of the present, so that among equal roles the one recorded last does. One statement.
    """
    rows = await reader.rows(MEMBERSHIPS_THEN, keys=list(keys), recorded=view.recorded, happened=view.happened)
    found: dict[str, list[Belonging]] = {}
    for row in rows:
        found.setdefault(row["account"], []).append(
            Belonging(
                role=row["role"],
                source=row["source"],
                start=row["start"],
                last_seen=row["recorded_at"],
                recorded_at=row["recorded_at"],
                account=row["account"],
                identifier=row["key"],
            )
        )
    return {account: ranked(said, roles) for account, said in sorted(found.items())}
