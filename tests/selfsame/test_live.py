"""What tells those who listen asks the graph as little as it can."""

from collections.abc import AsyncIterator

import pytest

from graph.connection import Connection, Ran, connected
from graph.feed import STANDING, Standing, feed_standing
from resolvers.feed import Feed
from selfsame.clock import now
from selfsame.live import Telling
from tests.building import identify
from tests.graph.telling import telling
from tests.serving import Neo4jAddress

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
async def heard(graph: Connection, neo4j_server: Neo4jAddress, ran: list[str]) -> AsyncIterator[Connection]:
    """A connection to the empty graph whose statements are noted."""

    def hear(each: Ran) -> None:
        ran.append(each.statement)

    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password, hear=hear) as connection:
        yield connection


async def test_a_round_without_news_is_one_statement(heard: Connection, ran: list[str]) -> None:
    feed = Feed(heard.reader)
    rounds = Telling(heard, feed, now)
    teller = await telling(heard)
    assert await feed_standing(heard.reader) == Standing(0, waits=False)
    with feed.listening():
        await rounds.go_on()
        await teller.tell([identify("u1", on="a1")])
        assert (await feed_standing(heard.reader)).waits
        await rounds.go_on()
        assert await feed_standing(heard.reader) == Standing(1, waits=False)
        ran.clear()
        await rounds.go_on()
        assert ran == [STANDING]
