import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from insight.interactions import Kind
from selfsame.cli.demo import settings_of_demo
from selfsame.errors import SettingsInvalidError
from selfsame.presets import PRESETS
from selfsame.settings import LogLevel, Settings, kinds_from, load_settings, policy_file, unknown_variables


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("SELFSAME_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = folder / "selfsame.toml"
    file.write_text(text)
    monkeypatch.setenv("SELFSAME_CONFIG", str(file))
    return file


def test_without_any_setting_the_service_listens_on_this_machine_alone() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.neo4j_uri) == ("127.0.0.1", 8000, None)


def test_the_data_directory_follows_the_desktop_standard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings().data_dir == tmp_path / "selfsame"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, 'port = 9000\nhost = "0.0.0.0"\n', monkeypatch)
    monkeypatch.setenv("SELFSAME_PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.host) == (9001, "0.0.0.0")  # noqa: S104 - a value, nothing listens


def test_the_file_may_spell_names_as_the_environment_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, "SELFSAME_PORT = 9000\n", monkeypatch)
    assert load_settings().port == 9000


def test_an_unknown_name_in_the_file_is_named_with_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, "prot = 9000\n", monkeypatch)
    with pytest.raises(SettingsInvalidError, match=f"{file}: `prot` is not a setting"):
        load_settings()


def test_a_bad_value_in_the_file_is_named_with_file_key_and_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = written(tmp_path, "port = 99999\n", monkeypatch)
    with pytest.raises(SettingsInvalidError, match=f"{file}: `port` cannot be used: .*65535"):
        load_settings()


def test_a_bad_value_in_the_environment_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_NEO4J_URI", "http://localhost")
    with pytest.raises(SettingsInvalidError, match="SELFSAME_NEO4J_URI cannot be used"):
        load_settings()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SELFSAME_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsInvalidError, match=r"none\.toml, which cannot be read: No such file"):
        load_settings()


def test_a_file_that_is_no_toml_is_named_with_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, "port = \n", monkeypatch)
    with pytest.raises(SettingsInvalidError, match=r"selfsame\.toml is not TOML: .*line 1"):
        load_settings()


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_NEO4J_PASSWORD", "hush-hush")
    assert "hush-hush" not in repr(load_settings())


def test_a_slip_in_a_variable_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_PROT", "1")
    assert unknown_variables() == ("SELFSAME_PROT",)


def test_a_policy_is_a_preset_by_name_or_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert policy_file(load_settings()) == PRESETS / "default.toml"
    monkeypatch.setenv("SELFSAME_POLICY", "mine.toml")
    assert policy_file(load_settings()) == Path("mine.toml")


def test_the_demo_has_a_quiet_log_unless_something_else_is_set() -> None:
    shown = settings_of_demo(Settings())
    assert (shown.log_level, shown.slow_statement_ms) == (LogLevel.WARNING, 0)
    assert settings_of_demo(Settings(slow_statement_ms=50)).slow_statement_ms == 50


def test_names_of_interactions_have_kinds_by_the_environment_or_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written(tmp_path, '[kinds]\norder = ["Bestellung"]\n', monkeypatch)
    assert kinds_from(load_settings()) == (("Bestellung", Kind.ORDER),)
    monkeypatch.setenv("SELFSAME_KINDS", '{"payment": ["Bezahlt"]}')
    assert ("Bezahlt", Kind.PAYMENT) in kinds_from(load_settings())


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('{"form": ["Order Placed"]}', "standard name"),
        ('{"invoice": ["A"]}', "invoice"),
        ("Bestellung", "must be JSON"),
    ],
)
def test_names_that_cannot_have_their_kinds_are_refused(told: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_KINDS", told)
    with pytest.raises(SettingsInvalidError, match=why):
        kinds_from(load_settings())
