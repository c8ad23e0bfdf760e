"""What every resolver may touch: who asks, the world, and the loaders of this request."""

from datetime import datetime
from functools import cached_property

import strawberry

from identity.messages import micros
from resolvers.batching import Batching
from resolvers.viewer import Viewer
from resolvers.world import World


class Asking:
    """One request while it is answered."""

    def __init__(self, viewer: Viewer, world: World) -> None:
        self.viewer = viewer
        self.world = world
        self.batching = Batching(world.reader)

    def forget(self) -> None:
        """Read anew what is asked from now on: something was written."""
        self.batching = Batching(self.world.reader)

    @cached_property
    def now(self) -> datetime:
        """The moment of the request, the same for all that it asks."""
        return self.world.now()

    @property
    def micros(self) -> int:
        """The moment of the request in µs."""
        return micros(self.now)


Info = strawberry.Info[Asking, None]
