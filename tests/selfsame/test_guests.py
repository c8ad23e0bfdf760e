"""How much each key may ask, and how often somebody may come without one."""

from dataclasses import replace

import pytest

from graph.connection import Connection
from graph.keys import ApiKey, KeyBounds, Scope
from resolvers.rates import Rate, Rates
from resolvers.viewer import Bounds
from selfsame.clock import now
from selfsame.guests import Edge, Guests, Strangers, per_minute
from selfsame.keys import Terms, create_key
from selfsame.watching import known_as
from tests.building import START
from tests.walks.service import in_process

USUAL = Rates(Rate(10, 20), per_minute(1_000))
EDGE = Edge(Bounds(500), asking=USUAL)
KEY = ApiKey("h", Scope.READ, None, START)
TYPENAME = "{__typename}"


def test_a_key_that_says_nothing_is_held_to_what_is_set() -> None:
    viewer = Guests(EDGE).viewer(KEY)
    assert (viewer.meter.rates, viewer.bounds.cost) == (USUAL, 500)


def test_a_key_has_the_rates_it_names_and_one_that_decides_only_those() -> None:
    own = KeyBounds(rate=3, cost_rate=60, cost=7)
    for scope in (Scope.READ, Scope.ADMIN):
        viewer = Guests(EDGE).viewer(replace(KEY, scope=scope, bounds=own))
        assert (viewer.meter.rates, viewer.bounds.cost) == (Rates(Rate(3, 6), Rate(1, 60)), 7)
    assert Guests(EDGE).viewer(replace(KEY, scope=Scope.STEWARD)).meter.rates == Rates()


def test_what_was_asked_is_not_forgotten_when_the_key_is_read_anew() -> None:
    guests = Guests(EDGE)
    guests.viewer(KEY).meter.ask(15)
    again = guests.viewer(replace(KEY, used_at=START))
    assert again.meter is guests.viewer(KEY).meter


def test_tokens_of_one_subject_are_counted_together_and_named_by_none() -> None:
    guests = Guests(EDGE)
    one, two = (replace(KEY, hash=each * 64, label="ann", subject="ann") for each in "ab")
    assert guests.viewer(one).meter is guests.viewer(two).meter
    assert guests.viewer(replace(one, subject="bob")).meter is not guests.viewer(one).meter
    assert known_as(one) == "token"


def test_who_shows_unknown_keys_has_to_wait() -> None:
    strangers = Strangers(Rate(1, 3), lambda: 0.0)
    for _ in range(3):
        assert strangers.wait("192.0.2.1") is None
        strangers.failed("192.0.2.1")
    refused = strangers.wait("192.0.2.1")
    assert refused is not None
    assert (refused.status, refused.code, refused.retry_after) == (429, "rate_limited", 1)
    assert strangers.wait("192.0.2.2") is None


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_who_asks_too_much_is_told_by_status_headers_and_code(graph: Connection) -> None:
    edge = Edge(asking=Rates(Rate(0.01, 3), per_minute(50)), failing=Rate(0.01, 2))
    async with in_process(graph, edge=edge) as company:
        own = await create_key(graph.writer, Scope.READ, now(), terms=Terms(bounds=KeyBounds(rate=0.01, cost=1)))
        sender = await create_key(graph.writer, Scope.WRITE, now(), terms=Terms(bounds=KeyBounds(rate=0.01)))

        async def ask(query: str, key: str = company.read_key) -> tuple[int, dict[str, object], dict[str, str]]:
            answer = await company.http.post(
                "/graphql", json={"query": query}, headers={"authorization": f"Bearer {key}"}
            )
            return answer.status_code, answer.json(), dict(answer.headers)

        status, _, headers = await ask(TYPENAME)
        assert (status, headers["ratelimit"]) == (200, '"questions";r=2;t=100, "cost";r=49;t=2')
        status, told, headers = await ask("{profiles(first: 60) {edges {node {id}}}}")  # of 122 that 50 a minute leave
        assert (status, told["errors"][0]["extensions"]["code"]) == (429, "rate_limited")  # type: ignore[index]
        assert int(headers["retry-after"]) >= 1
        assert (await ask(TYPENAME))[0] == 200
        assert (await ask("{nonsense"))[0] == 429  # before anything is parsed
        assert (await ask("{profiles {edges {node {id}}}}", own))[1]["extensions"]["cost"]["allowed"] == 1  # type: ignore[index]
        assert [(await company.post("track", b"{}", sender)).status_code for _ in range(3)] == [400, 429, 429]
        assert [(await ask(TYPENAME, "ssr_guess"))[0] for _ in range(3)] == [401, 401, 429]
        status, told, headers = await ask(TYPENAME, "ssr_guess")
        assert (status, told["errors"][0]["extensions"]["code"]) == (429, "rate_limited")  # type: ignore[index]
        assert int(headers["retry-after"]) >= 1
        assert (await company.post("track", b"{}", "ssw_guess")).status_code == 429
        assert (await company.post("track", b"{}")).status_code == 429  # not seen here before: right or wrong
        assert (await ask(TYPENAME, own))[0] == 429  # known, but its own rate is used up


def test_a_public_key_is_told_the_schema_unless_that_is_for_others() -> None:
    public = replace(KEY, bounds=KeyBounds(public=True, documents_only=True))
    assert Guests(EDGE).viewer(public).bounds.introspection
    guests = Guests(replace(EDGE, public_blind=True))
    assert not guests.viewer(public).bounds.introspection
    assert guests.viewer(public).bounds.documents_only
    assert guests.viewer(replace(KEY, hash="other")).bounds == Bounds(500)
