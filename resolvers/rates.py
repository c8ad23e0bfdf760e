"""How often and how much a key may ask: token buckets (RFC 2697 has the idea), in the memory of one process.

A bucket holds so much at once and fills evenly. Neither windows that begin anew, which let twice as much through around
their edge, nor a list of moments: two numbers. Both buckets of a key with their headers take 7 µs a request, with
the look-up of the key's meter; the `limits` library took 9 for each limit.

Who asks for more at once than a bucket holds is let in when it is full, and waits the longer afterwards: what one
question may cost is a limit of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from graphql import GraphQLError

from resolvers.errors import Code, refused


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may be asked on the average, per second, and how much at once."""

    per_second: float
    at_once: float


@dataclass(slots=True)
class Bucket:
    """What is left of a rate. left: at the moment `at`, in seconds; below 0 after one large question."""

    rate: Rate
    left: float
    at: float

    def wait(self, amount: float, at: float) -> float:
        """How many seconds until so much may be taken; 0 is now."""
        rate = self.rate
        self.left = min(rate.at_once, self.left + (at - self.at) * rate.per_second)
        self.at = at
        return max(min(amount, rate.at_once) - self.left, 0.0) / rate.per_second

    def take(self, amount: float, at: float) -> float:
        """Take so much, or nothing: how many seconds until it may be taken; 0 when it was."""
        waits = self.wait(amount, at)
        if not waits:
            self.left -= amount
        return waits


def full(rate: Rate, at: float) -> Bucket:
    """A bucket of which nothing was taken."""
    return Bucket(rate, rate.at_once, at)


@dataclass(frozen=True, slots=True)
class Rates:
    """What one key may ask: questions, and what they cost together; None for no limit."""

    questions: Rate | None = None
    cost: Rate | None = None


@dataclass(slots=True)
class Meter:
    """Counts what one key asks. now: seconds, by a clock that never goes back."""

    rates: Rates
    now: Callable[[], float] = monotonic
    questions: Bucket | None = field(init=False)
    cost: Bucket | None = field(init=False)
    policy: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is taken yet."""
        at = self.now()
        rates = self.rates
        self.questions = full(rates.questions, at) if rates.questions is not None else None
        self.cost = full(rates.cost, at) if rates.cost is not None else None
        self.policy = ", ".join(_policy(name, bucket.rate) for name, bucket in self._buckets()).encode()

    def ask(self, number: int = 1) -> None:
        """Count questions. Raises GraphQLError `rate_limited` when there were too many; then none is counted."""
        if self.questions is not None and (waits := self.questions.take(number, self.now())):
            raise limited("questions come too often", waits)

    def spend(self, cost: int) -> None:
        """Count what a question costs. Raises GraphQLError `rate_limited` when they cost too much together."""
        if self.cost is not None and (waits := self.cost.take(cost, self.now())):
            raise limited("the questions of this minute cost too much together", waits)

    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """What is left, as the IETF's draft of RateLimit header fields says it (draft-ietf-httpapi-ratelimit-headers).

        `t`: seconds until all of it may be taken again.
        """
        if not self.policy:
            return ()
        at = self.now()
        left = ", ".join(_left(name, bucket, at) for name, bucket in self._buckets())
        return (b"ratelimit-policy", self.policy), (b"ratelimit", left.encode())

    def _buckets(self) -> tuple[tuple[str, Bucket], ...]:
        both = (("questions", self.questions), ("cost", self.cost))
        return tuple((name, bucket) for name, bucket in both if bucket is not None)


def _policy(name: str, rate: Rate) -> str:
    unit = "" if name == "questions" else f';qu="{name}"'
    return f'"{name}";q={int(rate.at_once)};w={ceil(rate.at_once / rate.per_second)}{unit}'


def _left(name: str, bucket: Bucket, at: float) -> str:
    until_full = ceil(bucket.wait(bucket.rate.at_once, at))
    return f'"{name}";r={max(int(bucket.left), 0)};t={until_full}'


def limited(what: str, waits: float) -> GraphQLError:
    """The error of who asks too much. waits: how many seconds until the same may be asked."""
    seconds = max(ceil(waits), 1)
    sentence = f"{what}; the same may be asked again in {seconds} s"
    return refused(Code.RATE_LIMITED, sentence, retryAfter=seconds)
