"""A network that is cut in the middle of a commit: the batch is there as a whole or not at all, and never twice."""

from collections import Counter
from itertools import product

import pytest

from graph.connection import Connection, connected
from graph.errors import DatabaseAwayError
from graph.ingestion import Outcome, Status, commit_batch
from graph.rebuild import verify
from tests.building import RECEIVED, default_policy, identify, minting, track
from tests.serving import Neo4jAddress
from tests.walks.passage import Passage, passage

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
MINT = minting()


async def told(graph: Connection, name: str) -> tuple[Outcome, ...]:
    """Two messages of one person, all of whose identifiers are new."""
    batch = [identify(f"u{name}", f"a{name}", id=f"{name}-1"), track(f"a{name}", id=f"{name}-2")]
    return await commit_batch(graph.writer, batch, default_policy(), lambda: next(MINT), RECEIVED)


async def steps_of(graph: Connection, way: Passage) -> int:
    """How many pieces a commit sends, on a connection that is open."""
    await told(graph, "warm")
    before = way.pieces
    await told(graph, "counted")
    return way.pieces - before


async def test_whatever_step_of_a_commit_is_lost_the_batch_is_whole_or_not_there_and_the_same_again_makes_it_whole(
    graph: Connection, neo4j_server: Neo4jAddress
) -> None:
    """The request of each step is lost, and then the answer to each; where the driver can know, it tries again."""
    became: Counter[str] = Counter()
    async with (
        passage(neo4j_server.uri) as way,
        connected(way.uri, neo4j_server.user, neo4j_server.password) as far,
    ):
        steps = await steps_of(far, way)
        for step, answered in product(range(steps), (False, True)):
            name = f"{step}-{answered}"
            way.cut_once(step, answered=answered)
            try:
                first = {each.status for each in await told(far, name)}
            except DatabaseAwayError:
                first = set()
            again = {each.status for each in await told(far, name)}
            assert (len(again), way.cut_at) == (1, None)
            assert again == {Status.REPEAT} or not first
            became[f"{'told' if first else 'not told'}, {again.pop()}"] += 1
    assert became.total() == 2 * steps
    assert became["not told, repeat"] == 1  # the answer to the commit alone
    assert became["not told, committed"] == 1  # the commit, of which nobody can know whether it arrived
    (row,) = await graph.reader.rows("MATCH (i:Interaction)-[:BY]->() RETURN count(i) AS many")
    assert row["many"] == 2 * (2 * steps + 2)
    assert await verify(graph.reader, default_policy()) == ()
