"""One profile with its devices and 20 latest interactions over GraphQL, against the same Cypher by the bare driver.

Sixteen callers on each side ask for the people of a sample company in turn; both sides run on the machine that also
runs Neo4j and the callers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from time import perf_counter
from typing import TypeVar

import orjson

from bench.report import Ratio
from bench.wire import caller, request
from bench.world import World, key_for, service
from graph.interactions import EARLIEST, LATEST
from graph.keys import Scope
from graph.portraits import PORTRAITS_BY_IDENTIFIER

T = TypeVar("T")
CALLERS = 16
SECONDS = 6.0
ROUNDS = 5

QUERY = """
query Portrait($value: String!) {
  profile(by: {identifier: {namespace: "user_id", value: $value}}) {
    id
    known
    devices { namespace value firstSeen lastSeen }
    interactions(first: 20) {
      edges { node { id at type name channel } }
    }
  }
}
"""

USERS = """
MATCH (i:Contact)-[:IDENTIFIES]->(:Profile)
WHERE i.namespace = 'user_id' AND i.generic IS NULL
RETURN i.value AS value
ORDER BY value
"""


async def profiles(world: World) -> Ratio:
    """Answers a second, five rounds, ours and the ceiling in turn. The graph must hold a sample company."""
    users = [row["value"] for row in await world.connection.reader.rows(USERS)]
    key = await key_for(world.connection, Scope.READ)
    ours: list[float] = []
    ceiling: list[float] = []
    with service(world.server) as process:
        for _ in range(ROUNDS + 1):
            ours.append(await _over_graphql(process.port, key, users))
            ceiling.append(await _over_the_driver(world, users))
    return Ratio("one profile", "same Cypher", "answers/s", ours[1:], ceiling[1:], "at least 0.35 at 16 callers")


async def _over_graphql(port: int, key: str, users: list[str]) -> float:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    requests = [
        request("POST", "/graphql", headers, orjson.dumps({"query": QUERY, "variables": {"value": user}}))
        for user in users
    ]
    connections = [await caller(port) for _ in range(CALLERS)]

    async def ask(number: int, sent: bytes) -> None:
        answer = await connections[number].call(sent)
        if b'"errors"' in answer or b'"edges"' not in answer:
            raise RuntimeError(answer.decode())

    return await _rate(ask, cycle(requests))


async def _over_the_driver(world: World, users: list[str]) -> float:
    driver = world.connection.driver

    async def ask(_: int, user: str) -> None:
        asked = [{"key": f"user_id:{user}", "at": LATEST, "id": ""}]
        async with driver.session(database="neo4j") as session:
            result = await session.run(PORTRAITS_BY_IDENTIFIER, asked=asked, first=20, types=[], start=EARLIEST)
            if not (await result.single(strict=True))["newest"]:
                raise RuntimeError(user)

    return await _rate(ask, cycle(users))


async def _rate(ask: Callable[[int, T], Awaitable[None]], wanted: Iterator[T]) -> float:
    """Answers a second of all callers together."""
    answered = 0
    end = perf_counter() + SECONDS

    async def work(number: int) -> None:
        nonlocal answered
        while perf_counter() < end:
            await ask(number, next(wanted))
            answered += 1

    start = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(CALLERS):
            tasks.create_task(work(number))
    return answered / (perf_counter() - start)
