"""Two policies that are said to hear alike hear alike, whatever the message."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from identity.differences import Differences, hears_alike
from identity.evidence import Heard, Link, hear
from identity.messages import Message, MessageKind
from identity.policy import KindRules, Normaliser, Policy, Role
from tests.building import alias, default_policy, identify, message
from tests.identity.histories import some_message
from tests.identity.policies import some_policy


@given(some_message(), some_policy, some_policy)
def test_policies_that_hear_alike_hear_the_same(said: Message, one: Policy, other: Policy) -> None:
    assume(hears_alike(one, other))
    assert hear(said, one) == hear(said, other)


@given(some_message(), some_policy, st.data())
def test_a_message_in_which_two_policies_surely_differ_in_nothing_says_the_same(
    said: Message, one: Policy, data: st.DataObject
) -> None:
    other = data.draw(st.sampled_from([*some_changes(one).values(), data.draw(some_policy), data.draw(reordered(one))]))
    assume(Differences(one, other).none_in(said))
    assert in_any_order(hear(said, one)) == in_any_order(hear(said, other))


@st.composite
def reordered(draw: st.DrawFn, policy: Policy) -> Policy:
    """A policy with other priorities, and now and then fewer links."""
    namespaces = {
        name: replace(each, priority=draw(st.integers(each.priority, 6))) for name, each in policy.namespaces.items()
    }
    return replace(policy, namespaces=namespaces, links_per_message=draw(st.sampled_from([2, 3, 10])))


def in_any_order(heard: Heard) -> tuple[Heard, frozenset[Link]]:
    """What was heard, its links in whatever order."""
    return replace(heard, links=()), frozenset(heard.links)


def some_changes(policy: Policy) -> dict[str, Policy]:
    """Policies that differ from this one in one thing that some messages show and others do not."""
    email = policy.namespaces["email"]
    emails = {
        "folded": replace(email, normaliser=Normaliser.EMAIL_FOLDED),
        "blocked address": replace(email, blocked_values=frozenset({"x@x.com"})),
        "unique": replace(email, unique=not email.unique),
        "weak": replace(email, priority=9),
    }
    return {
        **{name: replace(policy, namespaces={**policy.namespaces, "email": each}) for name, each in emails.items()},
        "blocked anywhere": replace(policy, blocked_values=policy.blocked_values | {"u0", "a1", "e1@x.com"}),
        "short": replace(policy, max_value_bytes=6),
        "few linked": replace(policy, links_per_message=2),
        "one role": replace(policy, namespaces={**policy.namespaces, "email": replace(email, role=Role.CONTACT)}),
        "other kinds": replace(policy, kinds={**policy.kinds, "cooccur": KindRules(links=False)}),
    }


@pytest.mark.parametrize(
    ("change", "email", "sure"),
    [
        ("folded", "ann@gmail.com", True),
        ("folded", "a.nn@gmail.com", False),
        ("blocked address", "ann@x.com", True),
        ("blocked address", "x@x.com", False),
        ("unique", "ann@x.com", True),
        ("weak", "ann@x.com", True),
        ("few linked", "ann@x.com", True),
        ("one role", "ann@x.com", False),
        ("other kinds", "ann@x.com", False),
        ("blocked anywhere", "ann@x.com", True),
        ("blocked anywhere", "e1@x.com", False),
        ("short", "a@x.io", True),
        ("short", "ann@x.com", False),
    ],
)
def test_what_two_policies_read_alike_is_not_heard_again(change: str, email: str, sure: bool) -> None:
    policy = default_policy()
    differences = Differences(policy, some_changes(policy)[change])
    assert differences.none_in(identify("u7", email=email)) is sure
    assert differences.none_in(identify("u7", "a7")) is (change != "other kinds")
    assert not differences.none_in(alias("u7", "a7"))


def test_two_values_of_a_namespace_that_one_policy_calls_unique_are_heard_again() -> None:
    differences = Differences(default_policy(), some_changes(default_policy())["unique"])
    two = message(MessageKind.IDENTIFY, [("user_id", "u7"), ("email", "ann@x.com"), ("email", "bob@x.com")])
    assert not differences.none_in(two)


def named(*namespaces: str) -> Message:
    """A message with a value of each of these namespaces, in this order."""
    return message(MessageKind.TRACK, [(each, f"{each}-{number}") for number, each in enumerate(namespaces)])


@pytest.mark.parametrize(
    ("said", "sure"),
    [
        (named("advertising_id"), True),
        (named("advertising_id", "anonymous_id", "user_id"), True),
        (named("advertising_id", "push_token"), False),
        (named("push_token", "user_id", "advertising_id"), False),
        (named("advertising_id", *["push_token"] * 3), False),
        (named(*["user_id"] * 11), True),
        (named(*["user_id"] * 10, "advertising_id"), False),
    ],
    ids=["alone", "of other ranks", "before", "behind another", "several", "too many to link", "too many, and moved"],
)
def test_a_priority_matters_where_it_says_who_did_it_or_whom_to_link(said: Message, *, sure: bool) -> None:
    policy = default_policy()
    moved = replace(policy.namespaces["advertising_id"], priority=9)
    differences = Differences(policy, replace(policy, namespaces={**policy.namespaces, "advertising_id": moved}))
    assert differences.none_in(said) is sure


@pytest.mark.parametrize(("many", "sure"), [(2, True), (3, False)])
def test_how_many_are_linked_matters_to_a_message_with_more(many: int, *, sure: bool) -> None:
    differences = Differences(default_policy(), some_changes(default_policy())["few linked"])
    assert differences.none_in(named(*["user_id", "email", "anonymous_id"][:many])) is sure
