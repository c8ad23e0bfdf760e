"""A policy tried on a history in memory, as the graph tries one on the stored history."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from identity.evidence import Act
from identity.identifiers import Identifier, IdentifierKey, ProfileId, normalise
from identity.messages import Message
from identity.policy import Policy
from identity.recomputing import Columns, recompute
from identity.simulation import Before, Parts, Simulation, compared, simulation_of
from identity.stitching import Cluster, Evidence, Known, stitch
from tests.building import minting
from tests.identity.columns import columns_of
from tests.identity.memory import History

Members = frozenset[IdentifierKey]


@dataclass(frozen=True)
class Tried:
    """A candidate that was tried on a history. stored: who is who by the policy in force; after: by the candidate.

    heirs: what became of the keys that the candidate writes otherwise.
    """

    stored: History
    after: Mapping[ProfileId, Cluster]
    heirs: Mapping[IdentifierKey, IdentifierKey]
    columns: Columns
    parts: Parts
    report: Simulation

    @property
    def listed(self) -> list[Members]:
        """The identifiers of each of the people that are said to be others than before."""
        return sorted(map(self.keys, self.parts.members.values()), key=sorted)

    def keys(self, numbers: Sequence[int]) -> Members:
        return frozenset(self.columns.keys[number] for number in numbers)


def tried(
    steps: Sequence[Message | Act],
    old: Policy,
    new: Policy,
    *,
    also: Collection[str] = (),
    whole: bool = False,
) -> Tried:
    """What a policy would change of a history that was stitched by another. also: keys of whom it is known already."""
    stored, heard = _at_once(steps, old), _at_once(steps, new)
    evidence = Evidence(_with_stored_ids(heard, stored), heard.evidence().links, heard.acts)
    columns, heirs = columns_of(evidence), dict(_heirs(steps, old, new))
    before = _before(stored, columns, heirs)
    found = recompute(columns, evidence.acts, new)
    numbers = [columns.numbers[IdentifierKey(key)] for key in also]
    parts = compared(columns, found, before, new, also=numbers, whole=whole)
    report = simulation_of(columns, found, before, parts, new, heard_anew=bool(heirs))
    return Tried(stored, stitch(evidence, new).clusters, heirs, columns, parts, report)


def _at_once(steps: Sequence[Message | Act], policy: Policy) -> History:
    """A history that is stitched once, when all of it is known."""
    mint = minting()
    made = History(policy, lambda: next(mint))
    made.acts += [each for each in steps if isinstance(each, Act)]
    made.receive(each for each in steps if isinstance(each, Message))
    return made


def _with_stored_ids(heard: History, stored: History) -> dict[IdentifierKey, Known]:
    """The identifiers as a candidate hears them; one that it hears first has an id of its own."""
    return {
        key: stored.identifiers.get(key, Known(key, f"new {key}", known.minted_at))
        for key, known in heard.identifiers.items()
    }


def _heirs(steps: Sequence[Message | Act], old: Policy, new: Policy) -> Iterator[tuple[IdentifierKey, IdentifierKey]]:
    for said in steps:
        for each in said.sightings if isinstance(said, Message) else ():
            was, now = (normalise(each.namespace, each.value, policy) for policy in (old, new))
            if isinstance(was, Identifier) and isinstance(now, Identifier) and was != now:
                yield was.key, now.key


def _before(stored: History, columns: Columns, heirs: Mapping[IdentifierKey, IdentifierKey]) -> Before:
    gone = stored.identifiers.keys() - columns.numbers.keys()
    reasons = {}
    for number in range(len(columns.first)):
        id_ = columns.id_of(number)
        if id_ in stored.links:
            why = stored.verdicts.get(id_)
            reasons[number] = why.value if why else None
    return Before(
        profiles=[stored.profile_of.get(key) for key in columns.keys],
        generic={columns.numbers[key]: why.value for key, why in stored.generic.items() if key not in gone},
        reasons=reasons,
        gone={key: stored.profile_of[key] for key in gone},
        gone_generic={key for key in gone if key in stored.generic},
        heirs=heirs,
    )
