"""Who is asking, as far as answers depend on it."""

from dataclasses import dataclass

from graph.keys import Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a key that the front door knows. scope: what it may do. name: as the log of changes names it."""

    scope: Scope
    name: str = "somebody"
