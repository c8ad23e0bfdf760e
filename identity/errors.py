"""What the pure rules refuse.

IdentityError
  PolicyInvalidError       a policy text that cannot be used
"""

from collections.abc import Sequence
from dataclasses import dataclass


class IdentityError(Exception):
    """A rule of identity refuses its input. code: stable; retryable: whether asking again can help."""

    code = "identity"
    retryable = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a text: its line, the key it is about, and the reason. line: None where there is none."""

    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        """«line 12, `limits.value_bytes`: …»."""
        place = ", ".join(
            each for each in (f"line {self.line}" if self.line else "", self.key and f"`{self.key}`") if each
        )
        return f"{place}: {self.reason}" if place else self.reason


class PolicyInvalidError(IdentityError):
    """A policy that is no TOML, has unknown or missing keys, values out of range, or contradicts itself.

    problems: all of them, in the order of their lines. file: what was read, where that is known.
    """

    code = "policy_invalid"

    def __init__(self, problems: Sequence[Problem], file: str = "") -> None:
        super().__init__("\n".join(f"{file}: {each}" if file else str(each) for each in problems))
        self.problems = tuple(problems)
