"""The people of a gathered history: its links aggregated, the whole rule asked once, and each person's id.

Takes about 400 bytes an identifier and 150 a link while it lasts, the links' texts not among them: those stay in files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.first_load.gathering import Gathering, Identifiers
from graph.first_load.spilling import Spill
from identity.evidence import Link, LinkId, Reason, joined
from identity.identifiers import ProfileId
from identity.policy import Policy, Role
from identity.recomputing import Columns, Recomputed, recompute
from identity.stitching import Known

NO_ACTS = ()
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stitched:
    """Who is who. links: aggregated, in the order of their numbers in the columns; parts: whose identifier each is.

    anchors: by the number that stands for a person the number of the identifier whose mint is her id.
    """

    columns: Columns
    links: Spill[Link]
    found: Recomputed
    parts: Numbers
    anchors: Mapping[int, int]

    def profile(self, number: int) -> ProfileId:
        """Whose an identifier is."""
        return ProfileId(self.columns.mints[self.anchors[int(self.parts[number])]])

    def verdicts(self) -> Iterator[tuple[Link, Reason | None]]:
        """Every link, and why it is refused."""
        number = 0
        for part in self.links.parts():
            for link in part:
                yield link, self.found.refused.get(number)
                number += 1


def stitched(gathering: Gathering, policy: Policy, mint: Callable[[], str]) -> Stitched:
    """Stitch what was gathered and settled."""
    columns = _columns(gathering.identifiers, gathering.now, mint)
    links = _aggregated(gathering, columns)
    found = recompute(columns, NO_ACTS, policy)
    parts = np.asarray(found.parts, dtype=np.int64)
    return Stitched(columns, links, found, parts, _anchors(columns, parts, policy))


def _columns(identifiers: Identifiers, now: int, mint: Callable[[], str]) -> Columns:
    """Minted in the order in which they were met, a microsecond apart, as in a batch."""
    columns = Columns()
    for number, key in enumerate(identifiers.keys):
        columns.add_identifier(Known(key, mint(), now + number))
    return columns


def _aggregated(gathering: Gathering, columns: Columns) -> Spill[Link]:
    """One link for all that was said of one kind about one pair; each goes to the columns as well."""
    links = gathering.spill("links-together", Link, parts=1)
    for part in gathering.links.parts():
        together: dict[LinkId, Link] = {}
        for link in part:
            id_ = link.id
            old = together.get(id_)
            together[id_] = link if old is None else joined(old, link)
        for id_, link in together.items():
            columns.add_link(id_, link.authority, link.first_seen, sure=link.sure)
            links.add(0, link)
    gathering.links.close()
    return links


def _anchors(columns: Columns, parts: Numbers, policy: Policy) -> dict[int, int]:
    """The anchor of each person: contacts before others, then who was minted first.

    No two are minted at one moment, so the keys never decide.
    """
    contact = np.array([policy.namespace(name).role is Role.CONTACT for name in columns.names], dtype=np.bool_)
    is_contact = contact[np.frombuffer(columns.namespaces, dtype=np.uint16)]
    order = np.lexsort((np.arange(len(parts)), ~is_contact, parts))
    people, first = np.unique(parts[order], return_index=True)
    return dict(zip(people.tolist(), order[first].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class People:
    """What every profile shows but its traits, by the number that stands for a person."""

    known: npt.NDArray[np.bool_]
    first: Numbers
    last: Numbers


def people_of(found: Stitched, identifiers: Identifiers, policy: Policy) -> People:
    """Who is known by more than a device, and when each was seen first and last."""
    parts, columns = found.parts, found.columns
    many = len(columns.keys)
    device = np.array([policy.namespace(name).role is Role.DEVICE for name in columns.names], dtype=np.bool_)
    is_device = device[np.frombuffer(columns.namespaces, dtype=np.uint16)]
    known = np.zeros(many, dtype=np.bool_)
    known[parts[~is_device]] = True
    first = np.full(many, np.iinfo(np.int64).max)
    last = np.full(many, np.iinfo(np.int64).min)
    np.minimum.at(first, parts, np.frombuffer(identifiers.first, dtype=np.int64))
    np.maximum.at(last, parts, np.frombuffer(identifiers.last, dtype=np.int64))
    for number in found.found.generic:
        known[parts[number]] = False
    return People(known, first, last)
