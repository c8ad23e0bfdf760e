"""`selfsame policy check` and `show`, which need no graph for a file or a preset."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from identity.policy_text import policy_from_toml
from selfsame.cli import app
from selfsame.cli.exits import Exit
from tests.building import preset

run = CliRunner().invoke
PRESETS = ["default", "shop", "last_login_wins", "never_guess"]


def file_of(folder: Path, text: str) -> str:
    file = folder / "ours.toml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_good(name: str) -> None:
    said = run(app, ["policy", "check", name])
    assert (said.exit_code, f"good; version {name}-1" in said.stdout) == (Exit.DONE, True)


def test_a_bad_policy_is_told_with_all_its_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = file_of(tmp_path, 'extends = "default"\nversion = "1"\nsource_rank = ["a", "a"]\n[limits]\nprofiles = 1\n')
    said = run(app, ["policy", "check", file])
    told = said.stderr + capfd.readouterr().err
    assert said.exit_code == Exit.USAGE
    assert f"{file}: line 3, `source_rank`: `a` is ranked twice" in told
    assert f"{file}: line 5, `limits.profiles`: there is no such setting" in told


def test_a_file_that_is_not_there_is_told_with_the_presets() -> None:
    assert run(app, ["policy", "check", "mall"]).exit_code == Exit.USAGE


def test_a_policy_printed_in_full_is_a_policy_of_its_own(tmp_path: Path) -> None:
    said = run(app, ["policy", "show", "shop", "--toml"])
    assert policy_from_toml(said.stdout) == preset("shop")
    assert run(app, ["policy", "check", file_of(tmp_path, said.stdout)]).exit_code == Exit.DONE


def test_a_policy_is_shown_with_what_it_extends(tmp_path: Path) -> None:
    text = 'extends = "never_guess"\nversion = "ours-7"\n[kinds.alias]\nlinks = false\n'
    shown = run(app, ["policy", "show", file_of(tmp_path, text)]).stdout
    for words in ("ours-7", "shared devices: never_guess", "alias no evidence"):
        assert words in shown
