"""Where two policies hear differently: whether at all, and whether in one message, told without hearing it twice.

Whatever is not known to leave hearing alone counts as a difference, so a new rule is safe before it is fast.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property

from identity.evidence import actor_rank
from identity.identifiers import normalise
from identity.messages import Named, Sighting
from identity.policy import Namespace, Policy

# What hearing does not look at in a policy, and in the rules of a namespace.
UNHEARD = frozenset(
    {
        "version",
        "source_rank",
        "profile_limit",
        "region_limit",
        "session_idle_minutes",
        "device_rule",
        "device_idle_minutes",
        "logout_names",
        "account_roles",
        "replay_stays_out",
    }
)
UNHEARD_OF_NAMESPACES = frozenset(
    {
        "max_partners",
        "generic_above",
        "active",
        "active_days",
        "over_active",
        "shared",
    }
)
# What `Differences` tells apart, message by message: of a policy, and of a namespace.
TOLD_APART = frozenset(
    {
        "namespaces",
        "external",
        "links_per_message",
        "blocked_values",
        "blocked_patterns",
        "max_value_bytes",
    }
)
TOLD_OF_NAMESPACES = frozenset({"unique", "priority", "normaliser", "blocked_values", "blocked_patterns"})


def hears_alike(one: Policy, other: Policy) -> bool:
    """Whether every message says the same under both policies; both with the declared namespaces."""
    return _hearing(one) == _hearing(other)


@dataclass(frozen=True)
class Differences:
    """What two policies hear otherwise; both with the declared namespaces."""

    old: Policy
    new: Policy

    def none_in(self, message: Named) -> bool:
        """Whether a message surely says the same under both, in whatever order its links; with a previousId never.

        It does where both read each of its values as the same identifier of the same role, order them alike and link
        as many, and where it has one value of a namespace that only one of them calls unique.
        """
        if self._elsewhere or message.previous_id is not None:
            return False
        names = tuple(each.namespace for each in message.sightings)
        if not self._alike(names):
            return False
        return all(self._read_alike(each, message.region) for each in message.sightings)

    def _alike(self, names: tuple[str, ...]) -> bool:
        """Whether values of these namespaces are told alike by both, whatever they are."""
        found = self._combined.get(names)
        if found is None:
            told = all(self._of(each).alike and (self._of(each).unique or names.count(each) == 1) for each in names)
            found = self._combined[names] = told and self._ordered(names)
        return found

    def _ordered(self, names: tuple[str, ...]) -> bool:
        """Whether both name the same actor, and link the same of them: all, or those of the same priorities."""
        limits = self.old.links_per_message, self.new.links_per_message
        if len(names) > min(limits):
            return limits[0] == limits[1] and all(self._of(each).priority for each in names)
        return _places(names, self.old) == _places(names, self.new)

    def _read_alike(self, said: Sighting, region: str | None) -> bool:
        """Whether both read one value as the same identifier."""
        if self._of(said.namespace).values:
            return True
        one = normalise(said.namespace, said.value, self.old, region)
        return one == normalise(said.namespace, said.value, self.new, region)

    @cached_property
    def _elsewhere(self) -> bool:
        """Whether something differs that is no matter of namespaces, of values, or of how many are linked."""
        return _rest(self.old) != _rest(self.new)

    @cached_property
    def _combined(self) -> dict[tuple[str, ...], bool]:
        return {}

    @cached_property
    def _known(self) -> dict[str, "_Same"]:
        return {}

    def _of(self, namespace: str) -> "_Same":
        found = self._known.get(namespace)
        if found is None:
            one, other = (each.namespace(namespace) for each in (self.old, self.new))
            apart = UNHEARD_OF_NAMESPACES | TOLD_OF_NAMESPACES
            found = self._known[namespace] = _Same(
                alike=_without(one, apart) == _without(other, apart),
                unique=one.unique is other.unique,
                priority=one.priority == other.priority,
                values=(_reading(one), _values(self.old)) == (_reading(other), _values(self.new)),
            )
        return found


@dataclass(frozen=True, slots=True)
class _Same:
    """What two policies say alike of a namespace.

    unique, priority: that. values: which of them name somebody, and whom. alike: all the rest that hearing looks at.
    """

    alike: bool
    unique: bool
    priority: bool
    values: bool


def _places(names: tuple[str, ...], policy: Policy) -> list[int]:
    """The place of each namespace among those of a message, when it is asked who did it."""
    ranks = [actor_rank(each, policy) for each in names]
    return [sorted(ranks).index(each) for each in ranks]


def _hearing(policy: Policy) -> dict[str, object]:
    """All that hearing looks at in a policy, and nothing else that could differ."""
    return {
        **_without(policy, UNHEARD),
        "namespaces": {name: _without(each, UNHEARD_OF_NAMESPACES) for name, each in policy.namespaces.items()},
        "external": _without(policy.external, UNHEARD_OF_NAMESPACES),
        "traits": {name: each.spellings for name, each in policy.traits.items() if each.spellings},
        "kinds": {word for word, each in policy.kinds.items() if not each.links},
    }


def _rest(policy: Policy) -> dict[str, object]:
    """What hearing looks at, but for the namespaces, for which values name nobody, and for how many are linked."""
    return {name: said for name, said in _hearing(policy).items() if name not in TOLD_APART}


def _values(policy: Policy) -> tuple[object, ...]:
    return policy.blocked_values, policy.blocked_patterns, policy.max_value_bytes


def _reading(each: Namespace) -> tuple[object, ...]:
    return each.normaliser, each.blocked_values, each.blocked_patterns


def _without(rules: Policy | Namespace, names: Collection[str]) -> dict[str, object]:
    """What rules say, by the names of their fields, but for some."""
    return {each.name: getattr(rules, each.name) for each in fields(rules) if each.compare and each.name not in names}
