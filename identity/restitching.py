"""The same result from a change: stitch again only what the change can reach.

S are the clusters that the change touches: those of the ends of changed links and acts, and of every identifier whose
genericity turns. A is S and the clusters that a refused link joins to S, because such a link may now be accepted; links
refused as generic are followed only from identifiers that turned, or a hub would drag all its partners in, and links
refused as unverified never, since nothing but more authority of their own can turn them. The rule
runs on the links inside A. If it now accepts a link between S and a cluster outside S, that cluster joins S and the
question is asked again; else S is final. Source: design.md §5, found equal to the global rule in random histories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from identity.evidence import Act, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy
from identity.stitching import Cluster, Generic, Known, cluster_of, genericity, standing_of, unite, with_manual


@dataclass(frozen=True, slots=True)
class Region:
    """A: every identifier of the clusters in question, with the links among them.

    profile_of: the cluster each identifier is stored in; an identifier without one is new and belongs to S.
    links: all inside A, but those refused as generic because of an identifier that did not turn.
    verdicts: the stored reason of each link that has one (None is accepted); a new link has no entry.
    generic: the generic identifiers of A as they are after the change.
    acts: all that name an identifier of A, or a value that overrides tie to one; what aliases say as well, where the
    policy reads them as overrides (stitching.overrides_said).
    """

    identifiers: Mapping[IdentifierKey, Known]
    profile_of: Mapping[IdentifierKey, ProfileId]
    links: Sequence[Link]
    verdicts: Mapping[LinkId, Reason | None]
    generic: Mapping[IdentifierKey, Generic]
    acts: Sequence[Act] = ()


@dataclass(frozen=True, slots=True)
class Grow:
    """Read these clusters as part of S as well, and ask again."""

    profiles: frozenset[ProfileId]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: the clusters that S becomes, and the verdicts that are new or changed (None is accepted)."""

    clusters: tuple[Cluster, ...]
    verdicts: Mapping[LinkId, Reason | None]


def turned(
    stored: Mapping[IdentifierKey, Generic | None], links: Sequence[Link], acts: Sequence[Act], policy: Policy
) -> dict[IdentifierKey, Generic | None]:
    """The identifiers whose genericity is no longer what is stored, with what it is now.

    stored: the ends of what changed, the ones `derived` joins to them, and the partners of both ends of a changed
    derived link or override, since those count as one. links: all their direct links, and the derived links of their
    partners. acts: all that name an end of those links, or a value that overrides tie to one.
    """
    standing = standing_of(acts)
    now = genericity((*links, *standing.manual), standing, policy)
    return {key: now.get(key) for key, before in stored.items() if now.get(key) != before}


def restitch(region: Region, touched: frozenset[ProfileId], policy: Policy) -> Plan | Grow:
    """Stitch again the part of the graph that a change can reach.

    touched: the stored clusters of S. Returns the Plan to write, or Grow with the clusters to read as well, because a
    link to them would now be accepted. Asking again with the grown region ends, and equals `stitch` on the whole
    history (tests/identity/test_restitching.py). Cost: O(n log n) in the links of the region.
    """
    standing = standing_of(region.acts)
    inside = {key for key in region.identifiers if key not in region.profile_of or region.profile_of[key] in touched}
    links = with_manual(region.links, standing, region.identifiers)
    sets, refused = unite(region.identifiers, links, region.generic, standing, policy)
    reached = frozenset(
        region.profile_of[key]
        for members in sets
        if not inside.isdisjoint(members)
        for key in members
        if key not in inside
    )
    if reached:
        return Grow(reached)
    clusters = [
        cluster_of(members, region.identifiers, region.generic, policy) for members in sets if members[0] in inside
    ]
    return Plan(tuple(sorted(clusters, key=lambda each: each.id)), _changed(links, refused, inside, region.verdicts))


def _changed(
    links: Sequence[Link],
    refused: Mapping[LinkId, Reason],
    inside: set[IdentifierKey],
    verdicts: Mapping[LinkId, Reason | None],
) -> dict[LinkId, Reason | None]:
    mine = (link.id for link in links if link.a in inside or link.b in inside)
    return {link: refused.get(link) for link in mine if link not in verdicts or verdicts[link] != refused.get(link)}
