"""The rules of stitching as data: namespaces, limits, traits, shared devices. Read from a TOML text."""

import fnmatch
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated

import msgspec

from identity.errors import PolicyInvalidError

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
    PHONE = "phone"
    SHA256 = "sha256"


class Strategy(StrEnum):
    """Which of several observed values a profile shows."""

    LAST = "last"
    FIRST = "first"
    MAX = "max"
    MOST_FREQUENT = "most_frequent"
    UNION = "union"


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The rules of one namespace.

    priority: 0 is strongest. unique: a profile has at most one value of it.
    max_partners: linked to more identifiers than this it is generic; None is no limit.
    generic_above: linked to more values of one unique namespace than this it is generic; None is never.
    active: how many a profile shows as active; None is all. active_days: of those seen so many days before the newest.
    """

    name: str
    role: Role
    priority: int
    unique: bool = False
    max_partners: int | None = 50
    generic_above: int | None = 1
    active: int | None = None
    active_days: int | None = None
    normaliser: Normaliser = Normaliser.TEXT


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
    """One version of the rules; equal texts and declared namespaces give equal policies."""

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
    text: str = field(default="", compare=False)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text it was read from, in hexadecimal: the name of exactly these rules."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def namespace(self, name: str) -> Namespace:
        """The rules of a namespace; one that nobody declared is an external id: a contact, not unique."""
        return self.namespaces.get(name) or replace(self.external, name=name)

    def with_namespaces(self, declared: Iterable[Namespace]) -> "Policy":
        """This policy and the namespaces that sources declared; what the policy itself names stays as it says."""
        return replace(self, namespaces={**{each.name: each for each in declared}, **self.namespaces})

    @cached_property
    def unique(self) -> frozenset[str]:
        """The names of the unique namespaces."""
        return frozenset(name for name, rules in self.namespaces.items() if rules.unique)

    @cached_property
    def blocked(self) -> re.Pattern[str]:
        """What matches every value of a blocked pattern, and nothing else; the values in small letters."""
        patterns = "|".join(fnmatch.translate(pattern) for pattern in self.blocked_patterns)
        return re.compile(patterns or r"(?!)")

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


class _NamespaceText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role
    priority: Annotated[int, msgspec.Meta(ge=0, le=99)]
    unique: bool = False
    max_partners: Annotated[int, msgspec.Meta(ge=0)] = 50
    generic_above: Annotated[int, msgspec.Meta(ge=0)] = 1
    active: Annotated[int, msgspec.Meta(ge=0)] = 0
    active_days: Annotated[int, msgspec.Meta(ge=0)] = 0
    normaliser: Normaliser = Normaliser.TEXT


class _TraitText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    spellings: tuple[str, ...] = ()
    strategy: Strategy = Strategy.LAST


class _BlockedText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class _LimitsText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    profile_identifiers: Annotated[int, msgspec.Meta(ge=1)] = 1_000
    region_identifiers: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    links_per_message: Annotated[int, msgspec.Meta(ge=2)] = 10
    value_bytes: Annotated[int, msgspec.Meta(ge=16)] = 512


class _DevicesText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: DeviceRule = DeviceRule.BY_TIME
    idle_minutes: Annotated[int, msgspec.Meta(ge=1)] = 30
    logout: tuple[str, ...] = ("Signed Out", "Logged Out")


class _PolicyText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    namespaces: dict[str, _NamespaceText]
    traits: dict[str, _TraitText] = {}
    blocked: _BlockedText = _BlockedText()
    limits: _LimitsText = _LimitsText()
    devices: _DevicesText = _DevicesText()
    source_rank: tuple[str, ...] = ()
    session_idle_minutes: Annotated[int, msgspec.Meta(ge=1)] = 30


def policy_from_toml(text: str) -> Policy:
    """The policy a TOML text describes; 0 stands for «no limit» where a limit is meant.

    Raises PolicyInvalidError with the line or the key and the reason.
    """
    try:
        read = msgspec.convert(tomllib.loads(text), _PolicyText)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PolicyInvalidError(str(error)) from error
    for name in (*read.namespaces, *read.traits):
        if not NAMESPACE_PATTERN.match(name):
            raise PolicyInvalidError(f"`{name}` must match [a-z][a-z0-9_.]{{0,63}}")
    return Policy(
        text=text,
        version=read.version,
        namespaces={name: _namespace(name, each) for name, each in read.namespaces.items()},
        traits={
            name: Trait(name=name, spellings=each.spellings, strategy=each.strategy)
            for name, each in read.traits.items()
        },
        blocked_values=frozenset(value.casefold() for value in read.blocked.values),
        blocked_patterns=read.blocked.patterns,
        source_rank=read.source_rank,
        profile_limit=read.limits.profile_identifiers,
        region_limit=read.limits.region_identifiers,
        links_per_message=read.limits.links_per_message,
        max_value_bytes=read.limits.value_bytes,
        session_idle_minutes=read.session_idle_minutes,
        device_rule=read.devices.rule,
        device_idle_minutes=read.devices.idle_minutes,
        logout_names=frozenset(read.devices.logout),
    )


def _namespace(name: str, read: _NamespaceText) -> Namespace:
    return Namespace(
        name=name,
        role=read.role,
        priority=read.priority,
        unique=read.unique,
        max_partners=read.max_partners or None,
        generic_above=read.generic_above or None,
        active=read.active or None,
        active_days=read.active_days or None,
        normaliser=read.normaliser,
    )
