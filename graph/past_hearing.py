"""What an identifier said until a past moment, heard again from its stored interactions.

Evidence that aggregates sightings knows its first and its last one alone. Where it was sighted before and after a
moment, what was known between is in the interactions.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from graph.connection import Reader, Row
from graph.interactions import EARLIEST
from graph.past import View
from identity.identifiers import IdentifierKey
from identity.policy import Policy

PAGE = 2_000


def _said(what: str) -> str:
    return f"""
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(actor, at, id)
WHERE i.actor = $actor AND i.at >= $at AND i.at <= $happened AND i.id IS NOT NULL
  AND CASE WHEN i.at = $at THEN i.id > $id ELSE true END
  AND i.recorded_at <= $recorded AND i.{what} IS NOT NULL
WITH i
ORDER BY i.actor, i.at, i.id
LIMIT $page
RETURN i {{
  .id, .source, .type, .name, .at, .own_time, .received_at, .recorded_at, .identifiers, .previous, .region, .authority,
  .account, .traits, .warnings
}} AS interaction
"""


# interaction_actor_at (actor, at, id) in its order, a page of what stated traits
TRAITS_SAID = _said("traits")

# interaction_actor_at (actor, at, id) in its order, a page of what spoke of an account
ACCOUNTS_SAID = _said("account")


@dataclass(frozen=True, slots=True)
class Rules:
    """now: the policy by which traits are called and messages heard today. then: that in force at the moment."""

    now: Policy
    then: Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said of which identifiers, as of when. rules: they follow from the moment within one request."""

    keys: tuple[IdentifierKey, ...]
    view: View
    rules: Rules = field(compare=False)


@dataclass(frozen=True, slots=True)
class Until:
    """How far is heard: nothing that is recorded later, nothing that by its shown time happened later. Both in µs."""

    recorded: int
    happened: int


async def said_until(
    reader: Reader, statement: str, actor: IdentifierKey, until: Until
) -> AsyncIterator[Sequence[Row]]:
    """The interactions of an identifier that say what a statement above asks for, by their shown times, in pages.

    One statement for each 2,000. Cost: the interactions of the identifier up to the moment, which are passed over where
    they say nothing of it.
    """
    at, last = EARLIEST, ""
    bounds = {"recorded": until.recorded, "happened": until.happened, "page": PAGE}
    while rows := await reader.rows(statement, actor=actor, at=at, id=last, **bounds):
        page = [row["interaction"] for row in rows]
        yield page
        at, last = page[-1]["at"], page[-1]["id"]
