"""Any order, any batching, twice: the same people, refusals, generic identifiers and traits."""

from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Message
from identity.policy import Policy
from identity.stitching import stitch
from tests.identity.histories import minted_first, some_history, some_two_orders
from tests.identity.memory import History, people, traits_of
from tests.identity.policies import some_policy
from tests.identity.test_restitching import fresh, told_afresh

Orders = tuple[list[Message], list[Message]]


def result(history: History) -> tuple[object, ...]:
    """All that stitching says, but the ids, which follow the order of minting."""
    return people(history.clusters.values()), history.verdicts, history.generic, history.links, traits_of(history)


def in_batches(messages: list[Message], size: int, policy: Policy | None = None) -> History:
    history = fresh(policy)
    for start in range(0, len(messages), size):
        history.receive(messages[start : start + size])
    return history


@given(some_two_orders(), some_policy)
def test_any_order_gives_the_same_people_refusals_and_traits(orders: Orders, policy: Policy) -> None:
    one, other = orders
    assert result(told_afresh(one, policy)) == result(told_afresh(other, policy))


@given(some_two_orders(), st.integers(1, 6), some_policy)
def test_any_order_in_any_batches_gives_the_same(orders: Orders, size: int, policy: Policy) -> None:
    one, other = orders
    assert result(told_afresh(one, policy)) == result(in_batches(other, size, policy))


@given(some_history, st.integers(1, 6))
def test_any_batching_gives_the_same_ids(messages: list[Message], size: int) -> None:
    """Identifiers are minted in the order of messages and keys, in whatever batches they come."""
    assert in_batches(messages, size).clusters.keys() == told_afresh(messages).clusters.keys()


@given(some_two_orders())
def test_where_the_minting_order_is_the_same_any_order_gives_the_same_ids(orders: Orders) -> None:
    one, other = (told_afresh([*minted_first(orders[0]), *order]) for order in orders)
    assert {each.id: each.members for each in one.clusters.values()} == {
        each.id: each.members for each in other.clusters.values()
    }


@given(some_two_orders())
def test_the_global_rule_looks_at_the_set_of_evidence_alone(orders: Orders) -> None:
    one, other = (stitch(told_afresh(order).evidence(), told_afresh(order).policy) for order in orders)
    assert people(one.clusters.values()) == people(other.clusters.values())
    assert (one.refused, one.generic) == (other.refused, other.generic)


@given(some_two_orders())
def test_what_came_twice_counts_once(orders: Orders) -> None:
    one, _ = orders
    assert result(told_afresh([*one, *one])) == result(told_afresh(one))
