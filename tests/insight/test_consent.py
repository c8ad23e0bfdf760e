"""What people agreed to, by purpose."""

import pytest

from identity.messages import Json
from identity.survivorship import Observation
from insight.consent import consents_among, granted_in, preferences_in, purpose_of
from insight.traits import explained_traits
from tests.building import default_policy


def said(trait: str, value: Json, at: int, source: str = "web") -> Observation:
    return Observation(trait, value, source, at, f"{source}:{at}", True, at, f"{source}:{at}", 1)


def granted(*observations: Observation) -> dict[str, bool]:
    consents = consents_among(explained_traits(observations, default_policy()))
    return {each.purpose: each.granted for each in consents}


def test_the_latest_statement_of_a_purpose_counts_and_a_deleted_one_is_no_consent() -> None:
    assert granted(said("consent.Ads", True, 1), said("consent.Ads", False, 2)) == {"Ads": False}
    assert granted(said("consent.Ads", False, 1), said("consent.Ads", True, 2)) == {"Ads": True}
    assert granted(said("consent.Ads", True, 1), said("consent.Ads", None, 2)) == {"Ads": False}


def test_a_purpose_may_be_told_in_two_spellings_and_the_later_one_counts() -> None:
    old, new = said("email_consent", "subscribed", 1, "shop"), said("consent.email", False, 2)
    assert granted(old, new, said("plan", "gold", 3)) == {"email": False}
    assert granted(old) == {"email": True}


@pytest.mark.parametrize(
    ("context", "traits"),
    [
        ({"consent": {"categoryPreferences": {"Ads": True, "Functional": False}}}, ["Ads", "Functional"]),
        ({"consent": {"categoryPreferences": {"Ads": "yes", " ": True, "x" * 101: True}}}, []),
        ({"consent": {"categoryPreferences": ["Ads"]}}, []),
        ({"consent": True}, []),
        ({}, []),
        ({"consent": {"categoryPreferences": {f"{number:03d}": True for number in range(101)}}}, None),
    ],
)
def test_preferences_are_read_from_the_context(context: dict[str, Json], traits: list[str] | None) -> None:
    found = preferences_in(context)
    if traits is None:
        assert len(found) == 100
    else:
        assert list(found) == [f"consent.{name}" for name in traits]


@pytest.mark.parametrize("value", [False, None, "no", "pending", 1, [], {"granted": True}, ""])
def test_what_does_not_clearly_say_yes_is_a_no(value: Json) -> None:
    assert granted_in(value) is False


def test_other_traits_tell_of_no_purpose() -> None:
    assert [purpose_of(name) for name in ("consent.", "_consent", "consent", "plan")] == [None] * 4
