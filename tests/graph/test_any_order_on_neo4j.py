"""The laws of stitching against the real Neo4j, in a smaller number of runs."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.rebuild import verify
from identity.evidence import Act
from identity.messages import Message
from identity.policy import Policy
from tests.graph.telling import in_batches, telling, told
from tests.identity.histories import minted_first, some_overridden_history, some_steps, some_two_orders
from tests.identity.policies import some_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

# A history costs from half a second to three, where everything is recomputed after each step; `prove` asks for thirty
# times as many.
FEW = settings(
    max_examples=max(5, settings.default.max_examples // 20),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@FEW
@given(some_steps | some_overridden_history(), some_policy)
async def test_incremental_is_global_after_each_step(
    graph: Connection, steps: list[Message | Act], policy: Policy
) -> None:
    teller = await telling(graph, policy)
    for number, step in enumerate(steps):
        await teller.steps([step])
        assert await verify(graph.reader, teller.policy) == (), f"after step {number}"


@FEW
@given(some_two_orders(), st.integers(1, 5))
async def test_any_order_and_any_batching_give_the_same_people(
    graph: Connection, orders: tuple[list[Message], list[Message]], size: int
) -> None:
    one, other = orders
    assert await told(graph, in_batches(one, 1)) == await told(graph, in_batches(other, size))


@FEW
@given(some_two_orders(), st.integers(1, 5))
async def test_where_the_minting_order_is_the_same_the_ids_are_the_same(
    graph: Connection, orders: tuple[list[Message], list[Message]], size: int
) -> None:
    one, other = orders
    first = [minted_first(one)]
    assert (await told(graph, first + in_batches(one, 1))).ids == (
        await told(graph, first + in_batches(other, size))
    ).ids
