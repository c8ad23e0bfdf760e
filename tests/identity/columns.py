"""Histories in columns, and what the rule says of them beside what it says of the same history in values."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from identity.evidence import Act, Kind, LinkId, Reason
from identity.identifiers import IdentifierKey
from identity.messages import Message
from identity.policy import Policy
from identity.recomputing import Columns, recompute
from identity.stitching import Evidence, Generic, stitch
from tests.identity.memory import history_of


@dataclass(frozen=True, slots=True)
class Told:
    """What the rule says of a history: people sorted, refused links, generic identifiers."""

    people: list[list[IdentifierKey]]
    refused: dict[LinkId, Reason]
    generic: dict[IdentifierKey, Generic]

    @property
    def why(self) -> dict[tuple[str, str], str]:
        """The reasons of refused links by their pairs."""
        return {(id_.a, id_.b): reason.value for id_, reason in self.refused.items()}


def columns_of(evidence: Evidence) -> Columns:
    """Evidence in columns; its manual links follow from the acts."""
    columns = Columns()
    for known in evidence.identifiers.values():
        columns.add_identifier(known)
    for link in evidence.links:
        if link.kind is not Kind.MANUAL:
            columns.add_link(link.id, link.authority, link.first_seen, sure=link.sure)
    return columns


def told_by_columns(columns: Columns, acts: Collection[Act], policy: Policy) -> Told:
    """What `recompute` says, by keys."""
    found = recompute(columns, acts, policy)
    parts = defaultdict(list)
    for number, part in enumerate(found.parts):
        parts[part].append(columns.keys[number])
    refused = {columns.id_of(link): why for link, why in found.refused.items()} | dict(found.manual)
    generic = {columns.keys[number]: why for number, why in found.generic.items()}
    return Told(sorted(map(sorted, parts.values())), refused, generic)


def told_by_values(evidence: Evidence, policy: Policy) -> Told:
    """What `stitch` says of the identifiers that were seen."""
    found = stitch(evidence, policy)
    generic = {key: why for key, why in found.generic.items() if key in evidence.identifiers}
    return Told(sorted(list(each.members) for each in found.clusters.values()), dict(found.refused), generic)


def agreed(evidence: Evidence, policy: Policy) -> Told:
    """What both say of a history, once they say the same."""
    told = told_by_columns(columns_of(evidence), evidence.acts, policy)
    assert told == told_by_values(evidence, policy)
    return told


def retold(*steps: Message | Act, policy: Policy) -> Told:
    """What both say of the history of these messages and acts."""
    return agreed(history_of(*steps, policy=policy).evidence(), policy)
