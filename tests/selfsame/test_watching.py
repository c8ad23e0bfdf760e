"""What whoever runs the service sees of it: numbers and lines, and in none of them a value that somebody sent."""

import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import set_span_in_context, use_span
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from graph.connection import Connection, Ran, Reader, Writer
from graph.segments import SEGMENTS
from graph.statements import MADE, name_of
from resolvers.joining import BESIDE
from selfsame import tracing
from selfsame.errors import SettingsInvalidError
from selfsame.guests import Edge
from selfsame.tracing import statement_span
from selfsame.watching import Watch
from tests.serving import until_async
from tests.walks.listening import MERGES, events, opened
from tests.walks.sending import identify, track
from tests.walks.service import Company, in_process, over_network
from tests.walks.traces import receiver_of_traces
from tests.walks.vendors import hooks

pytestmark = pytest.mark.anyio


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels."""
    return {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def heard(graph: Connection, watch: Watch) -> Connection:
    """The same graph, with somebody who listens."""
    reader = Reader(graph.driver, graph.reader.database, graph.reader.bookmarked, watch.ran)
    return Connection(graph.driver, reader, Writer(graph.driver, reader.database, reader.bookmarked, watch.ran))


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def company(graph: Connection, watch: Watch) -> AsyncIterator[Company]:
    async with in_process(heard(graph, watch), watch=watch, hooks=hooks()) as running:
        yield running


@pytest.mark.neo4j
async def test_what_is_answered_asked_written_and_read_is_counted(company: Company) -> None:
    await company.batch([identify("u1", "a1"), track("a1")])
    await company.ask("{ segments { name } }")
    await company.http.post("/graphql", json={"query": "{ nothing }"}, auth=(company.read_key, ""))
    await company.http.get("/a/path/of/somebody")
    answer = await company.http.get("/metrics")
    found = numbers(answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert found["selfsame_http_requests_total", "POST", "/v1/batch", "200"] == 1
    assert found["selfsame_http_requests_total", "GET", "none", "404"] == 1
    assert found["selfsame_graphql_operations_total", "ok", "query"] == 1
    assert found["selfsame_graphql_operations_total", "query_invalid", "none"] == 1
    assert found["selfsame_messages_total", "committed"] == 2
    assert found[("selfsame_commit_messages_count",)] == 1
    assert found["selfsame_cypher_seconds_count", "segments.SEGMENTS"] == 1
    assert found["selfsame_cypher_rows_total", "keys.KEY_BY_HASH"] >= 2
    assert found[("selfsame_intake_waiting_messages",)] == found[("selfsame_subscriptions",)] == 0
    assert found[("selfsame_neo4j_connections",)] >= 1
    assert ("process_open_fds",) in found
    assert complaints(answer.text) == []


@pytest.mark.neo4j
async def test_what_is_asked_over_websockets_and_streams_is_counted(graph: Connection) -> None:
    async with over_network(graph) as company:
        url = str(company.http.base_url).rstrip("/")
        async with opened(url, company.read_key) as listener, AsyncExitStack() as stack:
            await listener.subscribe("1", MERGES)
            await listener.subscribe("2", "{ nothing }")
            assert (await listener.hear())["type"] == "error"
            await stack.enter_async_context(events(company.http, company.read_key, MERGES, {}))
            headers = {"accept": "text/event-stream", "authorization": f"Bearer {company.read_key}"}
            await company.http.post("/graphql", json={"query": "{ nothing }"}, headers=headers)
            await until_async(lambda: two_listen(company))
            found = numbers((await company.http.get("/metrics")).text)
        assert found["selfsame_graphql_operations_total", "ok", "subscription"] == 1  # a stream is told of at its end
        assert found["selfsame_graphql_operations_total", "query_invalid", "none"] == 2


async def two_listen(company: Company) -> bool:
    return numbers((await company.http.get("/metrics")).text)[("selfsame_subscriptions",)] == 2


def complaints(text: str) -> list[str]:
    """What Prometheus' own `promtool check metrics` would object to, of the metrics that are ours.

    Every family has a help and a type and stands in one piece, what only grows ends in `_total` and nothing else does,
    units are base units, names are small letters, and no sample comes twice.
    """
    families = [each for each in text_string_to_metric_families(text) if each.name.startswith("selfsame_")]
    found = [f"{each.name}: no help" for each in families if not each.documentation.strip()]
    found += [f"{each.name}: no type" for each in families if each.type in {"unknown", "untyped"}]
    found += [f"{each.name}: a name" for each in families if not re.fullmatch(r"[a-z][a-z0-9_]*", each.name)]
    found += [f"{each.name}: a unit" for each in families if re.search(r"_(ms|millis|minutes|kb|mb)(_|$)", each.name)]
    samples = Counter((each.name, *sorted(each.labels.items())) for family in families for each in family.samples)
    found += [f"{sample}: {many} times" for sample, many in samples.items() if many > 1]
    declared = re.findall(r"^# TYPE (selfsame_\S+) (\S+)$", text, re.MULTILINE)
    found += [f"{name}: in pieces" for name, many in Counter(name for name, _ in declared).items() if many > 1]
    return found + [name for name, kind in declared if (kind == "counter") is not name.endswith("_total")]


@pytest.mark.neo4j
async def test_metrics_want_their_key_where_one_is_set(graph: Connection) -> None:
    async with in_process(graph, edge=Edge(metrics_key="m-secret")) as company:
        answers = [
            (await company.http.get("/metrics", headers=headers)).status_code
            for headers in ({}, {"authorization": "Bearer other"}, {"authorization": "Bearer m-secret"})
        ]
    assert answers == [401, 401, 200]


@pytest.mark.neo4j
async def test_each_request_is_a_line_that_says_what_it_was(company: Company) -> None:
    with capture_logs() as lines:
        await company.ask("{ segments { name } }")
        await company.http.get("/health/live")
    asked, live = lines
    assert asked | {"ms": 0} == {
        "event": "request", "log_level": "info", "method": "POST", "route": "/graphql", "status": 200, "ms": 0,
        "key": asked["key"], "operation": "query", "document": asked["document"], "cost": 11, "code": "ok",
    }  # fmt: skip
    assert asked["key"].startswith("key:")
    assert (live["route"], live["log_level"]) == ("/health/live", "debug")


SECRET = "zebraquagga"
EMAIL = f"{SECRET}@example.com"


@pytest.mark.neo4j
async def test_nothing_that_anybody_sent_is_in_a_log_line_or_a_number(
    company: Company, graph: Connection, watch: Watch
) -> None:
    """Through every way in, right and wrong, where every statement counts as slow."""
    watch.slow_ms = 0.000_001
    with capture_logs() as lines:
        statuses = [await sent for sent in everything(company)]
        for _ in range(5):
            await watch.tell_plan(graph.reader)
    assert {200, 400, 401, 404} <= set(statuses)
    assert {"request", "a statement was slow", "the plan of a slow statement"} <= {each["event"] for each in lines}
    assert SECRET not in repr(lines).lower()
    assert SECRET not in watch.metrics.text().decode().lower()


def everything(company: Company) -> Iterator[Awaitable[int]]:
    """A request of every kind that carries the secret wherever it can."""
    someone = {"user": SECRET, "on": f"a-{SECRET}", "email": EMAIL, "traits": {"name": SECRET, "email": EMAIL}}
    read, admin = company.read_key, company.admin_key
    yield status(
        company, "POST", "/v1/batch", company.write_key, json={"batch": [identify(**someone), {"type": SECRET}]}
    )
    yield status(company, "POST", "/v1/track", company.write_key, json=track(SECRET, name=SECRET))
    yield status(company, "POST", "/v1/track", company.write_key, json={"event": SECRET})
    yield status(company, "POST", "/v1/batch", SECRET, json={})
    yield status(company, "POST", "/v1/batch", company.write_key, content=SECRET.encode())
    yield status(company, "GET", f"/{company.write_key}/i?e=pv&uid={SECRET}&page={SECRET}", "")
    yield status(company, "GET", f"/{SECRET}/i?e=pv&uid={SECRET}", "")
    yield status(company, "POST", f"/webhooks/{SECRET}", "", json={"email": EMAIL})
    yield status(company, "POST", "/webhooks/zapier", "", json={"email": EMAIL})
    yield status(company, "GET", f"/{SECRET}?{SECRET}={SECRET}", "")
    for key, query in (
        (read, '{ profile(by: { identifier: { namespace: "user_id", value: "%s" } }) { id traits { name value } } }'),
        (read, '{ profiles(search: "%s") { edges { node { id } } } }'),
        (read, "query %s { segments { name } }"),
        (read, "{ %s }"),
        (read, "{ %s("),
        (read, '{ node(id: "%s") { id } }'),
        (admin, 'mutation { setTrait(profile: { id: "%s" }, key: "name", value: "x") { __typename } }'),
        (admin, 'mutation { defineSegment(name: "%s", definition: { all: [] }) { __typename } }'),
    ):
        yield status(company, "POST", "/graphql", key, json={"query": query % SECRET, "operationName": None})
    yield status(company, "GET", f"/graphql?query={{{SECRET}}}", read)
    yield from hidden_in_a_question(company)


def hidden_in_a_question(company: Company) -> Iterator[Awaitable[int]]:
    """A question that is right, wrong or nothing at all, with the secret beside the document instead of in it."""
    by = "query ($by: ProfileLookup!) { profile(by: $by) { id } }"
    someone = {"by": {"identifier": {"namespace": "email", "value": EMAIL}}}
    wrong = {"by": {"identifier": {"namespace": SECRET, "worth": EMAIL}}}
    search = "query ($text: String!) { profiles(search: $text) { edges { node { id } } } }"
    for body in (
        {"query": by, "variables": someone, "operationName": SECRET},
        {"query": by, "variables": wrong},
        {"query": by, "variables": {"by": EMAIL}},
        {"query": search, "variables": {"text": EMAIL}, "extensions": {"persistedQuery": {"sha256Hash": SECRET}}},
        {"query": by, "variables": EMAIL},
        {"query": SECRET * 2_000},
        [{"query": by, "variables": someone}, {"query": EMAIL}],
    ):
        yield status(company, "POST", "/graphql", company.read_key, json=body, headers=TELLING)
    yield status(company, "POST", "/graphql", company.read_key, content=f'{{"query": {EMAIL}'.encode(), headers=TELLING)
    asked = {"query": by, "variables": json.dumps(someone), "operationName": EMAIL, SECRET: EMAIL}
    for path in (f"/graphql?{urlencode(asked)}", f"/graphql?{urlencode({**asked, 'variables': EMAIL})}"):
        yield status(company, "GET", path, company.read_key, headers=TELLING)
    events = {**TELLING, "accept": "text/event-stream", "last-event-id": SECRET}
    yield status(company, "POST", "/graphql", company.read_key, json={"query": by, "variables": wrong}, headers=events)
    yield status(company, "POST", "/graphql", company.read_key, json={"query": search, "variables": {"text": EMAIL}})
    yield status(company, SECRET.upper(), "/graphql", company.read_key, headers=TELLING)


# What clients, proxies and browsers say of whom they speak for.
TELLING = {
    "user-agent": EMAIL, "referer": f"https://{SECRET}.example/{EMAIL}", "cookie": f"who={EMAIL}",
    "origin": f"https://{SECRET}.example", "x-forwarded-for": SECRET, "apollographql-client-name": SECRET,
    "traceparent": SECRET, "tracestate": f"who={SECRET}", "baggage": f"who={SECRET}", "x-request-id": EMAIL,
    "content-type": "application/json",
}  # fmt: skip


async def status(company: Company, method: str, path: str, key: str, **more: Any) -> int:  # noqa: ANN401
    answer = await company.http.request(method, path, auth=(key, "") if key else None, **more)
    return answer.status_code


@pytest.mark.neo4j
async def test_a_request_and_its_statements_are_spans_of_the_callers_trace(company: Company, watch: Watch) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    watch.tracer = provider.get_tracer("selfsame")
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    question = {"query": f'{{ profile(by: {{ id: "{SECRET}" }}) {{ known }} segments {{ name }} }}'}
    with capture_logs() as lines:
        await company.http.post(
            "/graphql", json=question, auth=(company.read_key, ""), headers={"traceparent": f"00-{trace}-{parent}-01"}
        )
    spans = {each.name: each for each in kept.get_finished_spans() if each.context.trace_id == int(trace, 16)}
    root = spans["POST /graphql"]
    assert {"segments.SEGMENTS", "keys.KEY_BY_HASH"} <= set(spans)
    assert root.parent
    assert root.parent.span_id == int(parent, 16)
    names = {each.context.span_id: name for name, each in spans.items()}
    below = {name: each.parent and names.get(each.parent.span_id) for name, each in spans.items()}
    whole = {"prepare": root.name, "execute": root.name, "keys.KEY_BY_HASH": root.name, "segments.SEGMENTS": "execute"}
    assert {name: below[name] for name in whole} == whole
    assert set(below.values()) == {None, root.name, "execute"}
    assert root.attributes
    assert root.attributes["graphql.operation.type"] == "query"
    assert [each["trace"] for each in lines if each["event"] == "request"] == [trace]
    assert SECRET not in "".join(each.to_json() for each in kept.get_finished_spans())


@pytest.mark.neo4j
async def test_a_commit_is_in_the_trace_of_who_sent_and_what_nobody_asked_for_is_in_none(
    company: Company, watch: Watch
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    watch.tracer = provider.get_tracer("selfsame")
    await company.batch([identify("u1", "a1")])
    watch.tracer = None
    spans = kept.get_finished_spans()
    names = {each.context.span_id: each.name for each in spans}
    below = {each.name: names[each.parent.span_id] for each in spans if each.parent}
    assert [each.name for each in spans if each.parent is None] == ["POST /v1/batch"]
    assert below["commit"] == "POST /v1/batch"
    assert {above for name, above in below.items() if name.startswith("ingestion.")} == {"commit"}


def test_a_commit_is_linked_with_the_other_requests_whose_messages_it_has() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("selfsame")
    requests = [tracer.start_span(f"request {number}") for number in range(3)]
    with tracing.commit_span(tracer, [set_span_in_context(each) for each in requests]):
        pass
    (told,) = kept.get_finished_spans()
    assert told.parent == requests[0].get_span_context()
    assert [each.context for each in told.links] == [each.get_span_context() for each in requests[1:]]


def test_a_statement_that_answers_several_requests_is_a_span_in_the_trace_of_each() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("selfsame")
    requests = [tracer.start_span(f"request {number}") for number in range(3)]
    token = BESIDE.set([set_span_in_context(each) for each in requests[1:]])
    with use_span(requests[0]):
        statement_span(tracer, Ran(SEGMENTS, 1_000_000_000, 0.002, 5))
    BESIDE.reset(token)
    told = [each for each in kept.get_finished_spans() if each.name == "segments.SEGMENTS"]
    assert [each.parent for each in told] == [each.get_span_context() for each in requests]
    assert {each.end_time - each.start_time for each in told if each.end_time and each.start_time} == {2_000_000}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_where_no_traces_are_wanted_there_is_no_tracer(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with tracing.tracing() as tracer:
        assert tracer is None


def test_traces_that_are_wanted_and_cannot_be_sent_are_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delitem(sys.modules, "selfsame.exporting", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)  # not installed
    with pytest.raises(SettingsInvalidError, match=r"selfsame\[otel\]"), tracing.tracing():
        pass


@pytest.mark.neo4j
@pytest.mark.parametrize("away", ["silent", "closed"])
async def test_a_receiver_of_traces_that_is_away_holds_up_nobody(
    company: Company, watch: Watch, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """Far more is asked than a queue of eight spans holds; all is answered, and what cannot be sent is given up."""
    monkeypatch.setattr(tracing, "FLUSH_SECONDS", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    for name, size in (("MAX_QUEUE_SIZE", "8"), ("MAX_EXPORT_BATCH_SIZE", "4")):
        monkeypatch.setenv(f"OTEL_BSP_{name}", size)
    with receiver_of_traces() as traces:
        traces.answering.clear()
        url = traces.url if away == "silent" else "http://127.0.0.1:1"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        with tracing.tracing() as watch.tracer:
            for _ in range(6):
                assert await company.ask("{ segments { name } }") == {"segments": []}
        watch.tracer = None
        assert traces.bodies == []


def test_a_statement_is_called_by_its_constant_and_one_made_when_asked_by_none() -> None:
    assert name_of(SEGMENTS) == "segments.SEGMENTS"
    assert name_of("MATCH (n) RETURN n") == MADE
