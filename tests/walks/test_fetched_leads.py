"""A lead that a webhook only names: kept before the answer, asked for until it is told, and told once."""

from datetime import datetime, timedelta

import pytest

from graph.connection import Connection
from graph.fetches import waiting_fetches
from graph.policies import PolicyHeld
from selfsame.app import Parts, committing
from selfsame.clock import mint, now
from selfsame.fetching import Fetching
from selfsame.hooks import hooks_from
from tests.building import default_policy
from tests.graph.erasing import HASHING
from tests.loaders.test_fetching import vendor
from tests.walks.service import in_process, taken
from tests.walks.vendors import deliver, example, settings_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NORA = "nora.lead@fernhill.example"
ANSWER = b'{"id": "551100002", "field_data": [{"name": "email", "values": ["%s"]}]}' % NORA.encode()


async def test_a_lead_waits_for_its_answers_through_restarts_and_errors_and_is_told_once(graph: Connection) -> None:
    lead = example("facebook", "announced")
    with vendor((500, b""), (200, ANSWER)) as played:
        hooks = hooks_from({"facebook": settings_of("facebook", api_token="page-token", api_url=played.url)})
        async with in_process(graph, hooks=hooks) as company:
            answer = taken(await deliver(company, lead))
            assert (answer["committed"], answer["to_fetch"]) == (0, 1)
            taken(await deliver(company, lead))
        assert await waiting_fetches(graph.reader) == 1
        moment = now()

        def later() -> datetime:
            return moment

        parts = Parts(graph, PolicyHeld(default_policy()), later, mint, hashing=HASHING)
        fetching = Fetching(graph, hooks, committing(parts), later, HASHING)
        for _ in range(3):
            moment += timedelta(hours=2)
            await fetching.fetch_due()
        assert await waiting_fetches(graph.reader) == 0
        assert {token for _, token in played.asked} == {"Bearer page-token"}
        async with in_process(graph, hooks=hooks_from({"facebook": settings_of("facebook")})) as company:
            person = await company.person(NORA)
            assert (person.who, person.events) == ({"551100002", NORA}, ("Lead Ad Answered",))


async def test_what_cannot_be_fetched_for_thirty_days_is_told_as_it_was_named(graph: Connection) -> None:
    with vendor((400, b"")) as played:
        hooks = hooks_from({"facebook": settings_of("facebook", api_token="page-token", api_url=played.url)})
        async with in_process(graph, hooks=hooks) as company:
            taken(await deliver(company, example("facebook", "announced")))
        moment = now() + timedelta(days=31)
        parts = Parts(graph, PolicyHeld(default_policy()), lambda: moment, mint, hashing=HASHING)
        assert await Fetching(graph, hooks, committing(parts), lambda: moment, HASHING).fetch_due() == 1
    (row,) = await graph.reader.rows("MATCH (i:Interaction) RETURN i.name AS name")
    assert (row["name"], await waiting_fetches(graph.reader)) == ("Lead Ad Announced", 0)
