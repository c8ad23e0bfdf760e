"""Policies that are too long, too deep or out of all measure are refused at once, with a reason."""

import pytest

from identity.errors import PolicyInvalidError, Problem
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from tests.building import default_policy

LIMITS = "profile_identifiers = 1000"


def refused(text: str) -> str:
    with pytest.raises(PolicyInvalidError) as raised:
        policy_from_toml(text)
    return str(raised.value)


def of_the_whole(text: str) -> Problem:
    """The one problem of a text that is refused as a whole."""
    with pytest.raises(PolicyInvalidError) as raised:
        policy_from_toml(text)
    (only,) = raised.value.problems
    return only


def test_what_is_nested_without_end_is_refused() -> None:
    deep = Problem(None, "", "tables and lists are nested too deeply")
    assert of_the_whole("a = " + "[" * 5_000 + "]" * 5_000) == deep
    assert of_the_whole(".".join("a" * 3_000) + " = 1") == deep


def test_a_text_of_more_than_a_million_characters_is_refused() -> None:
    reason = "a policy has 1,000,000 characters at most, not 1,000,001"
    assert of_the_whole("#" * 1_000_001) == Problem(None, "", reason)
    assert "characters at most" not in refused("#" * 1_000_000)
    assert of_the_whole("a =") == Problem(1, "", "this is no TOML: Invalid value")


@pytest.mark.parametrize("value", ["100000000000", "0", "-1"])
def test_a_limit_out_of_all_measure_is_refused_with_its_line(value: str) -> None:
    text = policy_text(default_policy())
    assert LIMITS in text
    line = text[: text.index(LIMITS)].count("\n") + 1
    assert f"line {line}" in refused(text.replace(LIMITS, f"profile_identifiers = {value}"))


def test_a_list_of_thousands_of_lines_tells_the_line_of_what_is_wrong_after_it() -> None:
    values = "\n".join(f'  "v{number}",' for number in range(5_000))
    text = policy_text(default_policy()) + "\n"
    long = text.replace("values = [", f"values = [\n{values}\n", 1).replace(LIMITS, "profile_identifiers = 0")
    line = long[: long.index("profile_identifiers = 0")].count("\n") + 1
    assert f"line {line}" in refused(long)
