"""What `selfsame load --first` refuses before it starts anything."""

from pathlib import Path

import pytest

from selfsame.cli.exits import Exit
from tests.walks.processes import environment, here

REMOTE = {"SELFSAME_NEO4J_URI": "bolt://127.0.0.1:1", "SELFSAME_NEO4J_PASSWORD": "x"}


@pytest.mark.parametrize(
    ("arguments", "settings", "why"),
    [
        (["--dry-run"], {}, "--first goes with none of"),
        (["--take-over"], {}, "--first goes with none of"),
        ([], REMOTE, "SELFSAME_NEO4J_URI names another one"),
    ],
    ids=["a dry run", "a load to go on with", "a server by URI"],
)
def test_it_is_refused_with_a_reason(arguments: list[str], settings: dict[str, str], why: str, tmp_path: Path) -> None:
    file = tmp_path / "web.jsonl"
    file.write_text("{}\n")
    ended = here(environment(tmp_path / "data", **settings), "load", "--first", *arguments, file)
    assert (ended.returncode, why in ended.stderr) == (Exit.USAGE, True), ended.stderr


def test_a_file_names_its_own_mapping_in_front_of_it(tmp_path: Path) -> None:
    ended = here(environment(tmp_path), "load", "--first", "nowhere.toml=contacts.csv")
    assert (ended.returncode, "nowhere.toml" in ended.stderr) == (Exit.USAGE, True), ended.stderr
