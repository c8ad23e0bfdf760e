"""docs/mappings.md says what the code says."""

import re
from pathlib import Path

from loaders.mapping import mapping_from_toml
from loaders.mapping_text import FunctionText, SignatureText
from loaders.values import FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "mappings.md").read_text("utf-8")


def test_the_example_can_be_used() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    made = mapping_from_toml(example, "example.toml")
    assert (made.source.name, len(made.skips), len(made.rules[0].identifiers)) == ("crm", 1, 2)


def test_every_function_is_documented_with_its_arguments() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.partition("## Values")[2], re.MULTILINE))
    assert rows.keys() == FUNCTIONS.keys()
    for name, function in FUNCTIONS.items():
        assert all(f"`{argument}`" in rows[name] for argument in function.arguments), name


def test_every_key_of_a_signature_is_documented() -> None:
    part = PAGE.partition("| key of `[webhook.signature]` |")[2].partition("## Values")[0]
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert documented == set(SignatureText.__struct_fields__)


def test_every_key_of_a_function_is_a_function_or_an_argument() -> None:
    arguments = frozenset[str]().union(*(each.arguments for each in FUNCTIONS.values()))
    assert set(FunctionText.__struct_fields__) == FUNCTIONS.keys() | arguments
