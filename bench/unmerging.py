"""The unmerge of a profile of 50 identifiers with 100,000 interactions, against the same with 100."""

from time import perf_counter

from bench.report import Ratio
from bench.telling import policy, said, tell_all
from bench.world import World
from graph.decisions import Outcome
from graph.merging import Asked, undo_decision, unmerge_people
from identity.identifiers import IdentifierKey
from identity.messages import micros
from selfsame.clock import mint, now

MANY, FEW = 100_000, 100
HALF = 24
ROUNDS = 5


async def unmerging(world: World) -> Ratio:
    """Seconds for one unmerge, taken back after each; two people of 25 identifiers each, joined by one address."""
    for name, many in (("large", MANY), ("small", FEW)):
        await _fill(world, name, many)
    ours: list[float] = []
    ceiling: list[float] = []
    for _ in range(ROUNDS + 1):
        ours.append(await _unmerged(world, "large"))
        ceiling.append(await _unmerged(world, "small"))
    name = f"unmerge of 50 identifiers with {MANY:,} interactions"
    return Ratio(name, f"with {FEW}", "s", ours[1:], ceiling[1:], "under 1 s")


async def _fill(world: World, name: str, many: int) -> None:
    """A person with a user id and cookies, another with a record's address and cookies, joined by one message."""
    first = [said(f"{name}-a{each}", each, user=f"{name}-user", cookie=f"{name}-a{each}") for each in range(HALF)]
    other = [said(f"{name}-b{each}", each, email=f"{name}@x.com", cookie=f"{name}-b{each}") for each in range(HALF)]
    bridge = said(f"{name}-bridge", 50, user=f"{name}-user", email=f"{name}@x.com")
    await tell_all(world, [*first, *other, bridge])
    cookies = [f"{name}-{side}{each}" for side in "ab" for each in range(HALF)]
    await tell_all(world, (said(f"{name}-{each}", each, cookie=cookies[each % len(cookies)]) for each in range(many)))


async def _unmerged(world: World, name: str) -> float:
    a, b = IdentifierKey(f"user_id:{name}-user"), IdentifierKey(f"email:{name}@x.com")
    writer, ruling = world.connection.writer, policy()
    start = perf_counter()
    apart = await unmerge_people(writer, a, b, _asked(), ruling)
    seconds = perf_counter() - start
    if not isinstance(apart, Outcome) or len(apart.after) != 2:
        raise RuntimeError(apart)
    await undo_decision(writer, apart.decision, _asked(), ruling)
    return seconds


def _asked() -> Asked:
    return Asked("bench", mint, micros(now()))
