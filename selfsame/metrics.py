"""Numbers for Prometheus, of this process. What is counted has a name of our own choosing: nothing that a caller says.

Source of the names: Prometheus' own conventions (a unit at the end, `_total` for what only grows).
"""

from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from graph.connection import Ran
from graph.ingestion import Outcome
from graph.statements import name_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 10, 50, 100, 250, 500, 1_000)
UNKNOWN_ROUTE = "none"


class Metrics:
    """All numbers, in a registry of their own. A child of a metric is looked up once: that takes a lock and a dict."""

    def __init__(self) -> None:
        self.registry = kept = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=kept)
        self._requests = Counter(
            "selfsame_http_requests", "Requests answered.", ["method", "route", "status"], registry=kept
        )
        self._request_seconds = Histogram(
            "selfsame_http_request_seconds", "Time to the end of an answer.", ["route"], buckets=SECONDS, registry=kept
        )
        self._operations = Counter(
            "selfsame_graphql_operations", "Operations, by kind and code (`ok`).", ["kind", "code"], registry=kept
        )
        self._cost = Counter("selfsame_graphql_cost", "What operations cost.", ["kind"], registry=kept)
        self._statement_seconds = Histogram(
            "selfsame_cypher_seconds",
            "Time of a statement with its rows.",
            ["statement"],
            buckets=SECONDS,
            registry=kept,
        )
        self._rows = Counter("selfsame_cypher_rows", "Rows that statements answered.", ["statement"], registry=kept)
        self._failed = Counter("selfsame_cypher_failures", "Statements that failed.", ["statement"], registry=kept)
        self._group = Histogram("selfsame_commit_messages", "Messages in one commit.", buckets=SIZES, registry=kept)
        self._commit_seconds = Histogram("selfsame_commit_seconds", "Time of a commit.", buckets=SECONDS, registry=kept)
        self._messages = Counter(
            "selfsame_messages", "Messages committed, by what became of them.", ["status"], registry=kept
        )
        self._work = Histogram(
            "selfsame_background_seconds", "Background work.", ["work", "outcome"], buckets=SECONDS, registry=kept
        )
        self._changes = Counter("selfsame_changes", "Changes to who is who, of all processes.", ["kind"], registry=kept)
        self._stock = Gauge("selfsame_stock", "What the graph holds, as last counted.", ["what"], registry=kept)
        self.waiting = Gauge("selfsame_intake_waiting_messages", "Accepted and not committed.", registry=kept)
        self.subscriptions = Gauge("selfsame_subscriptions", "Subscriptions that are open.", registry=kept)
        self.pool_open = Gauge("selfsame_neo4j_connections", "Connections to Neo4j.", registry=kept)
        self.pool_used = Gauge("selfsame_neo4j_connections_used", "Those of them in use.", registry=kept)
        self._of_statement: dict[str, tuple[Histogram, Counter]] = {}
        self._of_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._of_operation: dict[tuple[str, str], tuple[Counter, Counter]] = {}

    def ran(self, ran: Ran) -> None:
        """Count a statement."""
        name = name_of(ran.statement)
        found = self._of_statement.get(name)
        if found is None:
            found = self._of_statement[name] = self._statement_seconds.labels(name), self._rows.labels(name)
        found[0].observe(ran.seconds)
        found[1].inc(ran.rows)
        if ran.error is not None:
            self._failed.labels(name).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. route: as the service declares it."""
        key = (method, route, status)
        found = self._of_request.get(key)
        if found is None:
            found = self._requests.labels(method, route, status), self._request_seconds.labels(route)
            self._of_request[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def asked(self, kind: str, code: str, cost: int) -> None:
        """Count an operation."""
        found = self._of_operation.get((kind, code))
        if found is None:
            found = self._of_operation[kind, code] = self._operations.labels(kind, code), self._cost.labels(kind)
        found[0].inc()
        found[1].inc(cost)

    def committed(self, outcomes: Iterable[Outcome], seconds: float) -> None:
        """Count a commit and what became of its messages."""
        statuses = [each.status.value for each in outcomes]
        self._group.observe(len(statuses))
        self._commit_seconds.observe(seconds)
        for each in set(statuses):
            self._messages.labels(each).inc(statuses.count(each))

    def worked(self, work: str, outcome: str, seconds: float) -> None:
        """Count a piece of background work; outcome: `done`, `waits` or `failed`."""
        self._work.labels(work, outcome).observe(seconds)

    def changed(self, kinds: Mapping[str, int]) -> None:
        """Count changes to who is who."""
        for kind, many in kinds.items():
            self._changes.labels(kind).inc(many)

    def holds(self, stock: Mapping[str, int]) -> None:
        """Remember what the graph holds."""
        for what, many in stock.items():
            self._stock.labels(what).set(many)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
