"""`selfsame erase`, one by one and from a file, on a Neo4j by URI."""

from pathlib import Path

import pytest

from graph.connection import Connection
from graph.ingestion import commit_batch
from tests.building import RECEIVED, default_policy, identify, minting
from tests.graph.erasing import HASHING, readable
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANN, BOB = "ann@example.com", "bob@example.com"


async def test_it_shows_what_would_go_erases_many_and_lets_in_again(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    mints = minting()
    said = [identify("u1", email=ANN, at=1), identify("u2", email=BOB, at=2), identify("u3", at=3)]
    await commit_batch(graph.writer, said, default_policy(), lambda: next(mints), RECEIVED)
    keyless = environment(tmp_path, neo4j_server)
    refused = here(keyless, "erase", "email", ANN, "--yes")
    assert (refused.returncode, "SELFSAME_ERASURE_KEY" in refused.stderr) == (2, True)
    settings = environment(tmp_path, neo4j_server, SELFSAME_ERASURE_KEY=HASHING.key.hex())
    shown = done(settings, "erase", "email", ANN, "--dry-run")
    assert "nothing was written" in shown
    assert "user_id:u1" in shown
    assert await readable(graph, ANN)
    unasked = here(settings, "erase", "email", ANN)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    rows = tmp_path / "many.csv"
    rows.write_text(f"email,{ANN}\nemail,nobody\n\nuser_id,u2\n")
    many = here(settings, "erase", "--file", rows, "--mode", "suppress_and_delete", "--yes")
    assert (many.returncode, "2 of 3 erased" in many.stdout) == (3, True)
    assert "many.csv:2: email: not an email address" in many.stderr
    assert (await readable(graph, ANN), await readable(graph, BOB)) == ([], [])
    assert done(settings, "erase", "email", BOB, "--unsuppress") == "unsuppressed; 0 messages were kept out\n"
    assert done(settings, "erase", "user_id", "u3", "--unsuppress") == "was not suppressed\n"
    assert here(settings, "erase", "--compact").returncode == 2
    wrong = here({**settings, "SELFSAME_ERASURE_KEY": "ab" * 32}, "erase", "user_id", "u3", "--yes")
    assert (wrong.returncode, "not the one" in wrong.stderr) == (2, True)
