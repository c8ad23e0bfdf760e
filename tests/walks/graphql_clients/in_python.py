"""The client gql, sync and async."""

from collections.abc import Sequence
from contextlib import aclosing

import anyio
from gql import Client, GraphQLRequest
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from gql.transport.websockets import WebsocketsTransport

from identity.messages import Json

PATIENCE_SECONDS = 60.0
PERSON = "query PythonPerson($by: ProfileLookup!) { profile(by: $by) { id } }"
TIMELINE = """
query PythonTimeline($by: ProfileLookup!, $after: String) {
  profile(by: $by) {
    id
    interactions(first: 100, after: $after) { edges { node { id at } } pageInfo { hasNextPage endCursor } }
  }
}
"""


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def person(url: str, key: str, by: Json) -> Json:
    """Somebody's id, asked by a client that knows the service's schema and has checked the query against it."""
    transport = HTTPXTransport(url, headers=_headers(key))
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        return session.execute(GraphQLRequest(PERSON, variable_values={"by": by}))


async def timeline(url: str, key: str, by: Json) -> Sequence[Json]:
    """The ids of all that somebody did, the newest first, page by page."""
    transport = HTTPXAsyncTransport(url, headers=_headers(key))
    ids: list[Json] = []
    async with Client(transport=transport) as session:
        after = None
        while True:
            answer = await session.execute(GraphQLRequest(TIMELINE, variable_values={"by": by, "after": after}))
            page = answer["profile"]["interactions"]
            ids += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return ids


ADDED = """
subscription PythonAdded($by: ProfileLookup!, $after: String) {
  interactionAdded(by: $by, after: $after) { interaction { name } }
}
"""


async def heard(url: str, key: str, by: Json, after: str, many: int) -> Sequence[Json]:
    """The names of so many things that somebody did after a moment, as they are told over a WebSocket."""
    transport = WebsocketsTransport(url.replace("http", "ws", 1), init_payload={"Authorization": f"Bearer {key}"})
    names: list[Json] = []
    async with Client(transport=transport) as session:
        events = session.subscribe(GraphQLRequest(ADDED, variable_values={"by": by, "after": after}))
        async with aclosing(events):
            with anyio.move_on_after(PATIENCE_SECONDS):
                async for event in events:
                    names.append(event["interactionAdded"]["interaction"]["name"])
                    if len(names) == many:
                        return names
    raise TimeoutError(f"of {many} things {names} were told in {PATIENCE_SECONDS:.0f} s")
