"""What is generated from the schema compiles, and what a released client relies on goes with an announcement only."""

import re
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from identity.messages import Json
from tests.pages import blocks
from tests.walks.graphql_clients.releases import unnamed
from tests.walks.graphql_clients.running import HERE, ROOT, answer_now, answer_of, ran, workplace

pytestmark = pytest.mark.anyio

CODEGEN = "node_modules/@graphql-codegen/cli/cjs/bin.js"
SNIPPET = re.compile(r"```(?:js|json|python)\n(.*?)```", re.DOTALL)
COMPILER = "node_modules/typescript/bin/tsc"
BEFORE = """
type Query { profile(id: ID!): Profile, gone: Int }
type Profile { id: ID! name: String kind: Kind }
enum Kind { ONE TWO }
"""
AFTER = """
type Query { profile(id: ID!, at: Int!): Profile, more: Int }
type Profile { id: ID! kind: Kind }
enum Kind { ONE }
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workplace(tmp_path_factory.mktemp("types"))


async def test_types_are_generated_for_every_document_and_typescript_takes_them(place: Path) -> None:
    (place / "pages").mkdir()
    for each in blocks():
        (place / "pages" / f"{each.page}-{each.number}.graphql").write_text(each.named(), "utf-8")
    for program, *arguments in ((CODEGEN, "--config", "codegen.json"), (COMPILER, "-p", ".")):
        await anyio.to_thread.run_sync(partial(ran, place, program, *arguments))


async def test_what_breaks_a_client_of_the_last_release_is_named_in_the_changelog(place: Path) -> None:
    changes = await answer_of(place, "differing.mjs", files=["released.graphql", "schema.graphql"])
    assert unnamed(changes, (ROOT / "CHANGELOG.md").read_text("utf-8")) == []


@pytest.fixture(scope="module")
def changes(place: Path) -> Json:
    """All ways in which a field, an argument and a value can go, and one that hurts nobody."""
    (place / "before.graphql").write_text(BEFORE, "utf-8")
    (place / "after.graphql").write_text(AFTER, "utf-8")
    return answer_now(place, "differing.mjs", files=["before.graphql", "after.graphql"])


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ("", {"Query.gone", "Profile.name", "Kind.TWO", "Query.profile.at"}),
        ("- `gone` and `Profile.name` are gone, also `Kind.TWO`.\n", {"Query.profile.at"}),
        ("- `profile(at:)` is asked for; `gone`, `name`, `TWO` went.\n", set()),
        ("- gone and name and TWO and at.\n", {"Query.gone", "Profile.name", "Kind.TWO", "Query.profile.at"}),
        ("\n## 0.1\n- `gone`\n", {"Query.gone", "Profile.name", "Kind.TWO", "Query.profile.at"}),
    ],
)
def test_a_change_is_named_as_code_among_what_is_not_released(changes: Json, told: str, missing: set[str]) -> None:
    changelog = f"# Changelog\n\n## Unreleased\n{told}"
    found = unnamed(changes, changelog)
    assert len(found) == len(missing)
    assert all(any(f"`{path}`" in each for each in found) for path in missing)


def test_the_page_shows_what_the_programs_do() -> None:
    programs = "".join(
        file.read_text("utf-8") for file in HERE.rglob("*.*") if file.is_file() and "lock" not in file.name
    )
    shown = SNIPPET.findall((ROOT / "docs" / "clients.md").read_text("utf-8"))
    assert len(shown) > 5
    assert [line for each in shown for line in each.splitlines() if f"{line}\n" not in programs] == []
