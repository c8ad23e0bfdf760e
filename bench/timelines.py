"""A timeline page of an actor with 100,000 interactions, against one with 100: both over GraphQL, one caller."""

from collections.abc import Sequence
from time import perf_counter

import orjson

from bench.report import Ratio
from bench.telling import said, tell_all
from bench.wire import Caller, caller, request
from bench.world import World, key_for, service
from graph.keys import Scope

MANY, FEW = 100_000, 100
PAGES = 100
ROUNDS = 5

QUERY = """
query Page($value: String!, $after: String) {
  device(anonymousId: $value) {
    profile {
      interactions(first: 20, after: $after) {
        edges { cursor node { id at type name } }
      }
    }
  }
}
"""


async def timelines(world: World) -> Ratio:
    """Milliseconds a page, five rounds of 100 pages each; pages from the beginning and from the middle in turn."""
    for name, many in (("busy", MANY), ("quiet", FEW)):
        await tell_all(world, (said(f"{name}-{each}", each, cookie=name) for each in range(many)))
    key = await key_for(world.connection, Scope.READ)
    ours: list[float] = []
    ceiling: list[float] = []
    with service(world.server) as process:
        connection = await caller(process.port)
        for _ in range(ROUNDS + 1):
            ours.append(await _pages(connection, key, "busy"))
            ceiling.append(await _pages(connection, key, "quiet"))
    return Ratio("timeline page", f"{FEW} interactions", "ms", ours[1:], ceiling[1:], "within 1.5 times")


async def _pages(connection: Caller, key: str, name: str) -> float:
    """Milliseconds a page: the newest, then the one after it, again and again."""
    start = perf_counter()
    after: str | None = None
    for _ in range(PAGES):
        edges = await _page(connection, key, name, after)
        after = edges[-1]["cursor"] if after is None else None
    return (perf_counter() - start) / PAGES * 1_000


async def _page(connection: Caller, key: str, name: str, after: str | None) -> Sequence[dict[str, str]]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = orjson.dumps({"query": QUERY, "variables": {"value": name, "after": after}})
    answer = orjson.loads(await connection.call(request("POST", "/graphql", headers, body)))
    edges: Sequence[dict[str, str]] = answer["data"]["device"]["profile"]["interactions"]["edges"]
    if len(edges) != 20:
        raise RuntimeError(answer)
    return edges
