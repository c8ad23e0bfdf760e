"""Another policy through the command line, while a service answers: T33, and what comes while one is applied."""

from dataclasses import replace
from pathlib import Path

import anyio.to_thread
import orjson
import pytest

from graph.connection import Connection
from graph.policies import State, versions_of
from identity.policy_writing import policy_text
from tests.building import default_policy
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here, started
from tests.walks.sending import Sent, identify, message, track
from tests.walks.service import Company, codes, in_process

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

EVENTS = 1_000
DEVICE = """
query ($value: String!) {
  profile(by: {identifier: {namespace: "anonymous_id", value: $value}}) {
    known identifiers(first: 100) { edges { node { value } } } interactions(first: 10) { edges { node { name } } }
  }
}
"""
WITHDRAWN = """
{
  changes(first: 10, kinds: [WITHDRAWN]) {
    edges { node { count sentence about { value } ... on MergeEvent { moved { identifier { value } left joined } } } }
  }
}
"""
HALF = """
MATCH (v:PolicyVersion {number: 1})
CREATE (:PolicyVersion {number: 2, state: 'applying', text: v.text, hash: v.hash, by: 'ann', note: ''})
"""


def policy_file(folder: Path, *blocked: str) -> Path:
    """A policy file that blocks more values than the default, with room for a thousand devices of one person."""
    policy = default_policy()
    policy = replace(policy, blocked_values=policy.blocked_values | set(blocked), profile_limit=2 * EVENTS)
    file = folder / f"blocks-{len(blocked)}.toml"
    file.write_text(policy_text(policy), "utf-8")
    return file


def events(many: int = EVENTS) -> list[Sent]:
    """What a build that never set a user id sent: everybody under its placeholder."""
    return [track(f"d{number}", user="abc123") for number in range(many)]


async def test_t33_a_placeholder_that_is_blocked_later_gives_everybody_back(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    settings = environment(tmp_path, neo4j_server, SELFSAME_POLICY=str(policy_file(tmp_path)))
    file = policy_file(tmp_path, "abc123")
    await command(settings, "policy", "history")
    async with in_process(graph) as company:
        await company.batch(events())
        assert await of_device(company, "d7") == (True, 100, 10)
        said = await command(settings, "policy", "simulate", file, "--json", tmp_path / "report.json")
        assert "people: 1 before, 1,000 after" in said
        assert orjson.loads((tmp_path / "report.json").read_bytes())["splits"] == 1
        assert await of_device(company, "d7") == (True, 100, 10)
        said = await command(settings, "policy", "apply", file, "--yes", "--note", "a dev build")
        assert said.splitlines()[-1].startswith("version 2 of the policy is in force: 1 person became 1,000")
        assert await of_device(company, "d7") == (False, 1, 1)
        again = await company.batch([track("d7", user="abc123")])
        assert codes(again) == ["blocked_identifier"]
        assert await of_device(company, "d7") == (False, 1, 2)
    (row,) = await graph.reader.rows("MATCH (p:Profile) WHERE NOT p.known RETURN count(p) AS many")
    assert row["many"] == EVENTS
    (row,) = await graph.reader.rows("MATCH (c:Change {cause: 'policy'}) RETURN collect(DISTINCT c.kind) AS kinds")
    assert set(row["kinds"]) == {"withdrawn", "split", "policy"}
    assert await command(settings, "verify") == "verify: 0 differences\n"
    assert "a dev build" in await command(settings, "policy", "history")


WRITTEN = """
MATCH (i:Interaction)
WHERE i.actor <> 'user_id:abc123'
RETURN count(i) AS many
"""
ALIVE = "SHOW TRANSACTIONS YIELD metaData WHERE metaData.applying IS NOT NULL RETURN count(*) AS many"


async def test_an_application_whose_process_is_killed_while_it_writes_is_resumed(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    settings = environment(tmp_path, neo4j_server, SELFSAME_POLICY=str(policy_file(tmp_path)))
    await command(settings, "policy", "history")
    async with in_process(graph) as company:
        await company.batch(events(many=300))
    with started(settings, "policy", "apply", policy_file(tmp_path, "abc123"), "--yes") as running:
        await counted(graph, WRITTEN, 300)
        running.kill()
    assert [each.state for each in await versions_of(graph.reader)] == [State.IN_FORCE, State.APPLYING]
    await counted(graph, ALIVE, 0)
    said = await command(settings, "policy", "apply", "--resume")
    assert said.splitlines()[-1].startswith("version 2 of the policy is in force: 1 person became 300")
    assert await command(settings, "verify") == "verify: 0 differences\n"


async def counted(graph: Connection, statement: str, many: int) -> None:
    """Return once a statement counts so many."""
    with anyio.fail_after(120):
        while (await graph.reader.rows(statement))[0]["many"] != many:  # noqa: ASYNC110 - it happens elsewhere
            await anyio.sleep(0.02)


async def of_device(company: Company, value: str) -> tuple[bool, int, int]:
    """Whether somebody is known by a device, and how many identifiers and interactions are shown, 10 at most."""
    found = (await company.ask(DEVICE, value=value))["profile"]
    return found["known"], len(found["identifiers"]["edges"]), len(found["interactions"]["edges"])


async def command(settings: dict[str, str], *arguments: str | Path) -> str:
    return await anyio.to_thread.run_sync(lambda: done(settings, *arguments))


async def test_while_a_policy_is_applied_senders_are_told_to_come_again_and_reads_are_served(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    settings = environment(tmp_path, neo4j_server)
    async with in_process(graph) as company:
        await command(settings, "policy", "history")
        await company.batch([track("d1")])
        await graph.writer.command(HALF)
        answer = await company.post("batch", orjson.dumps({"batch": [track("d1")]}))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"]["code"] == "policy_applying"
        assert await of_device(company, "d1") == (False, 1, 1)
        refused = await anyio.to_thread.run_sync(lambda: here(settings, "policy", "apply", "shop", "--yes"))
        assert (refused.returncode, "version 2 of the policy is being applied" in refused.stderr) == (4, True)
        assert "version 2 of the policy is in force" in await command(settings, "policy", "apply", "--resume")
        assert codes(await company.batch([track("d1")])) == []


async def test_every_id_that_was_handed_out_says_what_it_stands_for_under_another_policy(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """Two addresses that become one have two ids, and both are its; the id of a value that is blocked says `erased`."""
    settings = environment(tmp_path, neo4j_server, SELFSAME_POLICY=str(policy_file(tmp_path)))
    addresses = ("a.nn@gmail.com", "ann+shop@gmail.com", "ann@gmail.com")
    folding = tmp_path / "folding.toml"
    text = policy_text(default_policy()).replace('normaliser = "email"', 'normaliser = "email_folded"')
    folding.write_text(text.replace('"undefined",', '"undefined", "abc123",', 1), "utf-8")
    async with in_process(graph) as company:
        await company.send(*(message("track", email=address) for address in addresses), identify("abc123"))
        old = {next(iter(each.who)): each.id for each in await company.profiles()}
        await command(settings, "policy", "apply", folding, "--yes")
        (person,) = [each for each in await company.profiles() if each.who]
        assert person.who == frozenset({"ann@gmail.com"})
        assert {(await company.profile(id=old[address]))["id"] for address in addresses} == {person.id}
        gone = await company.http.post(
            "/graphql",
            json={"query": f'{{ profile(by: {{id: "{old["abc123"]}"}}) {{ id }} }}'},
            headers={"authorization": f"Bearer {company.read_key}"},
        )
        assert gone.json()["errors"][0]["extensions"]["code"] == "erased"
        (row,) = (await company.ask(WITHDRAWN))["changes"]["edges"]
        assert (row["node"]["count"], [each["value"] for each in row["node"]["about"]]) == (3, ["ann@gmail.com"])
        assert {each["joined"] for each in row["node"]["moved"]} == {None}
        exported = [orjson.loads(line) for line in (await command(settings, "export", "audit")).splitlines()]
        assert [len(each["moved"]) for each in exported if each["kind"] == "withdrawn"] == [3]
        await command(settings, "policy", "apply", policy_file(tmp_path), "--yes")
        assert {next(iter(each.who)): each.id for each in await company.profiles() if each.who} == old
    assert await command(settings, "verify") == "verify: 0 differences\n"
