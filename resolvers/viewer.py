"""Who is asking, as far as answers depend on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.keys import Scope
from resolvers.rates import Meter, Rates


@dataclass(frozen=True, slots=True)
class Trusted:
    """The documents of the service's own front-ends. texts: by id, and by `sha256:` and hash; known: all texts."""

    texts: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


NONE_TRUSTED = Trusted()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one request may ask. cost: as limits.py counts it; operations: in one body, 1 where batches are off.

    trusted: documents that can be asked by their id; documents_only: whether nothing else can be asked.
    introspection: whether the schema can be asked. subscriptions: how many its holder may have open in a process.
    """

    cost: int = 100_000
    operations: int = 10
    trusted: Trusted = field(default_factory=lambda: NONE_TRUSTED, hash=False)
    documents_only: bool = False
    introspection: bool = True
    subscriptions: int = 200


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a key or a token that the front door knows. scope: what it may do.

    name: as the log of changes names it. pii: whether it is shown personal data. accounts: the keys of the only
    accounts it sees, with what is part of them; empty is all. meter: counts what is asked with the same key.
    holder: whom its subscriptions are counted for: the key, or the subject of a token.
    """

    scope: Scope
    name: str = "somebody"
    bounds: Bounds = Bounds()
    pii: bool = False
    accounts: tuple[str, ...] = ()
    meter: Meter = field(default_factory=lambda: Meter(Rates()), compare=False)
    holder: str = field(default="", compare=False)

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it that can be asked at all."""
        return self.pii and not self.accounts
