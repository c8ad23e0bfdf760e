"""Consent: what people agreed to, by purpose, with who said so."""

from collections.abc import Sequence

import strawberry

from graph.profiles import observations_of
from identity.identifiers import ProfileId
from identity.survivorship import Observation
from insight.consent import Consent as StoredConsent
from insight.consent import consents_among
from insight.traits import explained_traits
from resolvers.asking import Asking
from resolvers.nodes import resolved
from resolvers.paging import USUAL, First, one_more
from resolvers.scalars import Moment
from resolvers.traits import ObservedValue


def _source(parent: strawberry.Parent[StoredConsent]) -> str:
    return parent.trait.source


def _message(parent: strawberry.Parent[StoredConsent]) -> str:
    return parent.trait.message


def _at(parent: strawberry.Parent[StoredConsent]) -> Moment | None:
    return None if parent.trait.at is None else Moment(parent.trait.at)


def _sentence(parent: strawberry.Parent[StoredConsent]) -> str:
    return parent.trait.sentence


def _others(parent: strawberry.Parent[StoredConsent], first: First = USUAL) -> Sequence[Observation]:
    return parent.trait.others[: one_more(first) - 1]


@strawberry.type(description="Whether somebody agreed to a purpose. What does not clearly say yes is a no.")
class Consent:
    """Whether somebody agreed to a purpose."""

    purpose: str = strawberry.field(description="The purpose, such as `Advertising`, as its source calls it.")
    granted: bool = strawberry.field(description="Whether she agreed, as last said.")
    at: Moment | None = resolved(_at, "When it was last said so; null when no time can be believed.")
    source: str = resolved(_source, "The source that said so; `manual` where it was set by hand.")
    message: str = resolved(_message, "The id of the latest message that said so.")
    sentence: str = resolved(_sentence, "Why this statement counts, in plain English.")
    others: list[ObservedValue] = resolved(_others, "Everything else that was said of it, the latest first.")


async def consents_of(context: Asking, profile: ProfileId) -> Sequence[StoredConsent]:
    """What somebody agreed to or not, by purpose; read with her traits by one statement."""
    found = await context.batching.ask(observations_of, profile)
    return consents_among(explained_traits(found or (), context.world.policy))
