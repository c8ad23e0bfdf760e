"""Policies: what a text describes, and where an invalid one is wrong."""

import pytest

from identity.errors import PolicyInvalidError
from identity.policy import DeviceRule, Namespace, Normaliser, Policy, Role, Strategy
from identity.policy_text import policy_from_toml
from tests.building import default_policy

SMALL = 'version = "1"\n[namespaces.user_id]\nrole = "Contact"\npriority = 0\nunique = true\n'


def read(more: str = "", before: str = "") -> Policy:
    return policy_from_toml(before + SMALL + more)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version = = 1", "line 1"),
        (SMALL + "[limits\n", "line 6"),
        (SMALL + "[limits]\nprofile_identifiers = 0\n", "`limits.profile_identifiers`"),
        (SMALL + "[limits]\nlinks_per_message = 'ten'\n", "`limits.links_per_message`"),
        (SMALL + "[limits]\nprofiles = 3\n", "profiles"),
        (SMALL + "[devices]\nrule = 'guess'\n", "`devices.rule`"),
        (SMALL + "[namespaces.email]\nrole = 'Address'\npriority = 2\n", "role"),
        (SMALL + "[namespaces.email]\nrole = 'ContactPoint'\n", "priority"),
        (SMALL + "[namespaces.email]\nrole = 'ContactPoint'\npriority = 100\n", "priority"),
        (SMALL + "[namespaces.Email]\nrole = 'ContactPoint'\npriority = 2\n", "`Email`"),
        (SMALL + '[traits."first name"]\n', "`first name`"),
        (SMALL + "[traits.name]\nstrategy = 'best'\n", "strategy"),
        ("[namespaces.user_id]\nrole = 'Contact'\npriority = 0\n", "version"),
        ('version = "1"\n', "namespaces"),
        ("color = 'red'\n" + SMALL, "color"),
    ],
)
def test_an_invalid_policy_names_the_place(text: str, place: str) -> None:
    with pytest.raises(PolicyInvalidError, match=place) as found:
        policy_from_toml(text)
    assert found.value.code == "policy_invalid"
    assert not found.value.retryable


def test_zero_stands_for_no_limit() -> None:
    none = read(
        '[namespaces.email]\nrole = "ContactPoint"\npriority = 2\nmax_partners = 0\ngeneric_above = 0\nactive = 0\n'
    )
    rules = none.namespaces["email"]
    assert (rules.max_partners, rules.generic_above, rules.active, rules.active_days) == (None, None, None, None)


def test_what_a_policy_does_not_say_has_the_defaults_of_the_design() -> None:
    rules = read()
    assert (rules.profile_limit, rules.region_limit, rules.links_per_message, rules.max_value_bytes) == (
        1000,
        5000,
        10,
        512,
    )
    assert (rules.device_rule, rules.device_idle_minutes) == (DeviceRule.BY_TIME, 30)
    assert rules.logout_names == {"Signed Out", "Logged Out"}


def test_an_undeclared_namespace_is_an_external_id() -> None:
    rules = default_policy().namespace("crm.contact")
    assert (rules.name, rules.role, rules.priority, rules.unique) == ("crm.contact", Role.CONTACT, 1, False)
    assert rules.max_partners is None


def test_a_declared_namespace_joins_and_a_named_one_stays() -> None:
    crm = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True)
    own = Namespace(name="email", role=Role.DEVICE, priority=9)
    policy = default_policy().with_namespaces([crm, own])
    assert policy.unique == {"user_id", "crm"}
    assert policy.namespace("email") == default_policy().namespace("email")


def test_each_spelling_of_a_trait_is_its_canonical_name() -> None:
    policy = default_policy()
    assert {policy.trait_name(each) for each in ("firstName", "given_name", "first_name")} == {"first_name"}
    assert policy.trait_name("shoeSize") == "shoeSize"


def test_sources_rank_in_the_order_named_and_all_others_last() -> None:
    policy = read(before='source_rank = ["crm", "shop"]\n')
    assert [policy.rank(each) for each in ("crm", "shop", "web", "app")] == [0, 1, 2, 2]


def test_the_default_policy_orders_namespaces_as_designed() -> None:
    policy = default_policy()
    names = ("user_id", "crm.contact", "email", "phone", "device_id", "advertising_id", "push_token", "anonymous_id")
    assert [policy.namespace(each).priority for each in names] == [0, 1, 2, 3, 4, 4, 4, 5]
    assert [policy.namespace(each).max_partners for each in names] == [None, None, 500, 500, 50, 50, 50, 50]
    assert policy.namespace("email").normaliser is Normaliser.EMAIL
    assert policy.traits["created_at"].strategy is Strategy.FIRST


def test_blocked_values_are_compared_without_case() -> None:
    assert read('[blocked]\nvalues = ["NoReply"]\n').blocked_values == {"noreply"}
