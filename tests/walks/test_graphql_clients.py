"""The real clients of GraphQL ask one running service, and the audit of GraphQL over HTTP finds nothing."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import anyio.to_thread
import orjson
import pytest

from graph.connection import Connection, connected
from graph.feed import feed_bounds, number_entries
from identity.messages import Json
from resolvers.answering.trusted import trusted_from
from resolvers.viewer import Bounds, Trusted
from selfsame.guests import Edge
from tests.serving import Neo4jAddress, empty
from tests.walks.graphql_clients.running import answer_of, ran, workplace
from tests.walks.sending import identify, track
from tests.walks.service import Company, over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

POINTS = 61
PERSON = "person-1"
MANY = 250
WALKER = {"namespace": "user_id", "value": "walker"}
DANCER, DANCED = {"namespace": "anonymous_id", "value": "d1"}, ("Waved", "Jumped", "Turned")
OLDER, NEWER = ({"namespace": "email", "value": f"{name}@example.com"} for name in ("ann", "ann.lee"))
TIMELINE = """
query ($by: ProfileLookup!, $after: String) {
  profile(by: $by) {
    interactions(first: 37, after: $after) { edges { node { id at } } pageInfo { hasNextPage endCursor } }
  }
}
"""


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
    """One service for all clients: a walker who did much, three things at a time, and two who are one."""
    async with over_network(graph_of_all) as running:
        await running.batch([identify("walker", on="w1"), *(track("w1", at=1 + n // 3) for n in range(MANY))])
        await running.send(*(identify(on=each["value"], email=each["value"]) for each in (OLDER, NEWER)))
        yield running


def known(company: Company) -> dict[str, Json]:
    """What every client has to know."""
    return {
        "url": str(company.http.base_url.join("/graphql")),
        "read": company.read_key,
        "admin": company.admin_key,
        "walker": WALKER,
    }


async def walked(company: Company) -> Sequence[Json]:
    """The ids of all that the walker did, the newest first."""
    ids: list[Json] = []
    times: list[str] = []
    after = None
    while True:
        page = (await company.ask(TIMELINE, by={"identifier": WALKER}, after=after))["profile"]["interactions"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        times += [edge["node"]["at"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert len(set(ids)) == len(ids) == MANY + 1
            assert times == sorted(times, reverse=True)
            return ids


async def test_the_audit_of_graphql_over_http_finds_nothing(company: Company, place: Path) -> None:
    points = await answer_of(place, "audit.mjs", **known(company))
    assert [each for each in points if each["status"] != "ok"] == []
    assert len(points) == POINTS


async def test_apollo_keeps_one_entity_of_two_who_became_one_and_walks_a_timeline(
    company: Company, place: Path
) -> None:
    found = await answer_of(place, "apollo.mjs", **known(company), older=OLDER, newer=NEWER)
    merged, (stays, goes) = found["merged"], found["merged"]["ids"]
    assert merged["same"]
    assert merged["cachedBefore"] == [f"Profile:{stays}", f"Profile:{goes}"]
    assert (merged["outcome"], merged["again"]) == ("Decided", True)
    assert (merged["after"]["id"], merged["after"]["redirectedFrom"]) == (stays, goes)
    assert merged["cachedAfter"] == [f"Profile:{stays}"]
    assert found["timeline"] == {"pages": 3, "ids": await walked(company)}


async def test_urql_asks_by_get_and_graphcache_knows_the_schema(company: Company, place: Path) -> None:
    found = await answer_of(place, "urql.mjs", **known(company))
    assert found["byGet"] == {"known": True, "values": ["w1", "walker"], "methods": ["GET"]}
    assert found["cached"]["name"] == "Walker"
    # The query, the mutation, which tells the cache what the query would say, and one of two queries that are the same.
    assert found["cached"]["methods"] == ["GET", "POST", "GET"]
    assert found["cached"]["timeline"] == await walked(company)


@pytest.fixture(scope="module")
async def trusting(graph_of_all: Connection, place: Path) -> AsyncIterator[str]:
    """The address of a service that answers nothing but what Relay's compiler wrote down, and one more document."""
    await anyio.to_thread.run_sync(partial(ran, place, "node_modules/relay-compiler/cli.js", "relay.config.json"))
    compiled = orjson.loads((place / "relay-documents.json").read_bytes())
    trusted = trusted_from(orjson.dumps(compiled | {PERSON: (place / "persisted.graphql").read_text("utf-8")}))
    assert isinstance(trusted, Trusted), trusted
    async with over_network(graph_of_all, edge=Edge(Bounds(trusted=trusted, documents_only=True))) as running:
        yield str(running.http.base_url.join("/graphql"))


async def test_relay_compiles_the_schema_and_pages_through_a_list_by_trusted_documents(
    company: Company, trusting: str, place: Path
) -> None:
    found = await answer_of(place, "relay.cjs", **known(company) | {"url": trusting})
    assert found == {"asked": 5, "ids": await walked(company)}


async def test_apollo_and_urql_send_a_document_once_and_then_its_hash_or_only_its_id(
    company: Company, trusting: str, place: Path
) -> None:
    found = await answer_of(place, "persisted.mjs", **known(company), trusting=trusting, id=PERSON)
    post, get = ["POST", None], ["GET", "no-store"]
    assert found["apollo"] == {"POST": exchanged(post, post), "GET": exchanged(get, post)}
    assert found["urql"] == {"POST": exchanged(post, post), "GET": exchanged(get, get)}
    refused = [*get, "hash", "document_not_trusted"]
    assert found["trusted"] == {
        "known": [True, True],
        "other": "document_not_trusted",
        "asked": [[*get, "hash", "answered"], [*get, "hash", "answered"], refused],
    }


def exchanged(by_hash: Sequence[Json], with_text: Sequence[Json]) -> Json:
    """What is said when a document is asked twice: by which method, what caches are told, what was sent, the answer."""
    missed, sent, found = "PERSISTED_QUERY_NOT_FOUND", [*with_text, "text", "answered"], [*by_hash, "hash", "answered"]
    return {"known": [True, True], "asked": [[*by_hash, "hash", missed], sent, found]}


async def test_gql_asks_and_pages_from_python(company: Company) -> None:
    client = pytest.importorskip("tests.walks.graphql_clients.in_python", reason="the package gql")
    asked = known(company)["url"], company.read_key, {"identifier": WALKER}
    assert (await anyio.to_thread.run_sync(partial(client.person, *asked)))["profile"]["id"]
    assert await client.timeline(*asked) == await walked(company)


@pytest.fixture
async def start(company: Company, graph_of_all: Connection) -> str:
    """The sequence after which the dancer did what is to be heard."""
    await number_entries(graph_of_all)
    last = (await feed_bounds(graph_of_all.reader)).last
    await company.batch([track("d1", name=name) for name in DANCED])
    return str(last)


async def test_graphql_ws_and_graphql_sse_hear_what_happens(company: Company, place: Path, start: str) -> None:
    told = known(company) | {"walker": DANCER, "after": start, "many": len(DANCED)}
    found = await answer_of(place, "live.mjs", **told)
    assert {name: sorted(heard) for name, heard in found.items()} == {
        "socket": sorted(DANCED),
        "stream": sorted(DANCED),
    }


async def test_gql_hears_what_happens(company: Company, start: str) -> None:
    client = pytest.importorskip("tests.walks.graphql_clients.in_python", reason="the package gql")
    asked = known(company)["url"], company.read_key, {"identifier": DANCER}
    assert sorted(await client.heard(*asked, start, len(DANCED))) == sorted(DANCED)
