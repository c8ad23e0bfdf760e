"""The real clients of GraphQL ask one running service, and the audit of GraphQL over HTTP finds nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.connection import Connection, connected
from identity.messages import Json
from tests.serving import Neo4jAddress, empty
from tests.walks.graphql_clients.running import answer_of, workplace
from tests.walks.service import Company, over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

POINTS = 61


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workplace(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
async def graph_of_all(neo4j_server: Neo4jAddress) -> AsyncIterator[Connection]:
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        yield connection


@pytest.fixture(scope="module")
async def company(graph_of_all: Connection) -> AsyncIterator[Company]:
    """One service for all clients."""
    async with over_network(graph_of_all) as running:
        yield running


def known(company: Company) -> dict[str, Json]:
    """What every client has to know."""
    return {
        "url": str(company.http.base_url.join("/graphql")),
        "read": company.read_key,
        "admin": company.admin_key,
    }


async def test_the_audit_of_graphql_over_http_finds_nothing(company: Company, place: Path) -> None:
    points = await answer_of(place, "audit.mjs", **known(company))
    assert [each for each in points if each["status"] != "ok"] == []
    assert len(points) == POINTS
