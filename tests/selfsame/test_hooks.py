"""Webhooks as the settings name them: what can be set where, and what ends the start with a sentence."""

from pathlib import Path

import pytest

from selfsame.errors import SettingsInvalidError
from selfsame.hooks import Hook, hooks_from
from selfsame.settings import Settings, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"SELFSAME_{name.upper()}", raising=False)


def hooks(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Hook]:
    file = folder / "selfsame.toml"
    file.write_text(text)
    monkeypatch.setenv("SELFSAME_CONFIG", str(file))
    return hooks_from(load_settings().webhooks)


def test_a_table_of_the_file_is_a_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[webhooks.shop_eu]\nmapping = "shopify"\nsource = "shop_eu"\nregion = "DE"\n'
    text += 'secrets = ["one-secret", "two-secret"]\n'
    (made,) = hooks(tmp_path, text, monkeypatch).values()
    assert (made.name, made.mapping.source.name, made.mapping.source.region) == ("shop_eu", "shop_eu", "DE")
    assert made.keys == (b"one-secret", b"two-secret")


def test_a_mapping_of_ones_own_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'source = "own"\n[webhook.signature]\nheader = "X-Sign"\n[[message]]\nkind = "track"\n'
        'identifiers = [{ namespace = "email", value = "body.email" }]\n'
    )
    (made,) = hooks(tmp_path, f'[webhooks.own]\nmapping = "{own}"\nsecrets = "one-secret"\n', monkeypatch).values()
    assert made.webhook.scheme.header == "x-sign"


def test_the_environment_names_webhooks_as_json_or_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_WEBHOOKS", '{"stripe": {"secrets": ["whsec_one"]}}')
    monkeypatch.setenv("SELFSAME_WEBHOOKS__TYPEFORM__SECRETS", '["one-secret"]')
    made = hooks_from(load_settings().webhooks)
    assert {name: each.keys for name, each in made.items()} == {
        "stripe": (b"whsec_one",),
        "typeform": (b"one-secret",),
    }
    assert not any("WEBHOOKS" in each for each in unknown_variables())


@pytest.mark.parametrize("variable", ["SELFSAME_WEBHOOKS", "SELFSAME_WEBHOOKS__STRIPE__SECRETS"])
def test_a_variable_that_is_no_json_is_told_and_not_quoted(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "hush-hush")
    with pytest.raises(SettingsInvalidError, match="that begins with one, must be JSON") as caught:
        load_settings()
    assert "hush" not in str(caught.value)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFSAME_WEBHOOKS", '{"facebook": {"secrets": ["hush-hush"], "verify_token": "hush-hush-2"}}')
    settings = load_settings()
    assert "hush" not in f"{settings!r} {settings.webhooks} {hooks_from(settings.webhooks)!r}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[webhooks.stripe]\nsecrets = []\n", r"`webhooks\.stripe\.secrets` cannot be used"),
        ("[webhooks.stripe]\n", r"`webhooks\.stripe\.secrets` cannot be used"),
        ('[webhooks.stripe]\nsecret = "one-secret"\n', r"`webhooks\.stripe\.secret` is not a setting"),
        ('[webhooks.stripe]\nsecrets = "short"\n', r"webhooks\.stripe\.secrets: a secret of fewer than 8"),
        ('[webhooks.nobody]\nsecrets = "one-secret"\n', r"webhooks\.nobody\.mapping: nobody: no such file"),
        ('[webhooks.fernhill_orders]\nsecrets = "one-secret"\n', r"fernhill_orders\.secrets: the secret is no base64"),
        ('[webhooks.square]\nsecrets = "one-secret"\n', r"webhooks\.square\.url: the signature covers the address"),
        ('[webhooks.wix]\nsecrets = "one-secret"\n', r"webhooks\.wix\.secrets: write the vendor's public key"),
        ('[webhooks.make]\nsecrets = "whsec_no base64"\n', r"webhooks\.make\.secrets: the secret is no base64"),
    ],
)
def test_what_cannot_work_is_told_with_its_place(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsInvalidError, match=sentence):
        hooks(tmp_path, text, monkeypatch)
