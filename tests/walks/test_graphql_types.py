"""What is generated from the schema compiles, and what a released client relies on goes with an announcement only."""

import re
from pathlib import Path

import orjson
import pytest
from graphql import GraphQLError

from identity.messages import Json
from resolvers.answering.requests import asked_from
from resolvers.answering.trusted import text_meant, trusted_from
from resolvers.viewer import Bounds, Trusted
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


@pytest.fixture(scope="module")
def generated(place: Path) -> Path:
    """The place, with what is generated for the documents of the programs and of the pages."""
    (place / "pages").mkdir()
    for each in blocks():
        (place / "pages" / f"{each.page}-{each.number}.graphql").write_text(each.named(), "utf-8")
    ran(place, CODEGEN, "--config", "codegen.json")
    return place


def test_types_are_generated_for_every_document_and_typescript_takes_them(generated: Path) -> None:
    ran(generated, COMPILER, "-p", ".")


def test_the_manifest_of_code_generator_is_one_of_trusted_documents(generated: Path) -> None:
    manifest = (generated / "client" / "persisted-documents.json").read_bytes()
    trusted = trusted_from(manifest)
    assert isinstance(trusted, Trusted), trusted
    only = Bounds(trusted=trusted, documents_only=True)
    ids = orjson.loads(manifest)
    assert len(ids) >= len(blocks())
    assert {text_meant(asked_from({"documentId": each}), only) for each in ids} == set(ids.values())
    with pytest.raises(GraphQLError) as caught:
        text_meant(asked_from({"query": "{ __typename }"}), only)
    assert (caught.value.extensions or {})["code"] == "document_not_trusted"


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
    files = [file for file in HERE.rglob("*.*") if file.is_file() and "lock" not in file.name]
    programs = "".join(file.read_text("utf-8") for file in files if file.suffix != ".pyc")
    shown = SNIPPET.findall((ROOT / "docs" / "clients.md").read_text("utf-8"))
    assert len(shown) > 5
    assert [line for each in shown for line in each.splitlines() if f"{line}\n" not in programs] == []
