"""Messages of others beside a hairball: 100,000 anonymous ids on one address (T47), against the same without it."""

from collections.abc import Callable
from statistics import quantiles
from time import perf_counter

from bench.report import Ratio
from bench.telling import policy, said, tell
from bench.world import World, world
from identity.messages import Message

HAIRS = 100_000
BATCHES = 200
TOGETHER = 50


async def hairballs(_: World) -> Ratio:
    """The 95th percentile of 200 batches of 50 messages of others, between batches of 500 that are the hairball or not.

    The hairball grows from nothing to 100,000 while it is measured. Both sides write as many messages, each on a Neo4j
    of its own: in one that has seen more, the same batches took up to twice as long. The second round is turned round.
    """
    beside: list[float] = []
    alone: list[float] = []
    for measured, crowd in ((alone, _calm), (beside, _hair), (beside, _hair), (alone, _calm)):
        async with world() as fresh:
            measured.append(await _others_beside(fresh, crowd))
    name = f"p95 of others' messages beside {HAIRS:,} anonymous ids on one address"
    return Ratio(name, "beside as many without it", "ms", beside, alone, "within 1.5 times")


def _calm(number: int) -> Message:
    return said(f"calm-{number}", number, cookie=f"calm-{number}")


def _hair(number: int) -> Message:
    return said(f"hair-{number}", number, cookie=f"hair-{number}", email="noreply@shop.com")


async def _others_beside(world: World, crowd: Callable[[int], Message]) -> float:
    ruling = policy()
    times: list[float] = []
    size = HAIRS // BATCHES
    for batch in range(BATCHES):
        await tell(world, [crowd(batch * size + each) for each in range(size)], ruling)
        others = [_other(batch, each) for each in range(TOGETHER)]
        start = perf_counter()
        await tell(world, others, ruling)
        times.append((perf_counter() - start) * 1_000)
    return quantiles(times, n=20)[-1]


def _other(batch: int, each: int) -> Message:
    """Somebody of 2,000 people, who are seen again and again on two devices each."""
    who = (batch * 37 + each * 53) % 2_000
    return said(f"other-{batch}-{each}", batch, user=f"other-{who}", cookie=f"other-{who}-{each % 2}")
