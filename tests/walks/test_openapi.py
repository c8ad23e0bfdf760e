"""Whatever is sent to an edge of HTTP is answered as its description says: made up by schemathesis, and never a 500."""

from collections.abc import AsyncIterator
from functools import partial

import anyio.to_thread
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from graph.connection import Connection, connected
from graph.policies import PolicyHeld
from selfsame.app import Parts, service
from selfsame.clock import mint, now
from selfsame.openapi import document
from tests.building import default_policy
from tests.serving import Neo4jAddress, empty
from tests.walks.service import Company, differences, over_network
from tests.walks.vendors import SECRET, hooks

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
# A short name answers as the whole one does.
SHORT = frozenset(f"POST /v1/{letter}" for letter in "bgpsai") | {"GET /openapi.json", "GET /health/live"}
EXAMPLES = 300 if settings.get_current_profile_name() == "prove" else 6
# Those who show a secret in a header; what others send ends at the signature (tests/loaders/test_signatures.py).
BELIEVED = ("zapier", "pos", "wordpress", "google_sheets", "product_usage", "nobody")


@pytest.fixture(scope="module")
async def graph_of_all(neo4j_server: Neo4jAddress) -> AsyncIterator[Connection]:
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        yield connection


@pytest.fixture(scope="module")
async def company(graph_of_all: Connection) -> AsyncIterator[Company]:
    """One service for all of it, which is in order at the end, whatever was sent."""
    async with over_network(graph_of_all, hooks=hooks()) as running:
        yield running
        assert await differences(graph_of_all) == ()


@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - SHORT))
async def test_whatever_is_sent_is_answered_as_is_described(company: Company, label: str) -> None:
    await anyio.to_thread.run_sync(partial(_tried, label, company))


def _tried(label: str, company: Company) -> None:
    """In a thread beside the service. Only every other request shows its key."""
    key = company.admin_key if "graphql" in label else company.write_key

    @settings(max_examples=EXAMPLES)
    @given(case=OPERATIONS[label].as_strategy() | OPERATIONS[label].as_strategy(schemathesis.GenerationMode.NEGATIVE))
    def tried(case: schemathesis.Case) -> None:
        if "source" in case.path_parameters:
            case.path_parameters["source"] = BELIEVED[len(repr(case.body)) % len(BELIEVED)]
        if "key" in case.path_parameters and len(repr(case.body)) % 3:
            case.path_parameters["key"] = key
        headers = {"Authorization": f"Bearer {key}", "X-Selfsame-Key": SECRET}
        case.call_and_validate(base_url=str(company.http.base_url).rstrip("/"), headers=headers, checks=CHECKS)

    try:
        tried()
    except ExceptionGroup as found:  # one test's failure, and not of all that the service lives among
        raise AssertionError("\n".join(map(str, found.exceptions))) from None


async def test_no_route_is_undescribed_and_nothing_is_described_that_is_none(graph: Connection) -> None:
    app = service(Parts(graph, PolicyHeld(default_policy()), now, mint))
    routes = {
        (method, each.path)
        for each in app.routes
        if isinstance(each, Route)
        for method in (each.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {tuple(label.split()) for label in OPERATIONS} == routes
