"""Where two policies hear differently: whether at all, and whether in one message, told without hearing it twice.

Whatever is not known to leave hearing alone counts as a difference, so a new rule is safe before it is fast.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from identity.identifiers import normalise
from identity.messages import Message, Sighting
from identity.policy import DeviceRule, KindRules, Namespace, Normaliser, OverActive, Policy, Role, Shared, Strategy

NOBODY = Namespace(name="", role=Role.CONTACT, priority=0)


def hears_alike(one: Policy, other: Policy) -> bool:
    """Whether every message says the same under both policies; both with the declared namespaces."""
    return _hearing(one) == _hearing(other)


@dataclass(frozen=True)
class Differences:
    """What two policies hear otherwise; both with the declared namespaces."""

    old: Policy
    new: Policy

    def none_in(self, message: Message) -> bool:
        """Whether a message surely says the same under both; one with a previousId is never sure.

        It does where both read each of its values as the same identifier, in namespaces of the same rank, of which it
        has one value where only one of the policies calls the namespace unique.
        """
        if self._apart_from_values or message.previous_id is not None:
            return False
        named = [each.namespace for each in message.sightings]
        return all(self._none_of(each, named.count(each.namespace), message.region) for each in message.sightings)

    def _none_of(self, said: Sighting, many: int, region: str | None) -> bool:
        """Whether one value, of so many of its namespace, is surely the same under both."""
        of = self._of(said.namespace)
        if not of.alike or (of.unique_in_one and many > 1):
            return False
        return not of.values or normalise(said.namespace, said.value, self.old, region) == normalise(
            said.namespace, said.value, self.new, region
        )

    @cached_property
    def _apart_from_values(self) -> bool:
        """Whether something differs that is no matter of a namespace or of what a value means."""
        return _ranks(self.old) != _ranks(self.new)

    @cached_property
    def _known(self) -> dict[str, "_Difference"]:
        return {}

    def _of(self, namespace: str) -> "_Difference":
        found = self._known.get(namespace)
        if found is None:
            one, other = (_heard_namespace(each.namespace(namespace)) for each in (self.old, self.new))
            found = self._known[namespace] = _Difference(
                alike=_rank(one) == _rank(other),
                unique_in_one=one.unique is not other.unique,
                values=(_reading(one), _values(self.old)) != (_reading(other), _values(self.new)),
            )
        return found


@dataclass(frozen=True, slots=True)
class _Difference:
    """Of a namespace: whether it has one rank, is unique under one policy alone, and has values read by other rules."""

    alike: bool
    unique_in_one: bool
    values: bool


def _hearing(policy: Policy) -> Policy:
    """A policy with all that hearing looks at, and nothing else that could differ."""
    traits = {name: replace(each, strategy=Strategy.LAST) for name, each in policy.traits.items()}
    return replace(
        policy,
        version="",
        namespaces={name: _heard_namespace(each) for name, each in policy.namespaces.items()},
        external=_heard_namespace(policy.external),
        traits={name: each for name, each in traits.items() if each.spellings},
        source_rank=(),
        profile_limit=0,
        region_limit=0,
        session_idle_minutes=0,
        device_rule=DeviceRule.BY_TIME,
        device_idle_minutes=0,
        logout_names=frozenset(),
        account_roles=(),
        replay_stays_out=True,
        kinds={word: KindRules(links=False) for word, each in policy.kinds.items() if not each.links},
    )


def _ranks(policy: Policy) -> Policy:
    """What hearing looks at, but for the namespaces and for which values name nobody."""
    ranks = replace(_hearing(policy), namespaces={}, external=NOBODY)
    return replace(ranks, blocked_values=frozenset(), blocked_patterns=(), max_value_bytes=0)


def _values(policy: Policy) -> tuple[object, ...]:
    return policy.blocked_values, policy.blocked_patterns, policy.max_value_bytes


def _heard_namespace(each: Namespace) -> Namespace:
    return replace(
        each,
        max_partners=None,
        generic_above=None,
        active=None,
        active_days=None,
        over_active=OverActive.INACTIVE,
        shared=Shared.OWN,
    )


def _rank(each: Namespace) -> Namespace:
    """What hearing looks at in a namespace, but for which values name somebody, and for how many a message may have."""
    return replace(each, unique=False, normaliser=Normaliser.TEXT, blocked_values=frozenset(), blocked_patterns=())


def _reading(each: Namespace) -> tuple[object, ...]:
    return each.normaliser, each.blocked_values, each.blocked_patterns
