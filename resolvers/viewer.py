"""Who is asking, as far as answers depend on it."""

from dataclasses import dataclass, field

from graph.keys import Scope
from resolvers.rates import Meter, Rates


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one request may ask. cost: as limits.py counts it; operations: in one body, 1 where batches are off."""

    cost: int = 100_000
    operations: int = 10


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a key or a token that the front door knows. scope: what it may do.

    name: as the log of changes names it. pii: whether it is shown personal data. accounts: the keys of the only
    accounts it sees, with what is part of them; empty is all. meter: counts what is asked with the same key.
    """

    scope: Scope
    name: str = "somebody"
    bounds: Bounds = Bounds()
    pii: bool = False
    accounts: tuple[str, ...] = ()
    meter: Meter = field(default_factory=lambda: Meter(Rates()), compare=False)

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it that can be asked at all."""
        return self.pii and not self.accounts
