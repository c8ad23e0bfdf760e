"""What is read while another policy is being written, after each of its transactions."""

from collections.abc import Awaitable, Callable

import pytest

from graph import rebuild, rehearing
from graph.applying import Applier, apply
from graph.connection import Connection
from graph.policies import held_in
from graph.rebuild import verify
from identity.messages import Json
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from selfsame.clock import mint, now
from tests.building import default_policy
from tests.walks.sending import identify, message
from tests.walks.service import Company, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FOLDING = policy_from_toml(
    policy_text(default_policy())
    .replace('normaliser = "email"', 'normaliser = "email_folded"')
    .replace('"undefined",', '"undefined", "abc123",', 1)
)
ADDRESSES = ("a.nn@gmail.com", "ann+shop@gmail.com", "carl@gmail.com")
WHOLE = """
id known shared pending firstSeen lastSeen traits { name value } accounts(first: 5) { edges { node { role } } }
sharedBy(first: 5) { totalCount }
identifiers(first: 5) { edges { node { value active sharedBy profile { id } } } }
interactions(first: 5) { edges { node { id name actor { value profile { id } } } } }
history(first: 5) { edges { node { kind sentence } } }
"""
PROFILE = f"query ($by: ProfileLookup!) {{ profile(by: $by) {{ {WHOLE} }} }}"
PROFILES = f"{{ profiles(first: 10) {{ edges {{ node {{ {WHOLE} }} }} }} }}"


class Watched:
    """A graph of which somebody asks after each transaction."""

    def __init__(self, graph: Connection, ask: Callable[[], Awaitable[None]]) -> None:
        self.driver, self.reader, self.inner = graph.driver, graph.reader, graph.writer
        self.database, self.writer, self.ask = graph.writer.database, self, ask

    async def write(self, work: Callable[..., object], *args: object, **more: object) -> object:
        result = await self.inner.write(work, *args, **more)
        await self.ask()
        return result


async def answered(company: Company, query: str, **variables: Json) -> dict[str, Json]:
    sent, headers = {"query": query, "variables": variables}, {"authorization": f"Bearer {company.read_key}"}
    answer = (await company.http.post("/graphql", json=sent, headers=headers)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_whoever_asks_while_a_policy_is_written_hears_no_error_and_of_others_what_always_was(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (rebuild, rehearing):
        monkeypatch.setattr(module, "CHUNK", 2)
    await held_in(graph.reader, graph.writer, default_policy(), 0)
    people = [identify(f"u{n}", f"d{n}", email=each, traits={"name": "N"}) for n, each in enumerate(ADDRESSES)]
    async with in_process(graph) as company:
        await company.send(*people, message("track", email="d.ora@gmail.com"), identify("abc123", "d9"))
        carl, dora = [(await company.person(each)).id for each in ("carl@gmail.com", "d.ora@gmail.com")]
        before, seen = await answered(company, PROFILE, by={"id": carl}), set()

        async def ask() -> None:
            assert await answered(company, PROFILES)
            assert await answered(company, PROFILE, by={"id": carl}) == before
            found = (await answered(company, PROFILE, by={"id": dora}))["profile"]
            seen.add(tuple(edge["node"]["value"] for edge in found["identifiers"]["edges"]) if found else None)

        await apply(Watched(graph, ask), FOLDING, Applier("ann", "", now, mint))
        assert seen == {("d.ora@gmail.com",), None, ("dora@gmail.com",)}, "her id names nobody for a moment"
    assert await verify(graph.reader, FOLDING) == ()
