"""What was found, against what is true: the sample company knows who everybody is, and no record says it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graph.exports import IdentifierLine
from identity.identifiers import ProfileId
from selfsame.demo.company import Named
from selfsame.demo.fernhill import TruePerson, Truth


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the people that were found agree with the true ones.

    whole: true people of whom everything that any record names is one profile. parted: those found in several pieces;
    parts: how many pieces these are. lone: of the parted, those that some device met anonymously, and nothing else is
    missing. unmet: true people whom no record names. confused: a sentence for every profile that holds two true
    people, and for everything shared that was given to somebody.
    """

    people: int
    whole: int
    parted: int
    parts: int
    lone: int
    unmet: int
    confused: tuple[str, ...]


def judged(lines: Iterable[IdentifierLine], truth: Truth) -> Judgement:
    """Compare every identifier's profile with the person it belongs to in truth."""
    profiles = {(line.namespace, line.value): line.profile for line in lines}
    pieces = {person.key: _pieces(person, profiles) for person in truth.people}
    met = [len(found) for found in pieces.values() if found]
    return Judgement(
        people=len(truth.people),
        whole=sum(many == 1 for many in met),
        parted=sum(many > 1 for many in met),
        parts=sum(many for many in met if many > 1),
        lone=sum(_only_devices_apart(person, profiles) for person in truth.people),
        unmet=len(truth.people) - len(met),
        confused=(*_mixed(truth, pieces), *_given_away(truth, profiles, pieces)),
    )


def _pieces(person: TruePerson, profiles: Mapping[Named, ProfileId]) -> frozenset[ProfileId]:
    return frozenset(profiles[named] for named in person.identifiers if named in profiles)


DEVICES = frozenset({"anonymous_id", "device_id"})


def _only_devices_apart(person: TruePerson, profiles: Mapping[Named, ProfileId]) -> bool:
    """Whether a person is in pieces, but what names her is one of them."""
    named = {profiles[each] for each in person.identifiers if each in profiles and each[0] not in DEVICES}
    return len(_pieces(person, profiles)) > 1 and len(named) <= 1


def _mixed(truth: Truth, pieces: Mapping[str, frozenset[ProfileId]]) -> Iterable[str]:
    names = {person.key: person.name for person in truth.people}
    owners: defaultdict[ProfileId, list[str]] = defaultdict(list)
    for key, found in pieces.items():
        for profile in found:
            owners[profile].append(names[key])
    return [
        f"{' and '.join(sorted(people))} became one profile ({profile})"
        for profile, people in owners.items()
        if len(people) > 1
    ]


def _given_away(
    truth: Truth, profiles: Mapping[Named, ProfileId], pieces: Mapping[str, frozenset[ProfileId]]
) -> Iterable[str]:
    """What several people share must be nobody's alone."""
    owned = frozenset[ProfileId]().union(*pieces.values())
    return [
        f"{':'.join(named)}, which several people share, was given to one of them"
        for named in truth.shared
        if profiles.get(named) in owned
    ]
