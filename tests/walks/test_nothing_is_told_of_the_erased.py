"""After an erasure no export, list, question or log of a running service tells a value of the erased person."""

from pathlib import Path

import anyio.to_thread
import orjson
import pytest

from graph.connection import Connection
from tests.serving import Neo4jAddress
from tests.walks.processes import company_of, done, environment, new_keys, served
from tests.walks.sending import Sent, identify, track
from tests.walks.service import Company

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANN = "ann.lee@example.com"
VALUES = (ANN, "ann-77", "phone-of-lee", "Elm 7")
CHANGES = """
{
  changes(first: 100) {
    edges { node {
      kind sentence note ... on MergeEvent { moved { identifier { value } } } about { value } evidence { message }
    } }
  }
}
"""


def sent() -> list[Sent]:
    """Hers, of somebody who shares a tablet with her and speaks of her, and two that are rejected."""
    return [
        identify("ann-77", "tablet", email=ANN, at=1, traits={"street": "Elm 7"}, id=f"login-{ANN}"),
        identify("bob", "tablet", at=2, traits={"bio": f"ask {ANN}"}),
        track("phone-of-lee", at=2.5),
        track(user="bob", at=3, properties={"to": ANN}),
        {**track(user="ann-77", id=f"bad-{ANN}"), "type": f"mail {ANN}"},
        {"type": "track", "event": ANN, "messageId": f"nobody-{ANN}"},
    ]


async def told(settings: dict[str, str], company: Company) -> dict[str, str]:
    """Everything that the service and its commands tell, by who tells it."""
    commands = {
        "identifiers": ("export", "identifiers"),
        "audit": ("export", "audit"),
        "graph": ("export", "graph", "--around", "user_id:bob", "--format", "json"),
        "letters": ("deadletters", "list"),
        "runs": ("runs",),
    }
    said = {name: await anyio.to_thread.run_sync(done, settings, *each) for name, each in commands.items()}
    return {**said, "changes": orjson.dumps(await company.ask(CHANGES)).decode()}


async def test_of_the_erased_nobody_is_told_anything(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    more = {"SELFSAME_ERASURE_KEY": "ab" * 32, "SELFSAME_LOG_LEVEL": "debug"}
    settings = environment(tmp_path / "data", neo4j_server, **more)
    file = tmp_path / f"of {ANN}.jsonl"
    file.write_bytes(orjson.dumps(track(user="ann-77", at=4)))
    async with served(settings) as service:
        async with company_of(service, new_keys(settings)) as company:
            await company.batch(sent())
            done(settings, "load", file)
            done(settings, "merge", "anonymous_id:phone-of-lee", "email:" + ANN, "--note", f"asked by {ANN}")
            before = await told(settings, company)
            assert {name for name, text in before.items() if not any(map(text.__contains__, VALUES))} == set(), before
            await anyio.to_thread.run_sync(done, settings, "erase", "email", ANN, "--yes")
            await company.batch(sent())
            after = await told(settings, company)
        assert service.end() == 0
        logged = service.said()
    for name, text in {**after, "log": logged}.items():
        assert [value for value in VALUES if value in text] == [], (name, text)
    assert "user_id,bob" in after["identifiers"]
    assert done(settings, "verify") == "verify: 0 differences\n"
