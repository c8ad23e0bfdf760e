"""A history held in memory that is stitched after each batch by the incremental rule alone.

It reads regions as the graph does, so that the property «incremental equals global» is about the rule itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from identity.evidence import (
    PREVIOUS_MEANS,
    Act,
    AliasSaid,
    Heard,
    Kind,
    Link,
    LinkId,
    Reason,
    derived_link,
    hear,
    joined,
    matters,
    resolved,
    sha256_of,
)
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.messages import Message
from identity.policy import Policy
from identity.restitching import Grow, Region, restitch, turned
from identity.stitching import Cluster, Evidence, Generic, Known, one_value_with, overrides_said, standing_of
from identity.survivorship import Observation, surviving
from tests.building import default_policy, minting


@dataclass
class History:
    policy: Policy
    mint: Callable[[], str]
    identifiers: dict[IdentifierKey, Known] = field(default_factory=dict)
    sighted: set[IdentifierKey] = field(default_factory=set)
    links: dict[LinkId, Link] = field(default_factory=dict)
    aliases: list[AliasSaid] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    clusters: dict[ProfileId, Cluster] = field(default_factory=dict)
    profile_of: dict[IdentifierKey, ProfileId] = field(default_factory=dict)
    verdicts: dict[LinkId, Reason | None] = field(default_factory=dict)
    generic: dict[IdentifierKey, Generic] = field(default_factory=dict)
    emptied: set[ProfileId] = field(default_factory=set)
    observations: dict[IdentifierKey, list[Observation]] = field(default_factory=dict)
    minted: int = 0

    def receive(self, batch: Iterable[Message]) -> None:
        """Take in messages, then stitch what they touched."""
        changed: set[IdentifierKey] = set()
        for message in batch:
            if message.id not in self.messages:
                self.messages.add(message.id)
                changed |= self._hear(hear(message, self.policy))
        self._restitch(changed & self.identifiers.keys())

    def decide(self, act: Act) -> None:
        """Take in a manual act, then stitch what it touched."""
        self.acts.append(act)
        manual = {link.id for link in standing_of(self.acts).manual}
        self.verdicts = {id_: why for id_, why in self.verdicts.items() if id_.kind is not Kind.MANUAL or id_ in manual}
        self._restitch(set(act.pair))

    def forget(self, link: LinkId) -> None:
        """Delete one link, as an erasure does, then stitch what that touches."""
        del self.links[link]
        self.verdicts.pop(link, None)
        self._restitch({link.a, link.b})

    def evidence(self) -> Evidence:
        return Evidence(self.identifiers, tuple(self.links.values()), self.acts)

    def _hear(self, heard: Heard) -> set[IdentifierKey]:
        """Take in what a message says; one of nobody who can be believed is rejected, as the graph does."""
        if heard.actor is None:
            return set()
        changed = {each.key for each in heard.identifiers if each.key not in self.identifiers}
        self.sighted |= {each.key for each in heard.identifiers}
        for each in sorted(heard.identifiers, key=lambda one: one.key):
            self._sight(each.key)
        for link in (*heard.links, *self._derived()):
            changed |= self._add(link)
        self.aliases += heard.aliases
        self.observations.setdefault(heard.actor, []).extend(heard.observations)
        return changed | self._aliased()

    def _sight(self, key: IdentifierKey) -> None:
        if key not in self.identifiers:
            self.minted += 1
            self.identifiers[key] = Known(key, self.mint(), self.minted)

    def _derived(self) -> list[Link]:
        emails = [each for each in self.identifiers if namespace_of(each) == "email"]
        pairs = ((email, IdentifierKey(f"email_sha256:{sha256_of(email.partition(':')[2])}")) for email in emails)
        return [derived_link(email, digest) for email, digest in pairs if digest in self.identifiers]

    def _aliased(self) -> set[IdentifierKey]:
        """Give every alias its link anew: what previousId means follows from which user ids are known."""
        users = {key for key in self.sighted if namespace_of(key) == "user_id"}
        old = {id_: link for id_, link in self.links.items() if link.kind is Kind.ALIAS and not _merged(link)}
        new: dict[LinkId, Link] = {}
        for said in self.aliases:
            link = resolved(said, users)
            if link is not None:
                new[link.id] = joined(new[link.id], link) if link.id in new else link
        ends = {end for link in new.values() for end in (link.a, link.b)}
        for end in sorted(ends - self.identifiers.keys()):
            self._sight(end)
        self.links = {id_: link for id_, link in self.links.items() if id_ not in old} | new
        gone = old.keys() - new.keys()
        for id_, link in new.items():
            if id_ in old and matters(old[id_], link):
                self._ask_again(id_)
        self.verdicts = {id_: why for id_, why in self.verdicts.items() if id_ not in gone}
        changed = {end for id_ in gone for end in (id_.a, id_.b)}
        changed |= {end for id_, link in new.items() if old.get(id_) != link for end in (link.a, link.b)}
        return self._without_orphans({end for id_ in gone for end in (id_.a, id_.b)} - ends, changed)

    def _without_orphans(self, left: set[IdentifierKey], changed: set[IdentifierKey]) -> set[IdentifierKey]:
        """An identifier known only as a previousId that means another one now was never seen."""
        for key in left - self.sighted:
            del self.identifiers[key]
            self.generic.pop(key, None)
            if key in self.profile_of:
                self.emptied.add(self.profile_of.pop(key))
        return changed & self.identifiers.keys()

    def _add(self, link: Link) -> set[IdentifierKey]:
        before = self.links.get(link.id)
        if link.kind is Kind.DERIVED and before is not None:
            return set()
        self.links[link.id] = link if before is None else joined(before, link)
        if before is not None and not matters(before, self.links[link.id]):
            return set()
        self._ask_again(link.id)
        return {link.a, link.b}

    def _ask_again(self, link: LinkId) -> None:
        """With more authority of its own, a link that nobody follows may be accepted."""
        if self.verdicts.get(link) is Reason.UNVERIFIED:
            del self.verdicts[link]

    def _all_acts(self) -> list[Act]:
        """Manual acts, and what aliases say where the policy reads them as overrides."""
        return [*self.acts, *overrides_said(self.links.values(), self.policy)]

    def _restitch(self, changed: set[IdentifierKey]) -> None:
        changed = set(one_value_with(changed, self._all_acts())) & self.identifiers.keys()
        if not changed and not self.emptied:
            return
        turns = self._turned(changed)
        self.generic = {key: why for key, why in (self.generic | turns).items() if why is not None}
        touched = frozenset(self.profile_of[key] for key in changed | turns.keys() if key in self.profile_of)
        touched |= self.emptied
        self.emptied = set()
        while isinstance(plan := restitch(self._region(touched, set(turns)), touched, self.policy), Grow):
            touched |= plan.profiles
        self.clusters = {id_: each for id_, each in self.clusters.items() if id_ not in touched}
        for cluster in plan.clusters:
            self.clusters[cluster.id] = cluster
            self.profile_of |= dict.fromkeys(cluster.members, cluster.id)
        self.verdicts |= plan.verdicts

    def _turned(self, changed: set[IdentifierKey]) -> dict[IdentifierKey, Generic | None]:
        derived = [link for link in self.links.values() if link.kind is Kind.DERIVED]
        paired = {end for link in derived if changed & {link.a, link.b} for end in (link.a, link.b)}
        overridden = {key for act in self._all_acts() for key in (act.a, act.b) if key in changed}
        asked = changed | paired | self._partners(paired | overridden)
        asked |= {end for link in derived if asked & {link.a, link.b} for end in (link.a, link.b)}
        near = asked | self._partners(asked)
        direct = [link for link in self.links.values() if asked & {link.a, link.b}]
        direct += [link for link in derived if near & {link.a, link.b} and not asked & {link.a, link.b}]
        acts = self._acts_about({end for link in direct for end in (link.a, link.b)} | asked)
        return turned({key: self.generic.get(key) for key in asked}, direct, acts, self.policy)

    def _acts_about(self, keys: set[IdentifierKey]) -> list[Act]:
        acts = self._all_acts()
        near = one_value_with(keys, acts)
        return [act for act in acts if act.a in near or act.b in near]

    def _partners(self, keys: set[IdentifierKey]) -> set[IdentifierKey]:
        ends = ({link.a, link.b} for link in self.links.values())
        return {key for pair in ends if pair & keys for key in pair}

    def _region(self, touched: frozenset[ProfileId], turns: set[IdentifierKey]) -> Region:
        near = {key for profile in touched for key in self.clusters[profile].members if key in self.identifiers}
        near |= {key for key in self.identifiers if key not in self.profile_of}
        followed = [link for link in self.links.values() if self._followed(link, turns)]
        ends = [(link.a, link.b) for link in followed] + [(link.b, link.a) for link in followed]
        profiles = {self.profile_of[other] for end, other in ends if end in near and other in self.profile_of}
        keys = near | {key for profile in profiles for key in self.clusters[profile].members}
        keys &= self.identifiers.keys()
        return Region(
            identifiers={key: self.identifiers[key] for key in keys},
            profile_of={key: self.profile_of[key] for key in keys if key in self.profile_of},
            links=[link for link in followed if link.a in keys and link.b in keys],
            verdicts=self.verdicts,
            generic={key: why for key, why in self.generic.items() if key in keys},
            acts=self._acts_about(keys),
        )

    def _followed(self, link: Link, turns: set[IdentifierKey]) -> bool:
        why = self.verdicts.get(link.id)
        return why is not Reason.UNVERIFIED and (why is not Reason.GENERIC or bool(turns & {link.a, link.b}))


def people(clusters: Iterable[Cluster]) -> list[tuple[IdentifierKey, ...]]:
    """The people as sets of identifiers, in a comparable order."""
    return sorted(cluster.members for cluster in clusters)


def told(messages: Sequence[Message], policy: Policy, mint: Callable[[], str]) -> History:
    """The history of messages that arrived one by one."""
    history = History(policy, mint)
    for message in messages:
        history.receive([message])
    return history


def history_of(*steps: Message | Act, policy: Policy | None = None) -> History:
    """The history of messages and acts that came one by one, under the default policy."""
    mint = minting()
    history = History(policy or default_policy(), lambda: next(mint))
    for step in steps:
        if isinstance(step, Act):
            history.decide(step)
        else:
            history.receive([step])
    return history


def people_of(history: History) -> list[set[str]]:
    """The people as sets of keys, generic identifiers' own profiles left out."""
    return [
        set(each.members) for each in sorted(history.clusters.values(), key=lambda one: one.members) if not each.shared
    ]


def refusals_of(history: History) -> dict[tuple[str, str], str]:
    """Why each refused link was refused, by its pair."""
    return {(id_.a, id_.b): why.value for id_, why in history.verdicts.items() if why is not None}


def traits_of(history: History) -> dict[tuple[str, ...], dict[str, object]]:
    """The traits of each profile, by its identifiers."""
    shown = {}
    for cluster in history.clusters.values():
        observations = [one for key in cluster.members for one in history.observations.get(key, ())]
        shown[tuple(cluster.members)] = {
            name: one.value for name, one in surviving(observations, history.policy).items()
        }
    return shown


def _merged(link: Link) -> bool:
    """Whether an alias comes from a source's record of a merge, which says itself what it means."""
    return namespace_of(link.a) == namespace_of(link.b) not in PREVIOUS_MEANS
