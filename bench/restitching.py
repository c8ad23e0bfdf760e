"""A touched profile of 50 identifiers, stitched again: a message that brings one more, against one that brings nothing.

Both are transactions of one message; what the first costs more is reading the region, the rule, and writing the plan.
"""

from time import perf_counter

from bench.report import Ratio
from bench.telling import policy, said, tell, tell_all
from bench.world import World
from identity.messages import Message
from identity.policy import Policy

IDENTIFIERS = 50
PEOPLE = 60
ROUNDS = 5


async def restitching(world: World) -> Ratio:
    """Milliseconds a message, medians of rounds of ten people each; every person is touched once on each side."""
    await tell_all(
        world,
        (
            said(f"fill-{who}-{number}", number, user=f"stitched-{who}", cookie=f"stitched-{who}-{number}")
            for who in range(PEOPLE)
            for number in range(IDENTIFIERS - 2)
        ),
    )
    ours: list[float] = []
    ceiling: list[float] = []
    ruling = policy()
    for first in range(0, PEOPLE, PEOPLE // (ROUNDS + 1)):
        people = range(first, first + PEOPLE // (ROUNDS + 1))
        cookie = f"-{IDENTIFIERS - 1}"
        more = [said(f"more-{who}", 99, user=f"stitched-{who}", cookie=f"stitched-{who}{cookie}") for who in people]
        same = [said(f"same-{who}", 100, user=f"stitched-{who}", cookie=f"stitched-{who}{cookie}") for who in people]
        ours.append(await _each(world, more, ruling))
        ceiling.append(await _each(world, same, ruling))
    return Ratio(
        "a profile of 50 identifiers gets one more", "nothing new in it", "ms", ours[1:], ceiling[1:], "none was set"
    )


async def _each(world: World, messages: list[Message], ruling: Policy) -> float:
    start = perf_counter()
    for each in messages:
        await tell(world, [each], ruling)
    return (perf_counter() - start) / len(messages) * 1_000
