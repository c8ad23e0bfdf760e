"""What became of several tries at once is remembered as if one had come after the other."""

import pytest

from graph.connection import Connection
from graph.deliveries import Attempt, Outcome, delivery_by_id, settle
from graph.endpoints import Endpoint, EndpointState, endpoints, keep_endpoint

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

OWED = """
UNWIND range(1, 3) AS n
CREATE (:WebhookDelivery {id: 'msg_' + n, endpoint: 'e1', seq: n, type: 'profile.changed', body: '{}', at: 1, tries: 0,
  due_at: 1})
"""


def taken(number: int, at: int) -> Outcome:
    return Outcome(f"msg_{number}", at, 204, "204 No Content", taken=True)


def refused(number: int, at: int, status: int | None = 503) -> Outcome:
    gone = status == 410
    return Outcome(f"msg_{number}", at, status, f"{status} x", taken=False, tries=1, due_at=at + 5, gone=gone)


@pytest.mark.parametrize(
    ("outcomes", "limit", "state", "failing"),
    [
        ((taken(1, 10), taken(2, 11)), 0, EndpointState.ACTIVE, None),
        ((refused(1, 10), taken(2, 11)), 0, EndpointState.ACTIVE, None),
        ((taken(1, 10), refused(2, 11)), 0, EndpointState.ACTIVE, 11),
        ((refused(1, 10), refused(2, 11, None)), 0, EndpointState.ACTIVE, 3),
        ((refused(1, 10), refused(2, 11)), 4, EndpointState.DISABLED, 3),
        ((refused(1, 10, 410), taken(2, 11)), 0, EndpointState.DISABLED, 10),
    ],
)
async def test_an_endpoint_is_well_fails_or_is_disabled_by_what_came_last(
    graph: Connection, outcomes: tuple[Outcome, ...], limit: int, state: EndpointState, failing: int | None
) -> None:
    await keep_endpoint(graph.writer, Endpoint("e1", "https://a.example", (), "s", 0, failing_since=3))
    await graph.writer.command(OWED)
    reason = await settle(graph.writer, "e1", outcomes, limit)
    (endpoint,) = await endpoints(graph.reader)
    assert (endpoint.state, endpoint.failing_since) == (state, failing)
    assert (reason is not None) == (state is EndpointState.DISABLED)
    assert endpoint.reason == reason
    for each in outcomes:
        found = await delivery_by_id(graph.reader, each.id)
        assert found is not None
        owed = found.delivery
        assert owed.attempts == (Attempt(each.at, each.status),)
        assert (owed.done_at, owed.due_at) == ((each.at, None) if each.taken else (None, each.due_at))
    untouched = await delivery_by_id(graph.reader, "msg_3")
    assert untouched is not None
    assert (untouched.delivery.attempts, untouched.delivery.due_at) == ((), 1)
