"""What of a policy hearing looks at, setting by setting, and in which messages what it looks at shows."""

from dataclasses import replace

import pytest

from identity.differences import Differences, hears_alike
from identity.messages import Authority, MessageKind
from identity.policy import DeviceRule, KindRules, Normaliser, OverActive, Policy, Role, Shared, Strategy, Trait
from tests.building import default_policy, message

UNHEARD = [
    {"version": "other"},
    {"source_rank": ("crm",)},
    {"profile_limit": 7},
    {"region_limit": 7},
    {"session_idle_minutes": 7},
    {"device_rule": DeviceRule.FIRST_ONLY},
    {"device_idle_minutes": 7},
    {"logout_names": frozenset({"Bye"})},
    {"account_roles": ("boss",)},
    {"replay_stays_out": False},
    {"kinds": {"cooccur": KindRules(minimum_authority=Authority.VERIFIED)}},
    {"text": "other"},
]
UNHEARD_OF_NAMESPACES = [
    {"max_partners": 7},
    {"generic_above": 7},
    {"active": 7},
    {"active_days": 7},
    {"over_active": OverActive.APART},
    {"shared": Shared.BY_TIME},
]


def with_rules(policy: Policy, name: str, **more: object) -> Policy:
    """A policy with other rules of one namespace; of those that nobody declared where the name is empty."""
    rules = replace(policy.namespaces.get(name, policy.external), **more)  # type: ignore[arg-type]  # handed through
    return replace(policy, namespaces={**policy.namespaces, name: rules}) if name else replace(policy, external=rules)


def unheard() -> dict[str, Policy]:
    """Policies that differ from the default in one thing that hearing does not look at."""
    policy = default_policy()
    shown = {name: replace(each, strategy=Strategy.MAX) for name, each in policy.traits.items()}
    bare = replace(policy, traits={**shown, "shoe": Trait(name="shoe")})
    whole = {str(each): replace(policy, **each) for each in UNHEARD}  # type: ignore[arg-type]  # handed through
    rules = {
        f"{name} {each}": with_rules(policy, name, **each) for each in UNHEARD_OF_NAMESPACES for name in ("email", "")
    }
    return {**whole, **rules, "which value of a trait is shown": bare}


@pytest.mark.parametrize("other", [pytest.param(each, id=name) for name, each in unheard().items()])
def test_limits_thresholds_and_what_is_shown_leave_hearing_alone(other: Policy) -> None:
    assert hears_alike(default_policy(), other)
    assert Differences(default_policy(), other).none_in(
        message(MessageKind.TRACK, [("email", "a@x.com"), ("crm", "c1")])
    )


def heard_of() -> dict[str, Policy]:
    """Policies that differ from the default in one thing that hearing looks at."""
    policy = default_policy()
    trait = next(iter(policy.traits.values()))
    return {
        "a normaliser": with_rules(policy, "email", normaliser=Normaliser.TEXT),
        "a priority": with_rules(policy, "email", priority=9),
        "external ids": with_rules(policy, "", priority=9),
        "blocked values": replace(policy, blocked_values=policy.blocked_values | {"x"}),
        "blocked patterns": replace(policy, blocked_patterns=("x*",)),
        "spellings": replace(policy, traits={**policy.traits, trait.name: replace(trait, spellings=("other",))}),
        "kinds": replace(policy, kinds={"alias": KindRules(links=False)}),
        "how many are linked": replace(policy, links_per_message=3),
    }


@pytest.mark.parametrize("other", [pytest.param(each, id=name) for name, each in heard_of().items()])
def test_normalisers_blocked_values_priorities_and_spellings_do_not(other: Policy) -> None:
    assert not hears_alike(default_policy(), other)


@pytest.mark.parametrize(
    ("other", "said", "sure"),
    [
        (with_rules(default_policy(), "", role=Role.DEVICE), [("crm", "c1")], False),
        (with_rules(default_policy(), "", role=Role.DEVICE), [("email", "a@x.com")], True),
        (replace(default_policy(), blocked_patterns=("x*",)), [("user_id", "x1")], False),
        (replace(default_policy(), blocked_patterns=("x*",)), [("user_id", "y1")], True),
        (with_rules(default_policy(), "user_id", blocked_patterns=("x*",)), [("user_id", "x1")], False),
        (with_rules(default_policy(), "user_id", blocked_patterns=("x*",)), [("user_id", "y1")], True),
        (with_rules(default_policy(), "user_id", blocked_patterns=("x*",)), [("crm", "x1")], True),
    ],
)
def test_what_differs_elsewhere_is_no_difference_in_a_message(
    other: Policy, said: list[tuple[str, str]], *, sure: bool
) -> None:
    assert Differences(default_policy(), other).none_in(message(MessageKind.TRACK, said)) is sure


@pytest.mark.parametrize(("number", "sure"), [("0171 2345678", False), ("0171 2345679", True)])
def test_a_number_is_read_with_the_region_of_its_message(number: str, *, sure: bool) -> None:
    other = with_rules(default_policy(), "phone", blocked_values=frozenset({"0171 2345678"}))
    said = message(MessageKind.TRACK, [("phone", number)], region="DE")
    assert Differences(default_policy(), other).none_in(said) is sure
