"""Consent: what people agreed to, by purpose, read from what sources say of them.

It is said as a trait: `consent.<purpose>`, as which Segment's `context.consent.categoryPreferences` is kept, or
`<purpose>_consent`, as shops call it. So it is evidence like every trait: it merges and splits with people, is chosen
by the policy (the latest of the best-ranked source, unless it says otherwise), is erased with them, and can be set by
hand. Whatever does not clearly say yes is a no.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from identity.messages import Json
from insight.traits import ExplainedTrait

PREFIX, SUFFIX = "consent.", "_consent"
MOST_PURPOSES = 100
LONGEST_PURPOSE_BYTES = 100
YES = frozenset({"true", "yes", "1", "granted", "given", "accepted", "subscribed", "opted_in", "opt_in", "confirmed"})


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to. trait: what was said of it, by whom and when, and everything else that was."""

    purpose: str
    granted: bool
    trait: ExplainedTrait


def preferences_in(context: Mapping[str, Json]) -> dict[str, Json]:
    """The traits for what the context of a message says of consent; none where nothing usable is said.

    Of a hundred purposes at most, with names of at most 100 bytes, each true or false.
    """
    consent = context.get("consent")
    said = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(said, dict):
        return {}
    usable = [(name, value) for name, value in said.items() if _is_purpose(name) and isinstance(value, bool)]
    return {f"{PREFIX}{name}": value for name, value in usable[:MOST_PURPOSES]}


def _is_purpose(name: str) -> bool:
    return bool(name.strip()) and len(name.encode("utf-8", "replace")) <= LONGEST_PURPOSE_BYTES


def purpose_of(trait: str) -> str | None:
    """The purpose that a trait tells the consent to; None for any other trait."""
    if trait.startswith(PREFIX):
        return trait.removeprefix(PREFIX) or None
    return trait.removesuffix(SUFFIX) or None if trait.endswith(SUFFIX) else None


def granted_in(value: Json) -> bool:
    """Whether a value says yes: true, or one of the words for it, whatever their case."""
    return value is True or (isinstance(value, str) and value.strip().lower() in YES)


def consents_among(traits: Mapping[str, ExplainedTrait]) -> tuple[Consent, ...]:
    """What somebody agreed to, by purpose. Of two traits that tell of one purpose the later said counts."""
    found: dict[str, Consent] = {}
    for each in sorted(_consents(traits), key=lambda consent: (consent.trait.at or 0, consent.trait.name)):
        found[each.purpose] = each
    return tuple(found[purpose] for purpose in sorted(found))


def _consents(traits: Mapping[str, ExplainedTrait]) -> Iterator[Consent]:
    for name, trait in traits.items():
        purpose = purpose_of(name)
        if purpose is not None:
            yield Consent(purpose, granted_in(trait.value), trait)
