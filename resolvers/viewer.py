"""Who is asking, as far as answers depend on it."""

from dataclasses import dataclass

from graph.keys import Scope


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one request may ask. cost: as limits.py counts it; operations: in one body, 1 where batches are off."""

    cost: int = 100_000
    operations: int = 10


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a key that the front door knows. scope: what it may do. name: as the log of changes names it."""

    scope: Scope
    name: str = "somebody"
    bounds: Bounds = Bounds()
