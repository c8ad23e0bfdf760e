"""What a refused policy says: the place of each problem as far as it is known, and the file where one was read."""

import pytest

from identity.errors import PolicyInvalidError, Problem


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Problem(12, "limits.value_bytes", "is missing"), "line 12, `limits.value_bytes`: is missing"),
        (Problem(None, "limits.value_bytes", "is missing"), "`limits.value_bytes`: is missing"),
        (Problem(12, "", "this is no TOML"), "line 12: this is no TOML"),
        (Problem(None, "", "it is too long"), "it is too long"),
    ],
)
def test_a_problem_names_what_is_known_of_its_place(problem: Problem, sentence: str) -> None:
    assert str(problem) == sentence


def test_every_problem_of_a_file_stands_on_a_line_of_its_own_behind_the_name_of_the_file() -> None:
    problems = [Problem(1, "", "this is no TOML"), Problem(None, "", "it is too long")]
    refused = PolicyInvalidError(problems, "mine.toml")
    assert str(refused) == "mine.toml: line 1: this is no TOML\nmine.toml: it is too long"
    assert refused.problems == tuple(problems)
