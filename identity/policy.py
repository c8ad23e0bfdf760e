"""The rules of stitching as data: namespaces, kinds of statement, limits, traits, shared devices, accounts, erasure.

How a text becomes a policy stands in policy_text.py, what contradicts itself in one in policy_checks.py.
"""

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cached_property, lru_cache

import msgspec

from identity.messages import Authority

NAMESPACE_PATTERN = re.compile(r"[a-z][a-z0-9_.]{0,63}\Z")


class Role(StrEnum):
    """What an identifier names; the label it carries in the graph."""

    CONTACT = "Contact"
    DEVICE = "Device"
    CONTACT_POINT = "ContactPoint"


class Normaliser(StrEnum):
    """How a raw value becomes the value of a key."""

    TEXT = "text"
    EMAIL = "email"
    EMAIL_FOLDED = "email_folded"
    PHONE = "phone"
    SHA256 = "sha256"


class Strategy(StrEnum):
    """Which of several observed values a profile shows."""

    LAST = "last"
    FIRST = "first"
    MAX = "max"
    MOST_FREQUENT = "most_frequent"
    UNION = "union"


ROLES = ("owner", "admin", "member", "viewer")


class OverActive(StrEnum):
    """What becomes of the identifiers of a profile beyond those it shows as active."""

    INACTIVE = "inactive"
    APART = "apart"


class Shared(StrEnum):
    """To whom the messages that carry a shared contact point alone belong."""

    OWN = "own"
    BY_TIME = "by_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The rules of one namespace.

    priority: 0 is strongest. unique: a profile has at most one value of it.
    max_partners: linked to more identifiers than this it is generic; None is no limit.
    generic_above: linked to more values of one unique namespace than this it is generic; None is never.
    active: how many a profile shows as active; None is all. active_days: of those seen so many days before the newest.
    over_active: whether those beyond are only shown as inactive, or are not joined to the profile at all.
    blocked_values, blocked_patterns: what names nobody in this namespace, besides what names nobody anywhere.
    """

    name: str
    role: Role
    priority: int
    unique: bool = False
    max_partners: int | None = 50
    generic_above: int | None = 1
    active: int | None = None
    active_days: int | None = None
    over_active: OverActive = OverActive.INACTIVE
    shared: Shared = Shared.OWN
    normaliser: Normaliser = Normaliser.TEXT
    blocked_values: frozenset[str] = frozenset()
    blocked_patterns: tuple[str, ...] = ()

    def blocks(self, folded: str) -> bool:
        """Whether a value, in small letters, names nobody in this namespace."""
        return folded in self.blocked_values or bool(
            self.blocked_patterns and matching(self.blocked_patterns).match(folded)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRules:
    """What one kind of statement can do.

    links: whether it is evidence at all. minimum_authority: a weaker one is kept, but refused as `unverified`.
    overrides_from: the authority from which an alias between two values of a unique namespace replaces one by the
    other; None is never.
    """

    links: bool = True
    minimum_authority: Authority = Authority.CLAIMED
    overrides_from: Authority | None = None


KINDS = ("import_key", "alias", "cooccur")  # the kinds a policy can steer; by hand and by arithmetic it always holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A trait that profiles carry as a property: its canonical name, how senders spell it, which value is shown."""

    name: str
    spellings: tuple[str, ...] = ()
    strategy: Strategy = Strategy.LAST


class DeviceRule(StrEnum):
    """To whom the anonymous interactions of a shared device belong."""

    BY_TIME = "by_time"
    LAST_AUTHENTICATED = "last_authenticated"
    FIRST_ONLY = "first_only"
    NEVER_GUESS = "never_guess"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One version of the rules; equal texts and declared namespaces give equal policies.

    kinds: the rules of each kind of statement by its word; one without rules links whatever its authority.
    account_roles: roles in accounts, the highest first. text: what it was read from, as it was written.
    """

    version: str
    namespaces: Mapping[str, Namespace]
    traits: Mapping[str, Trait]
    blocked_values: frozenset[str]
    blocked_patterns: tuple[str, ...]
    source_rank: tuple[str, ...] = ()
    profile_limit: int = 1_000
    region_limit: int = 5_000
    links_per_message: int = 10
    max_value_bytes: int = 512
    session_idle_minutes: int = 30
    device_rule: DeviceRule = DeviceRule.BY_TIME
    device_idle_minutes: int = 30
    logout_names: frozenset[str] = frozenset({"Signed Out", "Logged Out"})
    external: Namespace = field(
        default_factory=lambda: Namespace(name="", role=Role.CONTACT, priority=1, max_partners=None)
    )
    kinds: Mapping[str, KindRules] = field(default_factory=dict)
    account_roles: tuple[str, ...] = ROLES
    replay_stays_out: bool = True
    text: str = field(default="", compare=False, repr=False)

    def namespace(self, name: str) -> Namespace:
        """The rules of a namespace; one that nobody declared is an external id: a contact, not unique."""
        return self.namespaces.get(name) or replace(self.external, name=name)

    def with_namespaces(self, declared: Iterable[Namespace]) -> "Policy":
        """This policy and the namespaces that sources declared; what the policy itself names stays as it says."""
        return replace(self, namespaces={**{each.name: each for each in declared}, **self.namespaces})

    def kind(self, word: str) -> KindRules:
        """The rules of a kind of statement."""
        return self.kinds.get(word) or KindRules()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that the policy says, in hexadecimal: equal for equal policies, however they are written."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        said["blocked_patterns"] = sorted(self.blocked_patterns)
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()

    @cached_property
    def unique(self) -> frozenset[str]:
        """The names of the unique namespaces."""
        return frozenset(name for name, rules in self.namespaces.items() if rules.unique)

    @cached_property
    def apart_above(self) -> Mapping[str, int]:
        """How many identifiers of a namespace one profile can have, for those where the others stay apart."""
        return {
            name: rules.active
            for name, rules in self.namespaces.items()
            if rules.over_active is OverActive.APART and rules.active is not None
        }

    @cached_property
    def blocked(self) -> re.Pattern[str]:
        """What matches every value of a blocked pattern, and nothing else; the values in small letters."""
        return matching(self.blocked_patterns)

    @cached_property
    def trait_of_spelling(self) -> Mapping[str, str]:
        """Canonical trait name by each spelling."""
        return {spelling: each.name for each in self.traits.values() for spelling in (each.name, *each.spellings)}

    def trait_name(self, spelling: str) -> str:
        """The canonical name of a trait as a sender spelt it; one the policy does not name stays as it is."""
        return self.trait_of_spelling.get(spelling, spelling)

    def rank(self, source: str) -> int:
        """0 for the best-ranked source; all unranked ones share the last place."""
        return self.source_rank.index(source) if source in self.source_rank else len(self.source_rank)


@lru_cache(maxsize=256)
def matching(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches a value, in small letters, that fits one of the patterns; of none of them, nothing."""
    joined = "|".join(fnmatch.translate(pattern.casefold()) for pattern in patterns)
    return re.compile(joined or r"(?!)")
