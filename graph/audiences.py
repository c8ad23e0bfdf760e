"""Audiences: how many people of a segment agreed to a purpose. Who they are is not answered here."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from graph.segments import Asked, compiled
from graph.views import observation_from
from identity.policy import Policy
from insight.consent import PREFIX, SUFFIX, consents_among
from insight.traits import explained_traits

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Agreed:
    """How many people of a segment agreed to a purpose, and how many did not."""

    to_it: int
    not_to_it: int


async def agreed(reader: Reader, asked: Asked, purpose: str, policy: Policy) -> Agreed:
    """How many people of a definition agreed to a purpose, as the policy chooses among what was said.

    A statement for each 5,000 people. Cost: as a preview, and what was ever said of the purpose.
    Raises ValueError for a trait that is not named.
    """
    condition, parameters = compiled(asked)
    traits = sorted({each for name in _spellings(purpose) for each in (name, policy.trait_name(name))})
    last, people, granted = "", 0, 0
    while True:
        rows = await reader.rows(_page(condition), last=last, most=AT_ONCE, traits=traits, **parameters)
        people += rows[0]["people"]
        granted += sum(_granted(each, purpose, policy) for each in rows[0]["said"])
        if rows[0]["people"] < AT_ONCE:
            return Agreed(granted, people - granted)
        last = rows[0]["last"]


def _spellings(purpose: str) -> tuple[str, str]:
    return f"{PREFIX}{purpose}", f"{purpose}{SUFFIX}"


def _page(condition: str) -> str:
    """The people of one page of ids: how many, and what was said by those of whom anything was."""
    return f"""
MATCH (profile:Profile)
USING INDEX SEEK profile:Profile(id)
WHERE profile.id > $last AND NOT profile.shared AND {condition}
WITH profile
ORDER BY profile.id
LIMIT $most
CALL (profile) {{
  MATCH (profile)<-[:IDENTIFIES]-(:Identifier)<-[:OF]-(observation:Observation)
  WHERE observation.trait IN $traits
  RETURN collect(observation {{
    .trait, .value, .source, .at, .message, .sure, .first_at, .first_message, .count
  }}) AS observations
}}
WITH count(*) AS people, max(profile.id) AS last, collect(observations) AS observations
RETURN people, last, [each IN observations WHERE size(each) > 0] AS said
"""


def _granted(observations: Sequence[Row], purpose: str, policy: Policy) -> bool:
    found = consents_among(explained_traits(map(observation_from, observations), policy))
    return any(each.granted for each in found if each.purpose == purpose)
