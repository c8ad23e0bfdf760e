"""Policies by name or by file: the presets that come with Selfsame, and what somebody wrote."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from identity.errors import PolicyInvalidError, Problem
from identity.policy import Policy
from identity.policy_text import policy_from_toml
from selfsame.errors import InputInvalidError

PRESETS = Path(__file__).parent / "policies"


@cache
def preset_texts() -> Mapping[str, str]:
    """The texts of the presets by name, which every policy file may extend."""
    return {each.stem: each.read_text("utf-8") for each in sorted(PRESETS.glob("*.toml"))}


def policy_path(name: str) -> Path:
    """The file of a preset by its name, else the path that was given."""
    return PRESETS / f"{name}.toml" if name in preset_texts() else Path(name)


def policy_named(name: str) -> Policy:
    """The policy of a preset by its name, or of a file.

    Raises InputInvalidError when there is neither, PolicyInvalidError with every problem of the text.
    """
    path = policy_path(name)
    try:
        return policy_from_toml(path.read_text("utf-8"), preset_texts())
    except OSError as error:
        presets = ", ".join(preset_texts())
        raise InputInvalidError(f"`{name}` is no preset ({presets}) and no file that can be read") from error
    except UnicodeDecodeError as error:
        problem = Problem(error.object[: error.start].count(b"\n") + 1, "", "this is no UTF-8")
        raise PolicyInvalidError([problem], str(path)) from error
    except PolicyInvalidError as error:
        raise PolicyInvalidError(error.problems, str(path)) from error
