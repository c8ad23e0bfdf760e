"""What every resolver may touch: who asks, the world, and the loaders of this request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import anyio
import strawberry

from graph.namespaces import declared_namespaces
from identity.messages import micros
from identity.policy import Policy
from resolvers.batching import Batching
from resolvers.viewer import Viewer
from resolvers.world import World


@dataclass(slots=True)
class Progress:
    """How far somebody has listened. passed: the last entry of which she heard all; said: the sequence she knows."""

    passed: int | None = None
    said: str | None = None

    def mark(self) -> str | None:
        """After which sequence to go on, where that is a later one than she knows; she is told it.

        So who hears of nothing, since nothing concerns her, grows no older than a mark.
        """
        known = int(self.said.partition(".")[0]) if self.said is not None else -1
        if self.passed is None or known > self.passed or self.said == f"{self.passed}":
            return None
        self.said = f"{self.passed}"
        return self.said


class Asking:
    """One request while it is answered, or one subscription from one event to the next.

    resume: after which sequence a subscription goes on, as its transport says. sequence: of the event that is answered.
    progress: how far a subscription is.
    """

    def __init__(self, viewer: Viewer, world: World, progress: Progress | None = None) -> None:
        self.viewer = viewer
        self.world = world
        self.batching = Batching(world.reader, world.joining)
        self.progress = progress or Progress()
        self.resume: str | None = None
        self.sequence: str | None = None
        self._ruling: Policy | None = None
        self._ruled: anyio.Lock | None = None

    def forget(self) -> None:
        """Read anew what is asked from now on: something was written."""
        self.batching = Batching(self.world.reader, self.world.joining)

    def renew(self, sequence: str) -> None:
        """Answer another event: by the policy in force now, at this moment, from what is stored now."""
        self.world = replace(self.world, policy=self.world.held.policy)
        self.sequence, self._ruling = sequence, None
        self.__dict__.pop("now", None)
        self.forget()

    async def ruling(self) -> Policy:
        """The policy in force with the namespaces that sources declared. One statement in a request."""
        if self._ruled is None:
            self._ruled = anyio.Lock()
        async with self._ruled:  # fields that are answered side by side ask once
            if self._ruling is None:
                self._ruling = self.world.policy.with_namespaces(await declared_namespaces(self.world.reader))
            return self._ruling

    @cached_property
    def now(self) -> datetime:
        """The moment of the request, the same for all that it asks."""
        return self.world.now()

    @property
    def micros(self) -> int:
        """The moment of the request in µs."""
        return micros(self.now)


Info = strawberry.Info[Asking, None]


class InfoOfPlan(strawberry.Info[Asking, None]):
    """What a resolver is told where a plan answers.

    kept: what was found out at this place of the document, for all requests. coerced: the variables of this one.
    """

    kept: dict[object, object]
    coerced: Mapping[str, object]
