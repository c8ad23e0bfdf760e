"""A running service for tests, and a company that sends to it and asks it, wherever the service runs."""

import gzip
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import httpx
import orjson

from graph.connection import Connection
from graph.keys import Scope
from graph.policies import PolicyHeld
from graph.rebuild import Difference, verify
from identity.messages import Json, SourceName
from identity.policy import Policy
from loaders.intake import Pace
from selfsame.app import Parts, service
from selfsame.clock import mint, now
from selfsame.collecting import Doors
from selfsame.explorer import Pages, pages_in
from selfsame.guests import Edge
from selfsame.hooks import Hook
from selfsame.keys import Terms, create_key
from selfsame.running import _answering
from selfsame.serving import _listening
from selfsame.watching import Watch
from tests.building import default_policy
from tests.graph.erasing import HASHING
from tests.walks.sending import Sent

PAGES = pages_in()
PATIENCE = httpx.Timeout(90.0)  # the machine may be busy; nothing here is a measurement

PEOPLE = """
query ($after: String) {
  profiles(first: 50, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node {
      id known shared
      identifiers(first: 100) { edges { node { value } } }
      interactions(first: 100) { edges { node { name type } } }
      sharedIdentifiers(first: 100) { edges { node { identifier { value } } } }
    } }
  }
}
"""

PROFILE = """
query ($by: ProfileLookup!) {
  profile(by: $by) { id redirectedFrom lastSeen sharedBy { totalCount } identifiers { edges { node { value } } } }
}
"""

WHY = """
query ($a: ProfileLookup!, $b: ProfileLookup!) {
  whySame(a: $a, b: $b) { same sentence refused { reason a { value } b { value } } }
}
"""


@dataclass(frozen=True)
class Person:
    """A profile as GraphQL shows it. who: the values of its identifiers; events: names or types, the oldest first."""

    id: str
    known: bool
    shared: bool
    who: frozenset[str]
    events: tuple[str, ...]
    shares: frozenset[str]


@dataclass(frozen=True)
class Company:
    """Somebody with three keys. Messages arrive in the order in which they are sent. admin_key: who may decide."""

    http: httpx.AsyncClient
    write_key: str
    read_key: str
    admin_key: str = ""

    async def post(self, path: str, content: bytes, key: str | None = None, **headers: str) -> httpx.Response:
        """A request to /v1; key: another one than the company's own, empty for none."""
        secret = self.write_key if key is None else key
        return await self.http.post(
            f"/v1/{path}", content=content, headers=headers, auth=(secret, "") if secret else None
        )

    async def send(self, *messages: Sent) -> list[dict[str, Json]]:
        """Send each message by itself and hear what became of it."""
        return [await self.batch([each]) for each in messages]

    async def batch(self, messages: Iterable[Json]) -> dict[str, Json]:
        """Send messages in one request."""
        return taken(await self.post("batch", orjson.dumps({"batch": list(messages)})))

    async def zipped(self, body: bytes) -> httpx.Response:
        return await self.post("batch", gzip.compress(body), **{"content-encoding": "gzip"})

    async def ask(self, query: str, **variables: Json) -> dict[str, Json]:
        """The data of an answer without errors."""
        return await self._asked(self.read_key, query, variables)

    async def change(self, mutation: str, **variables: Json) -> dict[str, Json]:
        """The data of a mutation without errors, by somebody who may decide everything."""
        return await self._asked(self.admin_key, mutation, variables)

    async def _asked(self, key: str, query: str, variables: Mapping[str, Json]) -> dict[str, Json]:
        answer = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def profiles(self) -> list[Person]:
        """Everybody, the profiles of shared identifiers too."""
        found: list[Person] = []
        after = None
        while True:
            page = (await self.ask(PEOPLE, after=after))["profiles"]
            found += [_person(edge["node"]) for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def people(self) -> set[frozenset[str]]:
        """The people as sets of identifiers; no profile of a shared identifier is one."""
        return {each.who for each in await self.profiles() if not each.shared}

    async def shared(self) -> set[frozenset[str]]:
        """The profiles of shared identifiers."""
        return {each.who for each in await self.profiles() if each.shared}

    async def person(self, value: str) -> Person:
        """The profile with this identifier."""
        (found,) = [each for each in await self.profiles() if value in each.who]
        return found

    async def events(self) -> dict[str, tuple[str, ...]]:
        """What each profile did: the values of its identifiers in order, its events, the oldest first."""
        return {" ".join(sorted(each.who)): each.events for each in await self.profiles()}

    async def profile(self, **by: Json) -> dict[str, Json]:
        """The profile that a lookup names."""
        return (await self.ask(PROFILE, by=by))["profile"]

    async def refused(self, a: tuple[str, str], b: tuple[str, str]) -> set[tuple[str, str, str]]:
        """The links that were refused between two identifiers: the values of their ends, the reason."""
        ends = [{"identifier": {"namespace": namespace, "value": value}} for namespace, value in (a, b)]
        why = (await self.ask(WHY, a=ends[0], b=ends[1]))["whySame"]
        assert not why["same"]
        return {(*sorted((each["a"]["value"], each["b"]["value"])), each["reason"]) for each in why["refused"]}


def _person(node: Mapping[str, Json]) -> Person:
    """The service shows what is newest first."""
    events = [edge["node"]["name"] or edge["node"]["type"].lower() for edge in node["interactions"]["edges"]]
    return Person(
        id=node["id"],
        known=node["known"],
        shared=node["shared"],
        who=frozenset(edge["node"]["value"] for edge in node["identifiers"]["edges"]),
        events=tuple(reversed(events)),
        shares=frozenset(edge["node"]["identifier"]["value"] for edge in node["sharedIdentifiers"]["edges"]),
    )


def taken(answer: httpx.Response) -> dict[str, Json]:
    """What became of a batch that was answered with 200."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(answer: Mapping[str, Json], what: str = "warnings") -> list[str]:
    """The codes of an answer's warnings or rejections."""
    return [each["code"] for each in answer[what]]


def sets(*people: str) -> set[frozenset[str]]:
    """`u1 a1`, `u2` as sets of identifiers."""
    return {frozenset(each.split()) for each in people}


@asynccontextmanager
async def in_process(
    graph: Connection,
    pace: Pace | None = None,
    policy: Policy | None = None,
    doors: Doors | None = None,
    hooks: Mapping[str, Hook] | None = None,
    clock: Callable[[], datetime] = now,
    watch: Watch | None = None,
    edge: Edge | None = None,
) -> AsyncIterator[Company]:
    """A company of a service that runs in this process on a graph."""
    held = PolicyHeld(policy or default_policy())
    parts = Parts(graph, held, clock, mint, pace, HASHING, doors or Doors(), hooks or {})
    app = service(replace(parts, watch=watch or Watch(), edge=edge or Edge()))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=PATIENCE) as http,
    ):
        yield await keyed(graph, http)


@asynccontextmanager
async def over_network(
    graph: Connection,
    pace: Pace | None = None,
    hooks: Mapping[str, Hook] | None = None,
    pages: Pages | None = PAGES,
    edge: Edge | None = None,
) -> AsyncIterator[Company]:
    """The same by way of a port of this machine, with the server that people run."""
    held = PolicyHeld(default_policy())
    app = service(Parts(graph, held, now, mint, pace, HASHING, hooks=hooks or {}, pages=pages, edge=edge or Edge()))
    with _listening("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with _answering(app, listener), httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            yield await keyed(graph, http)


async def keyed(graph: Connection, http: httpx.AsyncClient) -> Company:
    """A company with new keys for whatever service is on this graph."""
    return Company(
        http,
        await create_key(graph.writer, Scope.WRITE, now(), SourceName("web")),
        await create_key(graph.writer, Scope.READ, now(), terms=Terms(pii=True)),
        await create_key(graph.writer, Scope.ADMIN, now()),
    )


async def differences(graph: Connection) -> Collection[Difference]:
    """What `selfsame verify` finds."""
    found: Sequence[Difference] = await verify(graph.reader, default_policy())
    return found
