"""The docs say what the code says: settings, exit statuses, error codes."""

import importlib
import inspect
import re
from collections.abc import Iterator

from resolvers.errors import Code
from resolvers.explanations import RemedyKind
from selfsame import refusals, tokens, webhooks
from selfsame.answers import STATUS_OF_CODE
from selfsame.cli import VERBS, called
from selfsame.cli.exits import EXIT_OF_CODE, MEANINGS, Exit
from selfsame.settings import PREFIX, Settings
from tests.house.reading import ROOMS, ROOT

ROW = re.compile(r"^\| `?(?P<name>[^`|]+)`? \| (?P<rest>.*) \|$", re.MULTILINE)


def rows(document: str) -> dict[str, str]:
    return {match["name"].strip(): match["rest"] for match in ROW.finditer((ROOT / "docs" / document).read_text())}


def test_every_setting_is_documented_with_its_meaning_and_default() -> None:
    documented = {name: rest for name, rest in rows("settings.md").items() if name.startswith(PREFIX)}
    said = {PREFIX + name.upper(): field.description for name, field in Settings.model_fields.items()}
    assert {name: rest.partition(" | ")[2] for name, rest in documented.items()} == said
    for name, field in Settings.model_fields.items():
        if not field.is_required() and isinstance(field.default, int | str) and field.default is not None:
            assert documented[PREFIX + name.upper()].startswith(f"`{field.default}`")


def test_every_exit_status_is_documented() -> None:
    documented = {name: rest for name, rest in rows("cli.md").items() if name.isdigit()}
    assert documented == {str(int(each)): MEANINGS[each] for each in Exit}


def test_a_verb_says_before_it_is_imported_what_it_says_afterwards() -> None:
    said = {name: (called(name).help or "").partition("\n\n")[0] for name in VERBS}
    assert {name: verb.line for name, verb in VERBS.items()} == said


def codes_of_errors() -> Iterator[str]:
    for room in ROOMS:
        try:
            module = importlib.import_module(f"{room}.errors")
        except ModuleNotFoundError:
            continue
        for _, each in inspect.getmembers(module, inspect.isclass):
            if issubclass(each, Exception) and isinstance(getattr(each, "code", None), str):
                yield each.code


def test_every_error_ends_a_command_with_a_status_of_its_own() -> None:
    assert set(codes_of_errors()) - set(EXIT_OF_CODE) == set()


def test_every_code_that_a_caller_can_meet_is_documented() -> None:
    documented = set(rows("errors.md"))
    named = [*vars(refusals).values(), *vars(tokens).values(), *vars(webhooks).values(), *webhooks.REFUSALS.values()]
    refused = {each.code for each in named if isinstance(each, refusals.Refusal)} | {tokens.invalid("").code}
    assert (set(codes_of_errors()) | refused) - documented == set()


def test_every_code_of_graphql_is_documented() -> None:
    assert {each.value for each in Code} - set(rows("errors.md")) == set()


def test_every_remedy_is_explained() -> None:
    assert {each.name for each in RemedyKind} - set(rows("explanations.md")) == set()


def test_every_status_that_a_code_is_answered_with_is_documented() -> None:
    documented = {code: rest.partition(" | ")[0] for code, rest in _requests()}
    assert {code: documented[code] for code in STATUS_OF_CODE} == {
        code: str(status) for code, status in STATUS_OF_CODE.items()
    }


def _requests() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8").partition("## Messages that are rejected")[0]
    return [(match["name"], match["rest"]) for match in ROW.finditer(text)]


def test_every_exit_status_of_a_code_is_documented() -> None:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8").partition("## Commands")[2]
    documented = {match["name"]: match["rest"].partition(" | ")[0] for match in ROW.finditer(text)}
    met = {code: str(int(status)) for code, status in EXIT_OF_CODE.items() if code not in ONLY_OF_REQUESTS}
    assert {code: documented[code] for code in met} == met


ONLY_OF_REQUESTS = frozenset({"body_invalid", "body_too_large", "body_stalled", "queue_full", "intake_closed"})
