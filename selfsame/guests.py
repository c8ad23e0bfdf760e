"""How much each may ask: what the settings say, and what a key says of itself.

What was asked is counted in the memory of each process: where several run behind one address, a key may ask so much of
each. A key of scope `steward` or `admin` is measured only where it names a rate: who has it runs the service.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from time import monotonic

from graph.keys import ApiKey, Scope
from resolvers.rates import Bucket, Meter, Rate, Rates, full
from resolvers.viewer import Bounds, Viewer
from selfsame.refusals import RATE_LIMITED, Refusal

MOST_REMEMBERED = 4_096
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Edge:
    """How much may be asked. bounds: by one request to /graphql. metrics_key: without which nobody reads the metrics.

    asking: what keys that ask may that say nothing of it themselves; sending: how often keys that send may.
    failing: how often an address may come without a key that is known. public_blind: whether public keys
    are not told the schema.
    """

    bounds: Bounds = field(default_factory=Bounds)
    metrics_key: str | None = field(default=None, repr=False)
    asking: Rates = field(default_factory=Rates)
    sending: Rate | None = None
    failing: Rate | None = None
    burst_seconds: float = 2.0
    public_blind: bool = False


@dataclass(slots=True)
class Guests:
    """Those who ask and send with keys that are known. known: the last thousands, with what they asked lately."""

    edge: Edge = field(default_factory=Edge)
    known: OrderedDict[str, tuple[ApiKey, Viewer]] = field(default_factory=OrderedDict)
    senders: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)

    def viewer(self, key: ApiKey) -> Viewer:
        """Who asks with a key or a token; tokens of one subject are one."""
        name = key.hash if key.subject is None else f"{key.scope} {key.subject}"
        found = self.known.get(name)
        if found is not None and found[0] is key:
            self.known.move_to_end(name)
            return found[1]
        rates = self._rates(key)
        meter = found[1].meter if found is not None and found[1].meter.rates == rates else Meter(rates)
        bounds = self._bounds(key)
        viewer = Viewer(key.scope, key.name, bounds, pii=key.pii, accounts=key.accounts, meter=meter, holder=name)
        self.known[name] = (key, viewer)
        if len(self.known) > MOST_REMEMBERED:
            self.known.popitem(last=False)
        return viewer

    def sends(self, key: ApiKey) -> Refusal | None:
        """Count a request that sends; why it has to wait, or None."""
        rate = self._of_key(key.bounds.rate) or self.edge.sending
        return _counted(self.senders, key.hash, rate, monotonic()) if rate is not None else None

    def _bounds(self, key: ApiKey) -> Bounds:
        usual = self.edge.bounds
        return replace(
            usual,
            cost=key.bounds.cost or usual.cost,
            documents_only=usual.documents_only or key.bounds.documents_only,
            introspection=usual.introspection and not (key.bounds.public and self.edge.public_blind),
        )

    def _rates(self, key: ApiKey) -> Rates:
        usual = self.edge.asking if key.scope is Scope.READ else Rates()
        own = key.bounds.cost_rate
        return Rates(self._of_key(key.bounds.rate) or usual.questions, per_minute(own) if own else usual.cost)

    def _of_key(self, rate: float | None) -> Rate | None:
        return per_second(rate, self.edge.burst_seconds) if rate else None


@dataclass(slots=True)
class Strangers:
    """The addresses that came without a key that is known. rate: how often each may; None for as often as it likes."""

    rate: Rate | None = None
    now: Callable[[], float] = monotonic
    seen: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)

    def wait(self, address: str | None) -> Refusal | None:
        """Why an address has to wait before anything that it shows is looked at, or None."""
        bucket = self.seen.get(address or "") if self.seen else None
        waits = bucket.wait(1.0, self.now()) if bucket is not None else 0.0
        return _refusal(waits) if waits else None

    def failed(self, address: str | None) -> None:
        """Count that an address showed nothing that is known."""
        if self.rate is not None:
            _counted(self.seen, address or "", self.rate, self.now())


def per_second(rate: float, burst_seconds: float) -> Rate:
    """So many a second, and as many at once as come in some seconds."""
    return Rate(rate, max(rate * burst_seconds, 1.0))


def per_minute(amount: float) -> Rate:
    """So much in each minute, and at once."""
    return Rate(amount / MINUTE, amount)


def _counted(buckets: OrderedDict[str, Bucket], name: str, rate: Rate, at: float) -> Refusal | None:
    bucket = buckets.get(name)
    if bucket is None:
        bucket = buckets[name] = full(rate, at)
        if len(buckets) > MOST_REMEMBERED:
            buckets.popitem(last=False)
    waits = bucket.take(1.0, at)
    return _refusal(waits) if waits else None


def _refusal(waits: float) -> Refusal:
    return replace(RATE_LIMITED, retry_after=max(ceil(waits), 1))
