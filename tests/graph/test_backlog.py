"""What an endpoint is owed is held, made due again and forgotten in pages, whoever is killed in between."""

from functools import partial

import pytest

from graph import backlog
from graph.backlog import again_page, standing, work_off
from graph.connection import Connection
from graph.deliveries import deliveries, lanes_due
from graph.endpoints import (
    Again,
    Endpoint,
    EndpointState,
    change_endpoint,
    endpoints,
    keep_endpoint,
    paused,
    recovered,
    remove_endpoint,
    resumed,
)

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

# Five of each entry, so that pages end in the middle of one: taken, never tried, tried, given up, as it was once held.
OWED = """
UNWIND range(0, 4) AS seq
UNWIND range(0, 4) AS place
CREATE (owed:WebhookDelivery {id: 'msg_' + seq + '_' + place, endpoint: $endpoint, seq: seq, type: 'profile.changed',
  body: '{}', at: 10 * seq, tries: [0, 0, 2, 10, 0][place], due_at: [null, 5, 90, null, null][place],
  done_at: CASE WHEN place = 0 THEN 7 END})
"""
NOW = 50


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "AT_ONCE", 3)


async def owed(graph: Connection) -> None:
    await keep_endpoint(graph.writer, Endpoint("e1", "https://a.example", (), "s", 0))
    await graph.writer.command(OWED, endpoint="e1")


async def looks(graph: Connection) -> dict[str, tuple[int | None, int]]:
    return {each.id[4:]: (each.due_at, each.tries) for each in await deliveries(graph.reader, "e1", 100)}


async def test_a_pause_changes_nothing_that_is_owed_and_nothing_of_it_is_due(graph: Connection) -> None:
    await owed(graph)
    before = await looks(graph)
    assert await lanes_due(graph.reader, NOW) == {"e1"}
    await change_endpoint(graph.writer, "e1", paused)
    assert (await looks(graph), await lanes_due(graph.reader, NOW)) == (before, frozenset())


async def test_what_is_owed_is_made_due_in_pages_and_gone_on_with_where_somebody_stopped(graph: Connection) -> None:
    await owed(graph)
    await change_endpoint(graph.writer, "e1", paused)
    await change_endpoint(graph.writer, "e1", partial(resumed, now=NOW))
    assert await again_page(graph.writer, "e1")
    some = await looks(graph)
    assert (some["0_2"], some["0_3"]) == ((NOW, 0), (None, 10))
    assert await work_off(graph.reader, graph.writer, 2) == 2
    assert await work_off(graph.reader, graph.writer, 100) == 6
    assert await work_off(graph.reader, graph.writer, 100) == 0
    due = {0: (None, 0), 1: (5, 0), 2: (NOW, 0), 3: (NOW, 0), 4: (NOW, 0)}
    assert await looks(graph) == {f"{seq}_{place}": due[place] for seq in range(5) for place in range(5)}
    (endpoint,) = await endpoints(graph.reader)
    assert endpoint.state is EndpointState.ACTIVE
    assert endpoint.again == Again(0, NOW, 4, "msg_4_4", 15, done=True)


async def test_only_what_happened_since_is_recovered_and_a_second_wish_takes_in_the_first(graph: Connection) -> None:
    await owed(graph)
    await change_endpoint(graph.writer, "e1", partial(recovered, since=30, now=NOW))
    while await again_page(graph.writer, "e1"):
        pass
    found = await looks(graph)
    assert {place for place, (due, _) in found.items() if due == NOW} == {f"{n}_{p}" for n in "34" for p in "234"}
    for since, wanted in ((40, 40), (20, 20), (30, 20)):
        wish = await change_endpoint(graph.writer, "e1", partial(recovered, since=since, now=NOW))
        assert (wish and wish.again) == Again(wanted, NOW)


async def test_who_is_removed_is_gone_at_once_and_what_it_was_owed_page_by_page(graph: Connection) -> None:
    await owed(graph)
    assert await remove_endpoint(graph.writer, "e1")
    assert (await endpoints(graph.reader), await lanes_due(graph.reader, NOW)) == ((), frozenset())
    assert not await remove_endpoint(graph.writer, "e1")
    assert await work_off(graph.reader, graph.writer, 4) == 4
    assert len(await looks(graph)) == 13
    assert (await standing(graph.reader)).removed == ["e1"]
    assert await work_off(graph.reader, graph.writer, 100) == 5
    rows = await graph.reader.rows("MATCH (n) WHERE n:WebhookDelivery OR n:RemovedWebhookEndpoint RETURN n.id AS id")
    assert rows == []


async def test_there_are_so_many_endpoints_at_most_and_one_that_is_kept_can_be_kept_again(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.endpoints.MOST_ENDPOINTS", 2)
    urls = {"e1": "a", "e2": "a", "e3": "a", "e2 again": "b"}
    kept = [
        await keep_endpoint(graph.writer, Endpoint(id_.split()[0], f"https://{url}.example", (), "s", 0))
        for id_, url in urls.items()
    ]
    assert [each is not None for each in kept] == [True, True, False, True]
    assert [each.url for each in await endpoints(graph.reader)] == ["https://a.example", "https://b.example"]
