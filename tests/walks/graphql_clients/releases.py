"""The rule of changes to the schema: what breaks a client is told by the changelog, before it is released."""

import re
from collections.abc import Mapping, Sequence

CODE = re.compile(r"`([^`]+)`")
WORD = re.compile(r"\w+")


def unnamed(changes: Sequence[Mapping[str, str]], changelog: str) -> list[str]:
    """The breaking changes that the changelog's part on what is not yet released does not name.

    A change is named by the last part of its path in a piece of code: `Profile.household`, `household(first:)` or
    `household` for a field. changes: what GraphQL Inspector tells of the released schema and today's.
    """
    told = {word for code in CODE.findall(_unreleased(changelog)) for word in WORD.findall(code)}
    return [
        f"{each['message']}: name `{each['path']}` under Unreleased in CHANGELOG.md"
        for each in changes
        if each["level"] == "BREAKING" and each["path"].rpartition(".")[2] not in told
    ]


def _unreleased(changelog: str) -> str:
    return changelog.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
