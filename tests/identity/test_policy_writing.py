"""What the text of a policy looks like; that it is the same policy when it is read again, test_policy_text.py shows."""

from dataclasses import replace

from identity.policy import Trait
from identity.policy_writing import policy_text
from tests.building import default_policy


def test_letters_are_written_as_they_are_and_what_no_toml_may_hold_as_its_number() -> None:
    text = policy_text(replace(default_policy(), blocked_values=frozenset({"zoë", "a\x7fb"})))
    assert 'values = ["a\\u007fb", "zoë"]\n' in text


def test_a_table_of_tables_alone_has_no_line_of_its_own_and_an_empty_one_has() -> None:
    lines = policy_text(replace(default_policy(), traits={"shoe.size": Trait(name="shoe.size")})).split("\n")
    assert not {"[kinds]", "[namespaces]", "[traits]"} & set(lines)
    assert {"[kinds.alias]", '[traits."shoe.size"]'} <= set(lines)
    assert "[traits]" in policy_text(replace(default_policy(), traits={})).split("\n")


def test_a_text_begins_with_the_version_and_ends_with_one_line_end() -> None:
    text = policy_text(default_policy())
    assert text.startswith('version = "default-1"\n')
    assert not text.endswith("\n\n")
    assert text.endswith("\n")
