"""docs/policy.md says what is so: its stories are told, its settings are all there are, with their defaults."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from tests.building import default_policy, preset, presets
from tests.identity.stories import outcome

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "policy.md"
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in DOCUMENT.read_text("utf-8").splitlines()
    if line.startswith("| ")
]
PRESETS = ["default", "shop", "last_login_wins", "never_guess"]
STORIES = [dict(zip(["story", "told", *PRESETS], row, strict=True)) for row in ROWS if len(row) == 6 and "@" in row[1]]
CASES = [row for row in ROWS if len(row) == 6 and row[0][0] == "T" and "@" in row[2]]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("row", STORIES, ids=lambda row: row["story"])
def test_the_presets_tell_the_stories_as_the_docs_say(row: dict[str, str], name: str) -> None:
    assert outcome(row["told"].strip("`"), preset(name)) == row[name].strip("`")


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_setting_gives_what_others_do_as_the_docs_say(row: list[str]) -> None:
    told, before, setting, then = (cell.strip("`") for cell in row[2:])
    other = policy_from_toml(f'extends = "default"\nversion = "other"\n{setting}\n', presets())
    assert (outcome(told, default_policy()), outcome(told, other)) == (before, then)
    assert before != then


def test_the_docs_tell_six_stories_and_every_case_that_a_setting_decides() -> None:
    assert len(STORIES) == 6
    assert {row[0] for row in CASES} == {
        f"T{number}" for number in (11, 12, 17, 18, 19, 20, 26, 31, 32, 36, 37, 44, 46, 73)
    }


def settings_of(table: Mapping[str, object], above: tuple[str, ...] = ()) -> set[str]:
    """The names of all settings, with NAME and KIND for what there are several of."""
    found: set[str] = set()
    for key, value in table.items():
        several = {("namespaces",): "NAME", ("traits",): "NAME", ("kinds",): "KIND"}.get(above)
        path = (*above, several or key)
        found |= settings_of(value, path) if isinstance(value, dict) else {".".join(path)}
    return found


def test_every_setting_is_in_the_table_and_no_other() -> None:
    documented = {row[0].strip("`") for row in ROWS if len(row) == 3 and row[0].startswith("`")} - {"extends"}
    documented = {name.replace("kinds.alias.", "kinds.KIND.") for name in documented}
    assert documented == settings_of(tomllib.loads(policy_text(default_policy())))


def test_every_default_in_the_table_is_the_default() -> None:
    said = {row[0].strip("`"): row[1].strip("`") for row in ROWS if len(row) == 3 and row[0].startswith("`")}
    bare = '[namespaces.NAME]\nrole = "Contact"\npriority = 0\n[traits.NAME]\n'.replace("NAME", "name")
    read = tomllib.loads(policy_text(policy_from_toml(f'version = "1"\n{bare}')))
    for setting, default in said.items():
        if setting in {"extends", "blocked.values", "blocked.patterns"} or default == "needed":
            continue
        value: object = read
        for key in setting.replace("NAME", "name").replace("KIND", "cooccur").split("."):
            value = value[key]  # type: ignore[index]  # a table, or the test fails
        wanted = tomllib.loads(f"x = {default}")["x"]
        assert (sorted(value) if isinstance(value, list) else value) == (
            sorted(wanted) if isinstance(wanted, list) else wanted
        ), setting
