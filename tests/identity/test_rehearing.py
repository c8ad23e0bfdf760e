"""Two policies that are said to hear alike hear alike, whatever the message."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from identity.evidence import hear
from identity.messages import Authority, Message
from identity.policy import DeviceRule, KindRules, Normaliser, Policy, Strategy
from identity.rehearing import hears_alike
from tests.building import default_policy
from tests.identity.histories import some_message
from tests.identity.policies import some_policy


@given(some_message(), some_policy, some_policy)
def test_policies_that_hear_alike_hear_the_same(message: Message, one: Policy, other: Policy) -> None:
    assume(hears_alike(one, other))
    assert hear(message, one) == hear(message, other)


@given(st.sampled_from(["email", "user_id", "anonymous_id"]), st.integers(1, 9))
def test_limits_thresholds_and_what_is_shown_leave_hearing_alone(name: str, number: int) -> None:
    policy = default_policy()
    rules = replace(policy.namespaces[name], max_partners=number, generic_above=number, active=number)
    other = replace(
        policy,
        namespaces={**policy.namespaces, name: rules},
        traits={each: replace(rule, strategy=Strategy.MAX) for each, rule in policy.traits.items()},
        source_rank=("crm",),
        profile_limit=number,
        device_rule=DeviceRule.FIRST_ONLY,
        kinds={"cooccur": KindRules(minimum_authority=Authority.VERIFIED)},
        version="other",
    )
    assert hears_alike(policy, other)


def test_normalisers_blocked_values_priorities_and_spellings_do_not() -> None:
    policy = default_policy()
    email = policy.namespaces["email"]
    trait = next(iter(policy.traits.values()))
    others = [
        replace(policy, namespaces={**policy.namespaces, "email": replace(email, normaliser=Normaliser.TEXT)}),
        replace(policy, namespaces={**policy.namespaces, "email": replace(email, priority=9)}),
        replace(policy, blocked_values=policy.blocked_values | {"x"}),
        replace(policy, traits={**policy.traits, trait.name: replace(trait, spellings=("other",))}),
        replace(policy, kinds={"alias": KindRules(links=False)}),
        replace(policy, links_per_message=3),
    ]
    assert [hears_alike(policy, each) for each in others] == [False] * len(others)
